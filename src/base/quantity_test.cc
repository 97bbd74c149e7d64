#include "base/quantity.h"

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace windlass {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

struct CanonicalCase {
  const char* text;
  const char* canonical;
};

// What `kubectl get` shows for what was applied; the forms are those of apimachinery's own table.
TEST(Quantity, PrintsCanonicalForms) {
  const std::vector<CanonicalCase> cases{
      {"0", "0"},
      {"0n", "0"},
      {"-0", "0"},
      {"0Ki", "0"},
      {"0.0", "0"},
      {"0e5", "0"},
      {"1", "1"},
      {"-1", "-1"},
      {"+1", "1"},
      {"01", "1"},
      {"10", "10"},
      {"100", "100"},
      {"1000", "1k"},
      {"1024", "1024"},
      {"1500", "1500"},
      {"1500000", "1500k"},
      {"1000m", "1"},
      {"1500m", "1500m"},
      {"0.1", "100m"},
      {".5", "500m"},
      {"5.", "5"},
      {"1.5", "1500m"},
      {"1000u", "1m"},
      {"1000000n", "1m"},
      {"1n", "1n"},
      {"100n", "100n"},
      {"1k", "1k"},
      {"1M", "1M"},
      {"1G", "1G"},
      {"1T", "1T"},
      {"1P", "1P"},
      {"1E", "1E"},
      {"0.001k", "1"},
      {"0.5k", "500"},
      {"1.1M", "1100k"},
      {"1Ki", "1Ki"},
      {"1024Ki", "1Mi"},
      {"1536Mi", "1536Mi"},
      {"1.5Gi", "1536Mi"},
      {"0.5Ki", "512"},
      {"1023Ki", "1023Ki"},
      {"1000Ki", "1000Ki"},
      {"2Ei", "2Ei"},
      {"0.5Gi", "512Mi"},
      {"1.25Ki", "1280"},
      {"0312.5Ki", "320000"},
      {"0.1Ki", "102400m"},
      {"-1Ki", "-1Ki"},
      {"-1.5Gi", "-1536Mi"},
      {"4096Mi", "4Gi"},
      {"1000Gi", "1000Gi"},
      {"1e3", "1e3"},
      {"2e3", "2e3"},
      {"1E3", "1e3"},
      {"1e1", "10"},
      {"1e0", "1"},
      {"1e-3", "1e-3"},
      {"1.5e3", "1500"},
      {"1e+6", "1e6"},
      {"12e4", "120e3"},
      {"1e-1", "100e-3"},
  };
  for (const auto& c : cases) {
    const auto parsed = Quantity::parse(c.text);
    ASSERT_TRUE(parsed.ok()) << c.text;
    EXPECT_EQ(parsed->to_string(), c.canonical) << c.text;
  }
}

TEST(Quantity, RefusesWhatKubernetesRefuses) {
  for (const char* text :
       {"",      ".",    "-",     "+",     " 1",       "1 ",  "1 1",    "1i",      "0.1mi",
        "0.1am", "aoeu", ".5i",   "1K",    "1ki",      "1KI", "-3.01i", "-3.01e-", "1e",
        "1e+",   "1ee3", "1e1.5", "1.1.M", "1+1.0M",   "--1", "1,5",    "0x10",    "1_000",
        "NaN",   "inf",  "1MiB",  "1Mi ",  "\xC3\xA9", "1\n", "e3"}) {
    EXPECT_FALSE(Quantity::parse(text).ok()) << text;
  }
  EXPECT_FALSE(Quantity::parse(std::string_view("1\0", 2)).ok());
  EXPECT_NE(Quantity::parse("4x").error().message().find("\"4x\""), std::string::npos);
}

TEST(Quantity, RoundsAwayFromZero) {
  struct Case {
    const char* text;
    int64_t milli;
    int64_t units;
  };
  for (const Case& c : std::vector<Case>{{"1n", 1, 1},
                                         {"-1n", -1, -1},
                                         {"1000001n", 2, 1},
                                         {"1.0001", 1001, 2},
                                         {"-1.0001", -1001, -2},
                                         {"999m", 999, 1},
                                         {"0.0000000001", 1, 1},
                                         {"1e-400", 1, 1},
                                         {"0.1Ki", 102'400, 103},
                                         {"2", 2000, 2}}) {
    const auto parsed = Quantity::parse(c.text);
    ASSERT_TRUE(parsed.ok()) << c.text;
    EXPECT_EQ(parsed->milli(), c.milli) << c.text;
    EXPECT_EQ(parsed->units(), c.units) << c.text;
  }
  // A tenth digit rounds the ninth up; a tenth nought doesn't.
  EXPECT_EQ(Quantity::parse("0.1234567891")->to_string(), "123456790n");
  EXPECT_EQ(Quantity::parse("0.1234567890")->to_string(), "123456789n");
  // 2^60 / 10^18 has a fraction that ends only after many digits.
  EXPECT_EQ(Quantity::parse("0.000000000000000001Ei")->to_string(), "1152921505n");
}

TEST(Quantity, Saturates) {
  for (const char* text : {"9223372036854775808", "1e19", "8Ei", "9999Ei", "1e400000000000",
                           "99999999999999999999999999999999999999999999999999", "10E"}) {
    EXPECT_EQ(Quantity::parse(text)->units(), kMax) << text;
    EXPECT_EQ(Quantity::parse(std::string("-") + text)->units(), -kMax) << text;
    EXPECT_EQ(Quantity::parse(text)->milli(), kMax) << text;
  }
  EXPECT_EQ(Quantity::parse("9223372036854775807")->units(), kMax);
  EXPECT_EQ(Quantity::parse("9223372036854775807")->to_string(), "9223372036854775807");
  EXPECT_EQ(Quantity::from_units(kMax).units(), kMax);
  EXPECT_EQ(Quantity::from_units(std::numeric_limits<int64_t>::min()).units(), -kMax);
  EXPECT_EQ(Quantity::from_milli(std::numeric_limits<int64_t>::min()).milli(),
            std::numeric_limits<int64_t>::min());
}

TEST(Quantity, KeepsItsFormat) {
  EXPECT_EQ(Quantity::from_units(2048, Quantity::Format::kBinarySI).to_string(), "2Ki");
  EXPECT_EQ(Quantity::from_units(2048).to_string(), "2048");
  EXPECT_EQ(Quantity::from_units(2000, Quantity::Format::kDecimalExponent).to_string(), "2e3");
  EXPECT_EQ(Quantity::from_milli(1500, Quantity::Format::kBinarySI).to_string(), "1500m");
  EXPECT_DOUBLE_EQ(Quantity::parse("1.5Gi")->as_double(), 1.5 * 1024 * 1024 * 1024);
}

TEST(Quantity, LongTextsAreReadInOnePass) {
  const std::string digits(1 << 20, '7');
  EXPECT_EQ(Quantity::parse(digits)->units(), kMax);
  EXPECT_EQ(Quantity::parse("0." + digits)->to_string(), "777777778n");
  EXPECT_EQ(Quantity::parse("0." + digits + "Ki")->units(), 797);
  EXPECT_FALSE(Quantity::parse(digits + "x").ok());
}

RC_GTEST_PROP(QuantityProperty, WhatIsPrintedReadsBackEqual, (int64_t milli, int which)) {
  const auto format = static_cast<Quantity::Format>(((which % 3) + 3) % 3);
  const Quantity quantity = Quantity::from_milli(milli, format);
  const auto back = Quantity::parse(quantity.to_string());
  RC_ASSERT(back.ok());
  RC_ASSERT(*back == quantity);
  RC_ASSERT(back->to_string() == quantity.to_string());
}

// Against plain integer arithmetic: whole numbers with a suffix.
RC_GTEST_PROP(QuantityProperty, SuffixesMultiply, (int32_t count)) {
  static const std::vector<std::pair<std::string, int64_t>> kFactors{
      {"", 1},         {"k", 1000},     {"M", 1000'000}, {"G", 1'000'000'000},
      {"Ki", 1 << 10}, {"Mi", 1 << 20}, {"Gi", 1 << 30}, {"e3", 1000}};
  for (const auto& [suffix, factor] : kFactors) {
    const auto parsed = Quantity::parse(std::to_string(count) + suffix);
    RC_ASSERT(parsed.ok());
    RC_ASSERT(parsed->units() == count * factor);
  }
}

RC_GTEST_PROP(QuantityProperty, OrderIsThatOfTheNumbers, (int64_t a, int64_t b)) {
  const auto x = Quantity::from_milli(a);
  const auto y = Quantity::from_milli(b, Quantity::Format::kBinarySI);
  RC_ASSERT((x < y) == (a < b));
  RC_ASSERT((x == y) == (a == b));
}

RC_GTEST_PROP(QuantityProperty, AnyTextIsReadOrRefused, (const std::string& text)) {
  const auto parsed = Quantity::parse(text);
  if (parsed.ok()) {
    RC_ASSERT(*Quantity::parse(parsed->to_string()) == *parsed);
  }
}

}  // namespace
}  // namespace windlass
