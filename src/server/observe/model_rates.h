// What models did in the last minute, from their counters: marks are set now and then, and rates
// are over the time since the newest mark that is at least a minute old.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "server/observe/sources.h"

namespace windlass::server::observe {

struct ModelRate {
  double requests_per_s = 0;
  double tokens_per_s = 0;
  double p50_ms = 0, p95_ms = 0;  // NaN: nothing completed
};

// Nearest rank, as the results table has it; NaN of nothing. Reorders the values.
double nearest_rank(std::vector<float>& values, double q);
// The newest `count` latencies, or all that are there.
std::span<const float> newest_latencies(const ModelReading& reading, uint64_t count);

class ModelRates {
 public:
  // Marks that fall within a few seconds of the last one are left out.
  void mark(Instant now, const std::vector<ModelReading>& readings);
  // One a model; all NaN before there is any mark with time since it.
  [[nodiscard]] std::vector<ModelRate> since_a_minute(
      Instant now, const std::vector<ModelReading>& readings) const;

 private:
  struct Counters {
    uint64_t offered = 0, completed = 0;
    double tokens = 0;
  };
  struct Mark {
    Instant at{};
    std::vector<Counters> models;
  };
  std::deque<Mark> marks_;
};

}  // namespace windlass::server::observe
