// The controllers of kube-controller-manager that the ring needs: Deployment, Job and DaemonSet
// make and remove pods. Simulations take a short cut, a Deployment's pods hang on it directly and
// its template never changes; a served world has the controllers of apps/, ReplicaSets and all.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <tuple>

#include "sim/api_server.h"
#include "sim/apps/reconciler.h"
#include "sim/context.h"

namespace windlass::sim {

class Workloads {
 public:
  Workloads(Context& context, ApiServer& api);

  // Set by the world: takes an object away, with what it owns.
  std::function<void(cluster::Kind, const std::string& key)> on_remove;

  // Queues what the change concerns; it is looked at after the controllers' latency.
  void observe(const cluster::Change& change);
  // Brings one workload in line, now.
  void sync_deployment(const std::string& key);
  void sync_job(const std::string& key);
  void sync_daemons();
  // Brings all that makes pods in line, now: how a run begins.
  void sync_all();

 private:
  void later(cluster::Kind kind, const std::string& key);
  void sync(cluster::Kind kind, const std::string& key);
  // Of a served world.
  void observe_served(const cluster::Change& change);
  void observe_pod(const cluster::Change& change);
  void owner_later(cluster::Kind kind, const std::string& key);
  void again(cluster::Kind kind, const std::string& key, Duration delay);
  void create_pod(const api::PodTemplate& pod_template, const api::ObjectMeta& owner,
                  const std::string& kind, const std::string& api_version,
                  const std::string& node = {});

  Context& context_;
  ApiServer& api_;
  apps::Reconciler reconciler_;
  std::set<std::pair<cluster::Kind, std::string>> queued_;
  std::set<std::tuple<Instant, cluster::Kind, std::string>> planned_;
  // By pod, so that its removal finds who has to look.
  std::map<std::string, std::pair<cluster::Kind, std::string>> controllers_;
};

}  // namespace windlass::sim
