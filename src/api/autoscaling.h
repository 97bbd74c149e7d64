// autoscaling/v2: the HorizontalPodAutoscaler and the parts of it a ScaledObject carries.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/meta.h"
#include "api/selector.h"
#include "base/quantity.h"

namespace windlass::api {

struct ScalingPolicy {
  enum class Type { kPods, kPercent };
  Type type = Type::kPods;
  int32_t value = 0;  // > 0
  Duration period{};  // 1 s .. 1800 s
};
enum class SelectPolicy { kMax, kMin, kDisabled };
struct ScalingRules {
  std::optional<Duration> stabilization_window;
  SelectPolicy select = SelectPolicy::kMax;
  std::vector<ScalingPolicy> policies;  // empty: the API's defaults for the direction
  std::optional<Quantity> tolerance;
};
// Absent halves take the API's defaults, an absent behavior takes the controller's legacy path.
struct Behavior {
  std::optional<ScalingRules> scale_up;
  std::optional<ScalingRules> scale_down;
};

enum class MetricTargetType { kAverageValue, kValue, kUtilization };

struct ScaleTarget {
  std::string api_version;
  std::string kind;
  std::string name;
  bool operator==(const ScaleTarget&) const = default;
};

struct HpaMetricSpec {
  enum class Source { kResource, kContainerResource, kPods, kObject, kExternal };
  Source source = Source::kResource;
  std::string name;       // of the resource or metric
  std::string container;  // kContainerResource
  LabelSelector selector;
  ScaleTarget described;  // kObject
  MetricTargetType target_type = MetricTargetType::kUtilization;
  std::optional<Quantity> value;
  std::optional<Quantity> average_value;
  std::optional<int32_t> average_utilization;  // percent of requests
};

struct HorizontalPodAutoscaler {
  ObjectMeta meta;
  ScaleTarget target;
  std::optional<int32_t> min_replicas;
  int32_t max_replicas = 1;
  std::vector<HpaMetricSpec> metrics;  // empty: cpu at 80 %
  std::optional<Behavior> behavior;
  std::vector<Condition> conditions;
  RawObject raw;

  [[nodiscard]] int32_t min() const { return min_replicas.value_or(1); }
};

}  // namespace windlass::api
