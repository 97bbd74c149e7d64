#include "api/taints.h"

#include <algorithm>

#include <fmt/format.h>

namespace windlass::api {

bool Toleration::tolerates(const Taint& taint) const {
  if (!effect.empty() && effect != taint.effect) return false;
  if (!key.empty() && key != taint.key) return false;
  if (op == "Exists") return true;
  // An absent operator means Equal. Equal with an empty key is refused by the API server; here it
  // compares values alone, as Kubernetes' own helper does. Anything else tolerates nothing.
  return (op == "Equal" || op.empty()) && value == taint.value;
}

const Taint* first_untolerated(const std::vector<Taint>& taints,
                               const std::vector<Toleration>& tolerations,
                               bool prefer_no_schedule_counts) {
  for (const Taint& taint : taints) {
    const bool counts = taint.effect == "NoSchedule" || taint.effect == "NoExecute" ||
                        (prefer_no_schedule_counts && taint.effect == "PreferNoSchedule");
    if (!counts) continue;
    const bool tolerated = std::ranges::any_of(
        tolerations, [&](const Toleration& toleration) { return toleration.tolerates(taint); });
    if (!tolerated) return &taint;
  }
  return nullptr;
}

std::string to_string(const Taint& taint) {
  if (taint.value.empty()) return fmt::format("{}:{}", taint.key, taint.effect);
  return fmt::format("{}={}:{}", taint.key, taint.value, taint.effect);
}

}  // namespace windlass::api
