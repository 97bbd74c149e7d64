#include "report/figures.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace windlass::report {
namespace {

TEST(Figures, Dollars) {
  EXPECT_EQ(dollars(0), "$0.00");
  EXPECT_EQ(dollars(1234.567), "$1,234.57");
  EXPECT_EQ(dollars(999.999), "$1,000.00");
  EXPECT_EQ(dollars(-3.2), "-$3.20");
  EXPECT_EQ(dollars(-0.001), "$0.00");
  EXPECT_EQ(dollars(NAN), "-");
}

TEST(Figures, Counts) {
  EXPECT_EQ(count_text(0), "0");
  EXPECT_EQ(count_text(999), "999");
  EXPECT_EQ(count_text(1000), "1,000");
  EXPECT_EQ(count_text(std::numeric_limits<uint64_t>::max()), "18,446,744,073,709,551,615");
}

TEST(Figures, PercentNeverRoundsMissesAway) {
  EXPECT_EQ(percent(1), "100.0 %");
  EXPECT_EQ(percent(0.5), "50.0 %");
  EXPECT_EQ(percent(0.9994), "99.9 %");
  EXPECT_EQ(percent(0.99995), "99.995 %");
  EXPECT_EQ(percent(0.9999999), "99.999 %");
  EXPECT_EQ(percent(NAN), "-");
}

TEST(Figures, SignedPercent) {
  EXPECT_EQ(signed_percent(-34), "-34.0 %");
  EXPECT_EQ(signed_percent(5.25), "+5.2 %");
  EXPECT_EQ(signed_percent(-0.01), "0.0 %");
  EXPECT_EQ(signed_percent(0.01), "0.0 %");
  EXPECT_EQ(signed_percent(INFINITY), "-");
}

TEST(Figures, ChangePercentNeedsABaseline) {
  EXPECT_DOUBLE_EQ(change_percent(50, 100), -50);
  EXPECT_TRUE(std::isnan(change_percent(50, 0)));
  EXPECT_TRUE(std::isnan(change_percent(50, NAN)));
  EXPECT_TRUE(std::isnan(change_percent(NAN, 50)));
}

TEST(Figures, LatencyInTheUnitThatReadsBest) {
  EXPECT_EQ(millis_text(0), "0.00 ms");
  EXPECT_EQ(millis_text(8.4), "8.40 ms");
  EXPECT_EQ(millis_text(9.996), "10.0 ms");
  EXPECT_EQ(millis_text(842), "842 ms");
  EXPECT_EQ(millis_text(999.6), "1.00 s");
  EXPECT_EQ(millis_text(18'420), "18.4 s");
  EXPECT_EQ(millis_text(184'200), "184 s");
  EXPECT_EQ(millis_text(NAN), "-");
}

TEST(Figures, LimitsKeepTheDigitsTheyWereGiven) {
  EXPECT_EQ(limit_text(2000), "2 s");
  EXPECT_EQ(limit_text(1500), "1.5 s");
  EXPECT_EQ(limit_text(750), "750 ms");
}

TEST(Figures, Times) {
  EXPECT_EQ(seconds_text(8.44), "8.4 s");
  EXPECT_EQ(seconds_text(147.9), "148 s");
  EXPECT_EQ(seconds_pair(52.3, 88.1), "52 / 88 s");
  EXPECT_EQ(seconds_pair(NAN, NAN), "-");
  EXPECT_EQ(seconds_pair(52, NAN), "52 s / -");
  EXPECT_EQ(length_text(11520), "3h12m");
  EXPECT_EQ(length_text(NAN), "-");
  EXPECT_EQ(clock_text(0), "0:00");
  EXPECT_EQ(clock_text(93900), "26:05");
  EXPECT_EQ(clock_text(119), "0:01");
  EXPECT_EQ(clock_text(-1), "-");
  EXPECT_EQ(clock_text_seconds(3670), "1:01:10");
}

TEST(Figures, AxisLabels) {
  EXPECT_EQ(axis_label(Unit::kCount, 1500, 500), "1,500");
  EXPECT_EQ(axis_label(Unit::kCount, 20000, 20000), "20k");
  EXPECT_EQ(axis_label(Unit::kCount, 2'500'000, 500'000), "2.5M");
  EXPECT_EQ(axis_label(Unit::kPerSecond, 0.6, 0.2), "0.6");
  EXPECT_EQ(axis_label(Unit::kMillis, 0, 500), "0");
  EXPECT_EQ(axis_label(Unit::kMillis, 500, 500), "500 ms");
  EXPECT_EQ(axis_label(Unit::kMillis, 1500, 500), "1.5 s");
  EXPECT_EQ(axis_label(Unit::kFraction, 0.4, 0.2), "40 %");
  EXPECT_EQ(axis_label(Unit::kUsd, 200, 100), "$200");
  EXPECT_EQ(axis_label(Unit::kSeconds, 100, 50), "100 s");
}

TEST(Figures, PrintableTakesTheHarmOut) {
  EXPECT_EQ(printable("plain – ünï"), "plain – ünï");
  EXPECT_EQ(printable("a\x1b[31m\nb"), "a [31m b");
  EXPECT_EQ(printable("\xC2\x9B"), " ");                           // CSI as one character
  EXPECT_EQ(printable("\xff"), "\xEF\xBF\xBD");                    // no UTF-8
  EXPECT_EQ(printable("\xC0\xAF"), "\xEF\xBF\xBD\xEF\xBF\xBD");    // overlong
  EXPECT_EQ(printable("x\xE2\x82"), "x\xEF\xBF\xBD\xEF\xBF\xBD");  // cut short
}

TEST(Figures, Shortened) {
  EXPECT_EQ(shortened("windlass", 8), "windlass");
  EXPECT_EQ(shortened("windlass!", 8), "windlas…");
  EXPECT_EQ(shortened("ääää", 3), "ää…");
}

// Whatever the name, it comes out as text that every consumer accepts, and stays as it is then.
RC_GTEST_PROP(FiguresProperty, PrintableIsIdempotentAndFreeOfControls, ()) {
  const auto bytes = *rc::gen::container<std::string>(rc::gen::arbitrary<char>());
  const std::string text = printable(bytes);
  RC_ASSERT(printable(text) == text);
  for (const char c : text) RC_ASSERT(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
}

RC_GTEST_PROP(FiguresProperty, ThousandsSeparatorsOnlyGroup, (uint64_t value)) {
  std::string digits = count_text(value);
  const size_t last_comma = digits.rfind(',');
  if (last_comma != std::string::npos) RC_ASSERT(digits.size() - last_comma == 4U);
  std::erase(digits, ',');
  RC_ASSERT(digits == std::to_string(value));
}

}  // namespace
}  // namespace windlass::report
