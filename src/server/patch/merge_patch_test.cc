#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <rapidcheck/gtest.h>

#include "server/patch/patch.h"
#include "server/patch/random_json.h"

namespace windlass::server::patch {
namespace {

TEST(MergePatch, TableOfTheRfc) {
  // RFC 7386, appendix A: original, patch, result.
  const char* const cases[][3] = {
      {R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
      {R"({"a":"b"})", R"({"a":null})", "{}"},
      {R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
      {R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})"},
      {R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
      {R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
      {R"(["a","b"])", R"(["c","d"])", R"(["c","d"])"},
      {R"({"a":"b"})", R"(["c"])", R"(["c"])"},
      {R"({"a":"foo"})", "null", "null"},
      {R"({"a":"foo"})", R"("bar")", R"("bar")"},
      {R"({"e":null})", R"({"a":1})", R"({"e":null,"a":1})"},
      {"[1,2]", R"({"a":"b","c":null})", R"({"a":"b"})"},
      {"{}", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"},
  };
  for (const auto& [original, patch, result] : cases) {
    EXPECT_EQ(merge_patch(Json::parse(original), Json::parse(patch)), Json::parse(result))
        << original << " with " << patch;
  }
}

bool has_null_member(const Json& value) {
  if (!value.is_object()) return false;
  for (const auto& [key, member] : value.items()) {
    if (member.is_null() || has_null_member(member)) return true;
  }
  return false;
}

// A patch that makes `to` of `from`.
Json diff(const Json& from, const Json& to) {
  if (!from.is_object() || !to.is_object()) return to;
  Json patch = Json::object();
  for (const auto& [key, member] : from.items()) {
    if (!to.contains(key)) patch[key] = nullptr;
  }
  for (const auto& [key, member] : to.items()) {
    if (!from.contains(key) || from[key] != member) {
      patch[key] = from.contains(key) ? diff(from[key], member) : member;
    }
  }
  return patch;
}

RC_GTEST_PROP(MergePatch, CarriesOutADiff, ()) {
  const Json from = *random_json(4);
  const Json to = *random_json(4);
  RC_PRE(!has_null_member(to));  // a merge patch can't say null
  RC_ASSERT(merge_patch(from, diff(from, to)) == to);
}

RC_GTEST_PROP(MergePatch, TwiceIsOnce, ()) {
  const Json patch = *random_json(4);
  const Json once = merge_patch(*random_json(4), patch);
  RC_ASSERT(merge_patch(once, patch) == once);
}

}  // namespace
}  // namespace windlass::server::patch
