// The node layer's loops one by one: batch window, launch, registration, initialization, time-outs,
// drain and termination, interruption, disruption's validation. Sections: reference karpenter.md.
#include <gtest/gtest.h>

#include "controllers/claim_lifecycle.h"
#include "controllers/disruption.h"
#include "controllers/interruption.h"
#include "controllers/pool_status.h"
#include "controllers/provisioning.h"
#include "controllers/small_state.h"
#include "controllers/termination.h"

namespace windlass::controllers {
namespace {

using cluster::Kind;

constexpr Instant kStart{1'772'409'600'000'000'000};

class NodeLoops : public testing::Test {
 protected:
  NodeLoops() : state(one_type()) {
    api::Ec2NodeClass node_class;
    node_class.meta.name = "default";
    state.put(pool());
  }
  // What the world would do with the outcome's objects.
  void apply(const Outcome& outcome) {
    for (const PutObject& put : all_of<PutObject>(outcome)) state.put(put.object);
  }
  api::NodeClaim claim() const { return state.node_claims().begin()->second; }

  cluster::State state;
  std::shared_ptr<Nominations> nominations = std::make_shared<Nominations>();
};

// 2.1: wait until 1 s idle or 10 s in all; the same pod does not extend the window.
TEST_F(NodeLoops, BatchWindowEndsOneSecondAfterTheLastNewPod) {
  ProvisioningController provisioning({}, nominations);
  state.put(pending_pod("a", kStart));
  Outcome out = provisioning.reconcile("", state, kStart);
  EXPECT_TRUE(out.actions.empty());
  EXPECT_EQ(out.requeue_at, kStart + seconds(1));
  state.put(pending_pod("b", kStart));
  out = provisioning.reconcile("", state, kStart + milliseconds(900));
  EXPECT_EQ(out.requeue_at, kStart + milliseconds(1900));
  out = provisioning.reconcile("", state, kStart + milliseconds(1500));
  EXPECT_EQ(out.requeue_at, kStart + milliseconds(1900));
  out = provisioning.reconcile("", state, kStart + milliseconds(1900));
  EXPECT_EQ(all_of<PutObject>(out).size(), 2u) << "two one-GPU pods, two one-GPU nodes";
}

TEST_F(NodeLoops, BatchWindowEndsAfterTenSecondsWhateverComes) {
  ProvisioningController provisioning({}, nominations);
  Outcome out;
  for (int i = 0; i < 13; ++i) {
    const Instant now = kStart + milliseconds(i * 800);
    state.put(pending_pod("p" + std::to_string(i), now));
    out = provisioning.reconcile("", state, now);
    if (!out.actions.empty()) {
      EXPECT_GE(now, kStart + seconds(10));
      return;
    }
  }
  EXPECT_EQ(out.requeue_at, kStart + seconds(10));
}

TEST_F(NodeLoops, NothingIsBoughtTwiceForAPodWhoseNodeIsOnItsWay) {
  ProvisioningController provisioning({}, nominations);
  state.put(pending_pod("a", kStart));
  provisioning.reconcile("", state, kStart);
  const Outcome first = provisioning.reconcile("", state, kStart + seconds(1));
  apply(first);
  ASSERT_EQ(state.node_claims().size(), 1u);
  api::NodeClaim launched = claim();
  launched.provider_id = "i-1";
  launched.allocatable = state.catalog().types[0].allocatable;
  launched.meta.labels[std::string(api::kInstanceTypeLabel)] = "gpu.small";
  state.put(launched);
  for (int s = 2; s < 60; s += 5) {
    const Outcome again = provisioning.reconcile("", state, kStart + seconds(s));
    EXPECT_TRUE(all_of<PutObject>(again).empty()) << s;
  }
}

class ClaimWay : public NodeLoops {
 protected:
  ClaimWay() {
    ProvisioningController provisioning({}, nominations);
    state.put(pending_pod("a", kStart));
    provisioning.reconcile("", state, kStart);
    apply(provisioning.reconcile("", state, kStart + seconds(1)));
    name = claim().meta.name;
  }
  void launch(const std::string& id) {
    state.observe_launch(name, {kStart + seconds(3), id, "gpu.small", "a", "spot", 0.4, "", false});
  }
  void join(bool gpus) {
    api::Node node;
    node.meta.name = "n1";
    node.provider_id = "i-1";
    node.taints.push_back({std::string(api::kUnregisteredTaint), "", "NoExecute"});
    node.allocatable = {
        {api::kCpu, 4000}, {api::kNvidiaGpu, gpus ? 1000 : 0}, {api::kPods, 20'000}};
    node.conditions.push_back({"Ready", "True", "", "", kStart});
    state.put(node);
  }
  Outcome step(Duration after) {
    const Outcome out = lifecycle.reconcile(name, state, kStart + after);
    apply(out);
    return out;
  }

  ClaimLifecycleController lifecycle;
  std::string name;
};

// The sums that are kept are those that a walk over all claims gives.
TEST_F(NodeLoops, PoolStatusFollowsEveryClaim) {
  PoolStatusController controller;
  state.put(pool("other"));
  state.take_changes();
  uint32_t random = 7;
  const auto below = [&](uint32_t n) {
    return ((random = random * 1664525 + 1013904223) >> 16) % n;
  };
  for (int i = 0; i < 1000; ++i) {
    const std::string name(1, static_cast<char>('a' + below(6)));
    if (below(4) == 0) {
      state.remove(Kind::kNodeClaim, name);
    } else {
      api::NodeClaim made;
      made.meta.name = name;
      made.meta.labels[std::string(api::kNodePoolLabel)] = below(3) == 0 ? "other" : "gpu";
      if (below(3) != 0) made.capacity = {{api::kCpu, 1000 * (1 + below(3))}};
      if (below(3) == 0) made.capacity.set(api::kNvidiaGpu, 1000);
      state.put(made);
    }
    std::vector<std::string> keys;
    for (const cluster::Change& change : state.take_changes()) {
      controller.touched(change, state, keys);
    }
    for (const char* key : {"gpu", "other"}) {
      api::ResourceList sum;
      int nodes = 0;
      for (const auto& [claim_name, claim] : state.node_claims()) {
        if (claim.pool() != key) continue;
        sum += claim.capacity;
        ++nodes;
      }
      const auto told = last_put<api::NodePool>(controller.reconcile(key, state, kStart));
      const api::NodePool& is = told ? *told : state.node_pools().at(key);
      ASSERT_EQ(is.status_nodes, nodes) << i << key;
      ASSERT_EQ(is.status_resources, sum) << i << key;
      if (told) state.put(*told);
    }
    state.take_changes();
  }
}

// 4.2. Of pods that were there before the controller was nothing is written, but a pod that was
// bound while nobody looked did bind then.
TEST_F(ClaimWay, ARestartIsNoPodEvent) {
  api::NodeClaim known = claim();
  known.provider_id = "i-1";
  known.node_name = "n1";
  known.last_pod_event = kStart;
  known.conditions.push_back({"Registered", "True", "", "", kStart});
  known.conditions.push_back({"Initialized", "True", "", "", kStart});
  state.put(known);
  join(true);
  api::Pod there = pending_pod("there", kStart);
  there.unschedulable_since.reset();
  there.spec.node_name = "n1";
  there.scheduled_at = kStart;
  state.put(there);
  step(hours(1));
  EXPECT_EQ(claim().last_pod_event, kStart);
  there.meta.deleted = kStart + hours(1);
  state.put(there);
  step(hours(1) + seconds(30));
  EXPECT_EQ(claim().last_pod_event, kStart + hours(1) + seconds(30));

  api::Pod meanwhile = pending_pod("meanwhile", kStart);
  meanwhile.spec.node_name = "n1";
  meanwhile.scheduled_at = kStart + hours(2);
  state.put(meanwhile);
  lifecycle = ClaimLifecycleController();
  step(hours(3));
  EXPECT_EQ(claim().last_pod_event, kStart + hours(2));
}

TEST_F(ClaimWay, SpotBeforeOnDemandAndTheCheapestZoneFirst) {
  const auto launches = all_of<Launch>(step(seconds(1)));
  ASSERT_EQ(launches.size(), 1u);
  ASSERT_EQ(launches[0].offers.size(), 3u);
  EXPECT_EQ(launches[0].offers[0].capacity_type, "spot");
  EXPECT_EQ(launches[0].offers[0].zone, "a");
  EXPECT_EQ(launches[0].offers[2].capacity_type, "on-demand");
}

TEST_F(ClaimWay, IsLaunchedOnceWhileTheAnswerIsOut) {
  EXPECT_EQ(all_of<Launch>(step(seconds(1))).size(), 1u);
  EXPECT_TRUE(all_of<Launch>(step(seconds(2))).empty());
  EXPECT_TRUE(all_of<Launch>(step(minutes(20))).empty());
}

TEST_F(ClaimWay, ARestartRepeatsTheLaunchWithTheSameToken) {
  const auto first = all_of<Launch>(step(seconds(1)));
  ClaimLifecycleController restarted;
  const auto second = all_of<Launch>(restarted.reconcile(name, state, kStart + seconds(2)));
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(first[0].token, second[0].token);
}

TEST_F(ClaimWay, LaunchedRegisteredInitialized) {
  step(seconds(1));
  launch("i-1");
  step(seconds(3));
  EXPECT_TRUE(api::is_true(claim().conditions, "Launched"));
  EXPECT_EQ(claim().instance_type(), "gpu.small");
  EXPECT_EQ(claim().capacity_type(), "spot");
  join(false);
  step(seconds(40));
  EXPECT_TRUE(api::is_true(claim().conditions, "Registered"));
  EXPECT_TRUE(state.nodes().at("n1").taints.empty()) << "the unregistered taint goes";
  EXPECT_EQ(state.nodes().at("n1").meta.labels.at(std::string(api::kNodePoolLabel)), "gpu");
  step(seconds(41));
  EXPECT_FALSE(api::is_true(claim().conditions, "Initialized")) << "no GPU is registered yet";
  api::Node with_gpu = state.nodes().at("n1");
  with_gpu.allocatable.set(api::kNvidiaGpu, 1000);
  state.put(with_gpu);
  step(seconds(60));
  EXPECT_TRUE(api::is_true(claim().conditions, "Initialized"));
}

TEST_F(ClaimWay, WithoutCapacityTheClaimIsDeletedAtOnce) {
  step(seconds(1));
  cluster::LaunchResult refused;
  refused.error = "InsufficientInstanceCapacity";
  refused.insufficient_capacity = true;
  state.observe_launch(name, refused);
  const auto deletes = all_of<DeleteObject>(step(seconds(3)));
  ASSERT_EQ(deletes.size(), 1u);
  EXPECT_EQ(deletes[0].key, name);
}

TEST_F(ClaimWay, NotRegisteredInFifteenMinutesIsDeleted) {
  step(seconds(1));
  launch("i-1");
  step(seconds(3));
  EXPECT_TRUE(all_of<DeleteObject>(step(minutes(14))).empty());
  EXPECT_EQ(all_of<DeleteObject>(step(minutes(16))).size(), 1u);
}

class Ending : public ClaimWay {
 protected:
  Ending() {
    step(seconds(1));
    launch("i-1");
    step(seconds(3));
    join(true);
    step(seconds(40));
    step(seconds(41));
    api::Pod bound = state.pods().at("ns/a");
    bound.spec.node_name = "n1";
    bound.unschedulable_since.reset();
    bound.phase = api::PodPhase::kRunning;
    bound.ready = true;
    state.put(bound);
  }
  void mark_deleted(Duration at) {
    api::NodeClaim marked = claim();
    marked.meta.deleted = kStart + at;
    state.put(marked);
  }
  Outcome end(Duration after) {
    const Outcome out = termination.reconcile(name, state, kStart + after);
    apply(out);
    return out;
  }
  TerminationController termination;
};

TEST_F(Ending, TaintsEvictsAndOnlyThenTerminates) {
  mark_deleted(minutes(2));
  Outcome out = end(minutes(2));
  EXPECT_EQ(state.nodes().at("n1").taints.back().key, api::kDisruptedTaint);
  EXPECT_EQ(all_of<EvictPod>(out).size(), 1u);
  EXPECT_TRUE(all_of<TerminateInstance>(out).empty());
  state.remove(Kind::kPod, "ns/a");
  out = end(minutes(2) + seconds(3));
  EXPECT_TRUE(all_of<TerminateInstance>(out).empty()) << "a drain takes 5 s at least";
  out = end(minutes(2) + seconds(6));
  ASSERT_EQ(all_of<TerminateInstance>(out).size(), 1u);
  EXPECT_EQ(all_of<TerminateInstance>(out)[0].provider_id, "i-1");
  EXPECT_FALSE(claim().meta.finalizers.empty()) << "held until the instance is gone";
  state.remove(Kind::kNode, "n1");
  end(minutes(3));
  EXPECT_TRUE(claim().meta.finalizers.empty());
}

TEST_F(Ending, AnInstanceThatWasLaunchedWhileItsClaimWasDeletedIsTerminated) {
  // The answer came, but the claim was deleted before it was written down.
  api::NodeClaim early = claim();
  early.provider_id.clear();
  early.meta.deleted = kStart + seconds(2);
  state.remove(Kind::kNode, "n1");
  state.put(early);
  const auto ended = all_of<TerminateInstance>(end(seconds(10)));
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].provider_id, "i-1");
}

TEST_F(Ending, AnInterruptionNoticeDeletesTheClaim) {
  InterruptionController interruption;
  state.observe_interruption("i-1", "spot interruption");
  const auto deletes = all_of<DeleteObject>(interruption.reconcile("i-1", state, kStart));
  ASSERT_EQ(deletes.size(), 1u);
  EXPECT_EQ(deletes[0].key, name);
  EXPECT_TRUE(interruption.reconcile("i-unknown", state, kStart).actions.empty());
}

// 4.5: nothing goes before it was found again 15 s later.
TEST_F(Ending, AnEmptyNodeGoesAfterItsValidation) {
  state.remove(Kind::kPod, "ns/a");
  DisruptionController disruption({}, nominations);
  Instant now = kStart + minutes(30);
  Outcome out = disruption.reconcile("", state, now);
  EXPECT_TRUE(all_of<DeleteObject>(out).empty());
  ASSERT_TRUE(out.requeue_at);
  EXPECT_EQ(*out.requeue_at, now + seconds(15));
  now = *out.requeue_at;
  out = disruption.reconcile("", state, now);
  ASSERT_EQ(all_of<DeleteObject>(out).size(), 1u);
  EXPECT_EQ(all_of<DeleteObject>(out)[0].key, name);
}

TEST_F(Ending, ANodeThatFilledUpMeanwhileStays) {
  const api::Pod running = state.pods().at("ns/a");
  state.remove(Kind::kPod, "ns/a");
  DisruptionController disruption({}, nominations);
  const Outcome found = disruption.reconcile("", state, kStart + minutes(30));
  state.put(running);
  const Outcome out = disruption.reconcile("", state, *found.requeue_at);
  EXPECT_TRUE(all_of<DeleteObject>(out).empty());
}

}  // namespace
}  // namespace windlass::controllers
