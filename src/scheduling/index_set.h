// A set of small numbers (nodes or claims of one solve) that grows as they come: one bit each, so
// that "those not ruled out, in order" is a few words to look at and not a list to keep.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace windlass::scheduling {

class IndexSet {
 public:
  static constexpr size_t kNone = SIZE_MAX;

  [[nodiscard]] bool has(size_t i) const { return (word(i / 64) >> (i % 64) & 1) != 0; }
  void add(size_t i) {
    if (i / 64 >= words_.size()) words_.resize(i / 64 + 1, 0);
    words_[i / 64] |= uint64_t{1} << (i % 64);
  }
  void remove(size_t i) {
    if (i / 64 < words_.size()) words_[i / 64] &= ~(uint64_t{1} << (i % 64));
  }
  void clear() { words_ = {}; }

  // 64 numbers at a time; zeros past the end.
  [[nodiscard]] uint64_t word(size_t w) const { return w < words_.size() ? words_[w] : 0; }
  [[nodiscard]] size_t words() const { return words_.size(); }
  // The first number from `from` on, below `end`, that is in neither set; kNone if there is none.
  static size_t next_in_neither(const IndexSet& a, const IndexSet& b, size_t from, size_t end) {
    for (size_t w = from / 64; w * 64 < end; ++w) {
      uint64_t left = ~(a.word(w) | b.word(w));
      if (w == from / 64) left &= ~uint64_t{0} << (from % 64);
      if (left == 0) continue;
      const size_t found = w * 64 + static_cast<size_t>(std::countr_zero(left));
      return found < end ? found : kNone;
    }
    return kNone;
  }

 private:
  std::vector<uint64_t> words_;
};

}  // namespace windlass::scheduling
