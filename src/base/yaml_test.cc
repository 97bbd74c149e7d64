#include "base/yaml.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <rapidcheck/gtest.h>

#include "base/json.h"

namespace windlass {
namespace {

// The documents as JSON, one a line, or the error.
std::string read(std::string_view text) {
  const auto parsed = parse_yaml(text);
  if (!parsed.ok()) return "error: " + parsed.error().message();
  std::string out;
  for (const YamlDocument& document : *parsed) out += document.value->dump() + "\n";
  return out;
}

struct ScalarCase {
  const char* yaml;
  const char* json;
};

// What go-yaml v2 makes of scalars on the way into Kubernetes.
TEST(Yaml, ScalarsHaveKubernetesTypes) {
  const std::vector<ScalarCase> cases{
      {"y", "true"},
      {"Y", "true"},
      {"yes", "true"},
      {"Yes", "true"},
      {"YES", "true"},
      {"on", "true"},
      {"On", "true"},
      {"ON", "true"},
      {"true", "true"},
      {"True", "true"},
      {"TRUE", "true"},
      {"n", "false"},
      {"N", "false"},
      {"no", "false"},
      {"No", "false"},
      {"NO", "false"},
      {"off", "false"},
      {"OFF", "false"},
      {"false", "false"},
      {"yEs", "\"yEs\""},
      {"tRUE", "\"tRUE\""},
      {"'yes'", "\"yes\""},
      {"\"on\"", "\"on\""},
      {"", "null"},
      {"~", "null"},
      {"null", "null"},
      {"Null", "null"},
      {"NULL", "null"},
      {"'null'", "\"null\""},
      {"''", "\"\""},
      {"nil", "\"nil\""},
      {"0", "0"},
      {"12", "12"},
      {"-7", "-7"},
      {"+7", "7"},
      {"1_000", "1000"},
      {"0x1F", "31"},
      {"0X1f", "31"},
      {"-0x10", "-16"},
      {"0o17", "15"},
      {"017", "15"},
      {"0b101", "5"},
      {"-0b11", "-3"},
      {"00", "0"},
      {"08", "8"},
      {"0x", "\"0x\""},
      {"0xZZ", "\"0xZZ\""},
      {"9223372036854775807", "9223372036854775807"},
      {"18446744073709551615", "18446744073709551615"},
      {"-9223372036854775808", "-9223372036854775808"},
      {"18446744073709551616", "1.8446744073709552e+19"},
      {"1.5", "1.5"},
      {"-.5", "-0.5"},
      {".5", "0.5"},
      {"1.", "1"},
      {"8.0", "8"},
      {"1e3", "1000"},
      {"1E+3", "1000"},
      {"2.5e-1", "0.25"},
      {"12e400", "\"12e400\""},
      {"1e", "\"1e\""},
      {".", "\".\""},
      {"-", "[null]"},
      {"1.2.3", "\"1.2.3\""},
      {"1:30", "\"1:30\""},
      {"2026-03-01", "\"2026-03-01\""},
      {"2026-03-01T00:00:00Z", "\"2026-03-01T00:00:00Z\""},
      {"10%", "\"10%\""},
      {"5m", "\"5m\""},
      {"1Gi", "\"1Gi\""},
      {"_1", "\"_1\""},
      {"!!str 5", "\"5\""},
      {"!!int '5'", "5"},
      {"!!float 5", "5"},
      {"!!bool 'yes'", "true"},
      {"!!null x", "null"},
      {"!foo 5", "\"5\""},
      {"\"a\\u00e9\\n\"", "\"a\xC3\xA9\\n\""},
      {"'it''s'", "\"it's\""},
  };
  for (const auto& c : cases) {
    const std::string text =
        c.yaml == std::string_view("-") ? "v:\n- \n" : "v: " + std::string(c.yaml);
    EXPECT_EQ(read(text), "{\"v\":" + std::string(c.json) + "}\n") << c.yaml;
  }
}

TEST(Yaml, ScalarsThatHaveNoJsonFormAreErrors) {
  for (const char* text : {".nan", ".NaN", ".inf", "-.inf", "+.Inf", "!!int x", "!!bool 5",
                           "!!binary aGk=", "!!float x"}) {
    EXPECT_TRUE(read("a: 1\nv: " + std::string(text)).starts_with("error: line 2, column "))
        << text;
  }
}

TEST(Yaml, KeysAreSpelledAsKubernetesDoes) {
  EXPECT_EQ(read("1: a\ntrue: b\n1.5: c\n'2': d\n0x10: e\n"),
            "{\"1\":\"a\",\"1.5\":\"c\",\"16\":\"e\",\"2\":\"d\",\"true\":\"b\"}\n");
  EXPECT_TRUE(read("~: x").starts_with("error: line 1, column 1: a key that is null"));
  EXPECT_TRUE(read("[a]: x").starts_with("error: line 1, column 1: a key that is no text"));
  EXPECT_TRUE(read("{a: 1}: x").starts_with("error: line 1, column 1: a key that is no text"));
}

TEST(Yaml, DuplicateKeysAreErrorsWithTheirLine) {
  EXPECT_EQ(read("a: 1\nb: 2\na: 3\n"), "error: line 3, column 1: the key \"a\" is there twice");
  EXPECT_EQ(read("{\"a\": 1, \"a\": 2}"), "error: line 1, column 10: the key \"a\" is there twice");
  EXPECT_EQ(read("1: a\n'1': b"), "error: line 2, column 1: the key \"1\" is there twice");
}

TEST(Yaml, AnchorsAndMergeKeys) {
  EXPECT_EQ(read("a: &x {k: 1, l: 2}\nb: *x\nc: {<<: *x, l: 3}\n"),
            R"({"a":{"k":1,"l":2},"b":{"k":1,"l":2},"c":{"k":1,"l":3}})"
            "\n");
  EXPECT_EQ(read("a: &x {k: 1}\nb: &y {k: 2, m: 5}\nc: {<<: [*x, *y]}\n"),
            R"({"a":{"k":1},"b":{"k":2,"m":5},"c":{"k":1,"m":5}})"
            "\n");
  EXPECT_EQ(read("'<<': 1"), "{\"<<\":1}\n");
  EXPECT_TRUE(read("a: &x [*x]").starts_with("error: line 1, column 8: an anchor that contains"));
  EXPECT_TRUE(read("a: *x").starts_with("error: line 1, column 4: "));
  EXPECT_TRUE(read("a: {<<: 5}").starts_with("error: line 1, column "));
  EXPECT_TRUE(read("a: {<<: [5]}").starts_with("error: line 1, column "));
}

TEST(Yaml, AliasBombsAreRefused) {
  std::string laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string former = "*a" + std::to_string(i - 1);
    laughs += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) laughs += former + (j < 9 ? ", " : "]\n");
  }
  EXPECT_NE(read(laughs).find("aliases repeat more than 4 MiB"), std::string::npos);

