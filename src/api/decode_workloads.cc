#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/decode.h"

namespace windlass::api {
namespace {

// The API server refuses a workload that would not find its own pods.
void check_selects(const Reader& selector, const LabelSelector& labels, const PodTemplate& pods) {
  if (!selector.present()) return;
  if (labels.match_labels.empty() && labels.match_expressions.empty()) {
    selector.error("is empty (accepted: the labels of template.metadata)");
  } else if (!labels.matches(pods.labels)) {
    selector.error("does not match the labels of template.metadata");
  }
}

int32_t count_at(Reader& map, std::string_view key) {
  return map.at(key).int32(0, INT32_MAX).value_or(0);
}

int64_t observed_generation(Reader& status) {
  return status.at("observedGeneration").integer(0, INT64_MAX).value_or(0);
}

std::optional<Duration> seconds_at(Reader& map, std::string_view key) {
  const auto value = map.at(key).int32(0, INT32_MAX);
  if (!value) return std::nullopt;
  return seconds(*value);
}

// What the workloads with a selector and a template have in common.
template <typename T>
void read_pods(Reader& spec, T& out) {
  if (!spec.present()) return;
  Reader selector = spec.required("selector");
  out.selector = read_selector(selector);
  out.pod_template = read_pod_template(spec.required("template"));
  check_selects(selector, out.selector, out.pod_template);
  out.min_ready = seconds_at(spec, "minReadySeconds").value_or(Duration{});
}

}  // namespace

Deployment read_deployment(Reader root) {
  Deployment out;
  out.meta = read_meta(root.required("metadata"), Scope::kNamespaced);
  Reader spec = root.required("spec");
  out.replicas = spec.at("replicas").int32(0, INT32_MAX).value_or(1);
  read_pods(spec, out);
  Reader strategy = spec.at("strategy");
  out.recreate = strategy.at("type")
                     .one_of<bool>({{"RollingUpdate", false}, {"Recreate", true}})
                     .value_or(false);
  Reader rolling = strategy.at("rollingUpdate");
  out.max_surge = read_int_or_percent(rolling.at("maxSurge")).value_or(out.max_surge);
  out.max_unavailable =
      read_int_or_percent(rolling.at("maxUnavailable")).value_or(out.max_unavailable);
  out.progress_deadline =
      seconds_at(spec, "progressDeadlineSeconds").value_or(out.progress_deadline);
  out.revision_history_limit = spec.at("revisionHistoryLimit").int32(0, INT32_MAX).value_or(10);
  out.paused = spec.at("paused").boolean().value_or(false);
  Reader status = root.at("status");
  out.observed_generation = observed_generation(status);
  out.status_replicas = count_at(status, "replicas");
  out.updated_replicas = count_at(status, "updatedReplicas");
  out.ready_replicas = count_at(status, "readyReplicas");
  out.available_replicas = count_at(status, "availableReplicas");
  out.unavailable_replicas = count_at(status, "unavailableReplicas");
  out.conditions = read_conditions(status.at("conditions"));
  return out;
}

ReplicaSet read_replica_set(Reader root) {
  ReplicaSet out;
  out.meta = read_meta(root.required("metadata"), Scope::kNamespaced);
  Reader spec = root.required("spec");
  out.replicas = spec.at("replicas").int32(0, INT32_MAX).value_or(1);
  read_pods(spec, out);
  Reader status = root.at("status");
  out.observed_generation = observed_generation(status);
  out.status_replicas = count_at(status, "replicas");
  out.ready_replicas = count_at(status, "readyReplicas");
  out.available_replicas = count_at(status, "availableReplicas");
  return out;
}

StatefulSet read_stateful_set(Reader root) {
  StatefulSet out;
  out.meta = read_meta(root.required("metadata"), Scope::kNamespaced);
  Reader spec = root.required("spec");
  out.replicas = spec.at("replicas").int32(0, INT32_MAX).value_or(1);
  read_pods(spec, out);
  for (Reader claim : spec.at("volumeClaimTemplates").items()) {
    std::string name = claim.required("metadata").at("name").required_string();
    std::string storage_class = claim.required("spec").at("storageClassName").string().value_or("");
    out.volume_claims.emplace_back(std::move(name), std::move(storage_class));
  }
  out.parallel = spec.at("podManagementPolicy")
                     .one_of<bool>({{"OrderedReady", false}, {"Parallel", true}})
                     .value_or(false);
  Reader strategy = spec.at("updateStrategy");
  out.on_delete = strategy.at("type")
                      .one_of<bool>({{"RollingUpdate", false}, {"OnDelete", true}})
                      .value_or(false);
  out.partition = strategy.at("rollingUpdate").at("partition").int32(0, INT32_MAX).value_or(0);
  out.revision_history_limit = spec.at("revisionHistoryLimit").int32(0, INT32_MAX).value_or(10);
  Reader status = root.at("status");
  out.observed_generation = observed_generation(status);
  out.status_replicas = count_at(status, "replicas");
  out.ready_replicas = count_at(status, "readyReplicas");
  out.available_replicas = count_at(status, "availableReplicas");
  out.current_replicas = count_at(status, "currentReplicas");
  out.updated_replicas = count_at(status, "updatedReplicas");
  out.current_revision = status.at("currentRevision").string().value_or("");
  out.update_revision = status.at("updateRevision").string().value_or("");
  return out;
}

DaemonSet read_daemon_set(Reader root) {
  DaemonSet out;
  out.meta = read_meta(root.required("metadata"), Scope::kNamespaced);
  Reader spec = root.required("spec");
  read_pods(spec, out);
  Reader strategy = spec.at("updateStrategy");
  out.on_delete = strategy.at("type")
                      .one_of<bool>({{"RollingUpdate", false}, {"OnDelete", true}})
                      .value_or(false);
  out.max_unavailable = read_int_or_percent(strategy.at("rollingUpdate").at("maxUnavailable"))
                            .value_or(out.max_unavailable);
  out.revision_history_limit = spec.at("revisionHistoryLimit").int32(0, INT32_MAX).value_or(10);
  Reader status = root.at("status");
  out.observed_generation = observed_generation(status);
  out.desired_scheduled = count_at(status, "desiredNumberScheduled");
  out.current_scheduled = count_at(status, "currentNumberScheduled");
  out.misscheduled = count_at(status, "numberMisscheduled");
  out.ready_pods = count_at(status, "numberReady");
  out.updated_scheduled = count_at(status, "updatedNumberScheduled");
  out.available_pods = count_at(status, "numberAvailable");
  return out;
}

void read_job_spec(Reader spec, RestartPolicy restart_policy, Job& out) {
  out.parallelism = spec.at("parallelism").int32(0, INT32_MAX).value_or(1);
  // Without completions a Job is a work queue: done when its pods are, so one success each.
  out.completions = spec.at("completions").int32(0, INT32_MAX).value_or(out.parallelism);
  out.backoff_limit = spec.at("backoffLimit").int32(0, INT32_MAX).value_or(6);
  out.suspended = spec.at("suspend").boolean().value_or(false);
  out.active_deadline = seconds_at(spec, "activeDeadlineSeconds");
  out.ttl_after_finished = seconds_at(spec, "ttlSecondsAfterFinished");
  if (!spec.present()) return;
  Reader pods = spec.required("template");
  out.pod_template = read_pod_template(pods);
  Reader pod_spec = pods.at("spec");
  if (!pod_spec.present()) return;
  const bool required = restart_policy == RestartPolicy::kRequired;
  (void)(required ? pod_spec.required("restartPolicy") : pod_spec.at("restartPolicy"))
      .one_of<int>({{"Never", 0}, {"OnFailure", 1}});
}

Job read_job(Reader root) {
  Job out;
  out.meta = read_meta(root.required("metadata"), Scope::kNamespaced);
  read_job_spec(root.required("spec"), RestartPolicy::kRequired, out);
  Reader status = root.at("status");
  out.active = count_at(status, "active");
  out.ready_pods = count_at(status, "ready");
  out.succeeded = count_at(status, "succeeded");
  out.failed = count_at(status, "failed");
  out.started_at = status.at("startTime").time();
  out.conditions = read_conditions(status.at("conditions"));
  out.completed_at = status.at("completionTime").time();
  return out;
}

CronJob read_cron_job(Reader root) {
  using Concurrency = CronJob::Concurrency;
  CronJob out;
  out.meta = read_meta(root.required("metadata"), Scope::kNamespaced);
  Reader spec = root.required("spec");
  out.schedule = spec.at("schedule").required_string();
  out.time_zone = spec.at("timeZone").string().value_or("");
  out.concurrency = spec.at("concurrencyPolicy")
                        .one_of<Concurrency>({{"Allow", Concurrency::kAllow},
                                              {"Forbid", Concurrency::kForbid},
                                              {"Replace", Concurrency::kReplace}})
                        .value_or(Concurrency::kAllow);
  out.suspended = spec.at("suspend").boolean().value_or(false);
  out.starting_deadline = seconds_at(spec, "startingDeadlineSeconds");
  out.successful_limit = spec.at("successfulJobsHistoryLimit").int32(0, INT32_MAX).value_or(3);
  out.failed_limit = spec.at("failedJobsHistoryLimit").int32(0, INT32_MAX).value_or(1);
  // Read to be refused now and not when its first Job is due.
  Job job;
  if (spec.present()) {
    read_job_spec(spec.required("jobTemplate").required("spec"), RestartPolicy::kRequired, job);
  }
  Reader status = root.at("status");
  for (Reader active : status.at("active").items()) {
    out.active.push_back(
        {active.at("name").string().value_or(""), active.at("uid").string().value_or("")});
  }
  out.last_schedule = status.at("lastScheduleTime").time();
  out.last_success = status.at("lastSuccessfulTime").time();
  return out;
}

ControllerRevision read_controller_revision(Reader root) {
  ControllerRevision out;
  out.meta = read_meta(root.required("metadata"), Scope::kNamespaced);
  out.revision = root.at("revision").integer(0, INT64_MAX).value_or(0);
  return out;
}

}  // namespace windlass::api
