#include "scheduling/amounts.h"

#include <algorithm>
#include <limits>

#include "base/assert.h"

namespace windlass::scheduling {

void ResourceColumns::learn(const api::ResourceList& list) {
  for (const auto& [name, milli] : list) {
    const auto at = std::lower_bound(names_.begin(), names_.end(), name);
    if (at == names_.end() || *at != name) names_.insert(at, name);
  }
}

Amounts ResourceColumns::row(const api::ResourceList& list) const {
  Amounts row(names_.size(), 0);
  // Both are sorted by name.
  size_t column = 0;
  for (const auto& [name, milli] : list) {
    while (column < names_.size() && names_[column] < name) ++column;
    if (column < names_.size() && names_[column] == name) row[column] = milli;
  }
  return row;
}

api::ResourceList ResourceColumns::list(AmountsView row) const {
  api::ResourceList list;
  for (size_t column = 0; column < row.size(); ++column) {
    if (row[column] != 0) list.set(names_[column], row[column]);
  }
  return list;
}

void add_to(std::span<int64_t> a, AmountsView b) {
  WL_ASSERT(a.size() == b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    if (__builtin_add_overflow(a[i], b[i], &a[i])) {
      a[i] = b[i] > 0 ? std::numeric_limits<int64_t>::max() : std::numeric_limits<int64_t>::min();
    }
  }
}

void take_from(std::span<int64_t> a, AmountsView b) {
  WL_ASSERT(a.size() == b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    if (__builtin_sub_overflow(a[i], b[i], &a[i])) {
      a[i] = b[i] < 0 ? std::numeric_limits<int64_t>::max() : std::numeric_limits<int64_t>::min();
    }
  }
}

bool fits(AmountsView amounts, AmountsView room) {
  for (size_t i = 0; i < room.size(); ++i) {
    if (amounts[i] > room[i]) return false;
  }
  return true;
}

bool sum_fits(AmountsView a, AmountsView b, AmountsView room) {
  for (size_t i = 0; i < room.size(); ++i) {
    int64_t sum = 0;
    if (__builtin_add_overflow(a[i], b[i], &sum) || sum > room[i]) return false;
  }
  return true;
}

bool overdrawn(const api::ResourceList& list) {
  return std::ranges::any_of(list, [](const auto& entry) { return entry.second < 0; });
}

std::string amount_text(std::string_view name, int64_t milli) {
  return api::to_string(api::ResourceList{{name, milli}}).substr(name.size() + 1);
}

}  // namespace windlass::scheduling
