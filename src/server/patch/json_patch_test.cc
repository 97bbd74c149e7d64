#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <rapidcheck/gtest.h>

#include "server/patch/patch.h"
#include "server/patch/random_json.h"

namespace windlass::server::patch {
namespace {

// The examples of RFC 6902, appendix A, by number. An empty result: the patch is refused, and the
// error holds `error`.
struct Case {
  const char* name;
  const char* object;
  const char* patch;
  const char* result;
  const char* error = "";
};

const Case kAppendix[] = {
    {"A.1 add a member", R"({"foo":"bar"})", R"([{"op":"add","path":"/baz","value":"qux"}])",
     R"({"baz":"qux","foo":"bar"})"},
    {"A.2 add an element", R"({"foo":["bar","baz"]})",
     R"([{"op":"add","path":"/foo/1","value":"qux"}])", R"({"foo":["bar","qux","baz"]})"},
    {"A.3 remove a member", R"({"baz":"qux","foo":"bar"})", R"([{"op":"remove","path":"/baz"}])",
     R"({"foo":"bar"})"},
    {"A.4 remove an element", R"({"foo":["bar","qux","baz"]})",
     R"([{"op":"remove","path":"/foo/1"}])", R"({"foo":["bar","baz"]})"},
    {"A.5 replace a value", R"({"baz":"qux","foo":"bar"})",
     R"([{"op":"replace","path":"/baz","value":"boo"}])", R"({"baz":"boo","foo":"bar"})"},
    {"A.6 move a value", R"({"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}})",
     R"([{"op":"move","from":"/foo/waldo","path":"/qux/thud"}])",
     R"({"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}})"},
    {"A.7 move an element", R"({"foo":["all","grass","cows","eat"]})",
     R"([{"op":"move","from":"/foo/1","path":"/foo/3"}])",
     R"({"foo":["all","cows","eat","grass"]})"},
    {"A.8 test, success", R"({"baz":"qux","foo":["a",2,"c"]})",
     R"([{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}])",
     R"({"baz":"qux","foo":["a",2,"c"]})"},
    {"A.9 test, error", R"({"baz":"qux"})", R"([{"op":"test","path":"/baz","value":"bar"}])", "",
     "operation 0: test \"/baz\""},
    {"A.10 add a nested object", R"({"foo":"bar"})",
     R"([{"op":"add","path":"/child","value":{"grandchild":{}}}])",
     R"({"foo":"bar","child":{"grandchild":{}}})"},
    {"A.11 unknown members are ignored", R"({"foo":"bar"})",
     R"([{"op":"add","path":"/baz","value":"qux","xyz":123}])", R"({"foo":"bar","baz":"qux"})"},
    {"A.12 add to a missing target", R"({"foo":"bar"})",
     R"([{"op":"add","path":"/baz/bat","value":"qux"}])", "", "add \"/baz/bat\""},
    {"A.14 escapes", R"({"/":9,"~1":10})", R"([{"op":"test","path":"/~01","value":10}])",
     R"({"/":9,"~1":10})"},
    {"A.15 strings aren't numbers", R"({"/":9,"~1":10})",
     R"([{"op":"test","path":"/~01","value":"10"}])", "", "test \"/~01\""},
    {"A.16 append", R"({"foo":["bar"]})", R"([{"op":"add","path":"/foo/-","value":["abc","def"]}])",
     R"({"foo":["bar",["abc","def"]]})"},
};

