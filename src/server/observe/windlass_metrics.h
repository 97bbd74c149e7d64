// Windlass' own metrics, behind /metrics: the loop, the API, the journal, the dashboard, and under
// Karpenter's and KEDA's names what means the same there. Names: docs/reference/metrics.md.
//
// What happens is counted when it is told here; what is (objects, usage, nodes) is read at the time
// of the scrape. One thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "cluster/object_store.h"
#include "controllers/action.h"
#include "server/http/exchange.h"
#include "server/observe/sources.h"

namespace windlass::server::observe {

// The server's own figures; an empty function leaves its metric out.
struct ServerSources {
  const cluster::ObjectStore* objects = nullptr;
  std::function<std::vector<std::string>()> resources;  // whose objects are counted
  std::function<size_t()> watchers;
  std::function<size_t()> http_connections;
  std::function<size_t()> dashboard_clients;
  std::function<Duration()> lag;  // simulated time behind what the wall clock asks for
};

class WindlassMetrics {
 public:
  WindlassMetrics(Sources world, ServerSources server);
  ~WindlassMetrics();

  // The loop: how long a turn took (wall), and how much the world moved in it.
  void turn(Duration wall, Duration simulated);
  // The API. verb: get, list, watch, create, update, patch, delete, deletecollection, apply...;
  // resource "pods" or "deployments.apps".
  void api_request(std::string_view verb, std::string_view resource, int code, Duration wall);
  void events_sent(std::string_view resource, uint64_t count);
  void journal_commit(Duration wall);
  // The world: World::on_change, World::on_decision.
  void observe(const cluster::Change& change);
  void note_decision(std::string_view controller, const controllers::Decision& decision);

  // The answer to GET /metrics.
  [[nodiscard]] Response answer(std::string_view accept);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace windlass::server::observe
