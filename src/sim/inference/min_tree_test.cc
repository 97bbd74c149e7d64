#include "sim/inference/min_tree.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace windlass::sim {
namespace {

TEST(MinTree, EmptyHasNone) { EXPECT_EQ(MinTree{}.min_key(), MinTree::kNone); }

RC_GTEST_PROP(MinTreeProperty, IsWhatALinearScanFinds, ()) {
  MinTree tree;
  std::vector<int64_t> keys;
  const auto steps = *rc::gen::container<std::vector<std::pair<bool, int>>>(
      rc::gen::pair(rc::gen::arbitrary<bool>(), rc::gen::inRange(0, 1000)));
  for (const auto& [adds, number] : steps) {
    const int64_t key = number % 10 == 0 ? MinTree::kNone : number % 10;
    if (adds || keys.empty()) {
      tree.add(key);
      keys.push_back(key);
    } else {
      const size_t slot = static_cast<size_t>(number) % keys.size();
      tree.set(static_cast<uint32_t>(slot), key);
      keys[slot] = key;
    }
    const auto least = std::min_element(keys.begin(), keys.end());
    RC_ASSERT(tree.min_key() == *least);
    if (*least != MinTree::kNone) {
      RC_ASSERT(tree.min_slot() == static_cast<uint32_t>(least - keys.begin()));
    }
  }
}

}  // namespace
}  // namespace windlass::sim