  std::string big = "a: &a \"" + std::string(1 << 19, 'x') + "\"\nb:\n";
  for (int i = 0; i < 100; ++i) big += "- *a\n";
  EXPECT_NE(read(big).find("aliases repeat more than 4 MiB"), std::string::npos);

  std::string keys = "a: &a {\"" + std::string(1000, 'k') + "\": 1}\nb:\n";
  for (int i = 0; i < 20'000; ++i) keys += "- *a\n";
  EXPECT_NE(read(keys).find("aliases repeat more than 4 MiB"), std::string::npos);

  std::string chain = "- &a0 [x]\n";
  for (int i = 1; i < 1000; ++i) {
    chain += "- &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) + "]\n";
  }
  EXPECT_NE(read(chain).find("nested more than 256 deep"), std::string::npos);
}

TEST(Yaml, NestingIsBounded) {
  const auto nested = [](size_t n) { return std::string(n, '[') + std::string(n, ']'); };
  EXPECT_EQ(read(nested(256)), nested(256) + "\n");
  EXPECT_NE(read(nested(257)).find("nested more than 256 deep"), std::string::npos);
  std::string indented;
  for (size_t i = 0; i < 300; ++i) indented += std::string(i, ' ') + "a:\n";
  EXPECT_NE(read(indented).find("nested more than 256 deep"), std::string::npos);
}

