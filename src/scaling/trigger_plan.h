// A trigger of a ScaledObject or ScaledJob with its metadata read and checked, and how what its
// source answers becomes one number (reference keda_hpa.md 1.2, 2.1, 2.2). The asking itself is
// done elsewhere: a plan says what to ask, these functions read the answer.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/keda.h"
#include "base/result.h"
#include "base/time.h"
#include "scaling/cron.h"

namespace windlass::scaling {

// What an HTTP request to a trigger's source carries beside its address and query.
struct HttpAccess {
  api::StringMap headers;     // customHeaders
  api::StringMap parameters;  // queryParameters
  std::vector<std::string> auth_modes;
  api::StringMap auth;  // parameters of the authentication; never to be shown
  bool skip_tls_check = false;
};

struct TriggerPlan {
  enum class Kind { kPrometheus, kMetricsApi, kCron, kCpu, kMemory, kWorkload, kExternal };
  Kind kind = Kind::kPrometheus;
  std::string name;         // the trigger's own, which a formula uses; may be empty
  std::string metric_name;  // "s0-prometheus", "s1-cron-UTC-..."; of cpu and memory the resource
  api::MetricTargetType target_type = api::MetricTargetType::kAverageValue;
  int64_t target_milli = 0;  // of Utilization: percent; of external: 0 until its server is asked
  double activation = 0;     // active when value > activation
  bool cached = false;       // useCachedMetrics: the HPA reads what the last poll read
  // prometheus, metrics-api (the URL), external (the scaler's address)
  std::string server_address;
  std::string query;
  std::string query_namespace;  // prometheus: goes along as &namespace=
  bool ignore_null_values = true;
  Duration timeout = seconds(3);
  HttpAccess access;
  // metrics-api
  enum class Format { kJson, kYaml, kPrometheus };
  enum class Aggregation { kAverage, kSum, kMax, kMin };
  Format format = Format::kJson;
  std::string value_location;
  std::optional<Aggregation> aggregation;  // over a Service's endpoints
  // cron
  CronSchedule cron_start;
  CronSchedule cron_end;
  std::string timezone;
  double cron_replicas = 0;
  // cpu, memory: of this container alone
  std::string container;
  // kubernetes-workload
  api::LabelSelector pod_selector;
  bool group_by_node = false;

  // cpu and memory are the HPA's own business: KEDA reads no value for them.
  [[nodiscard]] bool is_resource() const { return kind == Kind::kCpu || kind == Kind::kMemory; }
};

// What stands behind a trigger's authenticationRef and xxxFromEnv keys (trigger_auth.h). Values may
// be secrets: they never appear in a message.
struct ResolvedValues {
  api::StringMap auth;  // by parameter
  api::StringMap env;   // of the target's container, by variable
};

// All triggers, or one error that lists every bad field of every trigger ("triggers[0].threshold:
// ..."). Unknown metadata keys are ignored, as KEDA does; they come back in `ignored`
// ("triggers[0].metadata.metricName: ignored ..."). A type that is not decided here is an error
// that names it and the accepted ones. `values`: one a trigger, or none at all.
Result<std::vector<TriggerPlan>> plan_triggers(const std::vector<api::Trigger>& triggers,
                                               std::string_view namespace_name,
                                               std::span<const ResolvedValues> values,
                                               std::vector<std::string>* ignored);
Result<std::vector<TriggerPlan>> plan_triggers(const api::ScaledObject& object,
                                               std::vector<std::string>* ignored);

// A reading of one trigger: its raw value, or why there is none.
class TriggerReading {
 public:
  TriggerReading(double value) : value_(value) {}                     // NOLINT
  TriggerReading(Error error) : value_(std::move(error)) {}           // NOLINT
  TriggerReading(Result<double> value) : value_(std::move(value)) {}  // NOLINT

  [[nodiscard]] bool ok() const { return value_.ok(); }
  [[nodiscard]] double operator*() const { return *value_; }
  [[nodiscard]] const Error& error() const { return value_.error(); }

  // When the source measured it, where it says so; for the sample-age limit (opt_ins.h).
  std::optional<Instant> sampled_at;
  // An answer that held nothing and was read as 0 (ignoreNullValues).
  bool from_nothing = false;
  // external: what its IsActive said, which takes the threshold's place.
  std::optional<bool> active;

 private:
  Result<double> value_;
};

// What a Prometheus answered: the elements' values, or an error text.
struct PrometheusAnswer {
  std::vector<double> values;  // one an element of the vector
  std::string error;           // not empty: no answer
};
// KEDA's table of section 2.1: one element gives its value; none gives 0 or an error by
// ignoreNullValues; more than one is an error; NaN and infinities count as null.
TriggerReading read_prometheus(const TriggerPlan& plan, const PrometheusAnswer& answer);
// desiredReplicas inside the window, else 0 (test: next(end) <= next(start)), in the trigger's
// zone.
TriggerReading read_cron(const TriggerPlan& plan, Instant now);
// The number at valueLocation: in JSON or YAML a dotted path (gjson's: keys, positions, # for a
// length, \. for a dot in a key) to a number or a quantity in quotes; in Prometheus' text format a
// metric, perhaps with {label="value"}. One body an endpoint; several are aggregated.
TriggerReading read_metrics_api(const TriggerPlan& plan, std::span<const std::string> bodies);
// Pods of the object's namespace that the selector takes and that have not ended, or the nodes they
// are on (groupByNode).
TriggerReading read_workload(const TriggerPlan& plan, std::span<const api::Pod* const> pods,
                             std::string_view namespace_name);

// "app=llm,tier in (a, b),!canary": a label selector as kubectl takes it.
Result<api::LabelSelector> parse_label_selector(std::string_view text);

}  // namespace windlass::scaling
