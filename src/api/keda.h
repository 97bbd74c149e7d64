// keda.sh/v1alpha1: ScaledObject, ScaledJob, TriggerAuthentication.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/autoscaling.h"
#include "api/core.h"

namespace windlass::api {

// authenticationRef
struct AuthRef {
  std::string name;
  bool cluster = false;  // a ClusterTriggerAuthentication
};

struct Trigger {
  std::string type;
  std::string name;
  StringMap metadata;
  MetricTargetType metric_type = MetricTargetType::kAverageValue;
  // The manifest said so; AverageValue is the default of every type but cpu and memory.
  bool metric_type_given = false;
  bool use_cached_metrics = false;
  std::optional<AuthRef> auth;
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

// advanced.scalingModifiers: one formula over the triggers' values takes their metrics' place.
struct ScalingModifiers {
  std::string formula;
  std::string target;             // a float > 0, as written
  std::string activation_target;  // empty: 0
  MetricTargetType metric_type = MetricTargetType::kAverageValue;
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
  std::optional<ScalingModifiers> modifiers;
  std::string hpa_name;  // empty: keda-hpa-NAME
  bool restore_original_replicas = false;
  std::string env_source_container;  // empty: the first
  std::vector<Condition> conditions;
  std::optional<Instant> last_active;
  // What kubectl's columns show: "apps/v1.Deployment", "prometheus,cron", "auth-a,auth-b".
  std::string status_target_kind;
  std::string status_triggers;
  std::string status_authentications;
  RawObject raw;

  [[nodiscard]] int32_t min() const { return min_replicas.value_or(0); }
  [[nodiscard]] int32_t max() const { return max_replicas.value_or(100); }
};

struct ScaledJobStrategy {
  enum class Kind { kDefault, kCustom, kAccurate, kEager };
  Kind kind = Kind::kDefault;
  int32_t queue_length_deduction = 0;  // kCustom
  std::string running_job_percentage;  // kCustom; a float, as written
  std::vector<std::string> pending_pod_conditions;
  enum class Combine { kMax, kMin, kAvg, kSum };
  Combine combine = Combine::kMax;  // multipleScalersCalculation
};

struct ScaledJob {
  ObjectMeta meta;
  Job job;  // jobTargetRef; its meta holds the template's labels and annotations
  Duration polling_interval = seconds(30);
  int32_t successful_history = 100;
  int32_t failed_history = 100;
  std::optional<int32_t> min_replicas;
  std::optional<int32_t> max_replicas;
  ScaledJobStrategy strategy;
  bool gradual_rollout = false;  // else running Jobs of an older generation are deleted
  std::string env_source_container;
  std::vector<Trigger> triggers;
  std::vector<Condition> conditions;
  std::optional<Instant> last_active;
  RawObject raw;
};

// Where an auth parameter comes from: a Secret's or ConfigMap's key, or a container's variable.
struct AuthSource {
  enum class Kind { kSecret, kConfigMap, kEnv };
  Kind kind = Kind::kSecret;
  std::string parameter;
  std::string name;  // of the object or the variable
  std::string key;
  std::string container;  // kEnv; empty: the first
};
struct TriggerAuthentication {
  ObjectMeta meta;  // without a namespace: a ClusterTriggerAuthentication
  std::vector<AuthSource> sources;
  std::vector<std::string> unread_sources;  // podIdentity, hashiCorpVault, ...: kept, not followed
  RawObject raw;
};

}  // namespace windlass::api
