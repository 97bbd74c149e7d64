// Taints and tolerations.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace windlass::api {

struct Taint {
  std::string key;
  std::string value;
  std::string effect;  // NoSchedule, PreferNoSchedule, NoExecute
  bool operator==(const Taint&) const = default;
};

struct Toleration {
  std::string key;  // empty with Exists: everything
  std::string op = "Equal";
  std::string value;
  std::string effect;  // empty: every effect
  std::optional<int64_t> seconds;
  [[nodiscard]] bool tolerates(const Taint& taint) const;
  bool operator==(const Toleration&) const = default;
};

// The first NoSchedule or NoExecute taint (and PreferNoSchedule if asked) that nothing tolerates.
const Taint* first_untolerated(const std::vector<Taint>& taints,
                               const std::vector<Toleration>& tolerations,
                               bool prefer_no_schedule_counts);
std::string to_string(const Taint& taint);  // "key=value:Effect"

}  // namespace windlass::api
