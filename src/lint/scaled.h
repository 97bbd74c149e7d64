// Private to this room: ScaledObjects and ScaledJobs as the trigger rules look at them.
#pragma once

#include <string>
#include <vector>

#include "lint/manifests.h"

namespace windlass::lint {

struct Scaled {
  std::string_view kind;
  const api::ObjectMeta* meta = nullptr;
  const Origin* origin = nullptr;
  const std::vector<api::Trigger>* triggers = nullptr;
  const api::ScaledObject* object = nullptr;  // nullptr: a ScaledJob
  int32_t min = 0;
  int32_t max = 100;
};

std::vector<Scaled> all_scaled(const Manifests& manifests);

// "spec.triggers[1].metadata.query".
std::string trigger_field(size_t index, std::string_view field);
// The trimmed value, or "" if the metadata does not have the key.
std::string metadata_of(const api::Trigger& trigger, const std::string& key);
// A positive number in the metadata, or 0.
double positive_number(const api::Trigger& trigger, const std::string& key);

}  // namespace windlass::lint
