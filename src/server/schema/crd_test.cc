#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "server/schema/formats.h"
#include "server/schema/schema.h"

namespace windlass::server::schema {
namespace {

// A schema whose spec has this one property "x".
Json schema_of(const std::string& x) {
  Json schema = Json::parse(R"({"type":"object","properties":{"spec":{"type":"object",
    "properties":{}}}})");
  schema["properties"]["spec"]["properties"]["x"] = Json::parse(x);
  return schema;
}
CrdShape shape_of(const std::string& x) {
  auto read = read_crd_schema(schema_of(x));
  EXPECT_TRUE(read.ok()) << x << ": " << (read.ok() ? "" : read.error().message());
  return read.ok() ? std::move(*read) : CrdShape{};
}
const Shape& x_of(const CrdShape& crd) {
  return *crd.root->field("spec")->shape->field("x")->shape;
}

std::vector<std::string> faults_of(const std::string& x, const std::string& value,
                                   const std::string& old = "") {
  const CrdShape crd = shape_of(x);
  const auto object = [](const std::string& text) {
    Json out = Json::object();
    out["spec"]["x"] = Json::parse(text);
    return out;
  };
  const Json before = old.empty() ? Json() : object(old);
  std::vector<std::string> out;
  for (const auto& fault : validate(*crd.root, object(value), old.empty() ? nullptr : &before)) {
    out.push_back(fault.field + ": " + fault.message);
  }
  return out;
}
using Texts = std::vector<std::string>;

TEST(CrdSchema, KindsOfValues) {
  for (const auto& [x, kind] : std::vector<std::pair<std::string, Kind>>{
           {R"({"type":"string"})", Kind::kString},
           {R"({"type":"integer","format":"int32"})", Kind::kInteger},
           {R"({"type":"number"})", Kind::kNumber},
           {R"({"type":"boolean"})", Kind::kBoolean},
           {R"({"x-kubernetes-int-or-string":true})", Kind::kIntOrString},
           {R"({"type":"object"})", Kind::kObject},
           {R"({"type":"object","x-kubernetes-preserve-unknown-fields":true})", Kind::kAny},
           {R"({"x-kubernetes-preserve-unknown-fields":true})", Kind::kAny},
           {R"({"type":"object","additionalProperties":{"type":"string"}})", Kind::kMap},
           {R"({"type":"object","additionalProperties":true})", Kind::kMap},
           {R"({"type":"array","items":{"type":"string"}})", Kind::kList}}) {
    const CrdShape crd = shape_of(x);
    EXPECT_EQ(x_of(crd).kind, kind) << x;
    EXPECT_EQ(*x_of(crd).written, Json::parse(x));
    EXPECT_EQ(crd.root->field("metadata")->shape, object_meta());
  }
  const CrdShape list = shape_of(R"({"type":"array","x-kubernetes-list-type":"map",
    "x-kubernetes-list-map-keys":["k"],"items":{"type":"object","required":["k"],
    "properties":{"k":{"type":"string"}}}})");
  EXPECT_EQ(x_of(list).list_type, ListType::kMap);
  EXPECT_EQ(x_of(list).list_map_keys, Texts{"k"});
  EXPECT_TRUE(x_of(list).element->field("k")->required);
}

TEST(CrdSchema, RefusesWhatIsNotStructural) {
  for (const auto& [x, message] : std::vector<std::pair<std::string, std::string>>{
           {"{}", "properties[spec].properties[x].type: Required value"},
           {R"({"type":"text"})", "properties[x].type: Unsupported value: \"text\""},
           {R"({"type":"array"})", "properties[x].items: Required value"},
           {R"({"type":"object","properties":{"a":{"type":"string"}},
                "additionalProperties":{"type":"string"}})",
            "mutual exclusive"},
           {R"({"type":"string","pattern":"("})", "properties[x].pattern: Invalid value"},
           {R"({"type":"string","anyOf":[{"type":"string"}]})", "anyOf[0].type: Forbidden"},
           {R"({"type":"object","oneOf":[{"properties":{"a":{"default":1}}}]})",
            "oneOf[0].properties[a].default: Forbidden"},
           {R"({"$ref":"#/x","type":"object"})", "$ref: Forbidden"},
           {R"({"type":"array","uniqueItems":true,"items":{"type":"string"}})",
            "uniqueItems: Forbidden"},
           {R"({"type":"array","x-kubernetes-list-type":"map","items":{"type":"object"}})",
            "x-kubernetes-list-map-keys: Required value"},
           {R"({"type":"integer","default":"one"})", "default: "},
           {R"("string")", "a schema is an object"}}) {
    auto read = read_crd_schema(schema_of(x));
    ASSERT_FALSE(read.ok()) << x;
    EXPECT_NE(read.error().message().find(message), std::string::npos) << read.error().message();
  }
  EXPECT_FALSE(read_crd_schema(Json::parse(R"({"type":"string"})")).ok());
  EXPECT_FALSE(read_crd_schema(Json::array()).ok());
}

