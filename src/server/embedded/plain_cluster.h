// A Kubernetes cluster as its clients find one: the API, kube-scheduler, the controllers of
// workloads, eviction and garbage collection. Nodes, their kubelets and all autoscaling are the
// clients' (sim::WorldOptions::external). Without sockets, files and a clock of its own: a test
// brings requests and time, and runs a week in moments. Deterministic. One thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "cluster/object_store.h"
#include "server/embedded/bridge.h"
#include "server/http/exchange.h"
#include "server/rest/kube_api.h"
#include "sim/world.h"

namespace windlass::server::embedded {

struct PlainClusterOptions {
  Instant start{};
  uint64_t seed = 1;
  std::vector<api::Object> objects{};  // to begin with, as manifests
};

class PlainCluster {
 public:
  static Result<std::unique_ptr<PlainCluster>> open(PlainClusterOptions options);

  [[nodiscard]] Instant now() const { return world_->now(); }
  // Answers within the call, and so do streams. Who asks is an administrator unless the request
  // says otherwise.
  void handle(Request request, const std::shared_ptr<Exchange>& exchange);
  // When anything happens next by itself: it has happened after advance() to a later moment.
  [[nodiscard]] Instant next_due() const;
  // Lets the cluster run up to `to`; streams are sent what changed, in order. Nothing if `to` has
  // passed.
  Status advance(Instant to);

  [[nodiscard]] const sim::World& world() const { return *world_; }
  [[nodiscard]] const cluster::ObjectStore& store() const { return store_; }

 private:
  explicit PlainCluster(PlainClusterOptions options);
  Status begin(std::vector<api::Object> objects);
  void turn();

  sim::Scenario scenario_;
  cluster::ObjectStore store_;
  std::unique_ptr<sim::World> world_;
  std::unique_ptr<rest::KubeApi> api_;
  std::unique_ptr<Bridge> bridge_;
  // The API's own timers (bookmarks, ends of watches), by time and then by their making.
  std::multimap<Instant, std::function<void()>> timers_;
};

}  // namespace windlass::server::embedded
