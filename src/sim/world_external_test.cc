// A world whose nodes are clients' (WorldOptions::external): it schedules, replaces and collects,
// and leaves what a kubelet, a cloud or an autoscaler would say to those who are that.
#include "sim/world_fixture.h"

namespace windlass::sim {
namespace {

using cluster::Kind;

constexpr const char* kOutsideWeb = R"(
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      nodeSelector: {whose: mine}
      containers: [{name: web, image: nginx, resources: {requests: {cpu: 100m}}}]
)";
constexpr const char* kOutsideNode = R"(
apiVersion: v1
kind: Node
metadata: {name: mine, labels: {whose: mine}}
spec: {providerID: "test:///mine", taints: [{key: wait, effect: NoSchedule}]}
status:
  capacity: {cpu: "4", memory: 16Gi, pods: "110"}
  allocatable: {cpu: "4", memory: 16Gi, pods: "110"}
  conditions: [{type: Ready, status: "False", reason: Booting}]
)";

WorldOptions external() {
  WorldOptions options;
  options.external = true;
  return options;
}

struct ExternalWorld : RunningWorld {
  explicit ExternalWorld(Scenario the_scenario = bare())
      : RunningWorld(std::move(the_scenario), controllers::Policy::kStatic, external()) {}
  static Scenario bare() {
    Scenario scenario;
    scenario.name = "bare";
    scenario.start = *parse_rfc3339("2026-03-01T00:00:00Z");
    scenario.duration = hours(48);
    return scenario;
  }
  void change_node(const std::function<void(api::Node&)>& change) {
    api::Node node = state().nodes().at("mine");
    change(node);
    world->put(std::move(node));
  }
  void say(const std::string& key, const std::function<void(api::Pod&)>& change) {
    api::Pod pod = state().pods().at(key);
    change(pod);
    world->put(std::move(pod));
  }
  void make_ready() {
    change_node([&](api::Node& node) {
      node.conditions = {{"Ready", "True", "KubeletReady", "", world->now()}};
      node.taints.clear();
    });
  }
  [[nodiscard]] const api::Deployment& web() const {
    return state().deployments().at("default/web");
  }
};

void run_ready(ExternalWorld& run, const api::Pod* pod) {
  run.say(pod->meta.key(), [&](api::Pod& p) {
    p.phase = api::PodPhase::kRunning;
    p.ready = true;
    p.started_at = p.ready_at = run.world->now();
  });
}

TEST(WorldExternal, PodsAreBoundWhenTheNodeIsReadyAndRunWhenAClientSaysSo) {
  ExternalWorld run;
  run.apply(kOutsideWeb);
  run.run(seconds(5));
  ASSERT_EQ(run.pods("web-").size(), 2u);
  EXPECT_EQ(run.pods("web-")[0]->unschedulable_message, "no nodes available to schedule pods");
  run.apply(kOutsideNode);
  run.run(minutes(10));
  EXPECT_FALSE(api::is_true(run.state().nodes().at("mine").conditions, "Ready"));
  EXPECT_NE(run.pods("web-")[0]->unschedulable_message.find("not-ready"), std::string::npos);
  run.make_ready();
  run.run(minutes(10));
  for (const api::Pod* pod : run.pods("web-")) {
    EXPECT_EQ(pod->spec.node_name, "mine");
    EXPECT_TRUE(pod->scheduled_at);
    EXPECT_FALSE(pod->unschedulable_since);
    EXPECT_EQ(pod->phase, api::PodPhase::kPending) << "no kubelet has said a word";
    EXPECT_FALSE(run.world->kubelets().start_of(pod->meta.key()));
  }
  EXPECT_EQ(run.web().ready_replicas, 0);
  run_ready(run, run.pods("web-")[0]);
  run.run(seconds(2));
  EXPECT_EQ(run.web().ready_replicas, 1);
  EXPECT_EQ(run.pods("web-")[0]->phase, api::PodPhase::kRunning);
  run.say(run.pods("web-")[0]->meta.key(), [](api::Pod& p) { p.ready = false; });
  run.run(seconds(2));
  EXPECT_EQ(run.web().ready_replicas, 0);
}

TEST(WorldExternal, ADeletedPodWaitsForItsKubelet) {
  ExternalWorld run;
  run.apply(kOutsideWeb);
  run.apply(kOutsideNode);
  run.make_ready();
  run.run(seconds(5));
  const std::string key = run.pods("web-")[0]->meta.key();
  run_ready(run, run.pods("web-")[0]);
  run.say(key, [&](api::Pod& p) { p.meta.deleted = run.world->now(); });
  run.run(hours(2));
  ASSERT_NE(run.state().pods().find(key), nullptr);
  EXPECT_TRUE(run.state().pods().at(key).meta.deleted);
  EXPECT_TRUE(run.state().pods().at(key).ready) << "it is, until somebody says otherwise";
  EXPECT_EQ(run.pods("web-").size(), 2u) << "another has taken its place";
  run.world->remove(Kind::kPod, key);
  run.run(seconds(5));
  EXPECT_EQ(run.state().pods().find(key), nullptr);
  // The controllers' own deletions wait, too.
  api::Deployment none = run.web();
  none.replicas = 0;
  ++none.meta.generation;
  run.world->put(none);
  run.run(hours(1));
  EXPECT_EQ(run.pods("web-").size(), 0u);
  EXPECT_EQ(run.state().pods().size(), 2u);
}

