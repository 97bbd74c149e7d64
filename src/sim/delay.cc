#include "sim/delay.h"

#include <cmath>

namespace windlass::sim {
namespace {

constexpr double kZ95 = 1.6448536269514722;  // the standard normal's 95th percentile

double sigma_of(const Delay& delay) {
  if (delay.median.ns <= 0 || delay.p95 <= delay.median) return 0;
  return std::log(static_cast<double>(delay.p95.ns) / static_cast<double>(delay.median.ns)) / kZ95;
}

}  // namespace

Duration Delay::draw(Rng& rng) const {
  const double sigma = sigma_of(*this);
  if (sigma == 0) return median;
  return from_seconds(rng.log_normal(std::log(median.seconds()), sigma));
}

Duration Delay::mean() const {
  const double sigma = sigma_of(*this);
  return from_seconds(median.seconds() * std::exp(sigma * sigma / 2));
}

}  // namespace windlass::sim
