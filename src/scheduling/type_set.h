// A set of instance types of one catalogue, by their index there: one bit each, so that the filters
// of a solve are a few ANDs.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/assert.h"

namespace windlass::scheduling {

class TypeSet {
 public:
  static constexpr size_t kNone = SIZE_MAX;

  TypeSet() = default;
  // `size` types, all in or all out.
  TypeSet(size_t size, bool in) : words_((size + 63) / 64, in ? ~uint64_t{0} : 0) {
    // The last word's tail stays clear, so that any() and next() need no size.
    if (in && size % 64 != 0) words_.back() = (uint64_t{1} << (size % 64)) - 1;
  }

  [[nodiscard]] bool has(size_t i) const { return (words_[i / 64] >> (i % 64) & 1) != 0; }
  void add(size_t i) { words_[i / 64] |= uint64_t{1} << (i % 64); }
  void remove(size_t i) { words_[i / 64] &= ~(uint64_t{1} << (i % 64)); }

  TypeSet& operator&=(const TypeSet& other) {
    WL_ASSERT(words_.size() == other.words_.size());
    for (size_t w = 0; w < words_.size(); ++w) words_[w] &= other.words_[w];
    return *this;
  }
  TypeSet& operator-=(const TypeSet& other) {
    WL_ASSERT(words_.size() == other.words_.size());
    for (size_t w = 0; w < words_.size(); ++w) words_[w] &= ~other.words_[w];
    return *this;
  }
  TypeSet& operator|=(const TypeSet& other) {
    WL_ASSERT(words_.size() == other.words_.size());
    for (size_t w = 0; w < words_.size(); ++w) words_[w] |= other.words_[w];
    return *this;
  }

  [[nodiscard]] bool any() const { return next(0) != kNone; }
  [[nodiscard]] size_t count() const {
    size_t bits = 0;
    for (const uint64_t word : words_) bits += static_cast<size_t>(std::popcount(word));
    return bits;
  }
  // The first member at or after `from`, or kNone.
  [[nodiscard]] size_t next(size_t from) const {
    for (size_t w = from / 64; w < words_.size(); ++w) {
      uint64_t word = words_[w];
      if (w == from / 64) word &= ~uint64_t{0} << (from % 64);
      if (word != 0) return w * 64 + static_cast<size_t>(std::countr_zero(word));
    }
    return kNone;
  }
  // The same over the intersection with `other`, without building it.
  [[nodiscard]] size_t next_in_both(const TypeSet& other, size_t from) const {
    for (size_t w = from / 64; w < words_.size(); ++w) {
      uint64_t word = words_[w] & other.words_[w];
      if (w == from / 64) word &= ~uint64_t{0} << (from % 64);
      if (word != 0) return w * 64 + static_cast<size_t>(std::countr_zero(word));
    }
    return kNone;
  }
  bool operator==(const TypeSet&) const = default;

 private:
  std::vector<uint64_t> words_;
};

inline TypeSet operator&(TypeSet a, const TypeSet& b) { return a &= b; }

}  // namespace windlass::scheduling
