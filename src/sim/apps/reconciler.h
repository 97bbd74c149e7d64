// What the workload controllers of a served world share: kube-controller-manager's, as far as
// people see them. Each is a function of a key: it reads the state, takes the next steps, writes
// the status, and is called again when anything it depends on changes.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sim/api_server.h"
#include "sim/context.h"

namespace windlass::sim::apps {

// So many pods are made at a time; the next ones follow when these are seen.
inline constexpr size_t kBurst = 500;

struct Reconciler {
  Context& context;
  ApiServer& api;
  // Looks at the object again after the delay.
  std::function<void(cluster::Kind, const std::string& key, Duration)> again;
  // Takes the object away, with what it owns.
  std::function<void(cluster::Kind, const std::string& key)> remove;
};

// The owner that controls an object; nullptr: nobody does.
const api::OwnerReference* controller_of(const api::ObjectMeta& meta);

// The pods that the object controls and that are neither terminal nor on their way out.
std::vector<const api::Pod*> active_pods(const cluster::State& state, const std::string& uid);

// The `count` pods that the ReplicaSet controller would delete first: unbound, not running, not
// ready, cheap to delete, ready for the shortest time, youngest.
std::vector<std::string> victims(std::vector<const api::Pod*> pods, size_t count);

// Ready for at least `min_ready`. Asks to look again when a ready pod will be.
bool available(const Reconciler& reconciler, const api::Pod& pod, Duration min_ready,
               cluster::Kind kind, const std::string& key);

// Of a total: 25 % of 10 is 3 rounded up, 2 rounded down.
int32_t resolve(const api::IntOrPercent& value, int32_t total, bool round_up);

void sync_deployment(const Reconciler& reconciler, const std::string& key);
void sync_replica_set(const Reconciler& reconciler, const std::string& key);
void sync_stateful_set(const Reconciler& reconciler, const std::string& key);
void sync_daemon_set(const Reconciler& reconciler, const std::string& key);
void sync_job(const Reconciler& reconciler, const std::string& key);
void sync_cron_job(const Reconciler& reconciler, const std::string& key);

}  // namespace windlass::sim::apps
