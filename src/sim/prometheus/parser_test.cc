// What parses, what does not, and what the refusal says. That both agree with Prometheus on these
// is promql_peer's to show; here it is the wording, the limits and the reading of literals.
#include <cmath>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "sim/prometheus/ast.h"
#include "sim/prometheus/lexer.h"

namespace windlass::sim::prometheus {
namespace {

std::string refusal(std::string_view query) {
  const auto parsed = parse_promql(query);
  return parsed ? "accepted" : parsed.error().message();
}

TEST(Parser, AcceptsWhatAutoscalersAsk) {
  for (const char* query : {
           "sum(vllm:num_requests_waiting{namespace=\"prod\"})",
           "histogram_quantile(0.95, sum(rate(http_latency_seconds_bucket[2m])) by (le))",
           "sum by (pod) (rate(x_total{code=~\"5..\"}[1h30m] offset 5m)) / on (pod) y > bool 0.05",
           "avg_over_time(DCGM_FI_DEV_GPU_UTIL{gpu!~\"[01]\",}[1m])",
           "sum(a) or vector(0) # none yet", "clamp_min(sum(a) without (pod,) - 5, 0)",
           "max(up)by(pod)", "sum", "by", "offset", "start", "and + or",  // metrics may be named so
       }) {
    EXPECT_EQ(refusal(query), "accepted") << query;
  }
}

TEST(Parser, RefusesByNameWhatIsOutside) {
  struct Case {
    const char* query;
    const char* begins;
  };
  for (const auto& [query, begins] : std::initializer_list<Case>{
           {"deriv(a[5m])", "column 1: not in the subset: the function `deriv` (accepted: abs, "},
           {"1 + derivv(a)", "column 5: unknown function `derivv` (accepted: abs, absent, "},
           {"ratee(a[5m])", "column 1: unknown function `ratee`; did you mean rate? (accepted: "},
           {"RATE(a[5m])", "column 1: unknown function `RATE`; did you mean rate? (accepted: "},
           {"topk(3, a)", "column 1: not in the subset: the aggregation `topk` (accepted: sum, "},
           {"a * on(b) group_left(c) d", "column 11: group_left is not in the subset (accepted: "},
           {"a * on(b) GROUP_RIGHT d", "column 11: group_right is not in the subset (accepted: "},
           {"a @ 5", "column 3: the @ modifier is not in the subset (accepted: offset)"},
           {"rate(a[5m] @ end())", "column 12: the @ modifier is not in the subset"},
           {"max_over_time(a[1h:5m])", "column 16: subqueries such as [30m:1m] are not in the sub"},
           {"max_over_time(rate(a[5m])[1h:])", "column 26: subqueries such as [30m:1m] are not"},
           {"a atan2 b", "column 3: the operator atan2 is not in the subset (accepted: + - * / "},
           {"a[5m]", "column 1: the query is a range vector (accepted: a scalar or an instant v"},
           {"\"text\"", "column 1: unexpected `\"text\"` (accepted: a selector, a number, "},
       }) {
    EXPECT_TRUE(refusal(query).starts_with(begins)) << query << ": " << refusal(query);
  }
}

TEST(Parser, SaysWhereAndWhatIsAccepted) {
  struct Case {
    const char* query;
    const char* message;
  };
  const std::string long_string = "\"" + std::string(100, 'x') + "\"";
  const std::string long_shown = "column 1: unexpected `\"" + std::string(39, 'x') +
                                 "...` (accepted: a selector, a number, a function, an aggregation "
                                 "or a parenthesis)";
  for (const auto& [query, message] : std::initializer_list<Case>{
           {"",
            "column 1: unexpected the end of the query (accepted: a selector, a number, a "
            "function, an aggregation or a parenthesis)"},
           {"a{b=}", "column 5: unexpected `}` (accepted: a string in quotes)"},
           {"a{b}", "column 4: unexpected `}` (accepted: `=`, `!=`, `=~` or `!~`)"},
           {"a{,}", "column 3: unexpected `,` (accepted: a label name or `}`)"},
           {"a{b=\"c\"", "column 8: unexpected the end of the query (accepted: `,` or `}`)"},
           {"a b", "column 3: unexpected `b` (accepted: an operator or the end of the query)"},
           {"sum(a,)",
            "column 7: unexpected `)` (accepted: a selector, a number, a function, an "
            "aggregation or a parenthesis)"},
           {"(a", "column 3: unexpected the end of the query (accepted: an operator or `)`)"},
           {"a{b=\"c}", "column 5: the string is not closed by \""},
           {"é",
            "column 1: unexpected character \"é\" (accepted: names, numbers, strings, "
            "durations, operators and brackets)"},
           {"a{b=\"é\"} ?",
            "column 10: unexpected character \"?\" (accepted: names, numbers, "
            "strings, durations, operators and brackets)"},
           {"sum(\n  a b)", "line 2, column 5: unexpected `b` (accepted: an operator, `,` or `)`)"},
           {"a[5]", "column 3: unexpected `5` (accepted: a duration such as 5m)"},
           {"a[0s]", "column 3: a range must be above 0"},
           {"a offset 0s", "column 10: an offset must not be 0"},
           {"a[5x]",
            "column 3: neither a number nor a duration: \"5x\" (accepted: like 2.5, 1e3, "
            "0x1F; 30s, 5m, 1h30m)"},
           {"1e400", "column 1: not a number: `1e400` (accepted: like 2.5, 1e3, 0x1F, Inf, NaN)"},
           {"rate(a)",
            "column 6: rate() takes a range vector as argument 1, found an instant "
            "vector"},
           {"round(a, 1, 2)", "column 1: round() with 3 arguments (accepted: 1 to 2)"},
           {"quantile(a)", "column 1: quantile() with 1 arguments (accepted: 2)"},
           {"1 > 2",
            "column 3: a comparison of two scalars needs bool, as in `1 < bool 2`: it "
            "can't filter"},
           {"a + bool b", "column 5: bool belongs to comparisons (== != < <= > >=) only"},
           {"a and 1", "column 3: and, or and unless take instant vectors, found a scalar"},
           {"a + on(b) 1", "column 3: on and ignoring match instant vectors, found a scalar"},
           {"a[5m] * 2",
            "column 7: an operator takes scalars and instant vectors, found a range "
            "vector"},
           {"(a)[5m]", "column 4: a range stands directly behind a selector only"},
           {"sum(a) offset 5m", "column 8: offset stands directly behind a selector only"},
           {"{}",
            "column 1: the selector must contain at least one non-empty matcher (accepted: a "
            "metric name, or a matcher that an absent label fails)"},
           {"a{__name__=\"b\"}",
            "column 2: the metric name must not be set twice: a stands before "
            "the braces and __name__ within"},
           {"a{b=~\"(\"}",
            "column 6: bad regular expression `\"(\"`: missing ): ( (accepted: RE2 "
            "syntax)"},
           {"a\xff", "column 2: the query is not UTF-8 (accepted: UTF-8 text)"},
           {long_string.c_str(), long_shown.c_str()},
       }) {
    EXPECT_EQ(refusal(query), message) << query;
  }
}

TEST(Parser, BoundsDepthAndLength) {
  const auto repeated = [](std::string_view part, int times) {
    std::string out;
    for (int i = 0; i < times; ++i) out += part;
    return out;
  };
  EXPECT_EQ(refusal(repeated("(", 90) + "a" + repeated(")", 90)), "accepted");
  EXPECT_EQ(refusal(repeated("a + ", 90) + "a"), "accepted");
  // Each a way to nest; the last two grow to the left, where only the tree is deep.
  for (const std::string& query :
       {repeated("(", 5000), repeated("-", 5000) + "a", repeated("abs(", 3000),
        repeated("2^", 5000) + "2", repeated("sum by (a) (", 1200), repeated("- (", 3000),
        repeated("a + ", 3000) + "a", repeated("a or ", 3000) + "a"}) {
    EXPECT_NE(refusal(query).find("nested deeper than 100 levels"), std::string::npos)
        << query.substr(0, 20);
  }
  EXPECT_EQ(refusal(std::string(16 * 1024, ' ') + "1"),
            "the query has 16385 bytes (accepted: up to 16384)");
  EXPECT_EQ(refusal(std::string(16 * 1024 - 1, ' ') + "1"), "accepted");
}

TEST(Parser, PinsTheMetricName) {
  const auto selector = [](std::string_view text) {
    return std::get<Selector>((*parse_promql(text))->node);
  };
  EXPECT_EQ(selector("a").name, "a");
  EXPECT_EQ(selector(R"({__name__="a", b="c"})").name, "a");
  EXPECT_EQ(selector(R"({__name__="a", b="c"})").matchers.size(), 1U);
  EXPECT_EQ(selector(R"({__name__=~"a"})").name, "");
  EXPECT_EQ(selector("a offset 1h").offset_ms, 3'600'000);
  EXPECT_EQ(selector("a offset -1h").offset_ms, -3'600'000);
}

TEST(Literals, Numbers) {
  struct Case {
    const char* text;
    double value;
  };
  for (const auto& [text, value] : std::initializer_list<Case>{{"0", 0},
                                                               {"42", 42},
                                                               {"0x1F", 31},
                                                               {"0Xab", 171},
                                                               {"017", 15},
                                                               {"08", 8},  // no octal: decimal
                                                               {".5", 0.5},
                                                               {"1.", 1},
                                                               {"1e3", 1000},
                                                               {"2.5E-1", 0.25},
                                                               {"9223372036854775808", 0x1p63}}) {
    EXPECT_EQ(number_value(text), value) << text;
  }
  for (const char* text : {"1e", "0x", "1e400", "0x1.8", "1.2.3"}) {
    EXPECT_FALSE(number_value(text)) << text;
  }
}

TEST(Literals, Durations) {
  struct Case {
    const char* text;
    int64_t ms;
  };
  for (const auto& [text, ms] : std::initializer_list<Case>{{"5m", 300'000},
                                                            {"1h30m", 5'400'000},
                                                            {"90s", 90'000},
                                                            {"250ms", 250},
                                                            {"1m1ms", 60'001},
                                                            {"1d", 86'400'000},
                                                            {"1w", 604'800'000},
                                                            {"1y", 31'536'000'000},
                                                            {"0s", 0}}) {
    EXPECT_EQ(duration_ms(text), ms) << text;
  }
  for (const char* text : {"", "5", "m", "5m3h", "5m5m", "1.5h", "5x", "300y", "1y1y", "5mm",
                           "99999999999999999999s", "9223372036854775807ms"}) {
    EXPECT_FALSE(duration_ms(text)) << text;
  }
}

TEST(Literals, Strings) {
  struct Case {
    const char* text;
    const char* value;
  };
  for (const auto& [text, value] : std::initializer_list<Case>{
           {R"("plain")", "plain"},
           {R"('it"s')", "it\"s"},
           {R"("a\"b\\c")", "a\"b\\c"},
           {R"('a\'b')", "a'b"},
           {R"("\a\b\f\n\r\t\v")", "\a\b\f\n\r\t\v"},
           {R"("\x41\101\u0041\U00000041")", "AAAA"},
           {R"("\u00e9\xc3\xa9\303\251")", "ééé"},
           {R"("\u20ac\U0001F600")", "€😀"},
           {"`a\\n\"b`", "a\\n\"b"},
       }) {
    EXPECT_EQ(string_value(text), value) << text;
  }
  for (const char* text :
       {R"("\q")", R"("\'")", R"('\"')", R"("\x4")", R"("\xg0")", R"("\400")", R"("\08")",
        R"("\ud800")", R"("\U00110000")", R"("\u12")", R"("\xff")", R"("\x-1")", R"("\u+123")"}) {
    EXPECT_FALSE(string_value(text)) << text;
  }
}

// Any shuffle of query pieces ends in a query or in an error with a place, never otherwise.
RC_GTEST_PROP(ParserLaw, EndsOnAnything, ()) {
  const auto pieces =
      *rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(std::vector<std::string>{
          "sum", "by",     "(", ")",  "a",  "{",  "}",    "b=\"c\"", "[5m]",     "[",  "]",
          ":",   "offset", "-", "+",  "^",  "==", "bool", "on",      "or",       "5m", "1e3",
          ",",   "rate",   "#", "\n", "\"", "=~", "@",    "\xc3",    "quantile", "NaN"}));
  std::string query;
  for (const std::string& piece : pieces) query += piece + (query.size() % 3 == 0 ? " " : "");
  const std::string message = refusal(query);
  RC_ASSERT(message == "accepted" || message.find("column ") != std::string::npos);
}

}  // namespace
}  // namespace windlass::sim::prometheus
