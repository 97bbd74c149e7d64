// The controllers of kube-controller-manager that the ring needs: Deployment (with its ReplicaSet),
// Job and DaemonSet make and remove pods.
#pragma once

#include <set>
#include <string>

#include "sim/api_server.h"
#include "sim/context.h"

namespace windlass::sim {

class Workloads {
 public:
  Workloads(Context& context, ApiServer& api) : context_(context), api_(api) {}

  // Queues what the change concerns; it is looked at after the controllers' latency.
  void observe(const cluster::Change& change);
  // Brings one workload in line, now.
  void sync_deployment(const std::string& key);
  void sync_job(const std::string& key);
  void sync_daemons();

 private:
  void later(cluster::Kind kind, const std::string& key);
  void create_pod(const api::PodTemplate& pod_template, const api::ObjectMeta& owner,
                  const std::string& kind, const std::string& api_version,
                  const std::string& node = {});

  Context& context_;
  ApiServer& api_;
  std::set<std::pair<cluster::Kind, std::string>> queued_;
};

}  // namespace windlass::sim
