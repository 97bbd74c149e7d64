#include "server/observe/model_rates.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace windlass::server::observe {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr Duration kWindow = minutes(1);
constexpr Duration kMarksApart = seconds(5);
// Enough for the ranks asked for; more would only take longer.
constexpr uint64_t kLatenciesMax = 200'000;

}  // namespace

double nearest_rank(std::vector<float>& values, double q) {
  if (values.empty()) return kNan;
  const auto rank = static_cast<size_t>(std::ceil(q * static_cast<double>(values.size())));
  const auto nth = values.begin() + static_cast<ptrdiff_t>(std::max<size_t>(rank, 1) - 1);
  std::nth_element(values.begin(), nth, values.end());
  return *nth;
}

std::span<const float> newest_latencies(const ModelReading& reading, uint64_t count) {
  if (reading.latencies_ms == nullptr) return {};
  const std::span<const float> all(*reading.latencies_ms);
  return all.last(std::min<size_t>(all.size(), std::min(count, kLatenciesMax)));
}

void ModelRates::mark(Instant now, const std::vector<ModelReading>& readings) {
  if (!marks_.empty() && now - marks_.back().at < kMarksApart) return;
  Mark mark{now, {}};
  for (const ModelReading& reading : readings) {
    mark.models.push_back({reading.offered, reading.completed, reading.generated_tokens});
  }
  marks_.push_back(std::move(mark));
  // The newest of those a minute old is the base; older ones are not needed.
  while (marks_.size() > 2 && now - marks_[1].at >= kWindow) marks_.pop_front();
}

std::vector<ModelRate> ModelRates::since_a_minute(Instant now,
                                                  const std::vector<ModelReading>& readings) const {
  std::vector<ModelRate> out(readings.size(), {kNan, kNan, kNan, kNan});
  const Mark* base = nullptr;
  for (const Mark& mark : marks_) {
    const bool usable = mark.at < now && mark.models.size() == readings.size();
    if (usable && (base == nullptr || now - mark.at >= kWindow)) base = &mark;
  }
  if (base == nullptr) return out;
  const double seconds = (now - base->at).seconds();
  for (size_t i = 0; i < readings.size(); ++i) {
    const Counters& then = base->models[i];
    out[i].requests_per_s = static_cast<double>(readings[i].offered - then.offered) / seconds;
    out[i].tokens_per_s = (readings[i].generated_tokens - then.tokens) / seconds;
    const auto newest = newest_latencies(readings[i], readings[i].completed - then.completed);
    std::vector<float> latencies(newest.begin(), newest.end());
    out[i].p50_ms = nearest_rank(latencies, 0.5);
    out[i].p95_ms = nearest_rank(latencies, 0.95);
  }
  return out;
}

}  // namespace windlass::server::observe
