#include "scaling/trigger_metadata.h"

#include <limits>

#include <fmt/format.h>

#include "base/text.h"

namespace windlass::scaling {

std::optional<std::string> TriggerMetadata::find(std::string_view key) {
  read_.emplace(key);
  const auto it = metadata_.find(std::string(key));
  if (it == metadata_.end()) return std::nullopt;
  const std::string_view value = trim(it->second);
  if (value.empty()) return std::nullopt;
  return std::string(value);
}

std::optional<std::string> TriggerMetadata::find_required(std::string_view key) {
  auto value = find(key);
  if (value) return value;
  const bool from_env = metadata_.contains(std::string(key) + "FromEnv");
  fail(key, from_env ? "required; it is given as an environment variable of the target's container "
                       "(FromEnv), which is not read: write the value itself"
                     : "required, and absent or empty");
  return std::nullopt;
}

void TriggerMetadata::fail(std::string_view key, std::string_view what) {
  errors_.push_back(fmt::format("{}.{}: {}", place_, key, what));
}

std::string TriggerMetadata::text(std::string_view key) {
  return find_required(key).value_or(std::string());
}

std::string TriggerMetadata::text_or(std::string_view key, std::string_view otherwise) {
  return find(key).value_or(std::string(otherwise));
}

double TriggerMetadata::number_or(std::string_view key, double otherwise) {
  const auto value = find(key);
  if (!value) return otherwise;
  const auto number = parse_double(*value);
  if (number.ok()) return *number;
  fail(key, number.error().message());
  return otherwise;
}

double TriggerMetadata::number(std::string_view key) {
  return find_required(key) ? number_or(key, 1) : 1;
}

int64_t TriggerMetadata::whole(std::string_view key) {
  const auto value = find_required(key);
  if (!value) return 1;
  const auto number = parse_int(*value);
  if (number.ok()) return *number;
  fail(key, number.error().message());
  return 1;
}

bool TriggerMetadata::flag_or(std::string_view key, bool otherwise) {
  const auto value = find(key);
  if (!value) return otherwise;
  for (const std::string_view yes : {"1", "t", "T", "TRUE", "true", "True"}) {
    if (*value == yes) return true;
  }
  for (const std::string_view no : {"0", "f", "F", "FALSE", "false", "False"}) {
    if (*value == no) return false;
  }
  fail(key, fmt::format("not a boolean: \"{}\" (accepted: true, false, t, f, 1, 0)", *value));
  return otherwise;
}

Duration TriggerMetadata::duration_or(std::string_view key, Duration otherwise) {
  const auto value = find(key);
  if (!value) return otherwise;
  Duration read{};
  if (const auto duration = parse_duration(*value); duration.ok()) {
    read = *duration;
  } else if (const auto count = parse_int(*value);
             count.ok() && *count <= std::numeric_limits<int64_t>::max() / 1'000'000 &&
             *count >= std::numeric_limits<int64_t>::min() / 1'000'000) {
    read = milliseconds(*count);
  } else {
    fail(key, fmt::format("neither a duration nor milliseconds: \"{}\" (accepted: 3s, 500ms, 3000)",
                          *value));
    return otherwise;
  }
  if (read >= Duration{}) return read;
  fail(key, fmt::format("negative: \"{}\"", *value));
  return otherwise;
}

std::vector<std::string> TriggerMetadata::unread() const {
  std::vector<std::string> keys;
  for (const auto& [key, value] : metadata_) {
    if (!read_.contains(key)) keys.push_back(key);
  }
  return keys;
}

}  // namespace windlass::scaling
