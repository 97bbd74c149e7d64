#include "server/observe/controls.h"

#include <array>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/utf8.h"

namespace windlass::server::observe {
namespace {

constexpr double kSecondsMax = 365 * 86400.0;

Result<double> number_in(const Json& value, std::string_view what, double low, double high) {
  if (value.is_number()) {
    const double number = value.get<double>();
    if (number >= low && number <= high) return number;
  }
  return Error(fmt::format("{}: not a number from {:g} to {:g}", what, low, high));
}

Result<Duration> seconds_in(const Json& object, std::string_view what) {
  const auto at = object.is_object() ? object.find("seconds") : object.end();
  if (at == object.end()) return Error(fmt::format("{}.seconds: missing", what));
  const auto number = number_in(*at, fmt::format("{}.seconds", what), 0.001, kSecondsMax);
  if (!number.ok()) return number.error();
  return from_seconds(*number);
}

Result<std::string> text_in(const Json& value, std::string_view what) {
  if (value.is_string() && !value.get_ref<const std::string&>().empty()) {
    return value.get<std::string>();
  }
  return Error(fmt::format("{}: not a name", what));
}

// An action that nobody filled in is one this cluster doesn't have.
template <typename Action, typename... Arguments>
Status act(const Action& action, Arguments&&... arguments) {
  if (!action) return Error("this control is not available here");
  return action(std::forward<Arguments>(arguments)...);
}

Status pause(const Json& value, const ControlActions& actions) {
  if (!value.is_boolean()) return Error("pause: neither true nor false");
  return act(actions.pause, value.get<bool>());
}

Status speed(const Json& value, const ControlActions& actions) {
  const auto number = number_in(value, "speed", 0.1, 100'000);
  return number.ok() ? act(actions.speed, *number) : Status(number.error());
}

Status traffic_factor(const Json& value, const ControlActions& actions) {
  const auto number = number_in(value, "traffic_factor", 0, 1000);
  return number.ok() ? act(actions.traffic_factor, *number) : Status(number.error());
}

Status burst(const Json& value, const ControlActions& actions) {
  if (!value.is_object() || !value.contains("factor")) return Error("burst.factor: missing");
  const auto factor = number_in(value["factor"], "burst.factor", 0, 1000);
  if (!factor.ok()) return factor.error();
  const auto length = seconds_in(value, "burst");
  if (!length.ok()) return length.error();
  return act(actions.burst, *factor, *length);
}

Status interrupt_node(const Json& value, const ControlActions& actions) {
  const auto node = text_in(value, "interrupt_node");
  return node.ok() ? act(actions.interrupt_node, *node) : Status(node.error());
}

Status block_capacity(const Json& value, const ControlActions& actions) {
  if (!value.is_object() || !value.contains("instance_type")) {
    return Error("block_capacity.instance_type: missing");
  }
  const auto type = text_in(value["instance_type"], "block_capacity.instance_type");
  if (!type.ok()) return type.error();
  std::optional<Duration> length;
  if (value.contains("seconds") && !value["seconds"].is_null()) {
    const auto read = seconds_in(value, "block_capacity");
    if (!read.ok()) return read.error();
    length = *read;
  }
  return act(actions.block_capacity, *type, length);
}

Status unblock_capacity(const Json& value, const ControlActions& actions) {
  const auto type = text_in(value, "unblock_capacity");
  return type.ok() ? act(actions.unblock_capacity, *type) : Status(type.error());
}

Status prometheus_outage(const Json& value, const ControlActions& actions) {
  const auto length = seconds_in(value, "prometheus_outage");
  return length.ok() ? act(actions.prometheus_outage, *length) : Status(length.error());
}

struct Control {
  std::string_view name;
  Status (*apply)(const Json& value, const ControlActions& actions);
};
constexpr std::array<Control, 8> kControls{{{"pause", pause},
                                            {"speed", speed},
                                            {"traffic_factor", traffic_factor},
                                            {"burst", burst},
                                            {"interrupt_node", interrupt_node},
                                            {"block_capacity", block_capacity},
                                            {"unblock_capacity", unblock_capacity},
                                            {"prometheus_outage", prometheus_outage}}};

}  // namespace

Status apply_control(std::string_view body, const ControlActions& actions) {
  const auto json = parse_json(body);
  if (!json.ok()) return json.error();
  if (!json->is_object() || json->size() != 1) {
    return Error("not an object with one control in it, like {\"speed\": 60}");
  }
  const auto member = json->begin();
  for (const Control& control : kControls) {
    if (control.name == member.key()) return control.apply(*member, actions);
  }
  std::string names;
  for (const Control& control : kControls) {
    names += names.empty() ? "" : ", ";
    names += control.name;
  }
  return Error(
      fmt::format("there is no control {} (accepted: {})", printable(member.key(), 64), names));
}

}  // namespace windlass::server::observe
