#include "cluster/state.h"

#include <gtest/gtest.h>

namespace windlass::cluster {
namespace {

api::Pod pod(const std::string& name, const std::string& node = "", int64_t gpus = 1) {
  api::Pod made;
  made.meta.name = name;
  made.meta.namespace_name = "ns";
  made.meta.uid = "uid-" + name;
  made.meta.owners.push_back({"apps/v1", "ReplicaSet", "web", "owner", true});
  made.spec.node_name = node;
  api::Container container;
  container.requests = {{api::kNvidiaGpu, gpus * 1000}};
  made.spec.containers.push_back(container);
  return made;
}

api::Node node(const std::string& name, const std::string& provider_id) {
  api::Node made;
  made.meta.name = name;
  made.provider_id = provider_id;
  made.allocatable = {{api::kNvidiaGpu, 4000}, {api::kPods, 10'000}};
  return made;
}

TEST(State, EveryWriteHasAHigherResourceVersionAndIsQueuedOnce) {
  State state{catalog::Catalog{}};
  state.put(pod("a"));
  const uint64_t first = state.pods().at("ns/a").meta.resource_version;
  state.put(pod("a"));
  EXPECT_GT(state.pods().at("ns/a").meta.resource_version, first);
  const auto changes = state.take_changes();
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_EQ(changes[0].kind, Kind::kPod);
  EXPECT_EQ(changes[0].key, "ns/a");
  EXPECT_TRUE(state.take_changes().empty());
}

TEST(State, IndexesFollowAPodFromUnboundToBoundToGone) {
  State state{catalog::Catalog{}};
  state.put(pod("a"));
  EXPECT_EQ(state.unbound_pods(), std::set<std::string>{"ns/a"});
  EXPECT_EQ(state.pods_of("owner"), std::set<std::string>{"ns/a"});
  state.put(pod("a", "n1"));
  EXPECT_TRUE(state.unbound_pods().empty());
  EXPECT_EQ(state.pods_on("n1"), std::set<std::string>{"ns/a"});
  state.remove(Kind::kPod, "ns/a");
  EXPECT_TRUE(state.pods_on("n1").empty());
  EXPECT_TRUE(state.pods_of("owner").empty());
  EXPECT_TRUE(state.take_changes().back().removed);
}

// Whatever happens to pods, what a node carries is what a walk over all pods says.
TEST(State, LoadsFollowEveryChange) {
  State state{catalog::Catalog{}};
  state.put(node("n1", "i-1"));
  uint32_t random = 1;
  const auto below = [&](uint32_t n) {
    return ((random = random * 1664525 + 1013904223) >> 16) % n;
  };
  for (int i = 0; i < 2000; ++i) {
    const std::string name(1, static_cast<char>('a' + below(8)));
    const std::string place = below(3) == 0 ? "" : below(2) == 0 ? "n1" : "n2";
    api::Pod made = pod(name, place, 1 + below(4));
    if (below(4) == 0) made.phase = api::PodPhase::kSucceeded;
    if (below(4) == 0) made.meta.owners.front() = {"apps/v1", "DaemonSet", "ds", "ds", true};
    if (below(5) == 0) {
      state.remove(Kind::kPod, "ns/" + name);
    } else {
      state.put(made);
    }
    for (const char* on : {"n1", "n2", "n3"}) {
      std::vector<const api::Pod*> pods;
      api::ResourceList requests;
      api::ResourceList daemons;
      for (const auto& [key, each] : state.pods()) {
        if (each.spec.node_name != on || each.terminal()) continue;
        pods.push_back(&each);
        requests += api::pod_requests(each.spec);
        if (each.daemon()) daemons += api::pod_requests(each.spec);
      }
      const State::Load& load = state.load_of(on);
      ASSERT_EQ(load.pods, pods);
      ASSERT_EQ(load.requests, requests);
      ASSERT_EQ(load.of_daemons, daemons);
    }
    std::set<std::string> owned;
    for (const auto& [key, each] : state.pods()) {
      if (each.meta.owners.front().uid == "owner") owned.insert(key);
    }
    ASSERT_EQ(state.pods_of("owner"), owned);
  }
}

TEST(State, ATerminalPodIsNotPending) {
  State state{catalog::Catalog{}};
  api::Pod done = pod("a");
  done.phase = api::PodPhase::kFailed;
  state.put(done);
  EXPECT_TRUE(state.unbound_pods().empty());
}

TEST(State, FreeOnANodeLeavesOutFinishedPods) {
  State state{catalog::Catalog{}};
  state.put(node("n1", "i-1"));
  state.put(pod("a", "n1", 1));
  api::Pod done = pod("b", "n1", 2);
  done.phase = api::PodPhase::kSucceeded;
  state.put(done);
  const api::ResourceList free = state.free_on(state.nodes().at("n1"));
  EXPECT_EQ(free.milli(api::kNvidiaGpu), 3000);
  EXPECT_EQ(free.milli(api::kPods), 9000);
}

TEST(State, AClaimIsFoundByItsInstanceAndItsNode) {
  State state{catalog::Catalog{}};
  api::NodeClaim claim;
  claim.meta.name = "c1";
  claim.provider_id = "i-1";
  state.put(claim);
  EXPECT_EQ(state.claim_of_node("n1"), nullptr);
  state.put(node("n1", "i-1"));
  ASSERT_NE(state.claim_of_node("n1"), nullptr);
  EXPECT_EQ(state.claim_of_node("n1")->meta.name, "c1");
  state.remove(Kind::kNodeClaim, "c1");
  EXPECT_EQ(state.claim_by_provider_id("i-1"), nullptr);
}

TEST(State, AnOfferingIsUnavailableUntilItsTimeIsOver) {
  State state{catalog::Catalog{}};
  state.observe_unavailable("g5.xlarge:a:spot", Instant{} + minutes(3));
  EXPECT_TRUE(state.unavailable("g5.xlarge:a:spot", Instant{} + minutes(2)));
  EXPECT_FALSE(state.unavailable("g5.xlarge:a:spot", Instant{} + minutes(3)));
  EXPECT_FALSE(state.unavailable("g5.xlarge:b:spot", Instant{}));
}

TEST(State, PollAndSyncAnswersDoNotOverwriteEachOther) {
  State state{catalog::Catalog{}};
  state.observe_query("ns/so", {QueryPurpose::kPoll, 1, Instant{}, {}});
  state.observe_query("ns/so", {QueryPurpose::kSync, 2, Instant{}, {}});
  EXPECT_EQ(state.query_round("ns/so", QueryPurpose::kPoll)->id, 1u);
  EXPECT_EQ(state.query_round("ns/so", QueryPurpose::kSync)->id, 2u);
  EXPECT_EQ(state.query_round("ns/other", QueryPurpose::kSync), nullptr);
}

TEST(State, KnowsTheNodesThatGo) {
  State state{catalog::Catalog{}};
  const auto node = [&](const std::string& name, const std::string& id) {
    api::Node made;
    made.meta.name = name;
    made.provider_id = id;
    return made;
  };
  const auto claim = [&](const std::string& id, bool deleted) {
    api::NodeClaim made;
    made.meta.name = "claim-" + id;
    made.provider_id = id;
    if (deleted) made.meta.deleted = Instant{};
    return made;
  };
  using Names = std::set<std::string>;
  state.put(claim("i-1", false));
  state.put(node("a", "i-1"));
  state.put(node("b", "i-1"));  // two that say they are one
  state.put(node("c", "i-2"));
  EXPECT_EQ(state.nodes_going(), Names{});
  state.put(claim("i-1", true));
  EXPECT_EQ(state.nodes_going(), (Names{"a", "b"}));
  state.put(claim("i-2", true));  // known after its node
  EXPECT_EQ(state.nodes_going(), (Names{"a", "b", "c"}));
  state.put(claim("i-1", false));
  state.remove(Kind::kNodeClaim, "claim-i-2");
  EXPECT_EQ(state.nodes_going(), Names{});
  api::Node marked = node("c", "i-2");
  marked.taints.push_back({std::string(api::kDisruptedTaint), "", "NoSchedule"});
  state.put(marked);
  api::Node deleted = node("a", "i-1");
  deleted.meta.deleted = Instant{};
  state.put(deleted);
  EXPECT_EQ(state.nodes_going(), (Names{"a", "c"}));
  state.put(node("c", "i-2"));
  state.remove(Kind::kNode, "a");
  EXPECT_EQ(state.nodes_going(), Names{});
  // A node that comes under a claim which is going already.
  state.put(claim("i-3", true));
  state.put(node("d", "i-3"));
  EXPECT_EQ(state.nodes_going(), Names{"d"});
}

}  // namespace
}  // namespace windlass::cluster
