// /metrics of `windlass run`: the program itself, its client of the Kubernetes API, what it decided
// and did; and under Karpenter's and KEDA's names what means the same there. Names:
// docs/reference/metrics.md.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "controllers/action.h"
#include "live/run/world.h"
#include "server/http/exchange.h"

namespace windlass::server::operate {

// Figures of the process that the world doesn't know.
struct ProcessSources {
  std::string version;
  std::function<Instant()> now;
  std::function<bool()> leading;
  // Of the client: requests, retries, held back by its own limit, failed.
  std::function<void(std::function<void(std::string_view what, uint64_t count)>)> client;
  std::function<double()> cpu_seconds;
  std::function<double()> resident_bytes;
};

class OperatorMetrics {
 public:
  // Both must outlive it.
  OperatorMetrics(const live::World& world, ProcessSources process);
  ~OperatorMetrics();

  void observe(const cluster::Change& change);
  void note_decision(std::string_view controller, const controllers::Decision& decision);
  void note_action(const controllers::Action& action);
  // From a change seen to the request it led to.
  void note_reaction(Duration took);
  void note_reconcile(std::string_view controller, Duration took);
  [[nodiscard]] Response answer(std::string_view accept);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// GET /healthz (the process turns), /readyz (synced; the reasons if not), /metrics, /.
Response operator_page(const Request& request, const live::World& world, OperatorMetrics& metrics);

}  // namespace windlass::server::operate
