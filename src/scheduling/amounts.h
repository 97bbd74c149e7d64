// Resource amounts as rows of numbers. A solve compares amounts millions of times; inside it every
// resource that a pod or a daemon asks for has a fixed column, and a ResourceList becomes a row.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "api/resources.h"

namespace windlass::scheduling {

using Amounts = std::vector<int64_t>;  // milli-units by column
using AmountsView = std::span<const int64_t>;

class ResourceColumns {
 public:
  // Makes a column of every name that has none.
  void learn(const api::ResourceList& list);

  [[nodiscard]] size_t size() const { return names_.size(); }
  [[nodiscard]] const std::string& name(size_t column) const { return names_[column]; }
  // Names without a column are left out: nobody asks for them.
  [[nodiscard]] Amounts row(const api::ResourceList& list) const;
  [[nodiscard]] api::ResourceList list(AmountsView row) const;

 private:
  std::vector<std::string> names_;  // sorted
};

// a += b, saturating; the rows are of one solve, so of one length.
void add_to(std::span<int64_t> a, AmountsView b);
// a -= b, saturating.
void take_from(std::span<int64_t> a, AmountsView b);
// Whether amounts (>= 0) <= room in every column. A negative room fits nothing, not even zero.
bool fits(AmountsView amounts, AmountsView room);
// Whether a + b fits, without building the sum.
bool sum_fits(AmountsView a, AmountsView b, AmountsView room);
// Any amount of the list is negative: nothing fits there (Karpenter's resources.Fits).
bool overdrawn(const api::ResourceList& list);
// "16" of ("nvidia.com/gpu", 16000): one amount without its name, for reasons.
std::string amount_text(std::string_view name, int64_t milli);

}  // namespace windlass::scheduling
