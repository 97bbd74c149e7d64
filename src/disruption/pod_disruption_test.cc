#include "disruption/pod_disruption.h"

#include <algorithm>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "disruption/small_cluster.h"

namespace windlass::disruption {
namespace {

std::vector<const api::Pod*> pointers(const std::vector<api::Pod>& pods) {
  std::vector<const api::Pod*> result;
  for (const api::Pod& pod : pods) result.push_back(&pod);
  return result;
}

std::vector<api::Pod> ready_pods(int count) {
  std::vector<api::Pod> pods(static_cast<size_t>(count));
  for (size_t i = 0; i < pods.size(); ++i) {
    pods[i].meta.name = "p" + std::to_string(i);
    pods[i].meta.namespace_name = "ns";
    pods[i].meta.labels = {{"app", "x"}};
    pods[i].phase = api::PodPhase::kRunning;
    pods[i].ready = true;
  }
  return pods;
}

api::PodDisruptionBudget pdb(std::optional<api::IntOrPercent> min_available,
                             std::optional<api::IntOrPercent> max_unavailable) {
  api::PodDisruptionBudget budget;
  budget.meta.name = "b";
  budget.meta.namespace_name = "ns";
  budget.selector.match_labels = {{"app", "x"}};
  budget.min_available = min_available;
  budget.max_unavailable = max_unavailable;
  return budget;
}

// Kubernetes' disruption controller: healthy - desired, both bounds scaled up.
TEST(DisruptionsAllowed, Bounds) {
  using Bound = std::optional<api::IntOrPercent>;
  struct Case {
    const char* what;
    Bound min_available;
    Bound max_unavailable;
    int pods;
    int unready;
    int32_t allowed;
  };
  const Bound none;
  const auto number = [](int32_t n) { return Bound(api::IntOrPercent{n, false}); };
  const auto share = [](int32_t n) { return Bound(api::IntOrPercent{n, true}); };
  const std::vector<Case> cases = {
      {"minAvailable 2 of 3", number(2), none, 3, 0, 1},
      {"minAvailable 2 of 3, one unready", number(2), none, 3, 1, 0},
      {"minAvailable above the pods", number(9), none, 3, 0, 0},
      {"minAvailable 50% of 7 rounds up to 4", share(50), none, 7, 0, 3},
      {"minAvailable 100%", share(100), none, 7, 0, 0},
      {"minAvailable 0", number(0), none, 7, 2, 5},
      {"maxUnavailable 1 of 3", none, number(1), 3, 0, 1},
      {"maxUnavailable 1 of 3, one unready", none, number(1), 3, 1, 0},
      {"maxUnavailable 30% of 7 rounds up to 3", none, share(30), 7, 0, 3},
      {"maxUnavailable 0", none, number(0), 3, 0, 0},
      {"maxUnavailable above the pods", none, number(9), 3, 1, 2},
      {"maxUnavailable 100%", none, share(100), 3, 1, 2},
      {"no pods", number(1), none, 0, 0, 0},
      {"neither bound", none, none, 3, 0, 0},
  };
  for (const Case& c : cases) {
    std::vector<api::Pod> pods = ready_pods(c.pods);
    for (int i = 0; i < c.unready; ++i) pods[static_cast<size_t>(i)].ready = false;
    EXPECT_EQ(disruptions_allowed(pdb(c.min_available, c.max_unavailable), pointers(pods)),
              c.allowed)
        << c.what;
  }
}

TEST(DisruptionsAllowed, WhichPodsCount) {
  std::vector<api::Pod> pods = ready_pods(6);
  pods[0].meta.namespace_name = "other";
  pods[1].meta.labels = {{"app", "y"}};
  pods[2].phase = api::PodPhase::kSucceeded;
  pods[3].meta.deleted = kNow;  // expected still, but not healthy
  const auto budget = pdb(std::nullopt, api::IntOrPercent{2, false});
  EXPECT_EQ(disruptions_allowed(budget, pointers(pods)), 1);
}

// Evicting as many as are allowed never breaks the bound; one more does (or there is none left).
RC_GTEST_PROP(DisruptionsAllowed, ExactlyToTheBound, ()) {
  std::vector<api::Pod> pods = ready_pods(*rc::gen::inRange(1, 40));
  const int64_t total = static_cast<int64_t>(pods.size());
  for (api::Pod& pod : pods) pod.ready = *rc::gen::inRange(0, 4) != 0;
  const int64_t healthy =
      std::count_if(pods.begin(), pods.end(), [](const auto& p) { return p.ready; });
  const int32_t percent = *rc::gen::inRange(0, 101);
  const auto budget = pdb(api::IntOrPercent{percent, true}, std::nullopt);
  const int64_t allowed = disruptions_allowed(budget, pointers(pods));
  if (allowed > 0) RC_ASSERT(100 * (healthy - allowed) >= percent * total);
  RC_ASSERT(healthy - allowed - 1 < 0 || 100 * (healthy - allowed - 1) < percent * total);
}

// The digest says the same as the labels it was made of, and where it is not made they are read.
RC_GTEST_PROP(EvictionLimits, DigestsChangeNothing, ()) {
  std::vector<api::Pod> pods = ready_pods(*rc::gen::inRange(1, 30));
  for (api::Pod& pod : pods) {
    pod.ready = *rc::gen::inRange(0, 3) != 0;
    pod.meta.labels["app"] = *rc::gen::element<std::string>("a", "b", "c");
  }
  std::vector<api::PodDisruptionBudget> budgets;
  for (const char* app : {"a", "b"}) {
    budgets.push_back(pdb(std::nullopt, api::IntOrPercent{*rc::gen::inRange(0, 4), false}));
    budgets.back().meta.name = app;
    budgets.back().meta.namespace_name = pods.front().meta.namespace_name;
    budgets.back().selector = {};
    budgets.back().selector.match_labels["app"] = app;
  }
  const std::vector<const api::PodDisruptionBudget*> both{&budgets[0], &budgets[1]};
  const EvictionLimits read(both, pointers(pods));
  std::vector<api::Pod> digested = pods;
  for (api::Pod& pod : digested) {
    if (*rc::gen::inRange(0, 5) != 0) pod.digest = api::digest_of(pod);
  }
  const EvictionLimits by_digest(both, pointers(digested));
  for (size_t i = 0; i < pods.size(); ++i) {
    RC_ASSERT(read.why_blocked(pods[i]) == by_digest.why_blocked(digested[i]));
  }
}

// 4.2, 1.7: "true", or a duration from the pod's start.
TEST(DoNotDisrupt, Values) {
  struct Case {
    const char* value;
    std::optional<Duration> age;
    bool active;
  };
  const std::vector<Case> cases = {
      {"true", hours(9), true},      {"false", hours(9), false}, {"True", hours(9), false},
      {"5m", minutes(4), true},      {"5m", minutes(5), false},  {"5m", std::nullopt, true},
      {"soon", std::nullopt, false}, {"", std::nullopt, false},
  };
  for (const Case& c : cases) {
    api::Pod pod = ready_pods(1).front();
    pod.meta.annotations = {{std::string(api::kDoNotDisrupt), c.value}};
    if (c.age) pod.started_at = kNow - *c.age;
    EXPECT_EQ(!do_not_disrupt(pod, kNow).empty(), c.active) << c.value;
    pod.phase = api::PodPhase::kFailed;
    EXPECT_EQ(do_not_disrupt(pod, kNow), "") << "a finished pod holds nothing back";
  }
}

TEST(DoNotDisrupt, SaysHowLong) {
  api::Pod pod = ready_pods(1).front();
  pod.meta.annotations = {{std::string(api::kDoNotDisrupt), "5m"}};
  pod.started_at = kNow - minutes(2);
  EXPECT_EQ(do_not_disrupt(pod, kNow),
            "blocked by pod ns/p0's karpenter.sh/do-not-disrupt for another 3m of 5m");
}

// 2.1: active pods, and those on their way out that a StatefulSet brings back.
TEST(Reschedulable, Kinds) {
  struct Case {
    const char* owner;
    bool deleted;
    api::PodPhase phase;
    bool expected;
  };
  using enum api::PodPhase;
  const std::vector<Case> cases = {
      {"ReplicaSet", false, kRunning, true}, {"ReplicaSet", false, kPending, true},
      {"ReplicaSet", true, kRunning, false}, {"StatefulSet", true, kRunning, true},
      {"StatefulSet", true, kFailed, false}, {"DaemonSet", false, kRunning, false},
      {"Node", false, kRunning, false},      {"Job", false, kSucceeded, false},
      {"Job", false, kRunning, true},        {"", false, kRunning, true},
  };
  for (const Case& c : cases) {
    api::Pod pod;
    if (*c.owner != '\0') pod.meta.owners.push_back({"apps/v1", c.owner, "o", "o", true});
    if (c.deleted) pod.meta.deleted = kNow;
    pod.phase = c.phase;
    EXPECT_EQ(reschedulable(pod), c.expected) << c.owner << " " << c.deleted;
  }
}

// 4.2: a budget at 0 blocks, and so do two budgets however wide.
TEST(EvictionLimits, Blocks) {
  std::vector<api::Pod> pods = ready_pods(3);
  auto wide = pdb(std::nullopt, api::IntOrPercent{3, false});
  auto closed = pdb(std::nullopt, api::IntOrPercent{0, false});
  closed.meta.name = "closed";

  EXPECT_EQ(EvictionLimits({&wide}, pointers(pods)).why_blocked(pods[0]), "");
  const EvictionLimits shut({&closed}, pointers(pods));
  EXPECT_EQ(shut.why_blocked(pods[0]),
            "PDB ns/closed allows 0 disruptions, and pod ns/p0 is behind it");
  EXPECT_TRUE(shut.never_evictable(pods[0]));

  auto other = wide;
  other.meta.name = "other";
  const EvictionLimits two({&wide, &other}, pointers(pods));
  EXPECT_EQ(two.why_blocked(pods[0]),
            "pod ns/p0 is behind 2 PDBs (ns/b and ns/other), which cannot be evicted from");
  EXPECT_FALSE(two.never_evictable(pods[0]));
}

TEST(EvictionLimits, PodsThatNobodyEvicts) {
  std::vector<api::Pod> pods = ready_pods(4);
  pods[0].meta.deleted = kNow;
  pods[1].spec.tolerations.push_back({"", "Exists", "", "", {}});
  pods[2].meta.owners.push_back({"v1", "Node", "n", "n", true});
  const auto closed = pdb(std::nullopt, api::IntOrPercent{0, false});
  const EvictionLimits limits({&closed}, pointers(pods));
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(limits.why_blocked(pods[i]), "") << i;
  EXPECT_NE(limits.why_blocked(pods[3]), "");
}

}  // namespace
}  // namespace windlass::disruption
