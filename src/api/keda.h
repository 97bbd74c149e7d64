// keda.sh/v1alpha1 ScaledObject, and the parts of autoscaling/v2 it carries.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/meta.h"
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

struct Trigger {
  std::string type;
  std::string name;
  StringMap metadata;
  MetricTargetType metric_type = MetricTargetType::kAverageValue;
  bool use_cached_metrics = false;
};

enum class FallbackBehavior {
  kStatic,
  kCurrentReplicas,
  kCurrentReplicasIfHigher,
  kCurrentReplicasIfLower,
  kScalingModifiers
};
struct Fallback {
  int32_t failure_threshold = 0;
  int32_t replicas = 0;
  FallbackBehavior behavior = FallbackBehavior::kStatic;
};

struct ScaledObject {
  ObjectMeta meta;
  std::string target_kind = "Deployment";
  std::string target_api_version = "apps/v1";
  std::string target_name;
  Duration polling_interval = seconds(30);
  Duration initial_cooldown{};
  Duration cooldown = seconds(300);
  std::optional<int32_t> idle_replicas;
  std::optional<int32_t> min_replicas;
  std::optional<int32_t> max_replicas;
  std::vector<Trigger> triggers;
  std::optional<Fallback> fallback;
  std::optional<Behavior> behavior;
  std::vector<Condition> conditions;
  std::optional<Instant> last_active;
  RawObject raw;

  [[nodiscard]] int32_t min() const { return min_replicas.value_or(0); }
  [[nodiscard]] int32_t max() const { return max_replicas.value_or(100); }
};

}  // namespace windlass::api
