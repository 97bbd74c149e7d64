#include <array>

#include "api/encode.h"

namespace windlass::api {
namespace {

using Source = HpaMetricSpec::Source;

struct SourceNames {
  std::string_view type;
  const char* field;
};
SourceNames names_of(Source source) {
  static constexpr std::array<SourceNames, 5> kNames{{{"Resource", "resource"},
                                                      {"ContainerResource", "containerResource"},
                                                      {"Pods", "pods"},
                                                      {"Object", "object"},
                                                      {"External", "external"}}};
  return kNames[static_cast<size_t>(source)];
}

std::string_view text_of(SelectPolicy select) {
  switch (select) {
    case SelectPolicy::kMax:
      return "Max";
    case SelectPolicy::kMin:
      return "Min";
    case SelectPolicy::kDisabled:
      return "Disabled";
  }
  WL_UNREACHABLE("select policy");
}

// The HPA takes absent rules for its defaults and empty ones for rules, so both must survive.
void write_rules(Json& parent, const char* key, const std::optional<ScalingRules>& rules) {
  if (!rules) {
    parent.erase(key);
    return;
  }
  within(parent, key, [&](Json& out) {
    if (rules->stabilization_window) {
      put_seconds(out, "stabilizationWindowSeconds", *rules->stabilization_window, std::nullopt);
    } else {
      out.erase("stabilizationWindowSeconds");
    }
    put_string(out, "selectPolicy", std::string(text_of(rules->select)), "Max");
    put_each(out, "policies", rules->policies, "type", [](Json& p, const ScalingPolicy& policy) {
      p["type"] = policy.type == ScalingPolicy::Type::kPods ? "Pods" : "Percent";
      p["value"] = policy.value;
      put_seconds(p, "periodSeconds", policy.period, std::nullopt);
    });
    if (rules->tolerance) {
      put_quantity(out, "tolerance", *rules->tolerance);
    } else {
      out.erase("tolerance");
    }
  });
  // Empty rules and none are different things.
  if (!parent.contains(key)) parent[key] = Json::object();
}

void write_target(Json& parent, const char* key, const ScaleTarget& target) {
  within(parent, key, [&](Json& out) {
    put_string(out, "apiVersion", target.api_version);
    put_string(out, "kind", target.kind);
    put_string(out, "name", target.name);
  });
}

void write_amount(Json& target, const char* key, const std::optional<Quantity>& amount) {
  if (amount) {
    put_quantity(target, key, *amount);
  } else {
    target.erase(key);
  }
}

void write_metric(Json& out, const HpaMetricSpec& metric) {
  const SourceNames names = names_of(metric.source);
  out["type"] = names.type;
  within(out, names.field, [&](Json& spec) {
    if (metric.source == Source::kResource || metric.source == Source::kContainerResource) {
      put_string(spec, "name", metric.name);
      put_string(spec, "container", metric.container);
    } else {
      within(spec, "metric", [&](Json& m) {
        put_string(m, "name", metric.name);
        if (m.contains("selector") || metric.selector != LabelSelector{}) {
          write_selector(m, "selector", metric.selector);
        }
      });
      write_target(spec, "describedObject", metric.described);
    }
    within(spec, "target", [&](Json& target) {
      target["type"] = text_of(metric.target_type);
      write_amount(target, "value", metric.value);
      write_amount(target, "averageValue", metric.average_value);
      put_int(target, "averageUtilization", metric.average_utilization);
    });
  });
}

}  // namespace

std::string_view text_of(MetricTargetType type) {
  switch (type) {
    case MetricTargetType::kAverageValue:
      return "AverageValue";
    case MetricTargetType::kValue:
      return "Value";
    case MetricTargetType::kUtilization:
      return "Utilization";
  }
  WL_UNREACHABLE("metric type");
}

void write_behavior(Json& parent, const std::optional<Behavior>& behavior) {
  if (!behavior) {
    parent.erase("behavior");
    return;
  }
  Json& out = parent["behavior"];
  if (!out.is_object()) out = Json::object();
  write_rules(out, "scaleUp", behavior->scale_up);
  write_rules(out, "scaleDown", behavior->scale_down);
}

void write(Json& out, const HorizontalPodAutoscaler& hpa) {
  write_meta(out, hpa.meta);
  within(out, "spec", [&](Json& spec) {
    write_target(spec, "scaleTargetRef", hpa.target);
    put_int(spec, "minReplicas", hpa.min_replicas);
    put_int(spec, "maxReplicas", hpa.max_replicas, std::nullopt);
    // Metrics have no name of their own: each is written over the one at its place.
    put_each(spec, "metrics", hpa.metrics, "", write_metric);
    write_behavior(spec, hpa.behavior);
  });
  within(out, "status", [&](Json& status) { write_conditions(status, hpa.conditions); });
}

}  // namespace windlass::api
