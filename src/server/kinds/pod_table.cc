// What `kubectl get pods` says of a pod. STATUS is no field of the API: it is read off phase,
// reason and the states of containers, in the order kubectl's users know.
#include <nlohmann/json.hpp>

#include "server/kinds/fields.h"
#include "server/kinds/tables.h"

namespace windlass::server::kinds {
namespace {

struct Summary {
  std::string reason;
  int64_t ready = 0;
  int64_t containers = 0;
  int64_t restarts = 0;
  // When a container last ended and was started anew; the earliest instant: never.
  Instant last_restart{INT64_MIN};
};

void count_restarts(const Json& status, int64_t& restarts, Instant& last) {
  restarts += whole(at(status, "restartCount"));
  const Result<Instant> end =
      parse_rfc3339(text(at(status, {"lastState", "terminated", "finishedAt"})));
  if (end.ok() && *end > last) last = *end;
}

// A native sidecar: an init container that stays.
bool is_sidecar(const Json& pod, const Json& name) {
  for (const Json& container : items(at(pod, {"spec", "initContainers"}))) {
    if (at(container, "name") == name) return at(container, "restartPolicy") == "Always";
  }
  return false;
}

// "OOMKilled", or for want of a reason what ended it.
std::string end_reason(const Json& terminated) {
  std::string reason = text(at(terminated, "reason"));
  if (!reason.empty()) return reason;
  const int64_t signal = whole(at(terminated, "signal"));
  if (signal != 0) return "Signal:" + std::to_string(signal);
  return "ExitCode:" + std::to_string(whole(at(terminated, "exitCode")));
}

// Goes through init containers up to the first that holds the pod back; whether one does.
bool summarize_init(const Json& pod, Summary& summary, Summary& sidecars) {
  const Json& statuses = items(at(pod, {"status", "initContainerStatuses"}));
  for (size_t i = 0; i < statuses.size(); ++i) {
    const Json& status = statuses[i];
    const bool sidecar = is_sidecar(pod, at(status, "name"));
    count_restarts(status, summary.restarts, summary.last_restart);
    if (sidecar) count_restarts(status, sidecars.restarts, sidecars.last_restart);
    const Json& terminated = at(status, {"state", "terminated"});
    const std::string waiting = text(at(status, {"state", "waiting", "reason"}));
    if (terminated.is_object() && whole(at(terminated, "exitCode")) == 0) continue;
    if (sidecar && truth(at(status, "started"))) {
      if (truth(at(status, "ready"))) ++summary.ready;
      continue;
    }
    if (terminated.is_object()) {
      summary.reason = "Init:" + end_reason(terminated);
    } else if (!waiting.empty() && waiting != "PodInitializing") {
      summary.reason = "Init:" + waiting;
    } else {
      summary.reason = "Init:" + std::to_string(i) + "/" +
                       std::to_string(items(at(pod, {"spec", "initContainers"})).size());
    }
    return true;
  }
  return false;
}

void summarize_containers(const Json& pod, Summary& summary) {
  bool running = false;
  const Json& statuses = items(at(pod, {"status", "containerStatuses"}));
  for (auto status = statuses.rbegin(); status != statuses.rend(); ++status) {
    count_restarts(*status, summary.restarts, summary.last_restart);
    const Json& state = at(*status, "state");
    const std::string waiting = text(at(state, {"waiting", "reason"}));
    if (!waiting.empty()) {
      summary.reason = waiting;
    } else if (at(state, "terminated").is_object()) {
      summary.reason = end_reason(at(state, "terminated"));
    } else if (truth(at(*status, "ready")) && at(state, "running").is_object()) {
      running = true;
      ++summary.ready;
    }
  }
  // One container is done, others go on: the pod runs.
  if (summary.reason == "Completed" && running) {
    const bool ready = condition(at(pod, {"status", "conditions"}), "Ready") == "True";
    summary.reason = ready ? "Running" : "NotReady";
  }
}

Summary summarize(const Json& pod) {
  const Json& status = at(pod, "status");
  const std::string phase = text(at(status, "phase"));
  Summary summary;
  summary.reason = text_or(at(status, "reason"), phase);
  for (const Json& one : items(at(status, "conditions"))) {
    if (at(one, "type") == "PodScheduled" && at(one, "reason") == "SchedulingGated") {
      summary.reason = "SchedulingGated";
    }
  }
  summary.containers = static_cast<int64_t>(items(at(pod, {"spec", "containers"})).size());
  for (const Json& container : items(at(pod, {"spec", "initContainers"}))) {
    if (at(container, "restartPolicy") == "Always") ++summary.containers;
  }
  Summary sidecars;
  const bool initializing = summarize_init(pod, summary, sidecars);
  if (!initializing || condition(at(status, "conditions"), "Initialized") == "True") {
    summary.restarts = sidecars.restarts;
    summary.last_restart = sidecars.last_restart;
    summarize_containers(pod, summary);
  }
  if (!at(pod, {"metadata", "deletionTimestamp"}).is_null()) {
    if (at(status, "reason") == "NodeLost") {
      summary.reason = "Unknown";
    } else if (phase != "Succeeded" && phase != "Failed") {
      summary.reason = "Terminating";
    }
  }
  return summary;
}

std::string readiness_gates(const Json& pod) {
  const Json& gates = items(at(pod, {"spec", "readinessGates"}));
  if (gates.empty()) return "<none>";
  int64_t open = 0;
  for (const Json& gate : gates) {
    const std::string type = text(at(gate, "conditionType"));
    if (condition(at(pod, {"status", "conditions"}), type) == "True") ++open;
  }
  return std::to_string(open) + "/" + std::to_string(gates.size());
}

// status.podIPs is what the printer reads; a lone podIP is its first.
std::string pod_ip(const Json& pod) {
  const Json& all = items(at(pod, {"status", "podIPs"}));
  const std::string first = all.empty() ? "" : text(at(all[0], "ip"));
  return or_else_text(or_else_text(first, text(at(pod, {"status", "podIP"}))), "<none>");
}

Cells pod_row(const Json& pod, Instant now) {
  const Summary summary = summarize(pod);
  std::string restarts = std::to_string(summary.restarts);
  if (summary.restarts != 0 && summary.last_restart.ns != INT64_MIN) {
    restarts += " (" + human_duration(now - summary.last_restart) + " ago)";
  }
  return {name_of(pod),
          std::to_string(summary.ready) + "/" + std::to_string(summary.containers),
          summary.reason,
          restarts,
          age(pod, now),
          pod_ip(pod),
          text_or(at(pod, {"spec", "nodeName"}), "<none>"),
          text_or(at(pod, {"status", "nominatedNodeName"}), "<none>"),
          readiness_gates(pod)};
}

}  // namespace

Table pod_table() {
  return {{name_column(), shown("Ready"), shown("Status"), shown("Restarts"), shown("Age"),
           wide("IP"), wide("Node"), wide("Nominated Node"), wide("Readiness Gates")},
          pod_row};
}

Table pod_template_table() {
  return {{name_column(), shown("Containers"), shown("Images"), shown("Pod Labels")},
          [](const Json& object, Instant) -> Cells {
            auto [names, images] = container_cells(at(object, {"template", "spec"}));
            return {name_of(object), names, images,
                    or_else_text(labels_text(at(object, {"template", "metadata", "labels"})),
                                 "<none>")};
          }};
}

}  // namespace windlass::server::kinds
