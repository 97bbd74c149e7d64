#include "server/schema/cel.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace windlass::server::schema::cel {
namespace {

// The rule's value as JSON text, or "error: ...", or "unsupported: ...".
std::string run(const std::string& rule, const std::string& self = "{}",
                const std::string& old = "") {
  auto program = compile(rule);
  if (!program.ok()) return "unsupported: " + program.error().message();
  int64_t budget = 100'000;
  const Json old_self = old.empty() ? Json() : Json::parse(old);
  auto value = evaluate(*program, Json::parse(self), old.empty() ? nullptr : &old_self, budget);
  return value.ok() ? value->dump() : "error: " + value.error().message();
}

TEST(Cel, Expressions) {
  for (const auto& [rule, expected] : std::vector<std::pair<std::string, std::string>>{
           {"1 + 2 * 3", "7"},
           {"(1 + 2) * 3", "9"},
           {"7 / 2", "3"},
           {"-7 % 3", "-1"},
           {"7.0 / 2.0", "3.5"},
           {"--3", "3"},
           {"!!true", "true"},
           {"1 == 1.0", "true"},
           {"2 > 1.5", "true"},
           {"'a' + \"b\"", "\"ab\""},
           {"r'\\d' + '\\n\\u00e9'", "\"\\\\d\\né\""},
           {"[1, 2] + [3]", "[1,2,3]"},
           {"2 in [1, 2]", "true"},
           {"'k' in {'k': 1}", "true"},
           {"{'k': [1]}['k'][0]", "1"},
           {"true ? 1 : 2", "1"},
           {"false ? 1 : true ? 2 : 3", "2"},
           {"1 < 2 && 2 <= 2 && 3 >= 3 && 'a' < 'b'", "true"},
           {"1 != 2 || 1/0 == 1", "true"},
           {"1/0 == 1 || true", "true"},
           {"1/0 == 1 && false", "false"},
           {"1/0 == 1 && true", "error: division by zero"},
           {"9223372036854775807 + 1", "error: integer overflow"},
           {"null == null", "true"},
           {"'a' == 1", "false"},
           {"'a' < 1", "error: no such overload"},
           {"[1][1]", "error: index out of bounds: 1"},
           {"1 // a comment", "1"}}) {
    EXPECT_EQ(run(rule), expected) << rule;
  }
}

TEST(Cel, FieldsAndMacros) {
  const std::string self = R"({"n":2,"name":"web","list":[1,2,3],"tags":{"a":"1","b":""},
    "items":[{"op":"In","v":["x"]},{"op":"Exists"}],"a-b":1,"namespace":"ns"})";
  for (const auto& [rule, expected] : std::vector<std::pair<std::string, std::string>>{
           {"self.n", "2"},
           {"self.gone", "error: no such key: gone"},
           {"has(self.n) && !has(self.gone)", "true"},
           {"has(self.tags.a)", "true"},
           {"self.tags['a']", "\"1\""},
           {"self.a__dash__b", "1"},
           {"self.__namespace__", "\"ns\""},
           {"size(self.list) == 3 && self.list.size() == 3 && size(self.name) == 3", "true"},
           {"self.list.all(x, x > 0)", "true"},
           {"self.list.exists(x, x == 2)", "true"},
           {"self.list.exists_one(x, x > 1)", "false"},
           {"self.list.filter(x, x > 1).map(y, y * y)", "[4,9]"},
           {"self.list.map(x, x > 1, x + 1)", "[3,4]"},
           {"self.tags.all(k, k != '')", "true"},
           {"self.tags.exists(k, self.tags[k] == '')", "true"},
           {"self.items.all(x, x.op == 'In' ? x.v.size() != 0 : true)", "true"},
           {"self.items.all(x, x.v.size() > 0)", "error: no such key: v"},
           {"self.items.exists(x, x.v.size() > 0)", "true"},
           {"self.list.all(x, self.list.exists(y, y == x))", "true"},
           {"self.list.sum() == 6 && self.list.max() == 3 && self.list.isSorted()", "true"},
           {"self.n.all(x, true)", "error: no such overload"}}) {
    EXPECT_EQ(run(rule, self), expected) << rule;
  }
  EXPECT_EQ(run("self == oldSelf", "1", "1"), "true");
  EXPECT_EQ(run("self.x >= oldSelf.x", R"({"x":1})", R"({"x":2})"), "false");
  EXPECT_TRUE(compile("self == oldSelf")->uses_old_self);
  EXPECT_FALSE(compile("self == 1")->uses_old_self);
}

