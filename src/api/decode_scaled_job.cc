// ScaledJob of keda.sh/v1alpha1 (reference keda_hpa.md 1.9).
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/decode.h"
#include "base/text.h"

namespace windlass::api {
namespace {

// KEDA takes any other text for the default, without a word.
template <typename T>
T read_or_default(const Reader& field, const std::vector<std::pair<std::string_view, T>>& names,
                  T absent) {
  const auto text = field.string();
  if (!text) return absent;
  std::vector<std::string_view> accepted;
  for (const auto& [name, value] : names) {
    if (name == *text) return value;
    accepted.push_back(name);
  }
  field.warning(fmt::format("found {}; read as {}, as KEDA does (accepted: {})",
                            describe(field.json()), accepted.front(), fmt::join(accepted, ", ")));
  return absent;
}

ScaledJobStrategy read_strategy(Reader strategy) {
  using Kind = ScaledJobStrategy::Kind;
  using Combine = ScaledJobStrategy::Combine;
  ScaledJobStrategy out;
  out.kind = read_or_default<Kind>(strategy.at("strategy"),
                                   {{"default", Kind::kDefault},
                                    {"custom", Kind::kCustom},
                                    {"accurate", Kind::kAccurate},
                                    {"eager", Kind::kEager},
                                    {"", Kind::kDefault}},
                                   Kind::kDefault);
  out.queue_length_deduction =
      strategy.at("customScalingQueueLengthDeduction").int32(INT32_MIN, INT32_MAX).value_or(0);
  Reader share = strategy.at("customScalingRunningJobPercentage");
  out.running_job_percentage = share.string().value_or("");
  if (out.kind == Kind::kCustom && !parse_double(out.running_job_percentage).ok()) {
    (share.present() ? share : strategy)
        .warning(
            "customScalingRunningJobPercentage is not a number, so KEDA takes the default "
            "strategy");
  }
  out.pending_pod_conditions = strategy.at("pendingPodConditions").strings();
  out.combine = read_or_default<Combine>(strategy.at("multipleScalersCalculation"),
                                         {{"max", Combine::kMax},
                                          {"min", Combine::kMin},
                                          {"avg", Combine::kAvg},
                                          {"sum", Combine::kSum},
                                          {"", Combine::kMax}},
                                         Combine::kMax);
  strategy.warn_unknown_keys();
  return out;
}

void read_job_target(Reader target, Job& out) {
  read_job_spec(target, RestartPolicy::kOptional, out);
  out.meta.labels = out.pod_template.labels;
  out.meta.annotations = out.pod_template.annotations;
}

void read_spec(Reader spec, ScaledJob& out) {
  Reader target = spec.required("jobTargetRef");
  if (target.present()) read_job_target(std::move(target), out.job);
  if (const auto interval = spec.at("pollingInterval").int32(1, INT32_MAX)) {
    out.polling_interval = seconds(*interval);
  }
  out.successful_history = spec.at("successfulJobsHistoryLimit").int32(0, INT32_MAX).value_or(100);
  out.failed_history = spec.at("failedJobsHistoryLimit").int32(0, INT32_MAX).value_or(100);
  out.min_replicas = spec.at("minReplicaCount").int32(0, INT32_MAX);
  out.max_replicas = spec.at("maxReplicaCount").int32(0, INT32_MAX);
  out.strategy = read_strategy(spec.at("scalingStrategy"));
  Reader rollout = spec.at("rollout");
  const auto gradual =
      rollout.at("strategy").one_of<bool>({{"gradual", true}, {"immediate", false}});
  (void)rollout.at("propagationPolicy").one_of<int>({{"background", 0}, {"foreground", 1}});
  rollout.warn_unknown_keys();
  Reader old = spec.at("rolloutStrategy");
  const auto old_gradual = old.one_of<bool>({{"gradual", true}, {"immediate", false}});
  if (old.present()) old.warning("is deprecated; rollout.strategy takes its place");
  out.gradual_rollout = gradual ? *gradual : old_gradual.value_or(false);
  out.env_source_container = spec.at("envSourceContainerName").string().value_or("");
  out.triggers = read_triggers(spec.required("triggers"), TriggersOf::kScaledJob);
  spec.warn_unknown_keys();
}

}  // namespace

ScaledJob read_scaled_job(Reader root) {
  ScaledJob out;
  out.meta = read_meta(root.required("metadata"), Scope::kNamespaced);
  Reader spec = root.required("spec");
  if (spec.present()) read_spec(std::move(spec), out);
  Reader status = root.at("status");
  out.conditions = read_conditions(status.at("conditions"));
  out.last_active = status.at("lastActiveTime").time();
  root.allow({"apiVersion", "kind"});
  root.warn_unknown_keys();
  return out;
}

}  // namespace windlass::api
