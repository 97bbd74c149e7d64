#include "lint/scaled.h"

#include <fmt/format.h>

#include "base/text.h"

namespace windlass::lint {

std::vector<Scaled> all_scaled(const Manifests& manifests) {
  std::vector<Scaled> out;
  for (const auto& [object, origin] : manifests.all<api::ScaledObject>()) {
    out.push_back({"ScaledObject", &object->meta, origin, &object->triggers, object, object->min(),
                   object->max()});
  }
  for (const auto& [job, origin] : manifests.all<api::ScaledJob>()) {
    out.push_back({"ScaledJob", &job->meta, origin, &job->triggers, nullptr,
                   job->min_replicas.value_or(0), job->max_replicas.value_or(100)});
  }
  return out;
}

std::string trigger_field(size_t index, std::string_view field) {
  return fmt::format("spec.triggers[{}]{}{}", index, field.empty() ? "" : ".", field);
}

std::string metadata_of(const api::Trigger& trigger, const std::string& key) {
  const auto found = trigger.metadata.find(key);
  return found == trigger.metadata.end() ? "" : std::string(trim(found->second));
}

double positive_number(const api::Trigger& trigger, const std::string& key) {
  const auto number = parse_double(metadata_of(trigger, key));
  return number.ok() && *number > 0 ? *number : 0;
}

}  // namespace windlass::lint
