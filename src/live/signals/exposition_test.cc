#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "live/signals/pod_scraper.h"

namespace windlass::live::signals {
namespace {

constexpr double kUnbounded = std::numeric_limits<double>::infinity();
using Labels = std::vector<std::pair<std::string, std::string>>;

TEST(Exposition, SampleLines) {
  struct Case {
    std::string_view line;
    std::string name;
    Labels labels;
    double value;
  };
  const Case cases[] = {
      {"up 1", "up", {}, 1},
      {"  up\t 1.5e3  ", "up", {}, 1500},
      {"vllm:num_requests_running{engine=\"0\",model_name=\"m\"} 3.0",
       "vllm:num_requests_running",
       {{"engine", "0"}, {"model_name", "m"}},
       3},
      {"a{} 2", "a", {}, 2},
      {"a {x=\"1\"} 2", "a", {{"x", "1"}}, 2},
      {"a{x=\"1\",} 2", "a", {{"x", "1"}}, 2},
      {"a{ x = \"1\" , y = \"\" } 2", "a", {{"x", "1"}, {"y", ""}}, 2},
      {"a{x=\"}, # \"} 2", "a", {{"x", "}, # "}}, 2},
      {R"(a{x="\"\\\n\d"} 2)", "a", {{"x", "\"\\\n\\d"}}, 2},
      {"a 2 1700000000000", "a", {}, 2},
      {"a 2 1700000000.123 # {trace_id=\"x\"} 0.5 1.5", "a", {}, 2},
      {"a_bucket{le=\"+Inf\"} 7 # {} 1", "a_bucket", {{"le", "+Inf"}}, 7},
      {"{\"my.name\",x=\"1\"} 4", "my.name", {{"x", "1"}}, 4},
      {"a{\"my.label\"=\"1\"} 4", "a", {{"my.label", "1"}}, 4},
      {"a +Inf", "a", {}, kUnbounded},
      {"a -Inf", "a", {}, -kUnbounded},
      {"a -infinity", "a", {}, -kUnbounded},
      {"a +4", "a", {}, 4},
      {"a .5", "a", {}, 0.5},
      {"a -0.25", "a", {}, -0.25},
      {"a 1e999", "a", {}, kUnbounded},
      {"a -1e999", "a", {}, -kUnbounded},
      {"a 1e-999", "a", {}, 0},
  };
  for (const Case& test : cases) {
    const auto samples = parse_exposition(test.line);
    ASSERT_TRUE(samples.ok()) << test.line << ": " << samples.error().message();
    ASSERT_EQ(samples->size(), 1u) << test.line;
    EXPECT_EQ(samples->front().name, test.name) << test.line;
    EXPECT_EQ(samples->front().labels, test.labels) << test.line;
    EXPECT_EQ(samples->front().value, test.value) << test.line;
  }
  for (const char* nan : {"a NaN", "a nan", "a +nan", "a -NaN"}) {
    const auto samples = parse_exposition(nan);
    ASSERT_TRUE(samples.ok()) << nan;
    EXPECT_TRUE(std::isnan(samples->front().value)) << nan;
  }
}

TEST(Exposition, WhatIsNoSampleIsReadOver) {
  const auto samples = parse_exposition(
      "# HELP a What it is\r\n# TYPE a counter\n\n   \n# EOF\na 1\r\n#\n  # indented\nb 2");
  ASSERT_TRUE(samples.ok());
  ASSERT_EQ(samples->size(), 2u);
  EXPECT_EQ((*samples)[1].name, "b");
  EXPECT_EQ(parse_exposition("")->size(), 0u);
}

TEST(Exposition, ErrorsNameTheLine) {
  struct Case {
    std::string_view text;
    std::string_view says;
  };
  const Case cases[] = {
      {"a 1\nb", "line 2: not a number: \"\""},
      {"a one", "line 1: not a number: \"one\""},
      {"a 1 2 3", "line 1: more behind the value: \"3\""},
      {"a 1 now", "line 1: not a timestamp"},
      {"\n\na{x=1} 1", "line 3: label x: its value is not in quotes"},
      {"a{x=\"1} 1", "line 1: label x: no closing quote"},
      {"a{x=\"1\"", "line 1: labels without a closing brace"},
      {"a{x=\"1\" y=\"2\"} 1", "line 1: neither , nor }"},
      {"a{x} 1", "line 1: label x without ="},
      {"a{1=\"x\"} 1", "line 1: not a label's name"},
      {"{x=\"1\"} 1", "line 1: no metric name"},
      {"<html>", "line 1: no metric name: \"<html>\""},
      {"a 0x1p3", "line 1: not a number"},
      {"a 1_000", "line 1: not a number"},
      {"a --1", "line 1: not a number"},
      {"a +-1", "line 1: not a number"},
      {"a infinit", "line 1: not a number"},
      {"a{\"x", "line 1: a quoted name without an end"},
  };
  for (const Case& test : cases) {
    const auto samples = parse_exposition(test.text);
    ASSERT_FALSE(samples.ok()) << test.text;
    EXPECT_NE(samples.error().message().find(test.says), std::string::npos)
        << test.text << ": " << samples.error().message();
  }
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
  }
  return out + "\"";
}

// What is written is read back, whatever stands in the labels.
TEST(Exposition, WrittenSamplesComeBack) {
  EXPECT_TRUE(rc::check("round trip", [] {
    const auto values = *rc::gen::arbitrary<std::vector<std::string>>();
    const auto number = *rc::gen::arbitrary<double>();
    std::string text = "# TYPE some_name gauge\nsome_name{";
    Labels labels;
    for (size_t i = 0; i < values.size(); ++i) {
      labels.emplace_back(fmt::format("l{}", i), values[i]);
      text += fmt::format("{}={},", labels.back().first, quoted(values[i]));
    }
    text += fmt::format("}} {}\n", number);
    const auto samples = parse_exposition(text);
    RC_ASSERT(samples.ok());
    RC_ASSERT(samples->size() == 1u);
    RC_ASSERT(samples->front().labels == labels);
    RC_ASSERT(samples->front().value == number);
  }));
}

// Any bytes end in samples or an error; cutting a text that reads never makes another sample of it.
TEST(Exposition, AnyBytesAndAnyCut) {
  EXPECT_TRUE(rc::check("any bytes", [] {
    const auto bytes = *rc::gen::container<std::string>(rc::gen::oneOf(
        rc::gen::elementOf(std::string("a1{}\"\\=, \n#.e+-N_:")), rc::gen::arbitrary<char>()));
    const auto samples = parse_exposition(bytes);
    if (!samples.ok()) {
      RC_ASSERT(samples.error().message().starts_with("line "));
      return;
    }
    const auto twice = parse_exposition(bytes + "\n" + bytes);
    RC_ASSERT(twice.ok());
    RC_ASSERT(twice->size() == 2 * samples->size());
  }));
}

}  // namespace
}  // namespace windlass::live::signals
