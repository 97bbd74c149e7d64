#include "live/run/three_way.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/rng.h"

namespace windlass::live {
namespace {

Json json(const char* text) { return Json::parse(text); }

TEST(ThreeWay, KeepsWhatOthersWroteAndWhatIsUnknownHere) {
  const Json seen = json(R"({"metadata":{"labels":{"a":"1"}},
    "spec":{"taints":[{"key":"k","effect":"NoExecute","value":"v"}]}})");
  Json wanted = seen;
  wanted["metadata"]["labels"]["ours"] = "x";
  wanted["spec"]["taints"].push_back({{"key", "ours"}, {"effect", "NoSchedule"}});
  const Json fresh = json(R"({"metadata":{"labels":{"a":"1","theirs":"y"}},
    "spec":{"podCIDR":"10.0.0.0/24","taints":[
      {"key":"k","effect":"NoExecute","value":"v","timeAdded":"2026-01-01T00:00:00Z"},
      {"key":"theirs","effect":"NoSchedule"}]}})");
  EXPECT_EQ(three_way(fresh, seen, wanted), json(R"({
    "metadata":{"labels":{"a":"1","theirs":"y","ours":"x"}},
    "spec":{"podCIDR":"10.0.0.0/24","taints":[
      {"key":"k","effect":"NoExecute","value":"v","timeAdded":"2026-01-01T00:00:00Z"},
      {"key":"ours","effect":"NoSchedule"},{"key":"theirs","effect":"NoSchedule"}]}})"));
}

TEST(ThreeWay, TakesAwayOnlyWhatItSaw) {
  const Json seen = json(R"({"metadata":{"finalizers":["ours","b"],"annotations":{"x":"1"}}})");
  const Json wanted = json(R"({"metadata":{"finalizers":["b"]}})");
  const Json fresh =
      json(R"({"metadata":{"finalizers":["ours","b","c"],"annotations":{"x":"1"}}})");
  EXPECT_EQ(three_way(fresh, seen, wanted), json(R"({"metadata":{"finalizers":["b","c"]}})"));
}

TEST(ThreeWay, AnElementOthersTookAwayStaysAway) {
  const Json seen = json(R"({"l":[{"key":"a","effect":"E"},{"key":"b","effect":"E"}]})");
  const Json wanted =
      json(R"({"l":[{"key":"a","effect":"E"},{"key":"b","effect":"E"},{"key":"c","effect":"E"}]})");
  const Json fresh = json(R"({"l":[{"key":"b","effect":"E"}]})");
  EXPECT_EQ(three_way(fresh, seen, wanted),
            json(R"({"l":[{"key":"b","effect":"E"},{"key":"c","effect":"E"}]})"));
}

TEST(ThreeWay, ConditionsAreTheSameByType) {
  const Json seen = json(R"({"c":[{"type":"Ready","status":"False"}]})");
  const Json wanted = json(R"({"c":[{"type":"Ready","status":"True"}]})");
  const Json fresh =
      json(R"({"c":[{"type":"Ready","status":"False","observedGeneration":3},{"type":"X"}]})");
  EXPECT_EQ(
      three_way(fresh, seen, wanted),
      json(R"({"c":[{"type":"Ready","status":"True","observedGeneration":3},{"type":"X"}]})"));
}

// A random object of maps, lists of named things and scalars.
Json random_object(Rng& rng, int depth) {
  Json out = Json::object();
  for (const char* key : {"a", "b", "c", "d"}) {
    const uint64_t kind = rng.below(depth > 0 ? 5 : 3);
    if (kind == 0) continue;
    if (kind <= 2) {
      out[key] = rng.below(3);
    } else if (kind == 3) {
      out[key] = random_object(rng, depth - 1);
    } else {
      out[key] = Json::array();
      for (const char* name : {"x", "y", "z"}) {
        if (rng.below(2) == 0) out[key].push_back({{"name", name}, {"v", rng.below(3)}});
      }
    }
  }
  return out;
}

TEST(ThreeWay, OnTheSameObjectGivesWhatIsWantedAndThePatchMakesIt) {
  Rng rng(7, "three-way");
  for (int i = 0; i < 3000; ++i) {
    const Json seen = random_object(rng, 3);
    const Json wanted = random_object(rng, 3);
    EXPECT_EQ(three_way(seen, seen, wanted), wanted) << seen << wanted;
    Json patched = seen;
    patched.merge_patch(merge_patch_of(seen, wanted));  // the library's own RFC 7386
    EXPECT_EQ(patched, wanted);
    // Nobody's change to an object one wants as it is.
    const Json fresh = random_object(rng, 3);
    EXPECT_EQ(three_way(fresh, seen, seen), fresh);
  }
}

TEST(ThreeWay, SaysWhetherAPatchReplacesAList) {
  EXPECT_FALSE(replaces_a_list(json(R"({"a":{"b":1}})")));
  EXPECT_TRUE(replaces_a_list(json(R"({"a":{"b":[1]}})")));
}

}  // namespace
}  // namespace windlass::live