TEST(Cel, Functions) {
  for (const auto& [rule, expected] : std::vector<std::pair<std::string, std::string>>{
           {"'karpenter.sh/x'.find('^([^/]+)')", "\"karpenter.sh\""},
           {"'abc'.find('z')", "\"\""},
           {"'a1b22'.findAll('[0-9]+')", "[\"1\",\"22\"]"},
           {"'abc'.matches('b')", "true"},
           {"'abc'.matches('^b')", "false"},
           {"'abc'.matches('(')", "error: not a regular expression: ("},
           {"'a@b@c'.split('@')", "[\"a\",\"b\",\"c\"]"},
           {"'a@b@c'.split('@', 2)", "[\"a\",\"b@c\"]"},
           {"'éa'.split('')", "[\"é\",\"a\"]"},
           {"'Ab'.lowerAscii() + 'Ab'.upperAscii()", "\"abAB\""},
           {"' a '.trim()", "\"a\""},
           {"'éab'.substring(1)", "\"ab\""},
           {"'éab'.substring(0, 2)", "\"éa\""},
           {"'éab'.substring(2, 9)", "error: index out of range: 9"},
           {"'éab'.indexOf('b')", "2"},
           {"'aXbXc'.replace('X', '--')", "\"a--b--c\""},
           {"'ab'.charAt(1)", "\"b\""},
           {"['a', 'b'].join('-')", "\"a-b\""},
           {"int('42') + int(2.9)", "44"},
           {"int('x')", "error: not a whole number: \"x\""},
           {"string(3) + string(true)", "\"3true\""},
           {"double('1.5')", "1.5"},
           {"duration('90s') > duration('1m')", "true"},
           {"duration('1m') + duration('30s') == duration('90s')", "true"},
           {"timestamp('2026-01-01T00:00:00Z') + duration('1h') > "
            "timestamp('2026-01-01T00:30:00Z')",
            "true"},
           {"'abc'.startsWith('a') && 'abc'.endsWith('c') && 'abc'.contains('b')", "true"}}) {
    EXPECT_EQ(run(rule), expected) << rule;
  }
}

TEST(Cel, RefusesWhatItDoesNotKnow) {
  for (const char* rule : {"",
                           "1 +",
                           "unknown",
                           "self.",
                           "self.x(",
                           "isURL('a')",
                           "self.format.dns1123Label()",
                           "quantity('1')",
                           "sets.contains([1], [1])",
                           "self.all(x)",
                           "has(self)",
                           "'open",
                           "a b",
                           "self.?x",
                           "0x1F",
                           "[1",
                           "{1: }",
                           "self.all(1, true)",
                           "1 ~ 2",
                           "size()"}) {
    EXPECT_TRUE(run(rule).starts_with("unsupported: ")) << rule << ": " << run(rule);
  }
}

TEST(Cel, WorkAndNestingAreBounded) {
  const std::string list = "[1,2,3,4,5,6,7,8,9,10]";
  std::string rule = "true";
  for (int i = 0; i < 8; ++i) {
    rule = "self.all(x" + std::to_string(i) + ", " + rule + ")";
  }
  EXPECT_EQ(run(rule, list), "error: cost budget exceeded");
  EXPECT_TRUE(run(std::string(5000, '(') + "1" + std::string(5000, ')')).starts_with("unsup"));
  EXPECT_TRUE(run(std::string(5000, '!') + "true").starts_with("unsupported"));
  std::string sum = "1";
  for (int i = 0; i < 5000; ++i) sum += "+1";
  EXPECT_TRUE(run(sum).starts_with("unsupported"));
  std::string doubled = "'aaaaaaaaaaaaaaaa'";
  for (int i = 0; i < 40; ++i) doubled += ".replace('a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')";
  std::string big = "[";
  for (int i = 0; i < 2000; ++i) big += (i == 0 ? "" : ",") + std::to_string(i);
  EXPECT_EQ(run("self.all(x, self == self)", big + "]"), "error: cost budget exceeded");
  EXPECT_EQ(run("self.all(x, self.size() == 2000)", big + "]"), "true");
  EXPECT_TRUE(run(doubled).starts_with("error: ")) << run(doubled).substr(0, 80);
}

}  // namespace
}  // namespace windlass::server::schema::cel
