#include "server/rest/convert.h"

#include <nlohmann/json.hpp>

#include "server/rest/json_access.h"

namespace windlass::server::rest {
namespace {

constexpr const char* kMetricsAnnotation = "autoscaling.alpha.kubernetes.io/metrics";
constexpr const char* kBehaviorAnnotation = "autoscaling.alpha.kubernetes.io/behavior";

void rename(Json& object, const char* from, const char* to) {
  const auto found = object.find(from);
  if (found == object.end()) return;
  object[to] = std::move(*found);
  object.erase(from);
}

// core/v1 Event and events.k8s.io/v1 Event are one thing under two sets of names.
constexpr std::pair<const char*, const char*> kEventNames[] = {
    {"involvedObject", "regarding"},
    {"message", "note"},
    {"source", "deprecatedSource"},
    {"firstTimestamp", "deprecatedFirstTimestamp"},
    {"lastTimestamp", "deprecatedLastTimestamp"},
    {"count", "deprecatedCount"},
    {"reportingComponent", "reportingController"},
};

bool is_cpu_utilization(const Json& metric) {
  return text_at(metric, "type") == "Resource" &&
         text_at(at(metric, "resource"), "name") == "cpu" &&
         at(metric, "resource", "target").contains("averageUtilization");
}

// The metrics v1 has no words for travel in an annotation, so that a read and a write lose nothing.
void hpa_to_v1(Json& object) {
  if (!at(object, "spec").is_object()) return;
  Json& spec = object["spec"];
  Json others = Json::array();
  bool has_cpu = false;
  for (const Json& metric : at(spec, "metrics")) {
    if (!has_cpu && is_cpu_utilization(metric)) {
      has_cpu = true;
      spec["targetCPUUtilizationPercentage"] = metric["resource"]["target"]["averageUtilization"];
    } else {
      others.push_back(metric);
    }
  }
  const auto keep = [&](const char* annotation, const Json& value) {
    make_object(make_object(object, "metadata"), "annotations")[annotation] = text_of(value);
  };
  if (!others.empty()) keep(kMetricsAnnotation, others);
  if (at(spec, "behavior").is_object()) keep(kBehaviorAnnotation, spec["behavior"]);
  spec.erase("metrics");
  spec.erase("behavior");
  if (!at(object, "status").is_object()) return;
  Json& status = object["status"];
  for (const Json& metric : at(status, "currentMetrics")) {
    const Json& value = at(metric, "resource", "current", "averageUtilization");
    if (text_at(at(metric, "resource"), "name") == "cpu" && value.is_number()) {
      status["currentCPUUtilizationPercentage"] = value;
      break;
    }
  }
  status.erase("currentMetrics");
  status.erase("conditions");
}

void hpa_to_v2(Json& object) {
  if (!at(object, "spec").is_object()) return;
  Json& spec = object["spec"];
  Json metrics = Json::array();
  if (const auto cpu = spec.find("targetCPUUtilizationPercentage"); cpu != spec.end()) {
    metrics.push_back(
        {{"type", "Resource"},
         {"resource",
          {{"name", "cpu"}, {"target", {{"type", "Utilization"}, {"averageUtilization", *cpu}}}}}});
    spec.erase(cpu);
  }
  const auto kept = [&](const char* annotation) -> Json {
    if (!at(object, "metadata", "annotations").is_object()) return nullptr;
    Json& annotations = object["metadata"]["annotations"];
    auto parsed = parse_json(text_at(annotations, annotation));
    annotations.erase(annotation);
    return parsed.ok() ? std::move(*parsed) : Json();
  };
  const Json others = kept(kMetricsAnnotation);
  if (others.is_array()) metrics.insert(metrics.end(), others.begin(), others.end());
  if (!metrics.empty()) spec["metrics"] = std::move(metrics);
  if (Json behavior = kept(kBehaviorAnnotation); behavior.is_object()) {
    spec["behavior"] = std::move(behavior);
  }
  if (at(object, "status").is_object()) object["status"].erase("currentCPUUtilizationPercentage");
}

}  // namespace

Json from_storage(const Target& target, Json object) {
  if (!object.is_object()) return object;
  const std::string wanted = target.api_version();
  if (text_at(object, "apiVersion") == wanted) return object;
  object["apiVersion"] = wanted;
  if (target.resource->group == "events.k8s.io") {
    for (const auto& [core_name, name] : kEventNames) rename(object, core_name, name);
  } else if (target.resource->kind == "HorizontalPodAutoscaler" && !target.resource->custom) {
    hpa_to_v1(object);
  }
  return object;
}

Outcome<Json> to_storage(const Core& core, const Target& target, Json object) {
  const Resource& resource = *target.resource;
  if (!object.is_object() || target.api_version() == resource.storage_api_version) return object;
  if (resource.custom) {
    // Two versions of a CRD differ by name alone, unless somebody knows better.
    if (core.options.convert) {
      auto converted = core.options.convert(object);
      if (!converted.ok()) return bad_request(converted.error().message());
      object = std::move(*converted);
      if (!object.is_object()) return bad_request("the conversion gave no object");
    }
  } else if (resource.group == "events.k8s.io") {
    for (const auto& [core_name, name] : kEventNames) rename(object, name, core_name);
  } else if (resource.kind == "HorizontalPodAutoscaler") {
    hpa_to_v2(object);
  }
  object["apiVersion"] = resource.storage_api_version;
  return object;
}

}  // namespace windlass::server::rest
