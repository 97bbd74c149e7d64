// PodDisruptionBudgets: what they leave to evict when everything is healthy (reference
// karpenter.md 4.2).
#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "lint/checks.h"
#include "lint/scaled.h"

namespace windlass::lint {
namespace {

// The fewest pods a workload runs with.
int32_t least_pods(const Workload& workload, const Manifests& manifests) {
  for (const auto& [object, origin] : manifests.all<api::ScaledObject>()) {
    if (object->target_kind == workload.kind && object->target_name == workload.meta->name &&
        object->meta.namespace_name == workload.meta->namespace_name) {
      return std::max(1, object->min());
    }
  }
  for (const auto& [hpa, origin] : manifests.all<api::HorizontalPodAutoscaler>()) {
    if (hpa->target.kind == workload.kind && hpa->target.name == workload.meta->name &&
        hpa->meta.namespace_name == workload.meta->namespace_name) {
      return std::max(1, hpa->min());
    }
  }
  return workload.replicas;
}

// Kubernetes rounds the healthy pods it wants up.
int64_t healthy_wanted(const api::IntOrPercent& least, int64_t pods) {
  return least.percent ? (pods * least.value + 99) / 100 : least.value;
}

std::optional<std::string> always_blocks(const api::PodDisruptionBudget& budget) {
  const auto& min = budget.min_available;
  const auto& max = budget.max_unavailable;
  if (!min && !max) return "neither minAvailable nor maxUnavailable is given, which allows nothing";
  if (max && max->value == 0) {
    return fmt::format("maxUnavailable is 0{}", max->percent ? "%" : "");
  }
  if (min && min->percent && min->value >= 100) return "minAvailable is 100%";
  return std::nullopt;
}

}  // namespace

void check_budgets(Manifests& manifests) {
  for (const auto& item : manifests.all<api::PodDisruptionBudget>()) {
    const api::PodDisruptionBudget& budget = *item.object;
    const auto report = [&](std::string_view field, const std::string& why) {
      manifests.report("pdb-blocks-drain", item, field,
                       why +
                           ": no eviction is ever allowed, so no node of these pods can be "
                           "consolidated, updated or drained",
                       "maxUnavailable: 1, or one replica more than minAvailable");
    };
    if (const auto why = always_blocks(budget)) {
      report("spec", *why);
      continue;
    }
    if (!budget.min_available) continue;
    int64_t pods = 0;
    for (const Workload& workload : manifests.workloads()) {
      if (workload.meta->namespace_name != budget.meta.namespace_name) continue;
      if (!budget.selector.matches(workload.pods->labels)) continue;
      pods += least_pods(workload, manifests);
    }
    const int64_t wanted = healthy_wanted(*budget.min_available, pods);
    if (pods == 0 || wanted < pods) continue;
    report("spec.minAvailable",
           fmt::format("{} of {} pod{} have to stay", wanted, pods, pods == 1 ? "" : "s"));
  }
}

}  // namespace windlass::lint