TEST(CrdSchema, DefaultsAndPruning) {
  const CrdShape crd = shape_of(R"({"type":"object","properties":{
    "a":{"type":"integer","default":1},
    "b":{"type":"object","default":{},"properties":{"c":{"type":"string","default":"c"}}},
    "n":{"type":"string","nullable":true,"default":"d"},
    "list":{"type":"array","items":{"type":"object","properties":{
      "d":{"type":"boolean","default":false}}}},
    "keep":{"type":"object","x-kubernetes-preserve-unknown-fields":true},
    "pod":{"type":"object","x-kubernetes-embedded-resource":true}}})");
  Json object = Json::parse(R"({"apiVersion":"a/v1","kind":"A","metadata":{"name":"n","nmae":1},
    "other":1,"spec":{"x":{"a":null,"n":null,"list":[{},{"d":true,"e":1}],
      "keep":{"any":null},"pod":{"apiVersion":"v1","kind":"Pod","metadata":{},"spec":{}}}}})");
  EXPECT_EQ(unknown_fields(*crd.root, object),
            (Texts{"metadata.nmae", "other", "spec.x.list[1].e", "spec.x.pod.spec"}));
  prune(*crd.root, object);
  apply_defaults(*crd.root, object);
  EXPECT_EQ(object, Json::parse(R"({"apiVersion":"a/v1","kind":"A","metadata":{"name":"n"},
    "spec":{"x":{"a":1,"b":{"c":"c"},"n":null,"list":[{"d":false},{"d":true}],
      "keep":{"any":null},"pod":{"apiVersion":"v1","kind":"Pod","metadata":{}}}}})"));
  EXPECT_EQ(type_fault(*crd.root, Json::parse(R"({"spec":{"x":{"a":"1"}}})")), "");
  EXPECT_NE(type_fault(*crd.root, Json::parse(R"({"metadata":{"name":1}})")), "");
}

