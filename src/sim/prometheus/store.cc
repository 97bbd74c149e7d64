#include "sim/prometheus/store.h"

#include <algorithm>
#include <bit>

namespace windlass::sim::prometheus {
namespace {

// Prometheus' own marker (model/value in its source): a NaN whose payload no arithmetic produces.
constexpr uint64_t kStaleBits = 0x7ff0000000000002;
constexpr int64_t kNsPerMs = 1'000'000;

void trim(std::deque<Sample>& samples, Duration retention) {
  const int64_t oldest_ms = samples.back().t_ms - retention.ns / kNsPerMs;
  while (samples.front().t_ms < oldest_ms) samples.pop_front();
}

}  // namespace

bool is_stale(double value) { return std::bit_cast<uint64_t>(value) == kStaleBits; }

SeriesId Store::series(const Labels& labels) {
  // An empty label is an absent one; kept, it would make two series of one.
  const auto is_empty = [](const auto& label) { return label.second.empty(); };
  if (std::ranges::any_of(labels, is_empty)) {
    Labels filled = labels;
    std::erase_if(filled, is_empty);
    return series(filled);
  }
  const auto [at, added] = by_labels_.try_emplace(labels, static_cast<SeriesId>(series_.size()));
  if (added) {
    series_.push_back({labels, {}});
    const auto name = labels.find("__name__");
    if (name != labels.end()) by_name_[name->second].push_back(at->second);
  }
  return at->second;
}

void Store::append(SeriesId id, Instant t, double value) {
  std::deque<Sample>& samples = series_[id].samples;
  const int64_t t_ms = t.ns / kNsPerMs;
  if (!samples.empty() && t_ms <= samples.back().t_ms) return;
  samples.push_back({t_ms, value});
  trim(samples, retention_);
}

void Store::mark_stale(SeriesId id, Instant t) {
  std::deque<Sample>& samples = series_[id].samples;
  if (samples.empty() || is_stale(samples.back().value)) return;
  const int64_t t_ms = t.ns / kNsPerMs;
  if (t_ms < samples.back().t_ms) return;
  // A target may vanish in the millisecond of its last scrape. The marker then takes that sample's
  // place: were it dropped as too old, the series would stay visible for the look-back of 5 min.
  if (t_ms == samples.back().t_ms) {
    samples.back().value = std::bit_cast<double>(kStaleBits);
    return;
  }
  samples.push_back({t_ms, std::bit_cast<double>(kStaleBits)});
  trim(samples, retention_);
}

const std::vector<SeriesId>& Store::named(const std::string& name) const {
  static const std::vector<SeriesId> kNone;
  const auto at = by_name_.find(name);
  return at == by_name_.end() ? kNone : at->second;
}

}  // namespace windlass::sim::prometheus
