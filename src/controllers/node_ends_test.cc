// How a node's life ends (karpenter.md 4.5, 4.7): expiry, the termination grace period, drift's
// traces on the claim, and a replacement by several nodes.
#include <gtest/gtest.h>

#include "controllers/claim_lifecycle.h"
#include "controllers/disruption.h"
#include "controllers/expiry.h"
#include "controllers/small_state.h"
#include "controllers/termination.h"
#include "disruption/drift.h"

namespace windlass::controllers {
namespace {

using cluster::Kind;

constexpr Instant kStart{1'772'409'600'000'000'000};

// One initialized gpu.small with one running pod.
class NodeEnds : public testing::Test {
 protected:
  NodeEnds() : state(one_type()) {
    state.put(pool());
    api::NodeClaim claim;
    claim.meta.name = "c1";
    claim.meta.created = kStart;
    claim.meta.labels = {{std::string(api::kNodePoolLabel), "gpu"},
                         {std::string(api::kInstanceTypeLabel), "gpu.small"},
                         {std::string(api::kCapacityTypeLabel), "on-demand"},
                         {std::string(api::kZoneLabel), "a"}};
    claim.node_class = pool().node_class;
    claim.provider_id = "i-1";
    claim.node_name = "n1";
    for (const char* type : {"Launched", "Registered", "Initialized"}) {
      claim.conditions.push_back({type, "True", type, "", kStart});
    }
    state.put(claim);
    api::Node node;
    node.meta.name = "n1";
    node.meta.labels = claim.meta.labels;
    node.provider_id = "i-1";
    node.allocatable = {{api::kCpu, 4000}, {api::kNvidiaGpu, 1000}, {api::kPods, 20'000}};
    node.conditions.push_back({"Ready", "True", "", "", kStart});
    state.put(node);
    put_pod([](api::Pod&) {});
  }
  template <typename Change>
  void put_pod(Change change) {
    api::Pod pod = pending_pod("a", kStart);
    pod.unschedulable_since.reset();
    pod.spec.node_name = "n1";
    pod.phase = api::PodPhase::kRunning;
    pod.ready = true;
    change(pod);
    state.put(std::move(pod));
  }
  template <typename Change>
  void change_claim(Change change) {
    api::NodeClaim claim = state.node_claims().at("c1");
    change(claim);
    state.put(std::move(claim));
  }
  void apply(const Outcome& outcome) {
    for (const PutObject& put : all_of<PutObject>(outcome)) state.put(put.object);
  }

  cluster::State state;
};

TEST_F(NodeEnds, ExpiresAtCreationPlusExpireAfterWhateverBudgetsSay) {
  api::NodePool closed = pool();
  closed.budgets = {{{0, false}, {}, "", {}}};
  state.put(closed);
  ExpiryController expiry;
  EXPECT_FALSE(expiry.reconcile("c1", state, kStart).requeue_at) << "Never";
  change_claim([](api::NodeClaim& claim) { claim.expire_after = hours(24); });
  Outcome out = expiry.reconcile("c1", state, kStart + hours(23));
  EXPECT_TRUE(out.actions.empty());
  EXPECT_EQ(out.requeue_at, kStart + hours(24));
  out = expiry.reconcile("c1", state, kStart + hours(24));
  ASSERT_EQ(all_of<DeleteObject>(out).size(), 1u);
  EXPECT_EQ(all_of<DeleteObject>(out)[0].key, "c1");
  change_claim([](api::NodeClaim& claim) { claim.meta.deleted = kStart; });
  EXPECT_TRUE(expiry.reconcile("c1", state, kStart + hours(25)).actions.empty());
}

// The pod is marked do-not-disrupt and has 2 min to stop; the claim has 10.
TEST_F(NodeEnds, TheGracePeriodEndsWhatHoldsTheDrain) {
  put_pod([](api::Pod& pod) {
    pod.meta.annotations[std::string(api::kDoNotDisrupt)] = "true";
    pod.spec.termination_grace = minutes(2);
  });
  change_claim([](api::NodeClaim& claim) {
    claim.termination_grace = minutes(10);
    claim.meta.deleted = kStart;
    claim.meta.finalizers = {std::string(api::kTerminationFinalizer)};
  });
  TerminationController termination;
  const auto at = [&](Duration after) {
    Outcome out = termination.reconcile("c1", state, kStart + after);
    apply(out);
    return out;
  };
  Outcome out = at(seconds(0));
  EXPECT_TRUE(all_of<EvictPod>(out).empty()) << "do-not-disrupt is waited for";
  EXPECT_EQ(state.node_claims().at("c1").meta.annotations.at(std::string(kTerminationTimestamp)),
            to_rfc3339(kStart + minutes(10)));
  out = at(minutes(8) - seconds(1));
  EXPECT_TRUE(all_of<DeleteObject>(out).empty());
  out = at(minutes(8));
  ASSERT_EQ(all_of<DeleteObject>(out).size(), 1u) << "the deadline less its own grace period";
  EXPECT_EQ(all_of<DeleteObject>(out)[0].key, "ns/a");
  put_pod([](api::Pod& pod) { pod.meta.deleted = kStart + minutes(8); });
  EXPECT_TRUE(all_of<TerminateInstance>(at(minutes(9))).empty());
  EXPECT_EQ(all_of<TerminateInstance>(at(minutes(10))).size(), 1u) << "with the pod on it";
}

TEST_F(NodeEnds, WithoutAGracePeriodTheDrainWaitsForGood) {
  put_pod([](api::Pod& pod) { pod.meta.annotations[std::string(api::kDoNotDisrupt)] = "true"; });
  change_claim([](api::NodeClaim& claim) { claim.meta.deleted = kStart; });
  TerminationController termination;
  for (const Duration after : {seconds(0), hours(1), hours(100)}) {
    const Outcome out = termination.reconcile("c1", state, kStart + after);
    EXPECT_TRUE(all_of<EvictPod>(out).empty());
    EXPECT_TRUE(all_of<TerminateInstance>(out).empty());
  }
}

TEST_F(NodeEnds, DriftIsWrittenOnTheClaimAndTakenBack) {
  ClaimLifecycleController lifecycle;
  apply(lifecycle.reconcile("c1", state, kStart + hours(2)));
  const api::StringMap& marks = state.node_claims().at("c1").meta.annotations;
  EXPECT_EQ(marks.at(std::string(disruption::kPoolHashVersion)), disruption::kHashVersion);
  const auto drifted = [&] {
    return api::is_true(state.node_claims().at("c1").conditions, "Drifted");
  };
  EXPECT_FALSE(drifted());
  const auto claims_touched_by = [&](const api::NodePool& changed) {
    state.put(changed);
    std::vector<std::string> keys;
    lifecycle.touched({cluster::Kind::kNodePool, changed.meta.name}, state, keys);
    return keys;
  };
  claims_touched_by(pool());
  api::NodePool other = pool();
  other.labels["team"] = "b";
  EXPECT_EQ(claims_touched_by(other), std::vector<std::string>{"c1"});
  apply(lifecycle.reconcile("c1", state, kStart + hours(2) + seconds(1)));
  EXPECT_TRUE(drifted());
  EXPECT_EQ(claims_touched_by(pool()), std::vector<std::string>{"c1"});
  apply(lifecycle.reconcile("c1", state, kStart + hours(2) + seconds(2)));
  EXPECT_FALSE(drifted());
  api::NodePool counted = pool();
  counted.status_nodes = 7;
  EXPECT_TRUE(claims_touched_by(counted).empty()) << "a pool's status concerns none of its claims";
}

// What another program found cannot be checked here, so it is neither doubted nor taken back.
TEST_F(NodeEnds, AForeignDriftReasonStands) {
  change_claim([](api::NodeClaim& claim) {
    claim.conditions.push_back({"Drifted", "True", "SubnetDrift", "", kStart});
  });
  ClaimLifecycleController lifecycle;
  apply(lifecycle.reconcile("c1", state, kStart + hours(2)));
  EXPECT_TRUE(api::is_true(state.node_claims().at("c1").conditions, "Drifted"));
  EXPECT_EQ(candidates(state, {}, kStart + hours(2)).at(0).drifted, "SubnetDrift");
}

// 4.5: taint and reason, then the replacement, and the old node only once that is initialized.
TEST_F(NodeEnds, ADriftedNodeGoesOnceItsReplacementIsUp) {
  change_claim([](api::NodeClaim& claim) {
    claim.conditions.push_back({"Drifted", "True", "SubnetDrift", "", kStart});
  });
  DisruptionController disruption({}, std::make_shared<Nominations>());
  const Instant now = kStart + hours(2);
  const auto at = [&](Instant when) {
    Outcome out = disruption.reconcile("", state, when);
    apply(out);
    return out;
  };
  EXPECT_TRUE(at(now).actions.empty()) << "the second look comes first";
  Outcome out = at(now + seconds(15));
  EXPECT_TRUE(all_of<DeleteObject>(out).empty());
  ASSERT_EQ(state.node_claims().size(), 2u);
  EXPECT_TRUE(api::is_true(state.node_claims().at("c1").conditions, "DisruptionReason"));
  EXPECT_EQ(state.nodes().at("n1").taints.at(0).key, api::kDisruptedTaint);
  EXPECT_TRUE(all_of<DeleteObject>(at(now + seconds(60))).empty());
  api::NodeClaim fresh = state.node_claims().begin()->second.meta.name == "c1"
                             ? std::next(state.node_claims().begin())->second
                             : state.node_claims().begin()->second;
  fresh.conditions.push_back({"Initialized", "True", "", "", now});
  state.put(fresh);
  out = at(now + seconds(61));
  ASSERT_EQ(all_of<DeleteObject>(out).size(), 1u);
  EXPECT_EQ(all_of<DeleteObject>(out)[0].key, "c1");
}

TEST_F(NodeEnds, ALostReplacementLeavesTheNodeAsItWas) {
  change_claim([](api::NodeClaim& claim) {
    claim.conditions.push_back({"Drifted", "True", "SubnetDrift", "", kStart});
  });
  DisruptionController disruption({}, std::make_shared<Nominations>());
  const Instant now = kStart + hours(2);
  for (const Duration after : {seconds(0), seconds(15)}) {
    apply(disruption.reconcile("", state, now + after));
  }
  for (const auto& [name, claim] : state.node_claims()) {
    if (name == "c1") continue;
    state.remove(Kind::kNodeClaim, std::string(name));
    break;
  }
  apply(disruption.reconcile("", state, now + seconds(16)));
  EXPECT_TRUE(state.nodes().at("n1").taints.empty());
  EXPECT_FALSE(api::is_true(state.node_claims().at("c1").conditions, "DisruptionReason"));
}

}  // namespace
}  // namespace windlass::controllers
