// `kubectl get hpa`: TARGETS pairs what each metric reads with what it should.
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "server/kinds/fields.h"
#include "server/kinds/tables.h"

namespace windlass::server::kinds {
namespace {

std::string or_unknown(const Json& value) {
  return value.is_null() ? "<unknown>" : quantity_text(value);
}

std::string percent(const Json& value, std::string_view none) {
  return value.is_null() ? std::string(none) : std::to_string(whole(value)) + "%";
}

// Resource and ContainerResource: "cpu: 12%/80%".
std::string resource_target(const Json& source, const Json& current) {
  const Json& target = at(source, "target");
  const std::string name = text(at(source, "name")) + ": ";
  if (const Json& average = at(target, "averageValue"); !average.is_null()) {
    return name + or_unknown(at(current, "averageValue")) + "/" + quantity_text(average);
  }
  return name + percent(at(current, "averageUtilization"), "<unknown>") + "/" +
         percent(at(target, "averageUtilization"), "<auto>");
}

// Object and External: an average over pods says so.
std::string value_target(const Json& source, const Json& current) {
  const Json& target = at(source, "target");
  if (const Json& average = at(target, "averageValue"); !average.is_null()) {
    return or_unknown(at(current, "averageValue")) + "/" + quantity_text(average) + " (avg)";
  }
  return or_unknown(at(current, "value")) + "/" + quantity_text(at(target, "value"));
}

std::string metric_target(const Json& metric, const Json& status) {
  const std::string type = text(at(metric, "type"));
  if (type == "Resource") {
    return resource_target(at(metric, "resource"), at(status, {"resource", "current"}));
  }
  if (type == "ContainerResource") {
    return resource_target(at(metric, "containerResource"),
                           at(status, {"containerResource", "current"}));
  }
  if (type == "Object") {
    return value_target(at(metric, "object"), at(status, {"object", "current"}));
  }
  if (type == "External") {
    return value_target(at(metric, "external"), at(status, {"external", "current"}));
  }
  if (type == "Pods") {
    return or_unknown(at(status, {"pods", "current", "averageValue"})) + "/" +
           quantity_text(at(metric, {"pods", "target", "averageValue"}));
  }
  return "<unknown type>";
}

std::string targets(const Json& autoscaler) {
  const Json& metrics = items(at(autoscaler, {"spec", "metrics"}));
  const Json& statuses = items(at(autoscaler, {"status", "currentMetrics"}));
  std::vector<std::string> shown_targets;
  for (size_t i = 0; i < metrics.size() && i < 2; ++i) {
    shown_targets.push_back(metric_target(metrics[i], i < statuses.size() ? statuses[i] : Json()));
  }
  if (metrics.empty()) {
    // autoscaling/v1 knows CPU alone, under another name.
    const Json& target = at(autoscaler, {"spec", "targetCPUUtilizationPercentage"});
    if (target.is_null()) return "<none>";
    const Json& current = at(autoscaler, {"status", "currentCPUUtilizationPercentage"});
    return "cpu: " + percent(current, "<unknown>") + "/" + percent(target, "<auto>");
  }
  std::string all = join(shown_targets, ", ");
  if (metrics.size() > 2) all += " + " + std::to_string(metrics.size() - 2) + " more...";
  return all;
}

}  // namespace

Table horizontal_pod_autoscaler_table() {
  return {{name_column(), shown("Reference"), shown("Targets"), shown("MinPods"), shown("MaxPods"),
           shown("Replicas"), shown("Age")},
          [](const Json& object, Instant now) -> Cells {
            const Json& spec = at(object, "spec");
            const Json& ref = at(spec, "scaleTargetRef");
            const Json& least = at(spec, "minReplicas");
            return {name_of(object),
                    text(at(ref, "kind")) + "/" + text(at(ref, "name")),
                    targets(object),
                    least.is_null() ? "<unset>" : std::to_string(whole(least)),
                    whole(at(spec, "maxReplicas")),
                    whole(at(object, {"status", "currentReplicas"})),
                    age(object, now)};
          }};
}

}  // namespace windlass::server::kinds