const Case kOthers[] = {
    {"nothing to do", R"({"a":1})", "[]", R"({"a":1})"},
    {"add over a member", R"({"a":1})", R"([{"op":"add","path":"/a","value":2}])", R"({"a":2})"},
    {"add at the end by index", R"({"a":[1]})", R"([{"op":"add","path":"/a/1","value":2}])",
     R"({"a":[1,2]})"},
    {"add beyond the end", R"({"a":[1]})", R"([{"op":"add","path":"/a/2","value":2}])", "",
     "beyond the array's end"},
    {"an index that would overflow", R"({"a":[1]})",
     R"([{"op":"remove","path":"/a/99999999999999999999999999"}])", "", "beyond the array's end"},
    {"leading zero", R"({"a":[1,2]})", R"([{"op":"replace","path":"/a/01","value":3}])", "",
     "is not an array index"},
    {"negative index", R"({"a":[1,2]})", R"([{"op":"remove","path":"/a/-1"}])", "",
     "is not an array index"},
    {"the end is no element", R"({"a":[1,2]})", R"([{"op":"remove","path":"/a/-"}])", "",
     "is not an array index"},
    {"the whole document", R"({"a":1})", R"([{"op":"replace","path":"","value":[1]}])", "[1]"},
    {"the whole document, added", R"({"a":1})", R"([{"op":"add","path":"","value":{"b":2}}])",
     R"({"b":2})"},
    {"the empty key", R"({"":{"":1}})", R"([{"op":"replace","path":"//","value":2}])",
     R"({"":{"":2}})"},
    {"null is a value", R"({"a":1})", R"([{"op":"add","path":"/b","value":null}])",
     R"({"a":1,"b":null})"},
    {"test null", R"({"a":null})", R"([{"op":"test","path":"/a","value":null}])", R"({"a":null})"},
    {"test of objects, any order", R"({"a":{"x":1,"y":[1,2.0]}})",
     R"([{"op":"test","path":"/a","value":{"y":[1.0,2],"x":1}}])", R"({"a":{"x":1,"y":[1,2.0]}})"},
    {"test of what isn't there", "{}", R"([{"op":"test","path":"/a","value":null}])", "",
     "there is no \"a\""},
    {"replace what isn't there", "{}", R"([{"op":"replace","path":"/a","value":1}])", "",
     "there is no \"a\""},
    {"remove what isn't there", "{}", R"([{"op":"remove","path":"/a"}])", "", "there is no \"a\""},
    {"remove twice", R"({"a":1})", R"([{"op":"remove","path":"/a"},{"op":"remove","path":"/a"}])",
     "", "operation 1: remove \"/a\""},
    {"through a scalar", R"({"a":1})", R"([{"op":"add","path":"/a/b","value":1}])", "",
     "a number has no members"},
    {"copy", R"({"a":{"b":[1]}})", R"([{"op":"copy","from":"/a","path":"/a/c"}])",
     R"({"a":{"b":[1],"c":{"b":[1]}}})"},
    {"copy from nothing", R"({"a":1})", R"([{"op":"copy","from":"/b","path":"/c"}])", "",
     "copy \"/c\": from"},
    {"move into itself", R"({"a":{"b":1}})", R"([{"op":"move","from":"/a","path":"/a/c"}])", "",
     "into itself"},
    {"move to itself", R"({"a":1})", R"([{"op":"move","from":"/a","path":"/a"}])", R"({"a":1})"},
    {"move to a sibling with a longer name", R"({"a":1})",
     R"([{"op":"move","from":"/a","path":"/ab"}])", R"({"ab":1})"},
    {"no operation by that name", "{}", R"([{"op":"grow","path":"/a"}])", "", "unknown operation"},
    {"no op", "{}", R"([{"path":"/a"}])", "", "\"op\" is missing"},
    {"no path", "{}", R"([{"op":"remove"}])", "", "\"path\" is missing"},
    {"no value", "{}", R"([{"op":"add","path":"/a"}])", "", "\"value\" is missing"},
    {"no from", "{}", R"([{"op":"move","path":"/a"}])", "", "\"from\" is missing"},
    {"no slash", "{}", R"([{"op":"remove","path":"a"}])", "", "starts with /"},
    {"half an escape", "{}", R"([{"op":"remove","path":"/a~"}])", "", "neither 0 nor 1"},
    {"an operation that is no object", "{}", R"([1])", "", "operation 0: not an object"},
    {"no array", "{}", R"({"op":"remove","path":"/a"})", "", "array of operations"},
};

void check(const Case& c) {
  SCOPED_TRACE(c.name);
  const Result<Json> result = json_patch(Json::parse(c.object), Json::parse(c.patch));
  if (*c.result != '\0') {
    ASSERT_TRUE(result.ok()) << result.error().message();
    EXPECT_EQ(*result, Json::parse(c.result));
  } else {
    ASSERT_FALSE(result.ok()) << result->dump();
    EXPECT_NE(result.error().message().find(c.error), std::string::npos)
        << result.error().message();
  }
}

TEST(JsonPatch, AppendixOfTheRfc) {
  for (const Case& c : kAppendix) check(c);
}

TEST(JsonPatch, OtherCases) {
  for (const Case& c : kOthers) check(c);
}

TEST(JsonPatch, CopiesCannotGrowWithoutBound) {
  // Each copy doubles the document.
  Json operations = Json::array();
  for (int i = 0; i < 60; ++i) {
    operations.push_back({{"op", "copy"}, {"from", ""}, {"path", "/" + std::to_string(i)}});
  }
  const Result<Json> result = json_patch(Json{{"a", "value"}}, operations);
  ASSERT_FALSE(result.ok());
  EXPECT_NE(result.error().message().find("copies more than"), std::string::npos);
}

TEST(JsonPatch, ResultsNestNoDeeperThanDocumentsMay) {
  std::string path;
  Json operations = Json::array();
  for (int i = 0; i < 300; ++i) {
    path += "/a";
    operations.push_back({{"op", "add"}, {"path", path}, {"value", Json::object()}});
  }
  const Result<Json> result = json_patch(Json::object(), operations);
  ASSERT_FALSE(result.ok());
  EXPECT_NE(result.error().message().find("nest more than 256"), std::string::npos);
}

RC_GTEST_PROP(JsonPatch, RemoveUndoesAdd, ()) {
  Json object = *random_json(3);
  if (!object.is_object()) object = Json{{"a", object}};
  object.erase("new");
  const Json value = *random_json(2);
  const Json patch = Json::array({{{"op", "add"}, {"path", "/new"}, {"value", value}},
                                  {{"op", "test"}, {"path", "/new"}, {"value", value}},
                                  {{"op", "remove"}, {"path", "/new"}}});
  const Result<Json> result = json_patch(object, patch);
  RC_ASSERT(result.ok());
  RC_ASSERT(*result == object);
}

// The library's own diff is an independent maker of patches.
RC_GTEST_PROP(JsonPatch, CarriesOutAnyDiff, ()) {
  const Json from = *random_json(4);
  const Json to = *random_json(4);
  const Result<Json> result = json_patch(from, Json::diff(from, to));
  RC_ASSERT(result.ok());
  RC_ASSERT(*result == to);
}

}  // namespace
}  // namespace windlass::server::patch