TEST(Yaml, StreamsOfDocuments) {
  EXPECT_EQ(read(""), "");
  EXPECT_EQ(read("# only\n  # comments\n"), "");
  EXPECT_EQ(read("---\n---\n...\n---\n"), "");
  EXPECT_EQ(read("a: 1\n---\nb: 2\n"), "{\"a\":1}\n{\"b\":2}\n");
  EXPECT_EQ(read("--- # first\na: 1\n...\n# between\n---   \n\nb: 2\n---\n"),
            "{\"a\":1}\n{\"b\":2}\n");
  EXPECT_EQ(read("%YAML 1.1\n---\na: 1\n"), "{\"a\":1}\n");
  EXPECT_EQ(read("--- {a: 1}\n--- [b]\n"), "{\"a\":1}\n[\"b\"]\n");
  EXPECT_EQ(read("a: |\n  ---\n  x\n"), "{\"a\":\"---\\nx\\n\"}\n");
  const auto documents = parse_yaml("\n\na: 1\n---\n# c\nb: 2\n");
  ASSERT_EQ(documents->size(), 2U);
  EXPECT_EQ((*documents)[0].line, 3);
  EXPECT_EQ((*documents)[1].line, 6);
}

TEST(Yaml, LineBreaksOfEveryKind) {
  EXPECT_EQ(read("a: 1\r\nb: |\r\n  x\r\n  y\r\n---\r\nc: 2\r\n"),
            "{\"a\":1,\"b\":\"x\\ny\\n\"}\n{\"c\":2}\n");
  EXPECT_EQ(read("a: 1\rb: 2\r"), "{\"a\":1,\"b\":2}\n");
  EXPECT_EQ(read("\xEF\xBB\xBF"
                 "a: 1\n"),
            "{\"a\":1}\n");
}

TEST(Yaml, JsonIsReadToo) {
  EXPECT_EQ(read("{\n\t\"a\":\t1,\n\t\"b\": \"\\ud83d\\ude00\"\n}\n"),
            "{\"a\":1,\"b\":\"\xF0\x9F\x98\x80\"}\n");
  EXPECT_EQ(read("{\"a\": {\"b\": [1, true, null, \"x/y\\/z\"]}}"),
            "{\"a\":{\"b\":[1,true,null,\"x/y/z\"]}}\n");
}

TEST(Yaml, SyntaxErrorsNameLineAndColumn) {
  struct Case {
    const char* text;
    const char* starts;
  };
  for (const Case& c : std::vector<Case>{{"a: b\n c: d\n", "error: line 2, column 3: "},
                                         {"a:\n\tb: 1\n", "error: line 2, column 3: "},
                                         {"a: 1\n]\n", "error: line 2, column 1: "},
                                         {"a: [1,\nb: 2\n", "error: line "},
                                         {"a: \"x\nb: 1\n", "error: line 3, column "},
                                         {"a: 'x\n\n", "error: line 3, column "},
                                         {"a: 1\n- b\n", "error: line 2, column 1: "},
                                         {"a: b: c\n", "error: line 1, column 5: "},
                                         {"[] []\n", "error: line 1, column 4: more behind"},
                                         {"a: \x01\n", "error: line 1, column 4: a control"},
                                         {"x: y\na: \xFF\n", "error: line 2, column 4: not UTF-8"},
                                         {"a: \x04 b\n", "error: line 1, column 4: a control"}}) {
    EXPECT_TRUE(read(c.text).starts_with(c.starts)) << c.text << " -> " << read(c.text);
  }
  EXPECT_TRUE(read(std::string_view("a: \0b", 5)).starts_with("error: line 1, column 4: "));
}

TEST(Yaml, OneBadDocumentDoesNotHideTheOthers) {
  const YamlStream stream("a: 1\n---\nb: [\n---\nc: 3\n---\nd: 1\nd: 2\n---\ne: 5\n");
  ASSERT_EQ(stream.documents().size(), 3U);
  EXPECT_EQ(stream.documents()[1].value->dump(), "{\"c\":3}");
  EXPECT_EQ(stream.documents()[2].value->dump(), "{\"e\":5}");
  ASSERT_EQ(stream.problems().size(), 2U);
  EXPECT_EQ(stream.problems()[1].line, 8);
}

