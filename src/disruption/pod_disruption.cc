#include "disruption/pod_disruption.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

namespace windlass::disruption {
namespace {

bool owned_by(const api::Pod& pod, std::string_view kind) {
  return std::any_of(pod.meta.owners.begin(), pod.meta.owners.end(),
                     [&](const api::OwnerReference& owner) { return owner.kind == kind; });
}

bool active(const api::Pod& pod) { return !pod.terminal() && !pod.meta.deleted; }

bool tolerates_disrupted(const api::Pod& pod) {
  static const api::Taint taint{std::string(api::kDisruptedTaint), "", "NoSchedule"};
  return std::any_of(pod.spec.tolerations.begin(), pod.spec.tolerations.end(),
                     [&](const api::Toleration& t) { return t.tolerates(taint); });
}

bool evictable(const api::Pod& pod) {
  return active(pod) && !owned_by(pod, "Node") && !tolerates_disrupted(pod);
}

// Kubernetes scales both bounds of a budget up.
int64_t scaled_up(const api::IntOrPercent& bound, int64_t total) {
  return bound.percent ? (total * bound.value + 99) / 100 : bound.value;
}

// Of the pods a budget covers, that are not terminal.
int32_t still_allowed(const api::PodDisruptionBudget& pdb, int64_t expected, int64_t healthy) {
  int64_t desired = 0;
  if (pdb.max_unavailable) {
    desired = std::max<int64_t>(expected - scaled_up(*pdb.max_unavailable, expected), 0);
  } else if (pdb.min_available) {
    desired = scaled_up(*pdb.min_available, expected);
  } else {
    return 0;
  }
  return static_cast<int32_t>(std::max<int64_t>(healthy - desired, 0));
}

bool is_healthy(const api::Pod& pod) { return pod.ready && !pod.meta.deleted; }

bool covers(const api::PodDisruptionBudget& pdb, const api::Pod& pod) {
  return pdb.meta.namespace_name == pod.meta.namespace_name &&
         pdb.selector.matches(pod.meta.labels);
}

bool have_same_labels(const api::Pod& a, const api::Pod& b) {
  const bool known = a.digest.labels != 0 && b.digest.labels != 0;
  return known ? a.digest.labels == b.digest.labels : a.meta.labels == b.meta.labels;
}

bool never_allows(const api::PodDisruptionBudget& pdb) {
  if (pdb.max_unavailable) return pdb.max_unavailable->value <= 0;
  return pdb.min_available && pdb.min_available->percent && pdb.min_available->value >= 100;
}

}  // namespace

int32_t disruptions_allowed(const api::PodDisruptionBudget& pdb,
                            const std::vector<const api::Pod*>& all_pods) {
  int64_t expected = 0;
  int64_t healthy = 0;
  for (const api::Pod* pod : all_pods) {
    if (pod->terminal() || !covers(pdb, *pod)) continue;
    ++expected;
    if (is_healthy(*pod)) ++healthy;
  }
  return still_allowed(pdb, expected, healthy);
}

bool reschedulable(const api::Pod& pod) {
  if (pod.terminal() || pod.daemon() || owned_by(pod, "Node")) return false;
  return !pod.meta.deleted || owned_by(pod, "StatefulSet");
}

std::string do_not_disrupt(const api::Pod& pod, Instant now) {
  const auto found = pod.meta.annotations.find(api::kDoNotDisrupt);
  if (found == pod.meta.annotations.end() || !active(pod)) return {};
  const std::string blocked =
      fmt::format("blocked by pod {}'s {}", pod.meta.key(), api::kDoNotDisrupt);
  if (found->second == "true") return blocked;
  const Result<Duration> grace = parse_duration(found->second);
  if (!grace) return {};
  if (!pod.started_at) return fmt::format("{}: {} from its start", blocked, found->second);
  const Duration age = now - *pod.started_at;
  if (age >= *grace) return {};
  return fmt::format("{} for another {} of {}", blocked, to_string(*grace - age), found->second);
}

EvictionLimits::EvictionLimits(const std::vector<const api::PodDisruptionBudget*>& budgets,
                               const std::vector<const api::Pod*>& all_pods) {
  for (const api::PodDisruptionBudget* budget : budgets) {
    by_namespace_[budget->meta.namespace_name].limits.push_back({budget, 0});
  }
  if (budgets.empty()) return;
  // Pods of one ReplicaSet come one after the other.
  const api::Pod* last = nullptr;
  Alike* alike = nullptr;
  for (const api::Pod* pod : all_pods) {
    const bool same = last != nullptr && last->meta.namespace_name == pod->meta.namespace_name &&
                      have_same_labels(*last, *pod);
    if (!same) {
      const auto place = by_namespace_.find(pod->meta.namespace_name);
      if (place == by_namespace_.end()) continue;
      alike = &place->second.alike[&pod->meta.labels];
      last = pod;
    }
    if (pod->terminal()) continue;
    ++alike->expected;
    alike->healthy += is_healthy(*pod) ? 1 : 0;
  }
  for (auto& [name, place] : by_namespace_) count(place);
}

void EvictionLimits::count(Place& place) {
  std::sort(place.limits.begin(), place.limits.end(), [](const Limit& a, const Limit& b) {
    return a.budget->meta.name < b.budget->meta.name;
  });
  for (Limit& limit : place.limits) {
    int64_t expected = 0;
    int64_t healthy = 0;
    for (auto& [labels, alike] : place.alike) {
      if (!limit.budget->selector.matches(*labels)) continue;
      expected += alike.expected;
      healthy += alike.healthy;
      alike.limits.push_back(&limit);
    }
    limit.allowed = still_allowed(*limit.budget, expected, healthy);
    place.blocks |= limit.allowed <= 0;
  }
  place.blocks |= std::ranges::any_of(
      place.alike, [](const auto& entry) { return entry.second.limits.size() > 1; });
}

std::vector<const EvictionLimits::Limit*> EvictionLimits::limits_of(const api::Pod& pod) const {
  const auto found = by_namespace_.find(pod.meta.namespace_name);
  if (found == by_namespace_.end()) return {};
  const auto alike = found->second.alike.find(&pod.meta.labels);
  if (alike != found->second.alike.end()) return alike->second.limits;
  std::vector<const Limit*> limits;  // of a pod that was not counted
  for (const Limit& limit : found->second.limits) {
    if (covers(*limit.budget, pod)) limits.push_back(&limit);
  }
  return limits;
}

std::string EvictionLimits::why_blocked(const api::Pod& pod) const {
  const auto place = by_namespace_.find(pod.meta.namespace_name);
  if (place == by_namespace_.end() || !place->second.may_block() || !evictable(pod)) return {};
  const std::vector<const Limit*> limits = limits_of(pod);
  for (const Limit* limit : limits) {
    if (limit->allowed > 0) continue;
    return fmt::format("PDB {} allows 0 disruptions, and pod {} is behind it",
                       limit->budget->meta.key(), pod.meta.key());
  }
  // The eviction API refuses such a pod outright.
  if (limits.size() > 1) {
    return fmt::format("pod {} is behind {} PDBs ({} and {}), which cannot be evicted from",
                       pod.meta.key(), limits.size(), limits[0]->budget->meta.key(),
                       limits[1]->budget->meta.key());
  }
  return {};
}

bool EvictionLimits::never_evictable(const api::Pod& pod) const {
  const std::vector<const Limit*> limits = limits_of(pod);
  return std::any_of(limits.begin(), limits.end(),
                     [](const Limit* limit) { return never_allows(*limit->budget); });
}

}  // namespace windlass::disruption
