#include "api/decode.h"
#include "api/encode.h"

namespace windlass::api {
namespace {

std::string_view text_of(LabelSelectorTerm::Op op) {
  switch (op) {
    case LabelSelectorTerm::Op::kIn:
      return "In";
    case LabelSelectorTerm::Op::kNotIn:
      return "NotIn";
    case LabelSelectorTerm::Op::kExists:
      return "Exists";
    case LabelSelectorTerm::Op::kDoesNotExist:
      return "DoesNotExist";
  }
  WL_UNREACHABLE("selector operator");
}

// Of minAvailable and maxUnavailable one is given, so the other must go.
void write_int_or_percent(Json& parent, const char* key, const std::optional<IntOrPercent>& value) {
  if (!value) {
    parent.erase(key);
  } else if (value->percent) {
    parent[key] = std::to_string(value->value) + "%";
  } else {
    parent[key] = value->value;
  }
}

// A time that was never set is no time.
std::optional<Instant> unless_zero(Instant t) {
  if (t == Instant{}) return std::nullopt;
  return t;
}

}  // namespace

void write_meta(Json& out, const ObjectMeta& meta) {
  within(out, "metadata", [&](Json& m) {
    put_string(m, "name", meta.name);
    if (!meta.namespace_name.empty()) m["namespace"] = meta.namespace_name;
    put_string(m, "uid", meta.uid);
    put_string_map(m, "labels", meta.labels);
    put_string_map(m, "annotations", meta.annotations);
    put_each(m, "ownerReferences", meta.owners, "name", [](Json& o, const OwnerReference& owner) {
      put_string(o, "apiVersion", owner.api_version);
      put_string(o, "kind", owner.kind);
      put_string(o, "name", owner.name);
      put_string(o, "uid", owner.uid);
      put_bool(o, "controller", owner.controller, false);
    });
    put_strings(m, "finalizers", meta.finalizers);
    put_time(m, "creationTimestamp", unless_zero(meta.created));
    put_time(m, "deletionTimestamp", meta.deleted);
    put_int(m, "generation", meta.generation, 0);
    // Opaque versions of other servers read as 0 and stay.
    if (meta.resource_version != 0) m["resourceVersion"] = std::to_string(meta.resource_version);
  });
}

void write_selector(Json& parent, const char* key, const LabelSelector& selector) {
  // "Selects nothing" has no written form but absence.
  if (is_nothing(selector)) return;
  within(parent, key, [&](Json& s) {
    put_string_map(s, "matchLabels", selector.match_labels);
    put_each(s, "matchExpressions", selector.match_expressions, "key",
             [](Json& e, const LabelSelectorTerm& term) {
               put_string(e, "key", term.key);
               e["operator"] = text_of(term.op);
               put_strings(e, "values", term.values);
             });
  });
  if (!parent.contains(key)) parent[key] = Json::object();
}

// Heartbeats and observed generations belong to who wrote the condition and stay.
void write_conditions(Json& parent, const std::vector<Condition>& conditions) {
  put_each(parent, "conditions", conditions, "type", [](Json& c, const Condition& condition) {
    // metav1.Condition requires a message, also one that says nothing.
    if (c.empty()) c["message"] = "";
    c["type"] = condition.type;
    c["status"] = condition.status;
    put_string(c, "reason", condition.reason);
    if (!condition.message.empty()) {
      c["message"] = condition.message;
    } else if (c.contains("message")) {
      c["message"] = "";
    }
    put_time(c, "lastTransitionTime", unless_zero(condition.changed));
  });
}

void write_taints(Json& parent, const char* key, const std::vector<Taint>& taints) {
  put_each(parent, key, taints, "key", [](Json& t, const Taint& taint) {
    put_string(t, "key", taint.key);
    put_string(t, "value", taint.value);
    put_string(t, "effect", taint.effect);
  });
}

void write_requirements(Json& parent, const char* key, const std::vector<RequirementSpec>& specs) {
  put_each(parent, key, specs, "key", [](Json& r, const RequirementSpec& spec) {
    r["key"] = spec.key;
    r["operator"] = to_string(spec.op);
    put_strings(r, "values", spec.values);
    put_int(r, "minValues", spec.min_values);
  });
}

void write(Json& out, const Node& node) {
  write_meta(out, node.meta);
  within(out, "spec", [&](Json& spec) {
    put_string(spec, "providerID", node.provider_id);
    put_bool(spec, "unschedulable", node.unschedulable, false);
    write_taints(spec, "taints", node.taints);
  });
  within(out, "status", [&](Json& status) {
    put_resources(status, "capacity", node.capacity);
    put_resources(status, "allocatable", node.allocatable);
    write_conditions(status, node.conditions);
  });
}

void write(Json& out, const PriorityClass& priority_class) {
  write_meta(out, priority_class.meta);
  put_int(out, "value", priority_class.value, std::nullopt);
  put_bool(out, "globalDefault", priority_class.global_default, false);
  put_string(out, "preemptionPolicy", priority_class.preempts ? "PreemptLowerPriority" : "Never",
             "PreemptLowerPriority");
}

void write(Json& out, const PodDisruptionBudget& budget) {
  write_meta(out, budget.meta);
  within(out, "spec", [&](Json& spec) {
    write_selector(spec, "selector", budget.selector);
    write_int_or_percent(spec, "minAvailable", budget.min_available);
    write_int_or_percent(spec, "maxUnavailable", budget.max_unavailable);
  });
}

}  // namespace windlass::api
