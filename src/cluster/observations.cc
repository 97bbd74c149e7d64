#include "cluster/observations.h"

#include <fmt/format.h>

namespace windlass::cluster {

std::string offering_key(std::string_view type, std::string_view zone,
                         std::string_view capacity_type) {
  return fmt::format("{}:{}:{}", type, zone, capacity_type);
}

std::optional<catalog::ServiceProfile> profile_on(const InferenceModel& model,
                                                  const catalog::InstanceType& type) {
  std::optional<catalog::ServiceProfile> profile;
  if (const auto given = model.profiles.find(type.gpu_name); given != model.profiles.end()) {
    profile = given->second;
  } else if (const catalog::GpuCard* gpu = catalog::gpu_of(type)) {
    auto made = catalog::roofline_profile(model.card, *gpu);
    if (made.ok()) profile = *made;
  }
  if (profile) {
    profile->max_sequences = model.max_sequences;
    profile->max_batched_tokens = model.max_batched_tokens;
  }
  return profile;
}

}  // namespace windlass::cluster
