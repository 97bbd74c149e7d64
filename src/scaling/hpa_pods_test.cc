// Section 4.2 of reference keda_hpa.md: pods that are unready, missing or ignored.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "scaling/hpa.h"

namespace windlass::scaling {
namespace {

constexpr Instant kNow{1'700'000'000'000'000'000};
using Source = HpaMetric::Source;
using T = api::MetricTargetType;

HpaPod old_pod() {
  HpaPod pod;
  pod.started = pod.ready_changed = kNow - hours(1);
  return pod;
}
HpaPod pending() {
  HpaPod pod = old_pod();
  pod.phase = api::PodPhase::kPending;
  pod.ready = false;
  return pod;
}
HpaPod changed(HpaPod pod, bool ready, Duration age, Duration since) {
  pod.ready = ready;
  pod.started = kNow - age;
  pod.ready_changed = kNow - since;
  return pod;
}

struct PodCase {
  const char* name;
  std::vector<HpaPod> pods;
  std::vector<int64_t> usage;  // milli; < 0: no sample
  T type;
  int64_t target;  // percent of 1000 milli requested, or milli
  int32_t wish;
  const char* resource = "cpu";
};

HpaInput input_of(const PodCase& c) {
  HpaInput input;
  input.max_replicas = 100;
  input.spec_replicas = input.status_replicas = static_cast<int32_t>(c.pods.size());
  input.pods = c.pods;
  HpaMetric metric{c.resource, c.type, c.target, {}};
  metric.source = Source::kResource;
  for (const int64_t usage : c.usage) {
    metric.samples.push_back(usage < 0 ? std::nullopt
                                       : std::optional(HpaPodSample{usage, kNow, seconds(60)}));
    metric.requests_milli.emplace_back(1000);
  }
  input.metrics = {metric};
  return input;
}

TEST(HpaPods, GroupsAndAssumptions) {
  const HpaPod ok = old_pod();
  HpaPod gone = old_pod();
  gone.deleted = true;
  HpaPod failed = old_pod();
  failed.phase = api::PodPhase::kFailed;
  const HpaPod fresh = changed(old_pod(), true, seconds(100), seconds(30));
  const HpaPod settled = changed(old_pod(), true, seconds(100), seconds(90));
  const HpaPod never_ready = changed(old_pod(), false, hours(1), hours(1) - seconds(10));
  const HpaPod was_ready = changed(old_pod(), false, hours(1), minutes(1));
  const PodCase table[] = {
      {"plain up", {ok, ok, ok}, {300, 500, 700}, T::kUtilization, 30, 5},
      {"within tolerance", {ok, ok}, {540, 550}, T::kUtilization, 50, 2},
      {"percent is truncated", {ok, ok, ok}, {559, 559, 559}, T::kUtilization, 50, 3},
      {"average value", {ok, ok}, {700, 900}, T::kAverageValue, 400, 4},
      {"ignored pods do not count", {ok, gone, failed}, {900, 100, 100}, T::kUtilization, 30, 3},
      // Up: the missing pod is idle: 1000+1000+0 over 3 = 66 %, not 100 %.
      {"missing on the way up", {ok, ok, ok}, {1000, 1000, -1}, T::kUtilization, 50, 4},
      // Down: it works fully: (100+100+1000)/3 = 40 %, so 3 * 0.8.
      {"missing on the way down", {ok, ok, ok}, {100, 100, -1}, T::kUtilization, 50, 3},
      // 20 + 20 + 100 % over 3 = 46 % against 100 %: two instead of one.
      {"missing, still down", {ok, ok, ok}, {200, 200, -1}, T::kUtilization, 100, 2},
      {"missing turns the direction", {ok, ok}, {300, -1}, T::kUtilization, 50, 2},
      {"missing at a high target", {ok, ok}, {100, -1}, T::kUtilization, 200, 2},
      {"missing, average, down", {ok, ok, ok, ok}, {100, 100, -1, -1}, T::kAverageValue, 400, 3},
      // 80 % of two, and a pending pod that is assumed idle: 53 % on 3 against 40 %.
      {"pending on the way up", {ok, ok, pending()}, {800, 800, -1}, T::kUtilization, 40, 4},
      {"pending on the way down", {ok, ok, pending()}, {100, 100, -1}, T::kUtilization, 50, 1},
      {"cpu of a fresh pod is not believed", {ok, fresh}, {900, 900}, T::kUtilization, 50, 2},
      {"after one window it is", {ok, settled}, {900, 900}, T::kUtilization, 50, 4},
      {"memory of a fresh pod is", {ok, fresh}, {900, 900}, T::kUtilization, 50, 4, "memory"},
      {"never ready", {ok, never_ready}, {900, 900}, T::kUtilization, 50, 2},
      {"was ready once", {ok, was_ready}, {900, 900}, T::kUtilization, 50, 4},
  };
  for (const PodCase& c : table) {
    HpaMemory memory;
    const auto decision = evaluate_hpa(input_of(c), {}, kNow, memory);
    ASSERT_TRUE(decision.wanted_by_metric.at(0).has_value()) << c.name << ": " << decision.why;
    EXPECT_EQ(*decision.wanted_by_metric.at(0), c.wish) << c.name << ": " << decision.why;
  }
}

TEST(HpaPods, FailuresNameTheirSource) {
  const struct {
    Source source;
    const char* reason;
  } table[] = {{Source::kResource, "FailedGetResourceMetric"},
               {Source::kContainerResource, "FailedGetContainerResourceMetric"},
               {Source::kPods, "FailedGetPodsMetric"},
               {Source::kObject, "FailedGetObjectMetric"},
               {Source::kExternal, "FailedGetExternalMetric"}};
  for (const auto& c : table) {
    HpaInput input = input_of({"", {old_pod()}, {100}, T::kAverageValue, 100, 0});
    input.metrics[0].source = c.source;
    input.metrics[0].reading = std::string("HTTP 500");
    HpaMemory memory;
    const auto decision = evaluate_hpa(input, {}, kNow, memory);
    EXPECT_EQ(decision.conditions.at(1).reason, c.reason);
    EXPECT_EQ(decision.replicas, 1);
  }
}

TEST(HpaPods, NoPodsNoSamplesNoRequests) {
  const auto why = [](const HpaInput& input) {
    HpaMemory memory;
    return evaluate_hpa(input, {}, kNow, memory).why;
  };
  HpaInput none = input_of({"", {}, {}, T::kUtilization, 50, 0});
  none.spec_replicas = 1;
  EXPECT_EQ(why(none), "cpu failed: the target has no pods");
  EXPECT_EQ(why(input_of({"", {old_pod()}, {-1}, T::kUtilization, 50, 0})),
            "cpu failed: no pod that counts has a sample");
  HpaInput unrequested = input_of({"", {old_pod()}, {100}, T::kUtilization, 50, 0});
  unrequested.metrics[0].requests_milli[0] = std::nullopt;
  EXPECT_EQ(why(unrequested), "cpu failed: pod 1 has a container without a request");
}

}  // namespace
}  // namespace windlass::scaling