TEST(CrdValidation, WordsAndReasons) {
  const std::string map_list = R"({"type":"array","x-kubernetes-list-type":"map",
    "x-kubernetes-list-map-keys":["k"],"items":{"type":"object","properties":{
    "k":{"type":"string"}}}})";
  for (
      const auto& [x, value, faults] : std::vector<std::tuple<std::string, std::string, Texts>>{
          {R"({"type":"integer"})", "1.0", {}},
          {R"({"type":"integer"})",
           R"("1")",
           {R"(spec.x: Invalid value: "string": spec.x in body must be of type integer: "string")"}},
          {R"({"type":"string"})",
           "null",
           {R"(spec.x: Invalid value: "null": spec.x in body must be of type string: "null")"}},
          {R"({"type":"string","nullable":true})", "null", {}},
          {R"({"x-kubernetes-int-or-string":true})",
           "true",
           {"spec.x: Invalid value: \"boolean\": spec.x in body must be of type integer,string: "
            "\"boolean\""}},
          {R"({"type":"string","enum":["b","a"]})",
           R"("c")",
           {R"(spec.x: Unsupported value: "c": supported values: "a", "b")"}},
          {R"({"type":"integer","minimum":1,"maximum":3})",
           "0",
           {"spec.x: Invalid value: 0: spec.x in body should be greater than or equal to 1"}},
          {R"({"type":"integer","maximum":3,"exclusiveMaximum":true})",
           "3",
           {"spec.x: Invalid value: 3: spec.x in body should be less than 3"}},
          {R"({"type":"integer","multipleOf":5})",
           "7",
           {"spec.x: Invalid value: 7: spec.x in body should be a multiple of 5"}},
          {R"({"type":"string","pattern":"^[a-z]+$"})",
           R"("A")",
           {R"(spec.x: Invalid value: "A": spec.x in body should match '^[a-z]+$')"}},
          {R"({"type":"string","maxLength":2})", R"("éé")", {}},
          {R"({"type":"string","maxLength":2})",
           R"("abc")",
           {"spec.x: Too long: may not be more than 2 bytes"}},
          {R"({"type":"string","minLength":1})",
           R"("")",
           {R"(spec.x: Invalid value: "": spec.x in body should be at least 1 chars long)"}},
          {R"({"type":"array","maxItems":1,"items":{"type":"integer"}})",
           "[1,2]",
           {"spec.x: Too many: 2: must have at most 1 items"}},
          {R"({"type":"array","items":{"type":"integer"}})",
           R"([1,"a"])",
           {"spec.x[1]: Invalid value: \"string\": spec.x[1] in body must be of type integer: "
            "\"string\""}},
          {R"({"type":"object","minProperties":1,"additionalProperties":{"type":"integer"}})",
           "{}",
           {R"(spec.x: Invalid value: "object": spec.x in body should have at least 1 properties)"}},
          {R"({"type":"object","required":["a"],"properties":{"a":{"type":"string"}}})",
           "{}",
           {"spec.x.a: Required value"}},
          {R"({"type":"array","x-kubernetes-list-type":"set","items":{"type":"string"}})",
           R"(["a","b","a"])",
           {R"(spec.x[2]: Duplicate value: "a")"}},
          {map_list,
           R"([{"k":"a"},{"k":"b"},{"k":"a"}])",
           {R"(spec.x[2]: Duplicate value: {"k":"a"})"}},
          {R"({"type":"string","format":"date-time"})",
           R"("soon")",
           {R"(spec.x: Invalid value: "soon": spec.x in body must be of type date-time: "soon")"}},
          {R"({"type":"integer","format":"int32"})",
           "3000000000",
           {"spec.x: Invalid value: 3000000000: spec.x in body must be of type int32: "
            "3000000000"}},
          {R"({"type":"object","oneOf":[{"required":["a"]},{"required":["b"]}],
                "properties":{"a":{"type":"string"},"b":{"type":"string"}}})",
           R"({"a":"","b":""})",
           {"spec.x: Invalid value: \"object\": \"spec.x\" must validate one and only one schema "
            "(oneOf). Found 2 valid"}},
          {R"({"type":"string","anyOf":[{"pattern":"^a"},{"maxLength":1}]})",
           R"("bb")",
           {R"(spec.x: Invalid value: "bb": "spec.x" must validate at least one schema (anyOf))"}},
          {R"({"type":"string","not":{"enum":["a"]}})",
           R"("a")",
           {R"(spec.x: Invalid value: "a": "spec.x" must not validate the schema (not))"}},
          {R"({"type":"integer","allOf":[{"minimum":2},{"maximum":5}]})",
           "1",
           {"spec.x: Invalid value: 1: spec.x in body should be greater than or equal to 2"}},
          {R"({"type":"object","x-kubernetes-embedded-resource":true,
                "x-kubernetes-preserve-unknown-fields":true})",
           R"({"kind":"Pod"})",
           {"spec.x.apiVersion: Required value: must not be empty"}}}) {
    EXPECT_EQ(faults_of(x, value), faults) << x << " " << value;
  }
}

