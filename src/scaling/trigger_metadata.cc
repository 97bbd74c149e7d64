#include "scaling/trigger_metadata.h"

#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"

namespace windlass::scaling {

namespace {

std::optional<std::string> in(const api::StringMap& map, const std::string& key) {
  const auto it = map.find(key);
  if (it == map.end() || trim(it->second).empty()) return std::nullopt;
  return std::string(trim(it->second));
}

}  // namespace

std::string TriggerMetadata::Found::shown() const {
  return secret ? "a value from the environment or an authentication, not shown"
                : fmt::format("\"{}\"", text.substr(0, 200));
}

std::optional<TriggerMetadata::Found> TriggerMetadata::find(std::string_view key) {
  read_.emplace(key);
  if (auto value = in(metadata_, std::string(key))) return Found{*std::move(value), false};
  if (values_ == nullptr) return std::nullopt;
  const std::string from_env = std::string(key) + "FromEnv";
  if (const auto variable = in(metadata_, from_env)) {
    read_.insert(from_env);
    if (auto value = in(values_->env, *variable)) return Found{*std::move(value), true};
  }
  if (auto value = auth(key)) return Found{*std::move(value), true};
  return std::nullopt;
}

std::optional<std::string> TriggerMetadata::auth(std::string_view parameter) {
  return values_ == nullptr ? std::nullopt : in(values_->auth, std::string(parameter));
}

std::optional<TriggerMetadata::Found> TriggerMetadata::find_required(std::string_view key) {
  auto value = find(key);
  if (value) return value;
  const auto variable = in(metadata_, std::string(key) + "FromEnv");
  if (!variable) {
    fail(key, "required, and absent or empty");
  } else if (values_ == nullptr) {
    fail(key,
         "required; it is given as an environment variable of the target's container "
         "(FromEnv), which is not known here: write the value itself");
  } else {
    fail(key, fmt::format("required; the target's container has no environment variable \"{}\", "
                          "or an empty one",
                          variable->substr(0, 64)));
  }
  return std::nullopt;
}

void TriggerMetadata::fail(std::string_view key, std::string_view what) {
  errors_.push_back(fmt::format("{}.{}: {}", place_, key, what));
}

std::string TriggerMetadata::text(std::string_view key) {
  const auto found = find_required(key);
  return found ? found->text : std::string();
}

std::string TriggerMetadata::text_or(std::string_view key, std::string_view otherwise) {
  const auto found = find(key);
  return found ? found->text : std::string(otherwise);
}

std::optional<double> TriggerMetadata::as_number(std::string_view key, const Found& found) {
  const auto number = parse_double(found.text);
  if (number.ok()) return *number;
  fail(key, fmt::format("not a number: {}", found.shown()));
  return std::nullopt;
}

double TriggerMetadata::number_or(std::string_view key, double otherwise) {
  const auto found = find(key);
  return found ? as_number(key, *found).value_or(otherwise) : otherwise;
}

double TriggerMetadata::number(std::string_view key) {
  const auto found = find_required(key);
  return found ? as_number(key, *found).value_or(1) : 1;
}

int64_t TriggerMetadata::whole(std::string_view key) {
  const auto value = find_required(key);
  if (!value) return 1;
  const auto number = parse_int(value->text);
  if (number.ok()) return *number;
  fail(key, fmt::format("not a whole number: {}", value->shown()));
  return 1;
}

bool TriggerMetadata::flag_or(std::string_view key, bool otherwise) {
  const auto value = find(key);
  if (!value) return otherwise;
  for (const std::string_view yes : {"1", "t", "T", "TRUE", "true", "True"}) {
    if (value->text == yes) return true;
  }
  for (const std::string_view no : {"0", "f", "F", "FALSE", "false", "False"}) {
    if (value->text == no) return false;
  }
  fail(key, fmt::format("not a boolean: {} (accepted: true, false, t, f, 1, 0)", value->shown()));
  return otherwise;
}

api::StringMap TriggerMetadata::map(std::string_view key) {
  api::StringMap out;
  const auto value = find(key);
  if (!value) return out;
  for (const std::string_view item : split(value->text, ',')) {
    const auto sides = split(item, '=');
    if (sides.size() != 2 || trim(sides[0]).empty()) {
      fail(key, fmt::format("not a list of key=value: {} (accepted: k=v,k2=v2)", value->shown()));
      return {};
    }
    out[std::string(trim(sides[0]))] = std::string(trim(sides[1]));
  }
  return out;
}

std::string TriggerMetadata::one_of(std::string_view key,
                                    const std::vector<std::string_view>& accepted) {
  const auto value = find(key);
  if (!value) return std::string(accepted.front());
  for (const std::string_view name : accepted) {
    if (value->text == name) return value->text;
  }
  fail(key, fmt::format("found {} (accepted: {})", value->shown(), fmt::join(accepted, ", ")));
  return std::string(accepted.front());
}

Duration TriggerMetadata::duration_or(std::string_view key, Duration otherwise) {
  const auto value = find(key);
  if (!value) return otherwise;
  Duration read{};
  if (const auto duration = parse_duration(value->text); duration.ok()) {
    read = *duration;
  } else if (const auto count = parse_int(value->text);
             count.ok() && *count <= std::numeric_limits<int64_t>::max() / 1'000'000 &&
             *count >= std::numeric_limits<int64_t>::min() / 1'000'000) {
    read = milliseconds(*count);
  } else {
    fail(key, fmt::format("neither a duration nor milliseconds: {} (accepted: 3s, 500ms, 3000)",
                          value->shown()));
    return otherwise;
  }
  if (read >= Duration{}) return read;
  fail(key, fmt::format("negative: {}", value->shown()));
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
