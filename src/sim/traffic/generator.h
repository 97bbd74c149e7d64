// Requests drawn rather than read: a Poisson process whose rate follows the day's shape and bursts,
// with log-normal lengths. Arrivals, lengths and bursts draw from streams of their own, so that
// changing one leaves the others as they were.
#pragma once

#include <cstdint>

#include "base/rng.h"
#include "sim/traffic/traffic.h"

namespace windlass::sim {

class Generator {
 public:
  // `spec` and `shape` as checked by Traffic::open.
  Generator(const GeneratorSpec& spec, DayShape shape, uint64_t seed, Instant start,
            Duration length);

  // The next arrival (its id isn't set); false at the end.
  bool next(Request& request);

 private:
  struct Lengths {
    double mu;
    double sigma;
    double min;
    double max;
  };
  static Lengths lengths(const LengthSpec& spec);
  int32_t draw(const Lengths& lengths);
  // Moves on to the next burst's begin or the present one's end.
  void change_burst();

  DayShape shape_;
  Rng arrivals_;
  Rng lengths_;
  Rng bursts_;
  Instant start_;
  int64_t length_ns_;
  double requests_per_ns_;
  double greatest_factor_ = 1;  // of the shape, over the day
  double bursts_per_ns_;
  double burst_factor_;
  int64_t burst_length_ns_;
  Lengths input_;
  Lengths output_;

  int64_t offset_ns_ = 0;  // since the start
  bool in_burst_ = false;
  int64_t change_ns_ = 0;      // when in_burst_ changes
  int64_t next_burst_ns_ = 0;  // begin of the episode after the present one
};

}  // namespace windlass::sim
