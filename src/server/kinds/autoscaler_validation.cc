// Horizontal pod autoscalers (v2; of v1 what both have).
#include <nlohmann/json.hpp>

#include "base/quantity.h"
#include "server/kinds/fields.h"
#include "server/kinds/names.h"
#include "server/kinds/validation.h"

namespace windlass::server::kinds {
namespace {

void check_reference(const Json& ref, const std::string& path, Faults& faults) {
  for (const std::string part : {"kind", "name"}) {
    const std::string value = text(at(ref, part));
    if (value.empty()) {
      faults.required(path + "." + part);
    } else {
      faults.check(path + "." + part, value, path_segment_fault(value));
    }
  }
}

void check_target(const Json& source, const std::string& path, Faults& faults) {
  const Json& target = at(source, "target");
  const std::string here = path + ".target";
  const std::string type = text(at(target, "type"));
  if (type.empty()) {
    faults.required(here + ".type", "must specify a metric target type");
  } else {
    faults.one_of(here + ".type", at(target, "type"), {"Utilization", "Value", "AverageValue"});
  }
  for (const std::string value : {"value", "averageValue"}) {
    const Json& given = at(target, value);
    if (given.is_null()) continue;
    const Result<Quantity> amount = Quantity::parse(scalar_text(given));
    if (!amount.ok() || *amount <= Quantity()) {
      faults.invalid(here + "." + value, given, "must be positive");
    }
  }
  const Json& utilization = at(target, "averageUtilization");
  if (!utilization.is_null() && whole(utilization) < 1) {
    faults.invalid(here + ".averageUtilization", utilization, "must be greater than 0");
  }
}

// What a source of that sort must say beside its target.
void check_source(const std::string& sort, const Json& source, const std::string& path,
                  Faults& faults) {
  check_target(source, path, faults);
  const Json& target = at(source, "target");
  const bool average = !at(target, "averageValue").is_null();
  const bool value = !at(target, "value").is_null();
  const bool utilization = !at(target, "averageUtilization").is_null();
  if (sort == "resource" || sort == "containerResource") {
    if (text(at(source, "name")).empty()) {
      faults.required(path + ".name", "must specify a resource name");
    }
    if (sort == "containerResource" && text(at(source, "container")).empty()) {
      faults.required(path + ".container", "must specify a container");
    }
    if (!utilization && !average) {
      faults.required(path + ".target.averageUtilization",
                      "must set either a target raw value or a target utilization");
    } else if (utilization && average) {
      faults.forbidden(path + ".target.averageValue",
                       "may not set both a target raw value and a target utilization");
    }
    return;
  }
  const std::string name = text(at(source, {"metric", "name"}));
  if (name.empty()) {
    faults.required(path + ".metric.name", "must specify a metric name");
  } else {
    faults.check(path + ".metric.name", name, path_segment_fault(name));
  }
  if (sort == "object") {
    check_reference(at(source, "describedObject"), path + ".describedObject", faults);
  }
  if (sort == "pods" && !average) {
    faults.required(path + ".target.averageValue", "must specify a positive target averageValue");
  } else if (sort != "pods" && !average && !value) {
    faults.required(path + ".target.averageValue",
                    sort == "object"
                        ? "must set either a target value or averageValue"
                        : "must set either a target value for metric or a per-pod target");
  } else if (sort == "external" && average && value) {
    faults.forbidden(path + ".target.value",
                     "may not set both a target value for metric and a per-pod target");
  }
}

void check_metric(const Json& metric, const std::string& path, Faults& faults) {
  constexpr std::pair<std::string_view, std::string_view> kSorts[] = {
      {"ContainerResource", "containerResource"},
      {"External", "external"},
      {"Object", "object"},
      {"Pods", "pods"},
      {"Resource", "resource"}};
  const std::string type = text(at(metric, "type"));
  std::string expected;
  for (const auto& [name, sort] : kSorts) {
    if (name == type) expected = sort;
  }
  if (type.empty()) faults.required(path + ".type", "must specify a metric source type");
  if (expected.empty()) {
    faults.not_supported(path + ".type", type,
                         {"ContainerResource", "External", "Object", "Pods", "Resource"});
    return;
  }
  if (at(metric, expected).is_null()) {
    faults.required(path + "." + expected, "must populate information for the given metric source");
  }
  for (const auto& [name, sort] : kSorts) {
    const std::string here = path + "." + std::string(sort);
    if (at(metric, sort).is_null()) continue;
    if (sort == expected) {
      check_source(expected, at(metric, sort), here, faults);
    } else {
      faults.forbidden(here, "must populate the given metric source only");
    }
  }
}

void check_scaling_rules(const Json& rules, const std::string& path, Faults& faults) {
  if (!rules.is_object()) return;
  const Json& window = at(rules, "stabilizationWindowSeconds");
  if (!window.is_null() && whole(window) < 0) {
    faults.invalid(path + ".stabilizationWindowSeconds", window,
                   "must be greater than or equal to zero");
  } else if (whole(window) > 3600) {
    faults.invalid(path + ".stabilizationWindowSeconds", window,
                   "must be less than or equal to 3600");
  }
  faults.one_of(path + ".selectPolicy", at(rules, "selectPolicy"), {"Disabled", "Max", "Min"});
  const Json& policies = items(at(rules, "policies"));
  if (policies.empty()) {
    faults.required(path + ".policies", "must specify at least one Policy");
  }
  for (size_t i = 0; i < policies.size(); ++i) {
    const std::string here = index(path + ".policies", i);
    const Json type = text(at(policies[i], "type"));
    faults.one_of(here + ".type", type, {"Percent", "Pods"});
    const int64_t period = whole(at(policies[i], "periodSeconds"));
    for (const std::string field : {"value", "periodSeconds"}) {
      if (whole(at(policies[i], field)) > 0) continue;
      faults.invalid(here + "." + field, whole(at(policies[i], field)),
                     "must be greater than zero");
    }
    if (period > 1800) {
      faults.invalid(here + ".periodSeconds", period, "must be less than or equal to 1800");
    }
  }
}

}  // namespace

void check_horizontal_pod_autoscaler(const Json& object, const Json*, Faults& faults) {
  const Json& spec = at(object, "spec");
  const Json& least = at(spec, "minReplicas");
  const int64_t most = whole(at(spec, "maxReplicas"));
  // 0 is for those who turn HPAScaleToZero on; a cluster as it comes refuses it.
  if (!least.is_null() && whole(least) < 1) {
    faults.invalid("spec.minReplicas", least, "must be greater than or equal to 1");
  }
  if (most < 1) faults.invalid("spec.maxReplicas", most, "must be greater than 0");
  if (!least.is_null() && most < whole(least)) {
    faults.invalid("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`");
  }
  check_reference(at(spec, "scaleTargetRef"), "spec.scaleTargetRef", faults);
  const Json& metrics = items(at(spec, "metrics"));
  bool from_zero = false;  // pods' own metrics can't wake what has no pods
  for (size_t i = 0; i < metrics.size(); ++i) {
    check_metric(metrics[i], index("spec.metrics", i), faults);
    from_zero |= at(metrics[i], "type") == "Object" || at(metrics[i], "type") == "External";
  }
  if (!least.is_null() && whole(least) == 0 && !from_zero) {
    faults.forbidden("spec.metrics",
                     "must specify at least one Object or External metric to support scaling to "
                     "zero replicas");
  }
  const Json& behavior = at(spec, "behavior");
  check_scaling_rules(at(behavior, "scaleUp"), "spec.behavior.scaleUp", faults);
  check_scaling_rules(at(behavior, "scaleDown"), "spec.behavior.scaleDown", faults);
}

}  // namespace windlass::server::kinds
