// Windlass' demand model behind the external scaler: for every scaled object that asks, its signals
// are sampled in equal periods from then on, and the newest decision is the answer. An object that
// nobody asks about for a while is forgotten.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "cluster/observations.h"
#include "live/external/client.h"
#include "live/external/server.h"
#include "net/clock.h"
#include "scaling/trigger_plan.h"

namespace windlass::live::external {

// How a query is asked: signals::MetricSource::ask, or a test's.
using AskMetric =
    std::function<void(const scaling::TriggerPlan&, std::function<void(cluster::QueryAnswer)>)>;

struct DemandScalerOptions {
  Duration period = seconds(15);  // between two samples
  size_t periods = 60;            // remembered
  Duration forget = minutes(10);  // not asked for so long
  size_t most_objects = 10'000;
  double slo_share = 0.9;  // planned for; the rest is for what the model leaves out
};

class DemandScaler {
 public:
  DemandScaler(AskMetric ask, net::Clock& clock, DemandScalerOptions options = {});
  ~DemandScaler();
  // Calls back into this one, which must outlive it.
  [[nodiscard]] Scaler scaler();
  [[nodiscard]] size_t objects() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace windlass::live::external
