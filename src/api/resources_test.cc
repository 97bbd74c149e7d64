#include "api/resources.h"

#include <limits>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace windlass::api {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

using Model = std::map<std::string, int64_t>;

Model a_model(int64_t low) {
  const auto name = rc::gen::elementOf(
      std::vector<std::string>{"cpu", "memory", "nvidia.com/gpu", "pods", "hugepages-2Mi"});
  const auto entries = *rc::gen::container<std::vector<std::pair<std::string, int64_t>>>(
      rc::gen::pair(name, rc::gen::inRange<int64_t>(low, 9)));
  return {entries.begin(), entries.end()};
}

ResourceList list_of(const Model& model) {
  ResourceList list;
  for (const auto& [name, milli] : model) list.set(name, milli);
  return list;
}

TEST(ResourceList, IsSortedAndKnowsWhatItHas) {
  ResourceList list{{"pods", 1000}, {"cpu", 250}, {"memory", 0}};
  std::string names;
  for (const auto& [name, milli] : list) names += name + " ";
  EXPECT_EQ(names, "cpu memory pods ");
  EXPECT_TRUE(list.has("memory"));
  EXPECT_FALSE(list.has("nvidia.com/gpu"));
  EXPECT_EQ(list.milli("nvidia.com/gpu"), 0);
  list.erase("memory");
  list.erase("absent");
  EXPECT_FALSE(list.has("memory"));
  EXPECT_EQ(list.milli("cpu"), 250);
}

struct FitCase {
  std::string what;
  ResourceList asked;
  ResourceList total;
  bool fits;
};

TEST(ResourceList, FitsAsKarpenterHasIt) {
  const std::vector<FitCase> cases{
      {"nothing in nothing", {}, {}, true},
      {"exactly", {{"cpu", 1000}}, {{"cpu", 1000}}, true},
      {"one milli over", {{"cpu", 1001}}, {{"cpu", 1000}}, false},
      {"absent resource", {{"nvidia.com/gpu", 1000}}, {{"cpu", 1000}}, false},
      {"zero of an absent resource", {{"nvidia.com/gpu", 0}}, {{"cpu", 1000}}, true},
      {"any negative total", {{"cpu", 1}}, {{"cpu", 1000}, {"memory", -1}}, false},
      {"nothing in a negative total", {}, {{"memory", -1}}, false},
  };
  for (const FitCase& c : cases) EXPECT_EQ(c.asked.fits(c.total), c.fits) << c.what;
}

TEST(ResourceList, SumsSaturate) {
  const ResourceList huge{{"memory", kMax - 1}};
  EXPECT_EQ((huge + huge).milli("memory"), kMax);
  EXPECT_EQ((ResourceList{} - huge - huge - huge).milli("memory"),
            std::numeric_limits<int64_t>::min());
}

TEST(ResourceList, CanBeAddedToItself) {
  ResourceList list{{"cpu", 3}};
  list += list;
  EXPECT_EQ(list.milli("cpu"), 6);
  list -= list;
  EXPECT_EQ(list.milli("cpu"), 0);
}

TEST(ResourceList, WholeUnitsRoundUp) {
  EXPECT_EQ(whole_units(0), 0);
  EXPECT_EQ(whole_units(1), 1);
  EXPECT_EQ(whole_units(2000), 2);
  EXPECT_EQ(whole_units(2001), 3);
  EXPECT_EQ(whole_units(-1500), -1);
  EXPECT_EQ(whole_units(kMax), kMax / 1000 + 1);
}

TEST(ResourceList, PrintsQuantities) {
  const int64_t mebibyte_milli = int64_t{1024} * 1024 * 1000;
  EXPECT_EQ(to_string(ResourceList{
                {"cpu", 3920}, {"memory", 14481 * mebibyte_milli}, {"nvidia.com/gpu", 1000}}),
            "cpu 3920m, memory 14481Mi, nvidia.com/gpu 1");
  EXPECT_EQ(to_string(ResourceList{}), "");
}

RC_GTEST_PROP(ResourceListLaw, ArithmeticIsPerName, ()) {
  const Model a = a_model(-9);
  const Model b = a_model(-9);
  const auto at = [](const Model& m, const std::string& name) {
    const auto found = m.find(name);
    return found == m.end() ? 0 : found->second;
  };
  ResourceList raised = list_of(a);
  raised.raise_to(list_of(b));
  bool fits = true;
  Model names = a;
  names.insert(b.begin(), b.end());
  for (const auto& [name, unused] : names) {
    RC_ASSERT((list_of(a) + list_of(b)).milli(name) == at(a, name) + at(b, name));
    RC_ASSERT((list_of(a) - list_of(b)).milli(name) == at(a, name) - at(b, name));
    RC_ASSERT(raised.milli(name) ==
              (b.contains(name) ? std::max(at(a, name), at(b, name)) : at(a, name)));
    fits = fits && at(b, name) >= 0 && (!a.contains(name) || at(a, name) <= at(b, name));
  }
  RC_ASSERT(list_of(a).fits(list_of(b)) == fits);
  RC_ASSERT(list_of(a) + list_of(b) == list_of(b) + list_of(a));
}

RC_GTEST_PROP(ResourceListLaw, OrderOfSettingDoesNotMatter, ()) {
  const Model model = a_model(0);
  ResourceList backwards;
  for (auto at = model.rbegin(); at != model.rend(); ++at) backwards.set(at->first, at->second);
  RC_ASSERT(backwards == list_of(model));
}

}  // namespace
}  // namespace windlass::api