TEST(CrdValidation, RulesWithTheirMessages) {
  const auto with_rule = [](const std::string& rule, const std::string& more = "") {
    return R"({"type":"integer","x-kubernetes-validations":[{"rule":")" + rule + "\"" + more +
           "}]}";
  };
  for (const auto& [rule, more, faults] : std::vector<std::tuple<std::string, std::string, Texts>>{
           {"self > 1", "", {}},
           {"self > 5", "", {R"(spec.x: Invalid value: "integer": failed rule: self > 5)"}},
           {"self > 5",
            R"(,"message":"more than five")",
            {R"(spec.x: Invalid value: "integer": more than five)"}},
           {"self > 5",
            R"~(,"messageExpression":"'not ' + string(self)")~",
            {R"(spec.x: Invalid value: "integer": not 3)"}},
           {"self > 5",
            R"(,"message":"m","reason":"FieldValueForbidden")",
            {"spec.x: Forbidden: m"}},
           {"self.gone",
            "",
            {"spec.x: Invalid value: \"integer\": rule evaluation error: no such overload "
             "evaluating rule: failed rule: self.gone"}},
           {"self == oldSelf", "", {}},
           {"isURL(self)", "", {}}}) {
    EXPECT_EQ(faults_of(with_rule(rule, more), "3"), faults) << rule;
  }
  EXPECT_EQ(faults_of(with_rule("self == oldSelf", R"(,"message":"fixed")"), "3", "4"),
            Texts{R"(spec.x: Invalid value: "integer": fixed)"});
  EXPECT_EQ(faults_of(with_rule("self == oldSelf"), "3", "3"), Texts{});
  const CrdShape crd = shape_of(with_rule("isURL(self)"));
  EXPECT_EQ(unsupported_rules(*crd.root),
            Texts{"isURL(self) (the function isURL() with 1 arguments)"});
}

TEST(CrdValidation, OldElementsAreFoundByKey) {
  const std::string x = R"({"type":"array","x-kubernetes-list-type":"map",
    "x-kubernetes-list-map-keys":["k"],"items":{"type":"object","properties":{
    "k":{"type":"string"},"v":{"type":"integer","x-kubernetes-validations":[
      {"rule":"self >= oldSelf"}]}}}})";
  EXPECT_EQ(
      faults_of(x, R"([{"k":"b","v":9},{"k":"a","v":1}])", R"([{"k":"a","v":1},{"k":"b","v":2}])"),
      Texts{});
  EXPECT_EQ(faults_of(x, R"([{"k":"b","v":1}])", R"([{"k":"a","v":1},{"k":"b","v":2}])"),
            Texts{R"(spec.x[0].v: Invalid value: "integer": failed rule: self >= oldSelf)"});
}

TEST(CrdValidation, DeepJunctorsAreNoTrap) {
  std::string x = R"({"minimum":2})";
  for (int i = 0; i < 60; ++i) x = R"({"allOf":[)" + x + "]}";
  x = R"({"type":"integer",)" + x.substr(1);
  EXPECT_EQ(faults_of(x, "1"),
            Texts{"spec.x: Invalid value: 1: spec.x in body should be greater than or equal to 2"});
}

TEST(Formats, Table) {
  for (const auto& [format, good, bad] : std::vector<std::array<std::string, 3>>{
           {"date", "2026-02-28", "2026-02-30"},
           {"duration", "1h30m", "1 hour"},
           {"ipv4", "10.0.0.1", "10.0.0.256"},
           {"ipv6", "2001:db8::1", "2001:db8:::1"},
           {"ipv6", "::", "1::2::3"},
           {"ipv6", "::ffff:10.0.0.1", "1:2:3:4:5:6:7"},
           {"cidr", "10.0.0.0/8", "10.0.0.0/33"},
           {"cidr", "fd00::/64", "fd00::/129"},
           {"uuid", "123e4567-e89b-12d3-a456-426614174000", "123e4567"},
           {"byte", "Zg==", "Zg"}}) {
    EXPECT_TRUE(fits_format(format, good)) << format << good;
    EXPECT_FALSE(fits_format(format, bad)) << format << bad;
  }
  EXPECT_TRUE(fits_format("password", "x"));
  EXPECT_TRUE(fits_format("date", 3));
}

// What is wrong in each of the values when it comes after the one before it.
struct Update {
  const char* schema;
  const char* before;
  const char* after;
  const char* refused;  // a part of the only fault; empty: none
};

