#include "base/json.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace windlass {
namespace {

std::string error_of(std::string_view text) {
  const auto parsed = parse_json(text);
  return parsed.ok() ? "" : parsed.error().message();
}

TEST(ParseJson, ReadsOneValue) {
  EXPECT_EQ((*parse_json(R"({"b": [1, 2.5, -3], "a": null, "c": "\u00e9"})")).dump(),
            "{\"a\":null,\"b\":[1,2.5,-3],\"c\":\"\xC3\xA9\"}");
  EXPECT_EQ((*parse_json("\xEF\xBB\xBF 7 ")).dump(), "7");
  EXPECT_EQ((*parse_json("18446744073709551615")).dump(), "18446744073709551615");
}

TEST(ParseJson, ErrorsNameLineAndColumn) {
  struct Case {
    const char* text;
    const char* starts;
  };
  for (const Case& c : std::vector<Case>{{"", "line 1, column 1: "},
                                         {"{\n  \"a\": 1,\n  \"b\" 2\n}", "line 3, column 7: "},
                                         {"{\"a\": 1,}", "line 1, column 9: "},
                                         {"[1, 2] 3", "line 1, column 8: "},
                                         {"{'a': 1}", "line 1, column 2: "},
                                         {"[NaN]", "line 1, column 2: "},
                                         {"[01]", "line 1, column 3: "},
                                         {"\"\x01\"", "line 1, column 2: "},
                                         {"\"a\xFF\"", "line 1, column 3: "}}) {
    EXPECT_TRUE(error_of(c.text).starts_with(c.starts)) << c.text << " -> " << error_of(c.text);
  }
}

TEST(ParseJson, NumbersBeyondADoubleAreAnError) {
  EXPECT_NE(error_of("[1e999]").find("overflow"), std::string::npos) << error_of("[1e999]");
}

TEST(ParseJson, NestingIsBounded) {
  const auto nested = [](size_t n) { return std::string(n, '[') + std::string(n, ']'); };
  EXPECT_TRUE(parse_json(nested(256)).ok());
  EXPECT_EQ(error_of(nested(257)), "line 1, column 257: nested more than 256 deep");
  EXPECT_TRUE(error_of(std::string(1 << 20, '[')).starts_with("line 1, column 257: nested"));
  // Brackets in strings don't nest.
  EXPECT_TRUE(parse_json("\"" + std::string(1000, '[') + "\\\"[\"").ok());
}

TEST(ParseJson, MessagesRepeatNothing) {
  for (const char* text : {R"({"password":"hunter2)", R"({"password":"hunter2"x)", "[hunter2]",
                           R"({"password":"hunter2\q"})", R"({"password" "hunter2"})"}) {
    EXPECT_EQ(error_of(text).find("hunter"), std::string::npos) << error_of(text);
    EXPECT_NE(error_of(text).find("syntax error"), std::string::npos) << error_of(text);
  }
}

TEST(ParseJson, MessagesStayShort) {
  EXPECT_LT(error_of("[\"" + std::string(1 << 16, 'x')).size(), 300U);
  EXPECT_LT(error_of(std::string(1 << 16, '9')).size(), 300U);
}

}  // namespace
}  // namespace windlass
