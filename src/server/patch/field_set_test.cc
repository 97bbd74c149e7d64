#include "server/patch/field_set.h"

#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <rapidcheck/gtest.h>

namespace windlass::server::patch {
namespace {

// The slow and obvious form of a set: its paths, written out.
using Paths = std::set<std::vector<std::string>>;

Paths paths_in(const FieldSet& set, const std::vector<std::string>& prefix = {}) {
  Paths paths;
  if (set.member) paths.insert(prefix);
  for (const auto& [step, child] : set.children) {
    std::vector<std::string> path = prefix;
    path.push_back(step);
    EXPECT_FALSE(child.empty()) << step;
    paths.merge(paths_in(child, path));
  }
  return paths;
}

FieldSet set_of(const Paths& paths) {
  FieldSet set;
  for (const auto& path : paths) {
    FieldSet* at = &set;
    for (const std::string& step : path) at = &at->children[step];
    at->member = true;
  }
  return set;
}

Paths random_paths() {
  const auto step = rc::gen::element<std::string>("f:a", "f:b", "v:1", R"(k:{"name":"x"})", "i:0");
  const auto path = rc::gen::mapcat(rc::gen::inRange(1, 4), [step](int length) {
    return rc::gen::container<std::vector<std::string>>(static_cast<size_t>(length), step);
  });
  return *rc::gen::container<Paths>(path);
}

RC_GTEST_PROP(FieldSet, OperationsAreThoseOfSetsOfPaths, ()) {
  const Paths a = random_paths();
  const Paths b = random_paths();
  Paths either = a;
  either.insert(b.begin(), b.end());
  Paths both;
  Paths only_a;
  for (const auto& path : a) (b.contains(path) ? both : only_a).insert(path);
  RC_ASSERT(paths_in(unite(set_of(a), set_of(b))) == either);
  RC_ASSERT(paths_in(intersect(set_of(a), set_of(b))) == both);
  RC_ASSERT(paths_in(subtract(set_of(a), set_of(b))) == only_a);
}

RC_GTEST_PROP(FieldSet, PrintsAndReadsBack, ()) {
  const FieldSet set = set_of(random_paths());
  const Result<FieldSet> back = parse_fields(to_json(set));
  RC_ASSERT(back.ok());
  RC_ASSERT(*back == set);
}

TEST(FieldSet, ReadsFieldsV1) {
  const Result<FieldSet> set = parse_fields(Json::parse(
      R"({"f:metadata":{"f:labels":{".":{},"f:app":{}}},
          "f:spec":{"f:ports":{"k:{\"protocol\":\"TCP\", \"containerPort\":80.0}":{".":{}}},
                    "f:finalizers":{"v:\"x\"":{}},"f:args":{"i:1":{}},"x:later":{}}})"));
  ASSERT_TRUE(set.ok()) << set.error().message();
  const std::vector<std::string> expected = {".metadata.labels", ".metadata.labels.app",
                                             ".spec.args[1]", R"(.spec.finalizers[="x"])",
                                             R"(.spec.ports[containerPort=80,protocol="TCP"])"};
  EXPECT_EQ(paths_of(*set), expected);
  EXPECT_EQ(to_json(*set).dump(),
            R"({"f:metadata":{"f:labels":{".":{},"f:app":{}}},"f:spec":{"f:args":{"i:1":{}},)"
            R"("f:finalizers":{"v:\"x\"":{}},)"
            R"("f:ports":{"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{}}}})");
}

TEST(FieldSet, RefusesWhatIsNoTree) {
  for (const char* text : {"1", "[]", R"({"f:a":1})", R"({"f:a":{"f:b":null}})", R"({"k:x":{}})",
                           R"({"k:1":{}})", R"({"v:":{}})", R"({"k:{\"a\":1":{}})"}) {
    EXPECT_FALSE(parse_fields(Json::parse(text)).ok()) << text;
  }
}

}  // namespace
}  // namespace windlass::server::patch
