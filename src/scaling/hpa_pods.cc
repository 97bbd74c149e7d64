#include "scaling/hpa_pods.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace windlass::scaling {
namespace {

// The controller's int64 arithmetic wraps; through unsigned that is defined.
int64_t product(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
}
int64_t sum(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}

enum class Group { kIgnored, kUnready, kMissing, kReady };

// For CPU only: what a starting pod burns says nothing about its load.
bool unready_for_cpu(const HpaPod& pod, const HpaPodSample& sample, const HpaOptions& options,
                     Instant now) {
  if (!pod.ready || !pod.started) return true;
  const bool starting = *pod.started + options.cpu_initialization_period > now;
  if (starting) return !*pod.ready || sample.at < pod.ready_changed + sample.window;
  // Not ready, and never been: its Ready condition has not changed since it started.
  return !*pod.ready && *pod.started + options.initial_readiness_delay > pod.ready_changed;
}

Group group_of(const HpaPod& pod, const std::optional<HpaPodSample>& sample, bool cpu,
               const HpaOptions& options, Instant now) {
  if (pod.deleted || pod.phase == api::PodPhase::kFailed) return Group::kIgnored;
  if (pod.phase == api::PodPhase::kPending) return Group::kUnready;
  if (!sample) return Group::kMissing;
  if (cpu && unready_for_cpu(pod, *sample, options, now)) return Group::kUnready;
  return Group::kReady;
}

// What the pods that count use, with the ratio to the target.
struct Usage {
  int64_t milli = 0;  // an average, or a percentage of requests
  double ratio = 0;
};

struct Counted {
  int64_t usage_milli = 0;
  int64_t request_milli = 0;
};

Usage usage_of(const std::vector<Counted>& pods, const HpaMetric& metric) {
  int64_t usage = 0;
  int64_t request = 0;
  for (const Counted& pod : pods) {
    usage = sum(usage, pod.usage_milli);
    request = sum(request, pod.request_milli);
  }
  // Both quotients are whole: the controller truncates percent and averages.
  const bool percent = metric.target_type == api::MetricTargetType::kUtilization;
  const int64_t value = percent ? (request == 0 ? 0 : product(usage, 100) / request)
                                : usage / static_cast<int64_t>(pods.size());
  return {value, static_cast<double>(value) / static_cast<double>(metric.target_milli)};
}

// On the way down a pod without a sample is assumed to work fully, on the way up to be idle: what
// is not known never moves replicas further.
int64_t assumed_usage(const HpaMetric& metric, int64_t request_milli, double ratio) {
  if (ratio > 1) return 0;
  if (metric.target_type != api::MetricTargetType::kUtilization) return metric.target_milli;
  return product(request_milli, std::max<int64_t>(100, metric.target_milli)) / 100;
}

MetricWish failure(std::string what) { return {std::nullopt, std::move(what), 0, 0}; }

// The pods in their groups.
struct Grouped {
  std::vector<Counted> counted;  // ready, with samples
  std::vector<int64_t> unready_requests;
  std::vector<int64_t> missing_requests;
  std::string error;
};

Grouped group(const HpaMetric& metric, const HpaInput& input, const HpaOptions& options,
              Instant now) {
  Grouped out;
  const bool cpu = metric.source != HpaMetric::Source::kPods && metric.name == api::kCpu;
  const bool percent = metric.target_type == api::MetricTargetType::kUtilization;
  for (size_t i = 0; i < input.pods.size(); ++i) {
    int64_t request = 0;
    if (percent) {
      const auto& given = metric.requests_milli[i];
      // Of every pod, even one that is then ignored: that is how the controller meets it.
      if (!given) out.error = fmt::format("pod {} has a container without a request", i + 1);
      request = given.value_or(0);
    }
    switch (group_of(input.pods[i], metric.samples[i], cpu, options, now)) {
      case Group::kIgnored:
        break;
      case Group::kUnready:
        out.unready_requests.push_back(request);
        break;
      case Group::kMissing:
        out.missing_requests.push_back(request);
        break;
      case Group::kReady:
        out.counted.push_back({metric.samples[i]->usage_milli, request});
        break;
    }
  }
  return out;
}

bool requests_anything(const Grouped& pods) {
  return std::ranges::any_of(pods.counted,
                             [](const Counted& pod) { return pod.request_milli > 0; });
}

}  // namespace

MetricWish wish_of_pods(const HpaMetric& metric, const HpaInput& input, const HpaOptions& options,
                        const Tolerance& tolerance, Instant now) {
  WL_ASSERT(metric.samples.size() == input.pods.size());
  if (input.pods.empty()) return failure("the target has no pods");
  Grouped pods = group(metric, input, options, now);
  if (pods.counted.empty()) return failure("no pod that counts has a sample");
  if (!pods.error.empty()) return failure(pods.error);
  if (metric.target_type == api::MetricTargetType::kUtilization && !requests_anything(pods)) {
    return failure("the pods that count request none of it");
  }

  const int32_t current = input.spec_replicas;
  const Usage usage = usage_of(pods.counted, metric);
  const auto wish = [&](int32_t replicas) {
    return MetricWish{replicas, {}, usage.milli, static_cast<int32_t>(pods.counted.size())};
  };
  const bool up_with_unready = !pods.unready_requests.empty() && usage.ratio > 1;
  if (!up_with_unready && pods.missing_requests.empty()) {
    if (within(usage.ratio, tolerance)) return wish(current);
    const auto ready = static_cast<double>(pods.counted.size());
    return wish(to_int32_unchecked(std::ceil(usage.ratio * ready)));
  }
  // A ratio of exactly 1 assumes nothing of the missing, and they do not count.
  if (usage.ratio != 1) {
    for (const int64_t request : pods.missing_requests) {
      pods.counted.push_back({assumed_usage(metric, request, usage.ratio), request});
    }
  }
  if (up_with_unready) {
    for (const int64_t request : pods.unready_requests) pods.counted.push_back({0, request});
  }
  const double ratio = usage_of(pods.counted, metric).ratio;
  const bool flipped = (usage.ratio < 1 && ratio > 1) || (usage.ratio > 1 && ratio < 1);
  if (within(ratio, tolerance) || flipped) return wish(current);
  const int32_t replicas =
      to_int32_unchecked(std::ceil(ratio * static_cast<double>(pods.counted.size())));
  const bool contradicts = (ratio < 1 && replicas > current) || (ratio > 1 && replicas < current);
  return wish(contradicts ? current : replicas);
}

}  // namespace windlass::scaling
