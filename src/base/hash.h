// A rolling 64-bit hash (FNV-1a with a final mix) for run hashes and seeds: equal on every machine
// of one byte order. Not for untrusted keys.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

namespace windlass {

class Hash64 {
 public:
  void add(std::string_view bytes) {
    for (const char c : bytes) step(static_cast<unsigned char>(c));
    step(0xff);  // so that "ab","c" and "a","bc" differ
  }
  void add(uint64_t word) {
    // One multiply a word instead of eight: this runs for every request of a simulation.
    state_ = (state_ ^ word) * 0x9fb21c651e98df25;
    state_ ^= state_ >> 28;
  }
  void add(int64_t word) { add(static_cast<uint64_t>(word)); }
  void add(double number) { add(std::bit_cast<uint64_t>(number)); }

  [[nodiscard]] uint64_t value() const {
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  // 16 lower-case hex digits.
  [[nodiscard]] std::string hex() const;

 private:
  void step(unsigned char byte) { state_ = (state_ ^ byte) * 0x100000001b3; }
  uint64_t state_ = 0xcbf29ce484222325;
};

}  // namespace windlass
