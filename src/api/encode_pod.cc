#include <algorithm>

#include "api/encode.h"

namespace windlass::api {
namespace {

// Values from elsewhere (valueFrom) are not in `env` and stay; so do their places in the list.
void write_env(Json& container, const StringMap& env) {
  const auto found = container.find("env");
  if (env.empty() && found == container.end()) return;
  const Json old = found != container.end() && found->is_array() ? *found : Json::array();
  StringMap left = env;
  Json list = Json::array();
  for (const Json& variable : old) {
    if (!variable.is_object() || !variable.contains("name")) continue;
    const auto value = left.find(variable["name"].get<std::string>());
    if (value != left.end()) {
      list.push_back(variable);
      list.back()["value"] = value->second;
      left.erase(value);
    } else if (!variable.contains("value")) {
      list.push_back(variable);
    }
  }
  for (const auto& [name, value] : left) list.push_back({{"name", name}, {"value", value}});
  container["env"] = std::move(list);
}

// Ports, volumes, probes and the rest stay in the container of the same name.
void write_containers(Json& spec, const char* key, const std::vector<Container>& containers,
                      bool init) {
  put_each(spec, key, containers, "name", [&](Json& c, const Container& container) {
    put_string(c, "name", container.name);
    put_string(c, "image", container.image);
    write_env(c, container.env);
    within(c, "resources", [&](Json& resources) {
      put_resources(resources, "requests", container.requests);
      put_resources(resources, "limits", container.limits);
    });
    if (init && container.restart_always) c["restartPolicy"] = "Always";
  });
}

void write_term(Json& term, const NodeSelectorTerm& value) {
  write_requirements(term, "matchExpressions", value.match_expressions);
}

void write_affinity(Json& spec, const PodSpec& value) {
  within(spec, "affinity", [&](Json& affinity) {
    within(affinity, "nodeAffinity", [&](Json& node) {
      if (value.required_node_terms.empty()) {
        node.erase("requiredDuringSchedulingIgnoredDuringExecution");
      } else {
        within(node, "requiredDuringSchedulingIgnoredDuringExecution", [&](Json& required) {
          // Terms have no name: each is written over the one at its place.
          put_each(required, "nodeSelectorTerms", value.required_node_terms, "", write_term);
        });
      }
      put_each(node, "preferredDuringSchedulingIgnoredDuringExecution", value.preferred_node_terms,
               "weight", [](Json& p, const PreferredNodeTerm& term) {
                 p["weight"] = term.weight;
                 within(p, "preference", [&](Json& t) { write_term(t, term.term); });
                 if (!p.contains("preference")) p["preference"] = Json::object();
               });
    });
  });
}

std::string_view text_of(PodPhase phase) {
  switch (phase) {
    case PodPhase::kPending:
      return "Pending";
    case PodPhase::kRunning:
      return "Running";
    case PodPhase::kSucceeded:
      return "Succeeded";
    case PodPhase::kFailed:
      return "Failed";
  }
  WL_UNREACHABLE("pod phase");
}

// The text at `key`, or "" if there is none.
std::string text_at(const Json& map, const char* key) {
  if (!map.is_object()) return "";
  const auto found = map.find(key);
  return found != map.end() && found->is_string() ? found->get<std::string>() : "";
}

// The condition of this type, made if absent.
Json& condition_at(Json& status, std::string_view type) {
  Json& list = status["conditions"];
  if (!list.is_array()) list = Json::array();
  for (Json& condition : list) {
    if (text_at(condition, "type") == type) return condition;
  }
  list.push_back({{"type", type}});
  return list.back();
}

// Pod keeps two moments of the conditions: when it was placed (or found unplaceable) and when it
// became ready.
void write_pod_conditions(Json& status, const Pod& pod) {
  if (pod.scheduled_at || pod.unschedulable_since) {
    Json& scheduled = condition_at(status, "PodScheduled");
    scheduled["status"] = pod.scheduled_at ? "True" : "False";
    put_string(scheduled, "reason", pod.scheduled_at ? "" : "Unschedulable");
    put_time(scheduled, "lastTransitionTime",
             pod.scheduled_at ? pod.scheduled_at : pod.unschedulable_since);
  }
  const auto found = status.find("conditions");
  const bool has_ready = found != status.end() && found->is_array() &&
                         std::any_of(found->begin(), found->end(),
                                     [](const Json& c) { return text_at(c, "type") == "Ready"; });
  if (!pod.ready && !has_ready) return;
  Json& ready = condition_at(status, "Ready");
  // Unknown is not ready, too.
  const bool says_ready = text_at(ready, "status") == "True";
  if (!ready.contains("status") || says_ready != pod.ready) {
    ready["status"] = pod.ready ? "True" : "False";
  }
  if (pod.ready) put_time(ready, "lastTransitionTime", pod.ready_at);
}

}  // namespace

void write_pod_spec(Json& out, const PodSpec& spec) {
  write_containers(out, "containers", spec.containers, false);
  write_containers(out, "initContainers", spec.init_containers, true);
  put_resources(out, "overhead", spec.overhead);
  put_string_map(out, "nodeSelector", spec.node_selector);
  write_affinity(out, spec);
  put_each(out, "tolerations", spec.tolerations, "key", [](Json& t, const Toleration& toleration) {
    put_string(t, "key", toleration.key);
    put_string(t, "operator", toleration.op, "Equal");
    put_string(t, "value", toleration.value);
    put_string(t, "effect", toleration.effect);
    if (toleration.seconds) {
      t["tolerationSeconds"] = *toleration.seconds;
    } else {
      t.erase("tolerationSeconds");
    }
  });
  put_each(out, "topologySpreadConstraints", spec.topology_spread, "topologyKey",
           [](Json& c, const TopologySpreadConstraint& constraint) {
             c["maxSkew"] = constraint.max_skew;
             c["topologyKey"] = constraint.topology_key;
             c["whenUnsatisfiable"] =
                 constraint.schedule_anyway ? "ScheduleAnyway" : "DoNotSchedule";
             write_selector(c, "labelSelector", constraint.selector);
           });
  put_string(out, "priorityClassName", spec.priority_class);
  put_int(out, "priority", spec.priority);
  put_string(out, "nodeName", spec.node_name);
  put_string(out, "schedulerName", spec.scheduler_name);
  put_seconds(out, "terminationGracePeriodSeconds", spec.termination_grace, seconds(30));
}

void write_pod_template(Json& out, const PodTemplate& pod_template) {
  within(out, "metadata", [&](Json& meta) {
    put_string_map(meta, "labels", pod_template.labels);
    put_string_map(meta, "annotations", pod_template.annotations);
  });
  within(out, "spec", [&](Json& spec) { write_pod_spec(spec, pod_template.spec); });
}

void write(Json& out, const Pod& pod) {
  write_meta(out, pod.meta);
  within(out, "spec", [&](Json& spec) { write_pod_spec(spec, pod.spec); });
  within(out, "status", [&](Json& status) {
    // "Unknown" reads as Running.
    const bool unknown = text_at(status, "phase") == "Unknown";
    if (!(unknown && pod.phase == PodPhase::kRunning)) {
      put_string(status, "phase", std::string(text_of(pod.phase)), "Pending");
    }
    put_time(status, "startTime", pod.started_at);
    put_string(status, "nominatedNodeName", pod.nominated_node);
    write_pod_conditions(status, pod);
  });
}

}  // namespace windlass::api
