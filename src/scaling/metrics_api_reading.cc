// read_metrics_api: one number out of what a URL answered (reference keda_hpa.md 2.2, metrics-api).
#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/quantity.h"
#include "base/text.h"
#include "scaling/trigger_plan.h"

namespace windlass::scaling {
namespace {

// The steps of a dotted path; a backslash takes the next character as it is.
std::vector<std::string> path_steps(std::string_view path) {
  std::vector<std::string> steps(1);
  for (size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '\\' && i + 1 < path.size()) {
      steps.back() += path[++i];
    } else if (path[i] == '.') {
      steps.emplace_back();
    } else {
      steps.back() += path[i];
    }
  }
  return steps;
}

Result<double> number_of(const Json& value) {
  if (value.is_number()) return value.get<double>();
  if (value.is_string()) {
    const auto quantity = Quantity::parse(value.get_ref<const std::string&>());
    if (quantity.ok()) return quantity->as_double();
  }
  return Error("is neither a number nor a quantity in quotes");
}

Result<double> number_in_json(const Json& body, std::string_view location) {
  const Json* at = &body;
  const auto steps = path_steps(location);
  for (size_t i = 0; i < steps.size(); ++i) {
    const std::string& step = steps[i];
    if (step == "#" && at->is_array() && i + 1 == steps.size()) {
      return static_cast<double>(at->size());
    }
    const auto position = parse_int(step);
    const Json* next = nullptr;
    if (at->is_object()) {
      const auto it = at->find(step);
      if (it != at->end()) next = &*it;
    } else if (at->is_array() && position.ok() && *position >= 0 &&
               static_cast<size_t>(*position) < at->size()) {
      next = &(*at)[static_cast<size_t>(*position)];
    }
    if (next == nullptr) return Error(fmt::format("has no \"{}\"", step.substr(0, 64)));
    at = next;
  }
  return number_of(*at);
}

// {a="x",b="y"} as pairs; nullopt: not of that form.
std::optional<api::StringMap> parse_labels(std::string_view text) {
  api::StringMap labels;
  text = trim(text);
  while (!text.empty()) {
    const size_t equals = text.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const std::string key(trim(text.substr(0, equals)));
    std::string_view rest = trim(text.substr(equals + 1));
    if (!rest.starts_with('"')) return std::nullopt;
    std::string value;
    size_t i = 1;
    for (; i < rest.size() && rest[i] != '"'; ++i) {
      if (rest[i] == '\\' && i + 1 < rest.size()) {
        ++i;
        value += rest[i] == 'n' ? '\n' : rest[i];
      } else {
        value += rest[i];
      }
    }
    if (i >= rest.size()) return std::nullopt;
    labels[key] = std::move(value);
    text = trim(rest.substr(i + 1));
    if (text.starts_with(',')) text = trim(text.substr(1));
  }
  return labels;
}

struct Sample {
  std::string_view name;
  api::StringMap labels;
  std::string_view rest;  // behind the name and labels
};

std::optional<Sample> parse_sample(std::string_view line) {
  Sample out;
  const size_t name_end = std::min(line.find_first_of("{ \t"), line.size());
  out.name = line.substr(0, name_end);
  out.rest = line.substr(name_end);
  if (out.rest.starts_with('{')) {
    // A brace in a label's value is no end.
    bool quoted = false;
    size_t end = 1;
    for (; end < out.rest.size() && (quoted || out.rest[end] != '}'); ++end) {
      if (out.rest[end] == '\\') {
        ++end;
      } else if (out.rest[end] == '"') {
        quoted = !quoted;
      }
    }
    if (end >= out.rest.size()) return std::nullopt;
    auto labels = parse_labels(out.rest.substr(1, end - 1));
    if (!labels) return std::nullopt;
    out.labels = *std::move(labels);
    out.rest = out.rest.substr(end + 1);
  }
  out.rest = trim(out.rest);
  return out;
}

// The first sample of that name that carries the labels asked for.
Result<double> number_in_prometheus_text(std::string_view body, std::string_view location) {
  const auto wanted = parse_sample(trim(location));
  if (!wanted || !wanted->rest.empty())
    return Error("valueLocation is not metric{label=\"value\"}");
  for (const std::string_view raw : split(body, '\n')) {
    const std::string_view line = trim(raw);
    if (line.empty() || line.starts_with('#')) continue;
    const auto sample = parse_sample(line);
    if (!sample || sample->name != wanted->name) continue;
    const bool carries = std::ranges::all_of(wanted->labels, [&](const auto& label) {
      const auto it = sample->labels.find(label.first);
      return it != sample->labels.end() && it->second == label.second;
    });
    if (!carries) continue;
    // A timestamp may follow the value.
    const std::string_view value = sample->rest.substr(0, sample->rest.find_first_of(" \t"));
    const auto number = parse_double(value);
    if (!number.ok()) return number.error();
    return *number;
  }
  return Error("no such sample");
}

Result<double> number_in(const TriggerPlan& plan, const std::string& body) {
  switch (plan.format) {
    case TriggerPlan::Format::kPrometheus:
      return number_in_prometheus_text(body, plan.value_location);
    case TriggerPlan::Format::kYaml: {
      const auto documents = parse_yaml(body);
      if (!documents.ok()) return documents.error();
      if (documents->empty()) return Error("is empty");
      return number_in_json(*documents->front().value, plan.value_location);
    }
    case TriggerPlan::Format::kJson: {
      const auto json = parse_json(body);
      if (!json.ok()) return json.error();
      return number_in_json(*json, plan.value_location);
    }
  }
  WL_UNREACHABLE("format");
}

}  // namespace

TriggerReading read_metrics_api(const TriggerPlan& plan, std::span<const std::string> bodies) {
  std::vector<double> numbers;
  for (const std::string& body : bodies) {
    const auto number = number_in(plan, body);
    if (!number.ok()) {
      return number.error().in(fmt::format("the answer at \"{}\"", plan.value_location));
    }
    numbers.push_back(*number);
  }
  if (numbers.empty()) return Error("no endpoint answered");
  if (numbers.size() == 1) return numbers.front();
  double sum = 0;
  for (const double number : numbers) sum += number;
  using A = TriggerPlan::Aggregation;
  switch (plan.aggregation.value_or(A::kAverage)) {
    case A::kSum:
      return sum;
    case A::kMax:
      return *std::ranges::max_element(numbers);
    case A::kMin:
      return *std::ranges::min_element(numbers);
    case A::kAverage:
      return sum / static_cast<double>(numbers.size());
  }
  WL_UNREACHABLE("aggregation");
}

}  // namespace windlass::scaling
