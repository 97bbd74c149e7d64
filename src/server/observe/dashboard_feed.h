// The dashboard's data and page: everything under /dashboard and the page's assets. What its
// answers look like is docs/reference/dashboard-data.md. Snapshots are built from the world at most
// once a tick and shared by all clients; elements are immutable, so kept snapshots share what
// didn't change. No clock and no sockets of its own; one thread.
//
// The integrator:
// - lets the world run no further than next_sample() at a time and calls sample() when it is
// reached;
// - calls tick() about once a wall second (updates to streams, kept snapshots);
// - calls note_decision() for every decision (World::on_decision);
// - authenticates before handle(), refuses cross-origin POSTs, and passes what is for the page.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "controllers/action.h"
#include "server/http/exchange.h"
#include "server/observe/sources.h"

namespace windlass::server::observe {

struct FeedOptions {
  Duration sample_period = minutes(1);   // simulated, of the history
  size_t history_points = 20'000;        // beyond: neighbours are merged, by twos
  Duration keep_period = minutes(1);     // simulated, at least this far apart
  size_t kept_bytes = 64 << 20;          // of kept snapshots; beyond: older ones are thinned
  size_t decision_bytes = 16 << 20;      // of decisions kept
  size_t stream_unsent_bytes = 4 << 20;  // a client that lags further is dropped
};

class DashboardFeed {
 public:
  explicit DashboardFeed(Sources sources, FeedOptions options = {});
  ~DashboardFeed();

  // Answers all under /dashboard, the page and its files too; 404 for anything else.
  void handle(const Request& request, const std::shared_ptr<Exchange>& exchange);

  // A decision of this policy, made now.
  void note_decision(std::string_view controller, const controllers::Decision& decision);

  // When the next point of the history is due (simulated), and taking it.
  [[nodiscard]] Instant next_sample() const;
  void sample();
  // Sends what changed to every stream; keeps a snapshot if one is due.
  void tick();

  // For /metrics.
  [[nodiscard]] size_t clients() const;
  [[nodiscard]] size_t kept_snapshots() const;
  [[nodiscard]] size_t kept_bytes() const;

  // The snapshot as /dashboard/snapshot gives it.
  [[nodiscard]] std::string snapshot();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Security headers of every page and data answer: a policy that lets the page load itself only.
std::vector<std::pair<std::string, std::string>> page_headers();

}  // namespace windlass::server::observe
