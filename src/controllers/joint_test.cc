#include "controllers/joint.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "controllers/small_state.h"

namespace windlass::controllers {
namespace {

constexpr Instant kNow{1'772'409'600'000'000'000};

// A model on g4dn.xlarge alone, whose pods run on a node each.
struct Served {
  cluster::State state{catalog::built_in({})};
  std::shared_ptr<JointView> view;
  JointController controller;

  Served(int32_t replicas, int pods, const JointOptions& options = {})
      : view(std::make_shared<JointView>(options)),
        controller(view, std::make_shared<Nominations>()) {
    api::NodePool gpu = pool();
    gpu.requirements.push_back(
        {std::string(api::kInstanceTypeLabel), api::Operator::kIn, {"g4dn.xlarge"}, {}});
    state.put(gpu);
    api::Deployment deployment;
    deployment.meta.name = "web";
    deployment.meta.namespace_name = "ns";
    deployment.meta.uid = "owner";
    deployment.replicas = replicas;
    deployment.pod_template.spec = pending_pod("x", kNow).spec;
    state.put(deployment);
    api::ScaledObject object;
    object.meta.name = "so";
    object.meta.namespace_name = "ns";
    object.target_name = "web";
    object.min_replicas = 0;
    object.max_replicas = 8;
    api::Trigger trigger;
    trigger.type = "prometheus";
    object.triggers.push_back(trigger);
    state.put(object);
    cluster::InferenceModel model;
    model.name = "m";
    model.deployment = "ns/web";
    model.card.parameters = 1.54e9;
    model.card.kv_bytes_per_token = 28672;
    model.slo = seconds(2);
    model.lead_time = minutes(2);
    state.set_models({model});
    for (int i = 0; i < pods; ++i) add_pod(i);
  }

  void add_pod(int number) {
    api::Node node;
    node.meta.name = "node" + std::to_string(number);
    node.meta.labels[std::string(api::kInstanceTypeLabel)] = "g4dn.xlarge";
    state.put(node);
    api::Pod pod = pending_pod("web-" + std::to_string(number), kNow - hours(1));
    pod.spec.node_name = node.meta.name;
    pod.phase = api::PodPhase::kRunning;
    pod.ready = true;
    state.put(pod);
  }

  // Periods of ten seconds: of the last half hour, and of the ten minutes before the last twenty.
  void say(double arrivals, double long_ago) {
    cluster::ModelSignals signals;
    signals.at = kNow;
    signals.period = seconds(10);
    signals.arrivals.assign(180, arrivals);
    std::fill_n(signals.arrivals.begin(), 60, long_ago);
    signals.input_mean = 250;
    signals.input_p95 = 700;
    signals.output_mean = 20;
    signals.output_p95 = 33;
    state.observe_signals("m", signals);
  }

  Outcome look() { return controller.reconcile("ns/so", state, kNow); }
};

TEST(Joint, ScalesInWhatNobodyAsks) {
  Served served(4, 4);
  served.say(0, 0);
  const auto scaled = all_of<ScaleDeployment>(served.look());
  ASSERT_EQ(scaled.size(), 1u);
  EXPECT_EQ(scaled[0].replicas, 0);
}

// In a real cluster pods outlive the decision by a moment, and nothing marks them yet.
TEST(Joint, PodsThatAreAboutToGoTakeNoDecisionBack) {
  for (const int32_t replicas : {0, 1, 3}) {
    Served served(replicas, 4);
    served.say(0, 0);
    for (const ScaleDeployment& scale : all_of<ScaleDeployment>(served.look())) {
      EXPECT_EQ(scale.replicas, 0) << replicas;
    }
  }
}

TEST(Joint, TellsKubectlHowTheObjectIs) {
  Served served(1, 1);
  const auto told = last_put<api::ScaledObject>(served.look());
  ASSERT_TRUE(told);
  EXPECT_EQ(api::find_condition(told->conditions, "Ready")->status, "Unknown");
  EXPECT_EQ(api::find_condition(told->conditions, "Ready")->reason, "NoSignals");
  EXPECT_EQ(told->status_target_kind, "apps/v1.Deployment");
  EXPECT_EQ(told->status_triggers, "prometheus");
  served.state.put(*told);
  EXPECT_FALSE(last_put<api::ScaledObject>(served.look())) << "said once";
  served.say(20, 20);
  const auto ready = last_put<api::ScaledObject>(served.look());
  ASSERT_TRUE(ready);
  EXPECT_TRUE(api::is_true(ready->conditions, "Ready"));
  EXPECT_TRUE(api::is_true(ready->conditions, "Active"));
  served.state.put(*ready);
  EXPECT_FALSE(last_put<api::ScaledObject>(served.look())) << "said once";
}

// The peak of the look-back keeps replicas; a shorter one forgets it sooner.
TEST(Joint, KeepsReplicasForThePeakOfTheLookBack) {
  for (const Duration look_back : {minutes(30), minutes(5)}) {
    JointOptions options;
    options.look_back = look_back;
    Served served(4, 4, options);
    served.say(0, 5000);
    const auto scaled = all_of<ScaleDeployment>(served.look());
    EXPECT_EQ(scaled.size(), look_back == minutes(5) ? 1u : 0u);
  }
}

}  // namespace
}  // namespace windlass::controllers
