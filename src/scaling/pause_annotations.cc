// is_paused and hpa_behavior: KEDA's annotations that stop a ScaledObject, wholly or in one
// direction (reference keda_hpa.md 1.3).
#include <limits>

#include <fmt/format.h>

#include "base/text.h"
#include "scaling/scaled_object_plan.h"

namespace windlass::scaling {
namespace {

constexpr const char* kPaused = "autoscaling.keda.sh/paused";
constexpr const char* kPausedReplicas = "autoscaling.keda.sh/paused-replicas";
constexpr const char* kPausedScaleIn = "autoscaling.keda.sh/paused-scale-in";
constexpr const char* kPausedScaleOut = "autoscaling.keda.sh/paused-scale-out";

// Whoever writes "paused: yes, please" means to pause: only a clear false is no.
bool is_set(const api::StringMap& annotations, const char* annotation) {
  const auto it = annotations.find(annotation);
  if (it == annotations.end()) return false;
  for (const std::string_view no : {"0", "f", "F", "FALSE", "false", "False"}) {
    if (it->second == no) return false;
  }
  return true;
}

}  // namespace

PauseAnnotations read_pause_annotations(const api::StringMap& annotations) {
  PauseAnnotations out;
  out.paused = is_set(annotations, kPaused);
  out.scale_in = is_set(annotations, kPausedScaleIn);
  out.scale_out = is_set(annotations, kPausedScaleOut);
  out.force_active = is_set(annotations, "autoscaling.keda.sh/force-activation");
  const auto it = annotations.find(kPausedReplicas);
  if (it == annotations.end()) return out;
  out.paused = true;
  const auto count = parse_int(it->second);
  if (!count.ok() || *count < 0 || *count > std::numeric_limits<int32_t>::max()) {
    out.error = fmt::format("metadata.annotations[{}]: not a replica count: \"{}\"",
                            kPausedReplicas, it->second.substr(0, 80));
    return out;
  }
  out.replicas = static_cast<int32_t>(*count);
  return out;
}

bool is_paused(const api::ScaledObject& object) {
  return is_set(object.meta.annotations, kPaused) ||
         object.meta.annotations.contains(kPausedReplicas);
}

std::optional<api::Behavior> hpa_behavior(const api::ScaledObject& object) {
  const bool no_in = is_set(object.meta.annotations, kPausedScaleIn);
  const bool no_out = is_set(object.meta.annotations, kPausedScaleOut);
  if (!no_in && !no_out) return object.behavior;
  api::Behavior behavior = object.behavior.value_or(api::Behavior{});
  const auto disable = [](std::optional<api::ScalingRules>& rules) {
    if (!rules) rules.emplace();
    rules->select = api::SelectPolicy::kDisabled;
  };
  if (no_in) disable(behavior.scale_down);
  if (no_out) disable(behavior.scale_up);
  return behavior;
}

}  // namespace windlass::scaling