TEST(CrdSchema, WhatWasWrongBeforeAndIsUnchangedIsForgiven) {
  const char* numbers = R"({"type":"object","properties":{"a":{"type":"integer","maximum":5},
      "b":{"type":"string","enum":["x"]}},"required":["c"]})";
  const char* by_key = R"({"type":"array","x-kubernetes-list-type":"map",
      "x-kubernetes-list-map-keys":["k"],"items":{"type":"object","properties":{
      "k":{"type":"string"},"v":{"type":"integer","maximum":5}}}})";
  const char* plain = R"({"type":"array","items":{"type":"integer","maximum":5}})";
  const char* any =
      R"({"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"integer"}},
      "anyOf":[{"required":["a"]},{"properties":{"b":{"maximum":5}}}]})";
  const char* rules = R"({"type":"object","properties":{"a":{"type":"integer",
      "x-kubernetes-validations":[{"rule":"self < 5","message":"small"}]},"b":{"type":"integer",
      "x-kubernetes-validations":[{"rule":"self > oldSelf","message":"grows"}]},
      "c":{"type":"integer"}}})";
  const char* set = R"({"type":"object","properties":{"a":{"type":"array","items":{"type":"string"},
      "x-kubernetes-list-type":"set"},"b":{"type":"array","items":{"type":"string"},
      "x-kubernetes-list-type":"set"}}})";
  for (const Update& u : std::vector<Update>{
           {numbers, R"({"a":9,"b":"y","c":1})", R"({"a":9,"b":"y","c":2})", ""},
           {numbers, R"({"a":9,"b":"y","c":1})", R"({"a":8,"b":"y","c":1})", "spec.x.a"},
           {numbers, R"({"a":9,"b":"y","c":1})", R"({"a":9,"b":"z","c":1})", "spec.x.b"},
           {numbers, R"({"a":1,"c":1})", R"({"a":9,"c":1})", "spec.x.a"},
           // What a value lacks is its own fault: forgiven with the whole of it alone.
           {numbers, R"({"a":1})", R"({"a":1})", ""},
           {numbers, R"({"a":1})", R"({"a":2})", "spec.x.c"},
           {numbers, R"(3)", R"(3)", ""},
           {numbers, R"(3)", R"(4)", "spec.x in body must be of type object"},
           {by_key, R"([{"k":"p","v":9},{"k":"q","v":1}])", R"([{"k":"q","v":2},{"k":"p","v":9}])",
            ""},
           {by_key, R"([{"k":"p","v":9}])", R"([{"k":"q","v":9}])", "spec.x[0].v"},
           // Elements of other lists have no past but the list's own.
           {plain, R"([9,1])", R"([9,1])", ""},
           {plain, R"([9,1])", R"([9,2])", "spec.x[0]"},
           {any, R"({"b":9})", R"({"b":9})", ""},
           {any, R"({"b":9})", R"({"b":8})", "anyOf"},
           {rules, R"({"a":9,"c":1})", R"({"a":9,"c":2})", ""},
           {rules, R"({"a":9,"c":1})", R"({"a":8,"c":1})", "small"},
           {rules, R"({"b":1,"c":1})", R"({"b":1,"c":2})", "grows"},
           {rules, R"({"b":1,"c":1})", R"({"b":1,"c":1})", "grows"},
           {set, R"({"a":["p","p"]})", R"({"a":["p","p"],"b":["q"]})", ""},
           {set, R"({"a":["p","p"]})", R"({"a":["p"],"b":["q","q"]})", ""},
           {set, R"({"a":["p"]})", R"({"a":["p","p"]})", "Duplicate value"}}) {
    const Texts found = faults_of(u.schema, u.after, u.before);
    const std::string shown = std::string(u.schema) + u.before + u.after;
    ASSERT_EQ(found.size(), u.refused[0] == '\0' ? 0u : 1u) << shown;
    if (!found.empty()) EXPECT_NE(found[0].find(u.refused), std::string::npos) << found[0];
    // As a new object it is refused all the same, but for rules about the change.
    if (std::string_view(u.refused) != "grows")
      EXPECT_FALSE(faults_of(u.schema, u.after).empty()) << shown;
  }
}

TEST(CrdSchema, WhatAnEmbeddedObjectLacksIsNeverForgiven) {
  const char* x = R"({"type":"object","x-kubernetes-embedded-resource":true,
      "x-kubernetes-preserve-unknown-fields":true})";
  EXPECT_EQ(faults_of(x, R"({"kind":"K"})", R"({"kind":"K"})"),
            Texts{"spec.x.apiVersion: Required value: must not be empty"});
}

}  // namespace
}  // namespace windlass::server::schema
