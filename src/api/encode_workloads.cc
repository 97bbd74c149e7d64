#include <algorithm>

#include "api/encode.h"

namespace windlass::api {

void write(Json& out, const Deployment& deployment) {
  write_meta(out, deployment.meta);
  within(out, "spec", [&](Json& spec) {
    put_int(spec, "replicas", deployment.replicas, 1);
    write_selector(spec, "selector", deployment.selector);
    within(spec, "template", [&](Json& t) { write_pod_template(t, deployment.pod_template); });
  });
  within(out, "status", [&](Json& status) {
    put_int(status, "observedGeneration", deployment.observed_generation, 0);
    put_int(status, "replicas", deployment.status_replicas, 0);
    put_int(status, "updatedReplicas", deployment.updated_replicas, 0);
    put_int(status, "readyReplicas", deployment.ready_replicas, 0);
    put_int(status, "availableReplicas", deployment.available_replicas, 0);
    put_int(status, "unavailableReplicas", deployment.unavailable_replicas, 0);
    write_conditions(status, deployment.conditions);
  });
}

void write(Json& out, const ReplicaSet& replica_set) {
  write_meta(out, replica_set.meta);
  within(out, "spec", [&](Json& spec) {
    put_int(spec, "replicas", replica_set.replicas, 1);
    put_seconds(spec, "minReadySeconds", replica_set.min_ready, Duration{});
    write_selector(spec, "selector", replica_set.selector);
    within(spec, "template", [&](Json& t) { write_pod_template(t, replica_set.pod_template); });
  });
  within(out, "status", [&](Json& status) {
    put_int(status, "observedGeneration", replica_set.observed_generation, 0);
    // The API always has this one, also 0.
    put_int(status, "replicas", replica_set.status_replicas, std::nullopt);
    put_int(status, "fullyLabeledReplicas", replica_set.status_replicas, 0);
    put_int(status, "readyReplicas", replica_set.ready_replicas, 0);
    put_int(status, "availableReplicas", replica_set.available_replicas, 0);
  });
}

void write(Json& out, const DaemonSet& daemon_set) {
  write_meta(out, daemon_set.meta);
  within(out, "spec", [&](Json& spec) {
    write_selector(spec, "selector", daemon_set.selector);
    within(spec, "template", [&](Json& t) { write_pod_template(t, daemon_set.pod_template); });
  });
  // Four numbers are always there once the controller has looked.
  const bool looked = daemon_set.observed_generation > 0;
  const auto absent_means = looked ? std::nullopt : std::optional<int64_t>(0);
  within(out, "status", [&](Json& status) {
    put_int(status, "observedGeneration", daemon_set.observed_generation, 0);
    put_int(status, "desiredNumberScheduled", daemon_set.desired_scheduled, absent_means);
    put_int(status, "currentNumberScheduled", daemon_set.current_scheduled, absent_means);
    put_int(status, "numberMisscheduled", daemon_set.misscheduled, absent_means);
    put_int(status, "numberReady", daemon_set.ready_pods, absent_means);
    put_int(status, "updatedNumberScheduled", daemon_set.updated_scheduled, 0);
    put_int(status, "numberAvailable", daemon_set.available_pods, 0);
    put_int(status, "numberUnavailable",
            std::max(0, daemon_set.desired_scheduled - daemon_set.available_pods), 0);
  });
}

void write(Json& out, const StatefulSet& stateful_set) {
  write_meta(out, stateful_set.meta);
  within(out, "spec", [&](Json& spec) {
    put_int(spec, "replicas", stateful_set.replicas, 1);
    write_selector(spec, "selector", stateful_set.selector);
    within(spec, "template", [&](Json& t) { write_pod_template(t, stateful_set.pod_template); });
    // Nothing beside the name can tell the templates apart, and it lies one map deeper: each is
    // written over the one at its place.
    put_each(spec, "volumeClaimTemplates", stateful_set.volume_claims, "",
             [](Json& claim, const std::pair<std::string, std::string>& volume) {
               within(claim, "metadata", [&](Json& m) { put_string(m, "name", volume.first); });
               Json& claim_spec = claim["spec"];
               if (!claim_spec.is_object()) claim_spec = Json::object();
               put_string(claim_spec, "storageClassName", volume.second);
             });
  });
  within(out, "status", [&](Json& status) {
    put_int(status, "observedGeneration", stateful_set.observed_generation, 0);
    put_int(status, "replicas", stateful_set.status_replicas, 0);
    put_int(status, "readyReplicas", stateful_set.ready_replicas, 0);
    put_int(status, "availableReplicas", stateful_set.available_replicas, 0);
    put_int(status, "currentReplicas", stateful_set.current_replicas, 0);
    put_int(status, "updatedReplicas", stateful_set.updated_replicas, 0);
    put_string(status, "currentRevision", stateful_set.current_revision);
    put_string(status, "updateRevision", stateful_set.update_revision);
  });
}

void write_job_spec(Json& spec, const Job& job) {
  // Absent completions mean a work queue, read as one success for each of `parallelism`.
  put_int(spec, "completions", job.completions, job.parallelism);
  put_int(spec, "parallelism", job.parallelism, 1);
  put_int(spec, "backoffLimit", job.backoff_limit, 6);
  within(spec, "template", [&](Json& t) { write_pod_template(t, job.pod_template); });
}

void write(Json& out, const Job& job) {
  write_meta(out, job.meta);
  within(out, "spec", [&](Json& spec) {
    write_job_spec(spec, job);
    // A Job's template must say what happens to failed pods; one made here starts new ones.
    Json& pod_spec = spec["template"]["spec"];
    if (!pod_spec.contains("restartPolicy")) pod_spec["restartPolicy"] = "Never";
  });
  within(out, "status", [&](Json& status) {
    put_int(status, "active", job.active, 0);
    put_int(status, "ready", job.ready_pods, 0);
    put_int(status, "succeeded", job.succeeded, 0);
    put_int(status, "failed", job.failed, 0);
    put_time(status, "startTime", job.started_at);
    put_time(status, "completionTime", job.completed_at);
    write_conditions(status, job.conditions);
  });
}

void write(Json& out, const CronJob& cron_job) {
  write_meta(out, cron_job.meta);
  within(out, "spec", [&](Json& spec) {
    put_string(spec, "schedule", cron_job.schedule);
    put_string(spec, "timeZone", cron_job.time_zone);
    put_bool(spec, "suspend", cron_job.suspended, false);
  });
  within(out, "status", [&](Json& status) {
    put_time(status, "lastScheduleTime", cron_job.last_schedule);
    put_time(status, "lastSuccessfulTime", cron_job.last_success);
    status.erase("active");
    for (const CronJob::Active& job : cron_job.active) {
      Json one{{"apiVersion", "batch/v1"}, {"kind", "Job"}, {"name", job.name}, {"uid", job.uid}};
      one["namespace"] = cron_job.meta.namespace_name;
      status["active"].push_back(std::move(one));
    }
  });
}

void write(Json& out, const ControllerRevision& revision) {
  write_meta(out, revision.meta);
  out["revision"] = revision.revision;
}

}  // namespace windlass::api
