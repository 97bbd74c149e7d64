#include "base/text.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/utf8.h"

namespace windlass {
namespace {

using Parts = std::vector<std::string_view>;

TEST(Text, SplitTrimJoin) {
  EXPECT_EQ(split("a,b,,c", ','), (Parts{"a", "b", "", "c"}));
  EXPECT_EQ(split("", ','), (Parts{""}));
  EXPECT_EQ(split(",", ','), (Parts{"", ""}));
  EXPECT_EQ(trim(" \t a b\r\n"), "a b");
  EXPECT_EQ(trim(" \n "), "");
  EXPECT_EQ(join({"a", "b"}, ", "), "a, b");
  EXPECT_EQ(join({}, ", "), "");
}

RC_GTEST_PROP(TextProperty, SplitAndJoinAreInverse, (const std::string& text)) {
  std::vector<std::string> parts;
  for (const std::string_view part : split(text, 'a')) parts.emplace_back(part);
  RC_ASSERT(join(parts, "a") == text);
}

TEST(Text, ParsesWholeNumbersOnly) {
  EXPECT_EQ(*parse_int("-12"), -12);
  EXPECT_EQ(*parse_int("9223372036854775807"), std::numeric_limits<int64_t>::max());
  for (const char* text : {"", "+1", " 1", "1 ", "1.0", "0x1", "9223372036854775808", "-", "1e3"}) {
    EXPECT_FALSE(parse_int(text).ok()) << text;
  }
  EXPECT_DOUBLE_EQ(*parse_double("+1.5e3"), 1500);
  EXPECT_DOUBLE_EQ(*parse_double("-.25"), -0.25);
  for (const char* text :
       {"", "+", " 1", "1 ", "nan", "inf", "-inf", "1e999", "0x1p3", "1,5", "++1"}) {
    EXPECT_FALSE(parse_double(text).ok()) << text;
  }
}

TEST(Text, NearestName) {
  const std::vector<std::string_view> known{"minReplicaCount", "maxReplicaCount", "triggers"};
  EXPECT_EQ(nearest_name("minReplicaCont", known), "minReplicaCount");
  EXPECT_EQ(nearest_name("trigers", known), "triggers");
  EXPECT_EQ(nearest_name("triggers", known), "triggers");
  EXPECT_EQ(nearest_name("cooldown", known), "");
  EXPECT_EQ(nearest_name("x", {}), "");
}

TEST(Text, TablesAlignByCodePoints) {
  EXPECT_EQ(format_table({{"name", "n"}, {"\xC3\xA4", "10"}, {"bcd"}}, {false, true}),
            "name   n\n"
            "\xC3\xA4     10\n"
            "bcd\n");
  EXPECT_EQ(format_table({}, {}), "");
}

TEST(Text, HtmlEscape) {
  EXPECT_EQ(html_escape("<a href='x'>\"&\"</a>"),
            "&lt;a href=&#39;x&#39;&gt;&quot;&amp;&quot;&lt;/a&gt;");
}

TEST(Utf8, FindsTheFirstBadByte) {
  struct Case {
    std::string text;
    size_t at;
  };
  constexpr size_t kFine = std::string_view::npos;
  for (const Case& c : std::vector<Case>{{"", kFine},
                                         {"abc", kFine},
                                         {"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", kFine},
                                         {"a\x80", 1},
                                         {"\xC0\xAF", 0},          // overlong
                                         {"\xE0\x80\xAF", 0},      // overlong
                                         {"\xED\xA0\x80", 0},      // a surrogate
                                         {"\xF4\x90\x80\x80", 0},  // above U+10FFFF
                                         {"ab\xE2\x82", 2},        // cut off
                                         {"\xFF\xFE", 0}}) {
    EXPECT_EQ(invalid_utf8_at(c.text), c.at) << c.text;
  }
}

RC_GTEST_PROP(Utf8Property, PrintableIsAlwaysWellFormedAndShort, (const std::string& text)) {
  const std::string out = printable(text, 10);
  RC_ASSERT(invalid_utf8_at(out) == std::string_view::npos);
  RC_ASSERT(out.size() <= 13U);
  RC_ASSERT(out.find('\n') == std::string::npos);
}

TEST(Utf8, Places) {
  EXPECT_EQ(place_of("ab\ncd\n", 0), "line 1, column 1");
  EXPECT_EQ(place_of("ab\ncd\n", 4), "line 2, column 2");
  EXPECT_EQ(place_of("ab\ncd\n", 99), "line 3, column 1");
}

}  // namespace
}  // namespace windlass
