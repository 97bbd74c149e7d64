// Defaults of what makes pods, of services and of autoscalers.
#include <nlohmann/json.hpp>

#include "server/kinds/defaults.h"
#include "server/kinds/fields.h"

namespace windlass::server::kinds {
namespace {

// spec, made where absent; nullptr where it is of the wrong type.
Json* spec_of(Json& object) {
  if (!object.is_object()) return nullptr;
  Json& spec = make_object(object, "spec");
  return spec.is_object() ? &spec : nullptr;
}

void default_status(Json& object, std::initializer_list<std::string_view> counts) {
  Json& status = make_object(object, "status");
  for (const std::string_view count : counts) set_if_absent(status, count, 0);
}

// A map of labels taken over from the pod template where there is none.
void labels_from_template(Json& object, const Json& labels) {
  if (members(labels).empty()) return;
  Json& metadata = make_object(object, "metadata");
  if (members(at(metadata, "labels")).empty()) metadata["labels"] = labels;
}

// Both sides of scaling are filled as soon as one is given.
void default_scaling_rules(Json& behavior, std::string_view direction, Json rules) {
  const Json given = at(behavior, direction);
  for (const auto& [key, value] : members(given).items()) {
    if (!value.is_null()) rules[key] = value;
  }
  behavior[std::string(direction)] = std::move(rules);
}

void canonical_metric(Json& metric) {
  for (const std::string_view source :
       {"resource", "containerResource", "pods", "object", "external"}) {
    if (!at(metric, {source, "target"}).is_object()) continue;
    Json& target = metric[std::string(source)]["target"];
    for (const char* value : {"value", "averageValue"}) {
      if (!at(target, value).is_null()) target[value] = quantity_text(at(target, value));
    }
  }
}

bool reachable_from_outside(const Json& spec) {
  const std::string type = text(at(spec, "type"));
  return type == "LoadBalancer" || type == "NodePort" ||
         (type == "ClusterIP" && !items(at(spec, "externalIPs")).empty());
}

void default_service_port(Json& port) {
  set_if_zero(port, "protocol", "TCP");
  if (!at(port, "port").is_null()) set_if_zero(port, "targetPort", Json(at(port, "port")));
}

// One address and its list say the same; which of them was given does not matter.
void default_cluster_ips(Json& spec) {
  const std::string address = text(at(spec, "clusterIP"));
  const Json& all = items(at(spec, "clusterIPs"));
  if (!address.empty() && all.empty()) spec["clusterIPs"] = Json::array({address});
  if (address.empty() && !all.empty()) spec["clusterIP"] = Json(all[0]);
}

}  // namespace

void default_deployment(Json& object) {
  Json* spec = spec_of(object);
  if (spec == nullptr) return;
  default_pod_template(object);
  set_if_absent(*spec, "replicas", 1);
  Json& strategy = make_object(*spec, "strategy");
  set_if_zero(strategy, "type", "RollingUpdate");
  if (at(strategy, "type") == "RollingUpdate") {
    Json& rolling = make_object(strategy, "rollingUpdate");
    set_if_absent(rolling, "maxUnavailable", "25%");
    set_if_absent(rolling, "maxSurge", "25%");
  }
  set_if_absent(*spec, "revisionHistoryLimit", 10);
  set_if_absent(*spec, "progressDeadlineSeconds", 600);
  default_status(object, {});
}

void default_replica_set(Json& object) {
  Json* spec = spec_of(object);
  if (spec == nullptr) return;
  default_pod_template(object);
  set_if_absent(*spec, "replicas", 1);
  default_status(object, {"replicas"});
}

void default_replication_controller(Json& object) {
  Json* spec = spec_of(object);
  if (spec == nullptr) return;
  if (at(*spec, "template").is_null()) return set_if_absent(*spec, "replicas", 1);
  default_replica_set(object);
  const Json labels = members(at(*spec, {"template", "metadata", "labels"}));
  labels_from_template(object, labels);
  if (members(at(*spec, "selector")).empty() && !labels.empty()) (*spec)["selector"] = labels;
}

void default_stateful_set(Json& object) {
  Json* spec = spec_of(object);
  if (spec == nullptr) return;
  default_pod_template(object);
  set_if_zero(*spec, "podManagementPolicy", "OrderedReady");
  Json& strategy = make_object(*spec, "updateStrategy");
  if (text(at(strategy, "type")).empty()) {
    set_if_zero(strategy, "type", "RollingUpdate");
    make_object(strategy, "rollingUpdate");
  }
  if (at(strategy, "type") == "RollingUpdate" && at(strategy, "rollingUpdate").is_object()) {
    set_if_absent(strategy["rollingUpdate"], "partition", 0);
  }
  Json& retention = make_object(*spec, "persistentVolumeClaimRetentionPolicy");
  set_if_zero(retention, "whenDeleted", "Retain");
  set_if_zero(retention, "whenScaled", "Retain");
  set_if_absent(*spec, "replicas", 1);
  set_if_absent(*spec, "revisionHistoryLimit", 10);
  if (at(*spec, "volumeClaimTemplates").is_array()) {
    for (Json& claim : (*spec)["volumeClaimTemplates"]) {
      if (!claim.is_object()) continue;
      set_if_absent(claim, "apiVersion", "v1");
      set_if_absent(claim, "kind", "PersistentVolumeClaim");
      default_claim_spec(make_object(claim, "spec"));
      set_if_zero(make_object(claim, "status"), "phase", "Pending");
    }
  }
  default_status(object, {"replicas", "availableReplicas"});
}

void default_daemon_set(Json& object) {
  Json* spec = spec_of(object);
  if (spec == nullptr) return;
  default_pod_template(object);
  Json& strategy = make_object(*spec, "updateStrategy");
  set_if_zero(strategy, "type", "RollingUpdate");
  if (at(strategy, "type") == "RollingUpdate") {
    Json& rolling = make_object(strategy, "rollingUpdate");
    set_if_absent(rolling, "maxUnavailable", 1);
    set_if_absent(rolling, "maxSurge", 0);
  }
  set_if_absent(*spec, "revisionHistoryLimit", 10);
  default_status(object, {"currentNumberScheduled", "desiredNumberScheduled", "numberMisscheduled",
                          "numberReady"});
}

void default_job(Json& object) {
  Json* spec = spec_of(object);
  if (spec == nullptr) return;
  default_pod_template(object);
  if (at(*spec, "completions").is_null() && at(*spec, "parallelism").is_null()) {
    (*spec)["completions"] = 1;
  }
  set_if_absent(*spec, "parallelism", 1);
  // With a limit to each index there is none to the whole.
  const bool by_index = !at(*spec, "backoffLimitPerIndex").is_null();
  set_if_absent(*spec, "backoffLimit", by_index ? INT32_MAX : 6);
  labels_from_template(object, Json(at(*spec, {"template", "metadata", "labels"})));
  set_if_absent(*spec, "completionMode", "NonIndexed");
  set_if_absent(*spec, "suspend", false);
  const bool failure_policy = !at(*spec, "podFailurePolicy").is_null();
  set_if_absent(*spec, "podReplacementPolicy", failure_policy ? "Failed" : "TerminatingOrFailed");
  set_if_absent(*spec, "manualSelector", false);
  default_status(object, {});
}

void default_cron_job(Json& object) {
  Json* spec = spec_of(object);
  if (spec == nullptr) return;
  set_if_zero(*spec, "concurrencyPolicy", "Allow");
  set_if_absent(*spec, "suspend", false);
  set_if_absent(*spec, "successfulJobsHistoryLimit", 3);
  set_if_absent(*spec, "failedJobsHistoryLimit", 1);
  default_pod_template(make_object(*spec, "jobTemplate"));
  default_status(object, {});
}

void default_service(Json& object) {
  Json* spec = spec_of(object);
  if (spec == nullptr) return;
  set_if_zero(*spec, "sessionAffinity", "None");
  if (at(*spec, "sessionAffinity") == "None") spec->erase("sessionAffinityConfig");
  if (at(*spec, "sessionAffinity") == "ClientIP") {
    Json& config = make_object(*spec, "sessionAffinityConfig");
    set_if_absent(make_object(config, "clientIP"), "timeoutSeconds", 10800);
  }
  set_if_zero(*spec, "type", "ClusterIP");
  if (at(*spec, "ports").is_array()) {
    for (Json& port : (*spec)["ports"]) default_service_port(port);
  }
  if (reachable_from_outside(*spec)) set_if_zero(*spec, "externalTrafficPolicy", "Cluster");
  const std::string type = text(at(*spec, "type"));
  if (type == "ClusterIP" || type == "NodePort" || type == "LoadBalancer") {
    set_if_absent(*spec, "internalTrafficPolicy", "Cluster");
    default_cluster_ips(*spec);
    set_if_absent(*spec, "ipFamilies", Json::array({"IPv4"}));
    set_if_absent(*spec, "ipFamilyPolicy", "SingleStack");
  }
  if (at(*spec, "type") == "LoadBalancer") {
    set_if_absent(*spec, "allocateLoadBalancerNodePorts", true);
  }
  Json& balancer = make_object(make_object(object, "status"), "loadBalancer");
  if (at(*spec, "type") != "LoadBalancer" || !at(balancer, "ingress").is_array()) return;
  for (Json& one : balancer["ingress"]) {
    if (!text(at(one, "ip")).empty()) set_if_absent(one, "ipMode", "VIP");
  }
}

void default_horizontal_pod_autoscaler(Json& object) {
  Json* spec = spec_of(object);
  if (spec == nullptr) return;
  set_if_absent(*spec, "minReplicas", 1);
  if (at(object, "apiVersion") == "autoscaling/v1") return;
  if (items(at(*spec, "metrics")).empty()) {
    (*spec)["metrics"] = Json::array(
        {{{"type", "Resource"},
          {"resource",
           {{"name", "cpu"}, {"target", {{"type", "Utilization"}, {"averageUtilization", 80}}}}}}});
  }
  for (Json& metric : (*spec)["metrics"]) canonical_metric(metric);
  if (!at(*spec, "behavior").is_object()) return;
  Json& behavior = (*spec)["behavior"];
  const Json percent = {{"type", "Percent"}, {"value", 100}, {"periodSeconds", 15}};
  const Json pods = {{"type", "Pods"}, {"value", 4}, {"periodSeconds", 15}};
  default_scaling_rules(behavior, "scaleUp",
                        {{"stabilizationWindowSeconds", 0},
                         {"selectPolicy", "Max"},
                         {"policies", Json::array({pods, percent})}});
  default_scaling_rules(behavior, "scaleDown",
                        {{"selectPolicy", "Max"}, {"policies", Json::array({percent})}});
}

}  // namespace windlass::server::kinds
