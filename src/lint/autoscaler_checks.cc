// Autoscalers beside each other, and their bounds (reference keda_hpa.md 1.1).
#include <map>

#include <fmt/format.h>

#include "lint/checks.h"

namespace windlass::lint {
namespace {

struct Autoscaler {
  std::string_view kind;
  const api::ObjectMeta* meta;
  const Origin* origin;
};

// KEDA's own ways of saying that an HPA beside a ScaledObject is meant.
bool is_taken_over(const api::ScaledObject& object, const api::HorizontalPodAutoscaler& hpa) {
  const auto says = [](const api::ObjectMeta& meta, const char* key, std::string_view value) {
    const auto found = meta.annotations.find(key);
    return found != meta.annotations.end() && found->second == value;
  };
  return says(hpa.meta, "validations.keda.sh/hpa-ownership", "false") ||
         (says(object.meta, "scaledobject.keda.sh/transfer-hpa-ownership", "true") &&
          object.hpa_name == hpa.meta.name);
}

void check_targets(Manifests& manifests) {
  // By namespace, kind and name of the target.
  std::map<std::string, Autoscaler> scaled_by;
  std::map<std::string, const api::ScaledObject*> objects;
  const auto claim = [&](const std::string& target, const Autoscaler& scaler) {
    const auto [first, fresh] = scaled_by.emplace(target, scaler);
    if (fresh) return;
    manifests.report("two-autoscalers", *scaler.origin, scaler.kind, *scaler.meta,
                     "spec.scaleTargetRef",
                     fmt::format("{}/{} scales {}, too: each undoes what the other does{}",
                                 first->second.kind, first->second.meta->name, target,
                                 scaler.kind == "HorizontalPodAutoscaler"
                                     ? ""
                                     : "; KEDA's webhook refuses the second one"),
                     "one of the two; a ScaledObject takes cpu and memory triggers as well");
  };
  const auto name = [](const std::string& namespace_name, const std::string& kind,
                       const std::string& target) {
    return fmt::format("{} {}/{}", kind, namespace_name, target);
  };
  for (const auto& [object, origin] : manifests.all<api::ScaledObject>()) {
    const std::string target =
        name(object->meta.namespace_name, object->target_kind, object->target_name);
    objects.emplace(target, object);
    claim(target, {"ScaledObject", &object->meta, origin});
  }
  for (const auto& [hpa, origin] : manifests.all<api::HorizontalPodAutoscaler>()) {
    const std::string target = name(hpa->meta.namespace_name, hpa->target.kind, hpa->target.name);
    const auto object = objects.find(target);
    if (object != objects.end() && is_taken_over(*object->second, *hpa)) continue;
    claim(target, {"HorizontalPodAutoscaler", &hpa->meta, origin});
  }
}

void check_target_there(Manifests& manifests, const Origin& origin, std::string_view kind,
                        const api::ObjectMeta& meta, const std::string& target_kind,
                        const std::string& target) {
  if (target_kind != "Deployment" && target_kind != "StatefulSet") return;
  if (manifests.workload(target_kind, meta.namespace_name, target) != nullptr) return;
  manifests.report(
      "target-missing", origin, kind, meta, "spec.scaleTargetRef",
      fmt::format("{} {}/{} is not among the files, so nothing can be said of its pods",
                  target_kind, meta.namespace_name, target),
      "give its file, too, or correct the name (the namespace is this object's own)");
}

}  // namespace

void check_autoscalers(Manifests& manifests) {
  check_targets(manifests);
  for (const auto& item : manifests.all<api::ScaledObject>()) {
    const api::ScaledObject& object = *item.object;
    check_target_there(manifests, *item.origin, "ScaledObject", object.meta, object.target_kind,
                       object.target_name);
    if (object.idle_replicas.value_or(0) != 0) {
      manifests.report("idle-count-not-zero", item, "spec.idleReplicaCount",
                       fmt::format("KEDA scales to {} while nothing is active, and the HPA pulls "
                                   "it back to {} at its next sync",
                                   *object.idle_replicas, object.min()),
                       "idleReplicaCount: 0, or none");
    }
    if (!object.max_replicas) {
      manifests.report("max-unset", item, "spec",
                       "without maxReplicaCount up to 100 replicas are asked for, each with its "
                       "GPUs",
                       "the number of replicas you would pay for");
    }
  }
  for (const auto& [hpa, origin] : manifests.all<api::HorizontalPodAutoscaler>()) {
    check_target_there(manifests, *origin, "HorizontalPodAutoscaler", hpa->meta, hpa->target.kind,
                       hpa->target.name);
  }
}

}  // namespace windlass::lint