TEST(Yaml, FindsLines) {
  constexpr std::string_view kText =
      "spec:\n"
      "  limits:\n"
      "    cpu: 1\n"
      "    nvidia.com/gpu:\n"
      "      2\n"
      "  triggers:\n"
      "  - type: a\n"
      "  - type: b\n"
      "    metadata: {threshold: 5}\n"
      "---\n"
      "spec: &s\n"
      "  a.b: 1\n"
      "  a:\n"
      "    c: 2\n"
      "copy: *s\n";
  struct Case {
    size_t document;
    const char* path;
    int line;
    int nearest;
  };
  for (const Case& c : std::vector<Case>{{0, "spec", 1, 1},
                                         {0, "spec.limits.cpu", 3, 3},
                                         {0, "spec.limits[cpu]", 3, 3},
                                         {0, "spec.limits.nvidia.com/gpu", 4, 4},
                                         {0, "spec.limits[nvidia.com/gpu]", 4, 4},
                                         {0, "spec.triggers[1]", 8, 8},
                                         {0, "spec.triggers[1].metadata.threshold", 9, 9},
                                         {0, "spec.triggers[2].type", 0, 6},
                                         {0, "spec.triggers[x]", 0, 6},
                                         {0, "spec.triggers[1", 0, 6},
                                         {0, "spec.triggers[-1]", 0, 6},
                                         {0, "spec.nothing.here", 0, 1},
                                         {0, "", 1, 1},
                                         {1, "spec.a.b", 12, 12},
                                         {1, "spec.a.c", 14, 14},
                                         {1, "copy.a.c", 14, 14},
                                         {2, "spec", 0, 0}}) {
    EXPECT_EQ(yaml_line_of(kText, c.document, c.path), c.line) << c.path;
    EXPECT_EQ(YamlStream(kText).nearest_line(c.document, c.path), c.nearest) << c.path;
  }
}

// What the JSON library writes is YAML, and means the same.
rc::Gen<Json> gen_json(int depth);
rc::Gen<Json> gen_scalar() {
  return rc::gen::oneOf(
      rc::gen::map(rc::gen::arbitrary<bool>(), [](bool b) { return Json(b); }),
      rc::gen::map(rc::gen::arbitrary<int64_t>(), [](int64_t n) { return Json(n); }),
      rc::gen::map(rc::gen::string<std::string>(),
                   [](std::string s) {
                     for (char& c : s)
                       c = static_cast<char>(0x20 + static_cast<unsigned char>(c) % 0x5F);
                     return Json(s);
                   }),
      rc::gen::just(Json()));
}
rc::Gen<Json> gen_json(int depth) {
  if (depth == 0) return gen_scalar();
  const auto list =
      rc::gen::map(rc::gen::resize(4, rc::gen::container<std::vector<Json>>(
                                          rc::gen::lazy([=] { return gen_json(depth - 1); }))),
                   [](const std::vector<Json>& items) { return Json(items); });
  const auto map =
      rc::gen::map(rc::gen::resize(4, rc::gen::container<std::vector<Json>>(
                                          rc::gen::lazy([=] { return gen_json(depth - 1); }))),
                   [](const std::vector<Json>& items) {
                     Json out = Json::object();
                     for (size_t i = 0; i < items.size(); ++i)
                       out["k" + std::to_string(i)] = items[i];
                     return out;
                   });
  return rc::gen::oneOf(gen_scalar(), list, map);
}
RC_GTEST_PROP(YamlProperty, JsonTextsMeanTheSame, ()) {
  Json value = Json::object();
  value["root"] = *gen_json(3);
  for (const int indent : {-1, 2}) {
    const auto parsed = parse_yaml(value.dump(indent));
    RC_ASSERT(parsed.ok());
    RC_ASSERT(parsed->size() == 1U);
    RC_ASSERT(*parsed->front().value == value);
  }
}

RC_GTEST_PROP(YamlProperty, AnyTextIsReadOrRefused, (const std::vector<uint8_t>& picks)) {
  static constexpr std::string_view kPieces[] = {
      "a",  ":", " ", "\n", "- ",    "[",  "]", "{",      "}",    "&x ", "*x", "'",
      "\"", "|", ">", "#",  "---\n", "? ", ",", "!!str ", "<<: ", "\t",  "1",  "  "};
  std::string text;
  for (const uint8_t pick : picks) text += kPieces[pick % std::size(kPieces)];
  const YamlStream stream(text);
  for (size_t i = 0; i < stream.documents().size(); ++i) {
    RC_ASSERT(stream.documents()[i].value != nullptr);
    RC_ASSERT(stream.nearest_line(i, "a[0].a") >= 1);
  }
}

}  // namespace
}  // namespace windlass
