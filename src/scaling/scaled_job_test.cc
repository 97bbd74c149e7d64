// Section 1.9 of reference keda_hpa.md: strategies, combination of triggers, bounds.
#include "scaling/scaled_job.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace windlass::scaling {
namespace {

using Kind = api::ScaledJobStrategy::Kind;
using Combine = api::ScaledJobStrategy::Combine;
constexpr Instant kNow{1'700'000'000'000'000'000};

api::ScaledJob job_of(Kind kind, std::vector<const char*> targets, int32_t max = 10) {
  api::ScaledJob job;
  job.meta.name = "train";
  job.max_replicas = max;
  job.strategy.kind = kind;
  for (const char* target : targets) {
    api::Trigger trigger;
    trigger.type = "prometheus";
    trigger.metadata = {{"serverAddress", "http://p"}, {"query", "q"}, {"threshold", target}};
    job.triggers.push_back(std::move(trigger));
  }
  return job;
}

ScaledJobDecision decide(const api::ScaledJob& job, std::vector<TriggerReading> readings,
                         JobCounts jobs) {
  const auto triggers = plan_scaled_job(job);
  EXPECT_TRUE(triggers.ok());
  return evaluate_scaled_job(job, *triggers, readings, jobs, kNow);
}

TEST(ScaledJob, Strategies) {
  const struct {
    const char* name;
    Kind kind;
    double queue;
    JobCounts jobs;
    int64_t create;
  } table[] = {
      {"the queue less what runs", Kind::kDefault, 3, {2, 0}, 1},
      {"nothing runs", Kind::kDefault, 2, {0, 0}, 2},
      {"more run than wait", Kind::kDefault, 2, {5, 0}, 0},
      {"the maximum holds", Kind::kDefault, 50, {4, 0}, 6},
      {"only what is not yet pending", Kind::kAccurate, 5, {2, 1}, 4},
      {"accurate at the maximum", Kind::kAccurate, 9, {4, 0}, 6},
      {"pending makes room", Kind::kAccurate, 7, {4, 1}, 6},
      {"eager takes all slots", Kind::kEager, 4, {3, 2}, 4},
      {"eager up to the maximum", Kind::kEager, 9, {6, 1}, 3},
  };
  for (const auto& c : table) {
    EXPECT_EQ(decide(job_of(c.kind, {"1"}), {c.queue}, c.jobs).create, c.create) << c.name;
  }
}

TEST(ScaledJob, CustomStrategy) {
  api::ScaledJob job = job_of(Kind::kCustom, {"1"});
  job.strategy.queue_length_deduction = 1;
  job.strategy.running_job_percentage = "0.5";
  EXPECT_EQ(decide(job, {8.0}, {5, 0}).create, 5);  // 8 - 1 - int(2.5)
  job.strategy.running_job_percentage = "half";
  EXPECT_EQ(decide(job, {8.0}, {5, 0}).create, 3);  // the default strategy
}

TEST(ScaledJob, CombinesActiveTriggers) {
  // Queues 6, 4 and 0 (inactive) at targets 1, 2 and 1: worth 6, 2 and 0.
  const struct {
    Combine how;
    int64_t queue, max_scale;
  } table[] = {
      {Combine::kMax, 6, 6}, {Combine::kMin, 4, 2}, {Combine::kAvg, 5, 4}, {Combine::kSum, 10, 8}};
  for (const auto& c : table) {
    api::ScaledJob job = job_of(Kind::kDefault, {"1", "2", "1"}, 100);
    job.strategy.combine = c.how;
    const auto decision = decide(job, {6.0, 4.0, 0.0}, {0, 0});
    EXPECT_EQ(decision.queue_length, c.queue);
    EXPECT_EQ(decision.max_scale, c.max_scale);
  }
}

TEST(ScaledJob, MinimumIsFilledFirstAndForcesActive) {
  api::ScaledJob job = job_of(Kind::kDefault, {"1"});
  job.min_replicas = 3;
  EXPECT_EQ(decide(job, {9.0}, {1, 0}).create, 2);
  const auto idle = decide(job, {0.0}, {3, 0});
  EXPECT_TRUE(idle.active);
  EXPECT_EQ(idle.create, 0);
  EXPECT_EQ(decide(job, {50.0}, {3, 0}).create, 7);  // at most 10 - 3 beside the minimum
  job.min_replicas = 20;
  EXPECT_EQ(decide(job, {50.0}, {4, 0}).create, 6);  // a minimum above the maximum is the maximum
}

TEST(ScaledJob, InactiveAndFailedTriggersCreateNothing) {
  EXPECT_EQ(decide(job_of(Kind::kEager, {"1"}), {0.0}, {0, 0}).create, 0);
  const auto failed =
      decide(job_of(Kind::kDefault, {"1"}), {TriggerReading(Error("HTTP 503"))}, {});
  EXPECT_EQ(failed.create, 0);
  EXPECT_EQ(api::find_condition(failed.conditions, "Ready")->reason, "PartialTriggerError");
}

TEST(ScaledJob, RefusedTriggers) {
  api::ScaledJob job = job_of(Kind::kDefault, {"1"});
  job.triggers[0].metric_type_given = true;
  EXPECT_NE(plan_scaled_job(job).error().message().find("metricType"), std::string::npos);
  job.triggers[0].type = "cpu";
  EXPECT_NE(plan_scaled_job(job).error().message().find("cpu"), std::string::npos);
}

TEST(ScaledJob, PendingByPhaseOrConditions) {
  api::ScaledJobStrategy strategy;
  const JobPod waits{api::PodPhase::kPending, {"PodScheduled"}};
  const JobPod runs{api::PodPhase::kRunning, {"PodScheduled", "Ready"}};
  EXPECT_TRUE(is_pending(strategy, {}));
  EXPECT_TRUE(is_pending(strategy, std::vector{waits}));
  EXPECT_FALSE(is_pending(strategy, std::vector{waits, runs}));
  strategy.pending_pod_conditions = {"PodScheduled"};
  EXPECT_FALSE(is_pending(strategy, std::vector{waits}));
  strategy.pending_pod_conditions = {"PodScheduled", "Ready"};
  EXPECT_TRUE(is_pending(strategy, std::vector{waits}));
}

// Never more Jobs than the maximum, whatever is read; custom, which does not look at what runs, not
// more than that in one round.
RC_GTEST_PROP(ScaledJobLaws, TheMaximumHolds, ()) {
  const auto kind = *rc::gen::element(Kind::kDefault, Kind::kAccurate, Kind::kEager, Kind::kCustom);
  api::ScaledJob job = job_of(kind, {"1", "2.5"}, *rc::gen::inRange(0, 30));
  job.min_replicas = *rc::gen::inRange(0, 40);
  job.strategy.running_job_percentage = *rc::gen::element(std::string("0.3"), std::string("1"));
  job.strategy.combine =
      *rc::gen::element(Combine::kMax, Combine::kMin, Combine::kAvg, Combine::kSum);
  const int64_t running = *rc::gen::inRange(0, *job.max_replicas + 1);
  const int64_t pending = *rc::gen::inRange<int64_t>(0, running + 1);
  const auto decision = decide(
      job, {*rc::gen::inRange(-5, 200) / 2.0, *rc::gen::inRange(0, 90) * 1.0}, {running, pending});
  RC_ASSERT(decision.create >= 0);
  RC_ASSERT(decision.create <= *job.max_replicas);
  if (kind != Kind::kCustom) {
    RC_ASSERT(running + decision.create <= *job.max_replicas);
  }
}

}  // namespace
}  // namespace windlass::scaling