TEST(WorldExternal, PodsGoWithTheirNode) {
  ExternalWorld run;
  run.apply(kOutsideWeb);
  run.apply(kOutsideNode);
  run.make_ready();
  run.run(seconds(5));
  const std::string key = run.pods("web-")[0]->meta.key();
  run.change_node([&](api::Node& node) {
    node.meta.finalizers = {"test/hold"};
    node.meta.deleted = run.world->now();
  });
  run.run(minutes(5));
  EXPECT_NE(run.state().nodes().find("mine"), nullptr);
  EXPECT_NE(run.state().pods().find(key), nullptr);
  run.change_node([](api::Node& node) { node.meta.finalizers.clear(); });
  run.run(seconds(5));
  EXPECT_EQ(run.state().nodes().find("mine"), nullptr);
  EXPECT_EQ(run.state().pods().find(key), nullptr);
  EXPECT_EQ(run.pods("web-").size(), 2u);
  EXPECT_EQ(run.pods("web-")[0]->spec.node_name, "");
}

TEST(WorldExternal, NodesOfBothKindsLiveTogether) {
  Scenario scenario = long_scenario(1);
  ExternalWorld run(std::move(scenario));
  const size_t own = run.state().nodes().size();
  ASSERT_GT(own, 0u);
  run.apply(kOutsideWeb);
  run.apply(kOutsideNode);
  run.make_ready();
  run.run(minutes(10));
  size_t running = 0;
  for (const auto& [key, pod] : run.state().pods()) {
    if (pod.spec.node_name.empty()) continue;
    const bool mine = pod.spec.node_name == "mine";
    EXPECT_EQ(run.world->is_external(pod.spec.node_name), mine);
    EXPECT_EQ(pod.phase == api::PodPhase::kPending, mine) << key;
    running += mine ? 0 : 1;
  }
  EXPECT_GT(running, 0u);
  EXPECT_EQ(run.state().nodes().size(), own + 1);
}

TEST(WorldExternal, WhatAutoscalersWriteIsKeptAndNobodyActsOnIt) {
  ExternalWorld run;
  run.apply(R"(
apiVersion: karpenter.sh/v1
kind: NodeClaim
metadata: {name: claim, labels: {karpenter.sh/nodepool: pool}}
spec:
  requirements: [{key: karpenter.sh/capacity-type, operator: In, values: [spot]}]
  nodeClassRef: {group: karpenter.k8s.aws, kind: EC2NodeClass, name: default}
)");
  run.run(hours(1));
  api::NodeClaim claim = run.state().node_claims().at("claim");
  EXPECT_TRUE(claim.meta.finalizers.empty());
  EXPECT_TRUE(claim.conditions.empty());
  claim.provider_id = "aws:///z/i-1";
  claim.node_name = "mine";
  claim.conditions = {{"Launched", "True", "Launched", "", run.world->now()}};
  claim.meta.finalizers = {"karpenter.sh/termination"};
  run.world->put(claim);
  claim.conditions[0].status = "Unknown";
  run.world->put(claim);
  EXPECT_EQ(run.state().node_claims().at("claim").conditions[0].status, "Unknown");
  EXPECT_EQ(run.state().node_claims().at("claim").provider_id, "aws:///z/i-1");
  claim.meta.deleted = run.world->now();
  run.world->put(claim);
  run.run(hours(1));
  EXPECT_NE(run.state().node_claims().find("claim"), nullptr);
  run.world->remove(Kind::kNodeClaim, "claim");
  EXPECT_EQ(run.state().node_claims().find("claim"), nullptr);
  EXPECT_TRUE(run.world->cloud().instances().empty());
}

TEST(WorldExternal, ARestartLeavesPodsAsTheirKubeletsLeftThem) {
  ExternalWorld run;
  run.apply(kOutsideWeb);
  run.apply(kOutsideNode);
  run.make_ready();
  run.run(seconds(5));
  const std::string key = run.pods("web-")[0]->meta.key();
  run_ready(run, run.pods("web-")[0]);
  run.run(seconds(5));
  WorldOptions options = external();
  options.keep_raw = true;
  options.saved = run.world->take_saved();
  options.objects.emplace();
  for (const auto& [name, node] : run.state().nodes()) options.objects->emplace_back(node);
  for (const auto& [name, pod] : run.state().pods()) options.objects->emplace_back(pod);
  auto again = World::open(run.scenario, controllers::Policy::kStatic, std::move(options));
  ASSERT_TRUE(again.ok());
  World& world = **again;
  ASSERT_TRUE(world.run_until(world.now() + hours(1), {}).ok());
  EXPECT_TRUE(world.state().pods().at(key).ready);
  EXPECT_TRUE(api::is_true(world.state().nodes().at("mine").conditions, "Ready"));
  int pending = 0;
  for (const auto& [name, pod] : world.state().pods()) {
    pending += pod.phase == api::PodPhase::kPending ? 1 : 0;
  }
  EXPECT_EQ(pending, 1);
}

}  // namespace
}  // namespace windlass::sim
