// Random numbers that are the same on every machine: xoshiro256** seeded by splitmix64 and our own
// distributions (the standard library's differ between implementations). One named stream a use, so
// that adding a draw in one place changes nothing elsewhere.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace windlass {

class Rng {
 public:
  // `stream` names the use, e.g. "traffic"; equal (seed, stream) give equal draws.
  Rng(uint64_t seed, std::string_view stream);

  uint64_t next();
  // Uniform in [0, 1), 53 bits.
  double uniform();
  // Uniform in 0..n-1; n > 0. Lemire's multiply-shift with rejection, so unbiased.
  uint64_t below(uint64_t n);
  // Mean 1/rate; rate > 0.
  double exponential(double rate);
  // Standard normal, Marsaglia's polar method.
  double normal();
  // exp(mu + sigma * normal()).
  double log_normal(double mu, double sigma);

 private:
  std::array<uint64_t, 4> state_;
  double spare_normal_ = 0;
  bool has_spare_ = false;
};

}  // namespace windlass
