#include "scaling/pause_annotations.h"

#include <limits>

#include <fmt/format.h>

#include "base/text.h"
#include "scaling/scaled_object.h"

namespace windlass::scaling {
namespace {

constexpr const char* kPaused = "autoscaling.keda.sh/paused";
constexpr const char* kPausedReplicas = "autoscaling.keda.sh/paused-replicas";

// Whoever writes "paused: yes, please" means to pause: only a clear false is no.
bool is_set(const api::ScaledObject& object, const char* annotation) {
  const auto it = object.meta.annotations.find(annotation);
  if (it == object.meta.annotations.end()) return false;
  for (const std::string_view no : {"0", "f", "F", "FALSE", "false", "False"}) {
    if (it->second == no) return false;
  }
  return true;
}

}  // namespace

Result<PauseAnnotations> read_pause_annotations(const api::ScaledObject& object) {
  PauseAnnotations out;
  out.paused = is_set(object, kPaused);
  out.scale_in = is_set(object, "autoscaling.keda.sh/paused-scale-in");
  out.scale_out = is_set(object, "autoscaling.keda.sh/paused-scale-out");
  out.force_active = is_set(object, "autoscaling.keda.sh/force-activation");
  const auto it = object.meta.annotations.find(kPausedReplicas);
  if (it == object.meta.annotations.end()) return out;
  const auto count = parse_int(it->second);
  if (!count.ok() || *count < 0 || *count > std::numeric_limits<int32_t>::max()) {
    return Error(fmt::format("metadata.annotations[{}]: not a replica count: \"{}\"",
                             kPausedReplicas, it->second));
  }
  out.paused = true;
  out.replicas = static_cast<int32_t>(*count);
  return out;
}

bool is_paused(const api::ScaledObject& object) {
  return is_set(object, kPaused) || object.meta.annotations.contains(kPausedReplicas);
}

std::optional<api::Behavior> hpa_behavior(const api::ScaledObject& object) {
  const bool no_in = is_set(object, "autoscaling.keda.sh/paused-scale-in");
  const bool no_out = is_set(object, "autoscaling.keda.sh/paused-scale-out");
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
