#include "sim/traffic/controlled_traffic.h"

#include <algorithm>
#include <cmath>

#include "base/assert.h"

namespace windlass::sim {
namespace {

// Copies come before the traffic's own next request, but no later than this.
constexpr Duration kGreatestJitter = seconds(60);

bool later(const Request& a, const Request& b) { return a.arrival > b.arrival; }

}  // namespace

ControlledTraffic::ControlledTraffic(Traffic traffic, uint64_t seed)
    : traffic_(std::move(traffic)), rng_(seed, "traffic controls") {
  upcoming_ = traffic_.next();
}

void ControlledTraffic::set_factor(double factor) {
  factor_ = std::isfinite(factor) ? std::clamp(factor, 0.0, kGreatestFactor) : 1;
}

void ControlledTraffic::plan_copies(const Request& request) {
  const double whole = std::floor(factor_);
  auto times = static_cast<int64_t>(whole);
  if (rng_.uniform() < factor_ - whole) ++times;
  const Duration gap =
      upcoming_ ? std::min(upcoming_->arrival - request.arrival, kGreatestJitter) : kGreatestJitter;
  for (int64_t i = 0; i < times; ++i) {
    Request copy = request;
    // The first keeps its own time.
    if (i > 0) {
      copy.arrival.ns += static_cast<int64_t>(rng_.uniform() * static_cast<double>(gap.ns));
    }
    copies_.push_back(copy);
    std::push_heap(copies_.begin(), copies_.end(), later);
  }
}

std::optional<Request> ControlledTraffic::take() {
  const bool copy_is_due =
      !copies_.empty() && (!upcoming_ || copies_.front().arrival.ns < upcoming_->arrival.ns);
  std::optional<Request> taken;
  if (!copy_is_due) {
    WL_ASSERT(upcoming_.has_value());
    const Request request = *upcoming_;
    upcoming_ = traffic_.next();
    if (factor_ == 1) {
      taken = request;
    } else {
      plan_copies(request);
      const bool now = !copies_.empty() && copies_.front().arrival <= request.arrival;
      if (!now) return std::nullopt;
    }
  }
  if (!taken) {
    std::pop_heap(copies_.begin(), copies_.end(), later);
    taken = copies_.back();
    copies_.pop_back();
  }
  taken->id = next_id_++;
  return taken;
}

void ControlledTraffic::skip_until(Instant from) {
  while (upcoming_ && upcoming_->arrival < from) upcoming_ = traffic_.next();
}

const std::optional<Error>& ControlledTraffic::error() const {
  static const std::optional<Error> kNone;
  return next_ns() == INT64_MAX ? traffic_.error() : kNone;
}

}  // namespace windlass::sim
