#include "scheduling/type_set.h"

#include <algorithm>
#include <iterator>
#include <set>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace windlass::scheduling {
namespace {

std::set<size_t> members(const TypeSet& set) {
  std::set<size_t> out;
  for (size_t i = set.next(0); i != TypeSet::kNone; i = set.next(i + 1)) out.insert(i);
  return out;
}

TEST(TypeSet, FullSetsEndAtTheirSize) {
  for (const size_t size : {0U, 1U, 63U, 64U, 65U, 128U}) {
    const TypeSet full(size, true);
    EXPECT_EQ(full.count(), size);
    EXPECT_EQ(full.any(), size > 0);
    EXPECT_EQ(full.next(size), TypeSet::kNone);
    EXPECT_FALSE(TypeSet(size, false).any());
  }
}

RC_GTEST_PROP(TypeSetLaw, IsASetOfNumbers, ()) {
  const size_t size = *rc::gen::inRange<size_t>(1, 200);
  const auto some = rc::gen::container<std::set<size_t>>(rc::gen::inRange<size_t>(0, size));
  const std::set<size_t> a = *some;
  const std::set<size_t> b = *some;
  TypeSet x(size, false);
  TypeSet y(size, false);
  for (const size_t i : a) x.add(i);
  for (const size_t i : b) y.add(i);
  RC_ASSERT(members(x) == a);
  RC_ASSERT(x.count() == a.size());

  std::set<size_t> both;
  std::ranges::set_intersection(a, b, std::inserter(both, both.end()));
  RC_ASSERT(members(x & y) == both);
  std::set<size_t> walked;
  for (size_t i = x.next_in_both(y, 0); i != TypeSet::kNone; i = x.next_in_both(y, i + 1)) {
    walked.insert(i);
  }
  RC_ASSERT(walked == both);

  std::set<size_t> either = a;
  either.insert(b.begin(), b.end());
  TypeSet united = x;
  united |= y;
  RC_ASSERT(members(united) == either);
  for (const size_t i : a) x.remove(i);
  RC_ASSERT(!x.any());
}

}  // namespace
}  // namespace windlass::scheduling
