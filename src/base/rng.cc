#include "base/rng.h"

#include <bit>
#include <cmath>

#include "base/assert.h"
#include "base/hash.h"

namespace windlass {
namespace {

uint64_t splitmix64(uint64_t& x) {
  x += 0x9e3779b97f4a7c15;
  uint64_t z = x;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace

Rng::Rng(uint64_t seed, std::string_view stream) {
  Hash64 hash;
  hash.add(seed);
  hash.add(stream);
  uint64_t x = hash.value();
  for (uint64_t& word : state_) word = splitmix64(x);
}

// xoshiro256**: Blackman and Vigna, "Scrambled Linear Pseudorandom Number Generators".
uint64_t Rng::next() {
  auto& s = state_;
  const uint64_t result = std::rotl(s[1] * 5, 7) * 9;
  const uint64_t t = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = std::rotl(s[3], 45);
  return result;
}

double Rng::uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

uint64_t Rng::below(uint64_t n) {
  WL_ASSERT(n > 0);
  __extension__ using Uint128 = unsigned __int128;
  const uint64_t threshold = (uint64_t{0} - n) % n;
  while (true) {
    const Uint128 product = Uint128{next()} * n;
    if (static_cast<uint64_t>(product) >= threshold) return static_cast<uint64_t>(product >> 64);
  }
}

double Rng::exponential(double rate) {
  WL_ASSERT(rate > 0);
  return -std::log1p(-uniform()) / rate;
}

double Rng::normal() {
  if (has_spare_) {
    has_spare_ = false;
    return spare_normal_;
  }
  while (true) {
    const double u = 2 * uniform() - 1;
    const double v = 2 * uniform() - 1;
    const double s = u * u + v * v;
    if (s >= 1 || s == 0) continue;
    const double factor = std::sqrt(-2 * std::log(s) / s);
    spare_normal_ = v * factor;
    has_spare_ = true;
    return u * factor;
  }
}

double Rng::log_normal(double mu, double sigma) { return std::exp(mu + sigma * normal()); }

}  // namespace windlass
