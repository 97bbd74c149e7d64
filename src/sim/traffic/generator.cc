#include "sim/traffic/generator.h"

#include <algorithm>
#include <cmath>

namespace windlass::sim {
namespace {

// The standard normal distribution's 95 % quantile.
constexpr double kNormalP95 = 1.6448536269514722;

// An exponential gap as whole ns, saturated at what no traffic reaches.
int64_t draw_gap_ns(Rng& rng, double per_ns) {
  constexpr int64_t kEndless = INT64_MAX / 2;
  if (per_ns <= 0) return kEndless;
  const double gap_ns = rng.exponential(per_ns);
  return gap_ns < static_cast<double>(kEndless) ? static_cast<int64_t>(gap_ns + 0.5) : kEndless;
}

}  // namespace

Generator::Generator(const GeneratorSpec& spec, DayShape shape, uint64_t seed, Instant start,
                     Duration length)
    : shape_(std::move(shape)),
      arrivals_(seed, "traffic arrivals"),
      lengths_(seed, "traffic lengths"),
      bursts_(seed, "traffic bursts"),
      start_(start),
      length_ns_(length.ns),
      requests_per_ns_(spec.requests_per_s * 1e-9),
      bursts_per_ns_(spec.bursts_per_h / 3.6e12),
      burst_factor_(spec.burst_factor),
      burst_length_ns_(spec.burst_length.ns),
      input_(lengths(spec.input)),
      output_(lengths(spec.output)) {
  if (!shape_.points.empty()) {
    greatest_factor_ = 0;
    for (const DayShape::Point& point : shape_.points) {
      greatest_factor_ = std::max(greatest_factor_, point.factor);
    }
  }
  next_burst_ns_ = draw_gap_ns(bursts_, bursts_per_ns_);
  change_ns_ = next_burst_ns_;
}

Generator::Lengths Generator::lengths(const LengthSpec& spec) {
  return {std::log(spec.median), std::log(spec.p95 / spec.median) / kNormalP95,
          static_cast<double>(spec.min), static_cast<double>(spec.max)};
}

int32_t Generator::draw(const Lengths& lengths) {
  const double tokens = lengths_.log_normal(lengths.mu, lengths.sigma);
  return static_cast<int32_t>(std::clamp(tokens, lengths.min, lengths.max) + 0.5);
}

void Generator::change_burst() {
  in_burst_ = !in_burst_;
  if (!in_burst_) {
    change_ns_ = next_burst_ns_;
    return;
  }
  // An episode that begins within another prolongs it; the factor doesn't apply twice.
  do {
    change_ns_ = next_burst_ns_ + burst_length_ns_;
    next_burst_ns_ += draw_gap_ns(bursts_, bursts_per_ns_);
  } while (next_burst_ns_ <= change_ns_ && change_ns_ < length_ns_);
}

// Thinning (Lewis and Shedler 1979): candidates come at the highest rate the shape reaches, each is
// kept with the share its own time's rate has of that. Bursts are rare and high, so they change the
// candidates' rate instead; beyond such a change the draw starts anew, as an exponential may.
bool Generator::next(Request& request) {
  while (true) {
    const double factor = in_burst_ ? burst_factor_ : 1;
    const int64_t gap_ns = draw_gap_ns(arrivals_, requests_per_ns_ * greatest_factor_ * factor);
    if (gap_ns >= std::min(change_ns_, length_ns_) - offset_ns_) {
      if (change_ns_ >= length_ns_) {
        offset_ns_ = length_ns_;
        return false;
      }
      offset_ns_ = change_ns_;
      change_burst();
      continue;
    }
    offset_ns_ += gap_ns;
    const Instant arrival = start_ + Duration{offset_ns_};
    if (!shape_.points.empty() &&
        arrivals_.uniform() * greatest_factor_ >= shape_.factor_at(Duration{arrival.ns})) {
      continue;
    }
    request.arrival = arrival;
    request.input_tokens = draw(input_);
    request.output_tokens = draw(output_);
    return true;
  }
}

}  // namespace windlass::sim
