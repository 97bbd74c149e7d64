// Phases of nodes and pods, by table.
#include <gtest/gtest.h>

#include "server/observe/frame_builder.h"

namespace windlass::server::observe {
namespace {

constexpr Instant kNow{1'700'000'000'000'000'000};

struct NodeCase {
  const char* name;
  bool claim = true, instance = true, node = true;
  bool deleted = false, going = false, tainted = false;
  bool ready = true, initialized = true, gpus = true, work = true;
  std::string_view phase;
};

std::string_view phase_in(const NodeCase& one) {
  static const catalog::Catalog catalog = catalog::built_in({});
  cluster::State state(catalog);
  const catalog::InstanceType* type = catalog.find("g6.xlarge");
  WL_ASSERT(type != nullptr);
  api::NodeClaim claim;
  claim.meta.name = "pool-1";
  if (one.instance || one.node) claim.provider_id = "aws:///i-1";
  if (one.deleted) claim.meta.deleted = kNow;
  claim.conditions.push_back({"Initialized", one.initialized ? "True" : "False", "", "", kNow});
  sim::Instance instance;
  instance.provider_id = "aws:///i-1";
  instance.type = type;
  instance.going = one.going;
  api::Node node;
  node.meta.name = "n1";
  node.provider_id = "aws:///i-1";
  node.conditions.push_back({"Ready", one.ready ? "True" : "False", "", "", kNow});
  if (one.gpus) node.allocatable.set(api::kNvidiaGpu, 1000);
  if (one.tainted) node.taints.push_back({std::string(api::kDisruptedTaint), "", "NoSchedule"});
  state.put(node);
  api::Pod daemon;
  daemon.meta.name = "daemon";
  daemon.meta.owners.push_back({"apps/v1", "DaemonSet", "d", "u", true});
  daemon.spec.node_name = "n1";
  state.put(daemon);
  if (one.work) {
    api::Pod pod;
    pod.meta.name = "work";
    pod.spec.node_name = "n1";
    state.put(pod);
  }
  NodeParts parts;
  if (one.claim) parts.claim = &claim;
  if (one.instance) parts.instance = &instance;
  if (one.node) parts.node = state.nodes().find("n1");
  return to_string(phase_of(parts, state));
}

TEST(NodePhase, FollowsClaimInstanceAndNode) {
  const std::vector<NodeCase> cases{
      {.name = "asked for", .instance = false, .node = false, .phase = "launching"},
      {.name = "runs", .node = false, .phase = "booting"},
      {.name = "joined", .initialized = false, .gpus = false, .phase = "registered"},
      {.name = "not ready", .ready = false, .phase = "registered"},
      {.name = "up", .phase = "ready"},
      {.name = "up without a claim", .claim = false, .phase = "ready"},
      {.name = "no claim, GPUs missing", .claim = false, .gpus = false, .phase = "registered"},
      {.name = "marked", .tainted = true, .phase = "draining"},
      {.name = "deleted, at work", .deleted = true, .phase = "draining"},
      {.name = "deleted, only daemons", .deleted = true, .work = false, .phase = "terminating"},
      {.name = "ending", .deleted = true, .going = true, .phase = "terminating"},
      {.name = "ended before it joined", .node = false, .deleted = true, .phase = "terminating"},
      {.name = "no object left",
       .claim = false,
       .node = false,
       .going = true,
       .phase = "terminating"}};
  for (const NodeCase& one : cases) EXPECT_EQ(phase_in(one), one.phase) << one.name;
}

TEST(PodPhase, FollowsItsStart) {
  api::Pod bound;
  bound.meta.name = "p";
  bound.meta.created = kNow - seconds(100);
  bound.spec.node_name = "n1";
  bound.scheduled_at = kNow - seconds(90);
  const auto at = [](int from_now) { return kNow + seconds(from_now); };
  const auto stand = [&](const api::Pod& pod, std::optional<PodTimes> times) {
    const PodStand found = stand_of(pod, times, kNow);
    const std::string since =
        found.since ? std::to_string(static_cast<int>((*found.since - kNow).seconds())) : "null";
    return std::string(to_string(found.step)) + " " + since;
  };
  api::Pod pending = bound;
  pending.spec.node_name.clear();
  EXPECT_EQ(stand(pending, {}), "pending -100");
  EXPECT_EQ(stand(bound, PodTimes{at(5), at(30), at(60)}), "pulling -90");
  EXPECT_EQ(stand(bound, PodTimes{at(-5), at(30), at(60)}), "loading -5");
  // An image that was there long ago: loading began when the pod was bound.
  EXPECT_EQ(stand(bound, PodTimes{at(-500), at(30), at(60)}), "loading -90");
  EXPECT_EQ(stand(bound, PodTimes{at(-50), at(-20), at(60)}), "starting -20");
  EXPECT_EQ(stand(bound, {}), "starting -90");
  api::Pod ready = bound;
  ready.phase = api::PodPhase::kRunning;
  ready.ready = true;
  ready.ready_at = at(-7);
  EXPECT_EQ(stand(ready, PodTimes{at(-50), at(-20), at(-7)}), "ready -7");
  ready.meta.deleted = at(-2);
  EXPECT_EQ(stand(ready, {}), "draining -2");
  ready.phase = api::PodPhase::kSucceeded;
  EXPECT_EQ(stand(ready, {}), "succeeded null");
  ready.phase = api::PodPhase::kFailed;
  EXPECT_EQ(stand(ready, {}), "failed null");
}

}  // namespace
}  // namespace windlass::server::observe
