#include "sim/node_ranking.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace windlass::sim {
namespace {

api::Node make_node(const std::string& name, int64_t cpu, int64_t gpus, const std::string& zone) {
  api::Node node;
  node.meta.name = name;
  node.meta.labels["zone"] = zone;
  node.provider_id = "id-" + name;
  node.allocatable = {{"cpu", cpu}, {api::kNvidiaGpu, gpus * 1000}, {api::kPods, 8000}};
  node.conditions.push_back({"Ready", "True", "", "", {}});
  return node;
}

api::Pod make_pod(const std::string& name, int64_t cpu, int64_t gpus, const std::string& zone) {
  api::Pod pod;
  pod.meta.name = name;
  pod.meta.namespace_name = "ns";
  api::Container container;
  container.requests = {{"cpu", cpu}};
  if (gpus > 0) container.requests.set(api::kNvidiaGpu, gpus * 1000);
  pod.spec.containers.push_back(container);
  if (!zone.empty()) pod.spec.node_selector["zone"] = zone;
  return pod;
}

// The definition, node by node: of those that admit the pod and have room, the one whose fullest
// asked resource is the least full with the pod on it; the first of equals.
std::string walk(const cluster::State& state, const api::Pod& pod) {
  const api::ResourceList requests = api::pod_requests(pod.spec);
  std::string best;
  double best_share = 2;
  for (const auto& [name, node] : state.nodes()) {
    if (!admits(node, pod)) continue;
    const api::ResourceList free = state.free_on(node);
    if (!requests.fits(free)) continue;
    double share = 0;
    for (const auto& [resource, milli] : requests) {
      const auto total = static_cast<double>(node.allocatable.milli(resource));
      if (milli == 0 || total == 0) continue;
      share = std::max(share, 1 - static_cast<double>(free.milli(resource) - milli) / total);
    }
    if (share < best_share) {
      best_share = share;
      best = name;
    }
  }
  return best;
}

RC_GTEST_PROP(NodeRanking, ChoosesWhatAWalkOverAllNodesChooses, ()) {
  cluster::State state{catalog::Catalog{}};
  const auto nodes = *rc::gen::inRange(1, 8);
  for (int i = 0; i < nodes; ++i) {
    api::Node node = make_node(fmt::format("n{}", i), *rc::gen::element<int64_t>(2000, 4000, 8000),
                               *rc::gen::inRange<int64_t>(0, 3), *rc::gen::element("a", "b"));
    node.unschedulable = *rc::gen::inRange(0, 6) == 0;
    if (*rc::gen::inRange(0, 4) == 0) node.taints.push_back({"gpu", "", "NoSchedule"});
    state.put(node);
  }
  NodeRanking ranking(state);
  const auto pods = *rc::gen::inRange(1, 40);
  for (int i = 0; i < pods; ++i) {
    api::Pod pod = make_pod(fmt::format("p{}", i), *rc::gen::element<int64_t>(250, 500, 3000),
                            *rc::gen::inRange<int64_t>(0, 2), *rc::gen::element("", "a", "b"));
    if (*rc::gen::inRange(0, 3) == 0) pod.spec.tolerations.push_back({"gpu", "Exists", "", "", {}});
    const api::ResourceList requests = api::pod_requests(pod.spec);
    const std::string wanted = walk(state, pod);
    const api::Node* got = ranking.choose(pod, requests);
    RC_ASSERT((got == nullptr ? "" : got->meta.name) == wanted);
    if (got == nullptr) continue;
    pod.spec.node_name = wanted;
    state.put(pod);
    ranking.bound(*got, pod, requests);
  }
}

TEST(NodeRanking, APodOfNoHigherPriorityThanAllBoundOnesPreemptsNothing) {
  cluster::State state{catalog::Catalog{}};
  state.put(make_node("n", 4000, 0, "a"));
  api::Pod bound = make_pod("bound", 1000, 0, "");
  bound.spec.node_name = "n";
  bound.spec.priority = 10;
  state.put(bound);
  NodeRanking ranking(state);
  api::Pod pod = make_pod("next", 1000, 0, "");
  pod.spec.priority = 10;
  EXPECT_FALSE(ranking.may_preempt(pod));
  pod.spec.priority = 11;
  EXPECT_TRUE(ranking.may_preempt(pod));
  // One that this pass binds counts as well.
  api::Pod low = make_pod("low", 1000, 0, "");
  const api::ResourceList requests = api::pod_requests(low.spec);
  const api::Node* node = ranking.choose(low, requests);
  ASSERT_NE(node, nullptr);
  ranking.bound(*node, low, requests);
  pod.spec.priority = 1;
  EXPECT_TRUE(ranking.may_preempt(pod));
}

TEST(NodeRanking, AfterAnEvictionTheRoomIsCountedAfresh) {
  cluster::State state{catalog::Catalog{}};
  state.put(make_node("n", 2000, 0, "a"));
  api::Pod bound = make_pod("bound", 1500, 0, "");
  bound.spec.node_name = "n";
  state.put(bound);
  NodeRanking ranking(state);
  const api::Pod pod = make_pod("next", 1000, 0, "");
  const api::ResourceList requests = api::pod_requests(pod.spec);
  EXPECT_EQ(ranking.choose(pod, requests), nullptr);
  EXPECT_NE(ranking.why_none(pod, requests).find("1 Insufficient cpu"), std::string::npos);
  state.remove(cluster::Kind::kPod, "ns/bound");
  ranking.forget();
  ASSERT_NE(ranking.choose(pod, requests), nullptr);
}

}  // namespace
}  // namespace windlass::sim
