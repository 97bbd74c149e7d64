#include "sim/saved.h"

#include <nlohmann/json.hpp>

namespace windlass::sim {

std::optional<Instant> read_instant(const api::Reader& value) {
  const auto ns = value.integer(INT64_MIN, INT64_MAX);
  if (!ns) return std::nullopt;
  return Instant{*ns};
}

SavedParts::SavedParts() = default;
SavedParts::~SavedParts() = default;

void SavedParts::start_from(const std::map<std::string, Json>& saved) { parts_ = saved; }

void SavedParts::set(const std::string& name, Json value) {
  seen_.insert(name);
  Json& known = parts_[name];
  if (known == value) return;
  changed_[name] = value;
  known = std::move(value);
}

std::map<std::string, Json> SavedParts::take() {
  for (auto it = parts_.begin(); it != parts_.end();) {
    if (seen_.contains(it->first) || settled_.contains(it->first)) {
      ++it;
      continue;
    }
    changed_[it->first] = nullptr;
    it = parts_.erase(it);
  }
  return std::exchange(changed_, {});
}

}  // namespace windlass::sim
