// Observing beside what is running: nothing is changed, so controllers say the same at every look;
// each decision is told once an hour. What it would save is reckoned: the replicas that would be
// wanted, packed anew onto the pools' cheapest nodes, against the nodes that run.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "controllers/action.h"
#include "controllers/cluster_view.h"
#include "live/run/world.h"
#include "net/clock.h"
#include "net/guard.h"

namespace windlass::live {

class Observer {
 public:
  explicit Observer(const World& world) : world_(world) {}

  // Each period's figures as a decision: object "Cluster", what "summary".
  std::function<void(const controllers::Decision&)> on_summary;

  // Compares every minute (in a cluster so large that this takes long, so seldom that it takes 2 %
  // of a core) and sums up every hour, until destroyed.
  void start(net::Clock& clock);
  void note(const controllers::Action& action);
  // False: the same was told within the hour.
  bool fresh(std::string_view controller, const controllers::Decision& decision, Instant now);
  void compare(Instant now);
  void summarize(Instant now);

 private:
  // Dollars an hour: of the nodes that run, and of a new packing of what would be wanted.
  [[nodiscard]] double running_usd_per_hour() const;
  double wanted_usd_per_hour(Instant now);
  void tick(net::Clock& clock, Duration wait);

  const World& world_;
  controllers::OfferingView offerings_;
  std::map<std::string, int32_t> wanted_;  // replicas by deployment
  std::map<std::string, Instant> told_;
  Instant began_{};  // of the period
  Instant compared_{};
  bool comparing_ = false;
  double running_usd_ = 0, wanted_usd_ = 0;
  double running_rate_ = 0, wanted_rate_ = 0;
  size_t decisions_ = 0;
  size_t unplaced_ = 0;
  net::Guard guard_;
};

}  // namespace windlass::live
