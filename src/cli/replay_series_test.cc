#include "cli/replay_series.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace windlass::cli {
namespace {

TEST(ReplaySeries, Matrix) {
  const auto series =
      read_range_body(R"({"status":"success","data":{"resultType":"matrix","result":[
    {"metric":{"model_name":"m"},"values":[[60,"1.5"],[120.0,"NaN"],[180,"+Inf"],[240,"2"]]},
    {"metric":{},"values":[]},
    {"metric":{"x":"y"},"histograms":[]}]}})");
  ASSERT_TRUE(series.ok()) << series.error().message();
  ASSERT_EQ(series->size(), 3u);
  EXPECT_EQ((*series)[0].labels.at("model_name"), "m");
  EXPECT_EQ((*series)[0].points, (std::map<int64_t, double>{{60, 1.5}, {240, 2}}));
}

TEST(ReplaySeries, WhatIsNoMatrix) {
  const std::pair<std::string, std::string> cases[] = {
      {"", "no JSON"},
      {"<html>", "no JSON"},
      {"{}", "no data"},
      {"[]", "no data"},
      {R"({"data":7})", "no data"},
      {R"({"data":{"resultType":"vector","result":[]}})", "no matrix"},
      {R"({"data":{"resultType":3,"result":[]}})", "no matrix"},
      {R"({"data":{"resultType":"matrix"}})", "no matrix"},
      {R"({"data":{"resultType":"matrix","result":[7]}})", "no object"},
      {R"({"data":{"resultType":"matrix","result":[{"metric":[]}]}})", "labels"},
      {R"({"data":{"resultType":"matrix","result":[{"values":{}}]}})", "no list"},
      {R"({"data":{"resultType":"matrix","result":[{"values":[[1]]}]}})", "no pair"},
      {R"({"data":{"resultType":"matrix","result":[{"values":[[1,2]]}]}})", "no pair"},
      {R"({"data":{"resultType":"matrix","result":[{"values":[[1e300,"2"]]}]}})", "no pair"},
      {R"({"data":{"resultType":"matrix","result":[{"values":[[1,"two"]]}]}})", "no number"},
  };
  for (const auto& [body, says] : cases) {
    const auto series = read_range_body(body);
    ASSERT_FALSE(series.ok()) << body;
    EXPECT_NE(series.error().message().find(says), std::string::npos) << series.error().message();
  }
}

TEST(ReplaySeries, MergesByLabels) {
  std::vector<RangeSeries> all{{{{"a", "1"}}, {{0, 1}}}};
  merge_series(all,
               {{{{"a", "1"}}, {{60, 2}}}, {{{"a", "2"}}, {{60, 3}}}, {{{"a", "2"}}, {{120, 4}}}});
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].points, (std::map<int64_t, double>{{0, 1}, {60, 2}}));
  EXPECT_EQ(all[1].points, (std::map<int64_t, double>{{60, 3}, {120, 4}}));
}

TEST(ReplaySeries, WindowsStandStill) {
  // A day of minutes each, whatever the beginning; only the end is the span's.
  const int64_t day = 86'400;
  const std::vector<RangeWindow> first{
      {0, day, 60}, {day, 2 * day, 60}, {2 * day, 2 * day + 120, 60}};
  EXPECT_EQ(windows_of({600, 2 * day + 120, 60}), first);
  EXPECT_EQ(windows_of({0, 2 * day + 120, 60}), first);
  EXPECT_TRUE(windows_of({600, 600, 60}).empty());
}

TEST(ReplaySeries, WindowsCoverTheSpan) {
  EXPECT_TRUE(rc::check("cover", [] {
    const int64_t step = *rc::gen::inRange<int64_t>(1, 4000);
    const int64_t from = step * *rc::gen::inRange<int64_t>(0, 1'000'000);
    const int64_t to = from + step * *rc::gen::inRange<int64_t>(1, 5000);
    const auto windows = windows_of({from, to, step});
    RC_ASSERT(windows.front().from <= from);
    RC_ASSERT(windows.back().to == to);
    for (size_t i = 0; i < windows.size(); ++i) {
      RC_ASSERT(windows[i].from % step == 0);
      RC_ASSERT(windows[i].points() > 0 && windows[i].points() <= 11'000);
      if (i > 0) RC_ASSERT(windows[i].from == windows[i - 1].to);
      const auto halves = halves_of(windows[i]);
      if (windows[i].points() == 1) {
        RC_ASSERT(halves.empty());
        continue;
      }
      RC_ASSERT(halves.size() == 2u);
      RC_ASSERT(halves[0].from == windows[i].from && halves[1].to == windows[i].to);
      RC_ASSERT(halves[0].to == halves[1].from);
      RC_ASSERT(halves[0].points() > 0 && halves[1].points() > 0);
    }
  }));
}

TEST(ReplaySeries, Faults) {
  struct Case {
    int status;
    std::string body;
    ReplyFault fault;
  };
  const Case cases[] = {
      {200, "", ReplyFault::kNone},
      {204, "", ReplyFault::kNone},
      {401, "", ReplyFault::kRefused},
      {403, "too many samples", ReplyFault::kRefused},
      {405, "", ReplyFault::kNoPost},
      {422, "query processing would load too many samples into memory", ReplyFault::kTooMuch},
      {400, "exceeded maximum resolution of 11,000 points per timeseries", ReplyFault::kTooMuch},
      {503, "query timed out in expression evaluation", ReplyFault::kTooMuch},
      {422, "the query exceeded the maximum number of chunks", ReplyFault::kTooMuch},
      {400, "parse error", ReplyFault::kOther},
      {404, "", ReplyFault::kOther},
      {301, "", ReplyFault::kOther},
      {0, "", ReplyFault::kPassing},
      {429, "too many samples", ReplyFault::kPassing},
      {500, "", ReplyFault::kPassing},
      {503, "starting up", ReplyFault::kPassing},
  };
  for (const Case& test : cases) {
    net::HttpReply reply;
    reply.status = test.status;
    reply.body = test.body;
    EXPECT_EQ(fault_of(reply), test.fault) << test.status << test.body;
  }
}

TEST(ReplaySeries, LongDurations) {
  const std::pair<std::string, int64_t> good[] = {
      {"7d", 7 * 86'400}, {"36h", 36 * 3600}, {"1w2d", 9 * 86'400}, {"1d12h", 36 * 3600},
      {"90m", 5400},      {"1y", 31'536'000}, {"1h30m15s", 5415}};
  for (const auto& [text, expected] : good) {
    const auto duration = parse_long_duration(text);
    ASSERT_TRUE(duration.ok()) << text;
    EXPECT_EQ(*duration, seconds(expected)) << text;
  }
  for (const char* text : {"", "0s", "d", "7", "7 d", "-7d", "1.5h", "7days", "2h1d", "1d1d",
                           "500ms", "99999999999y", "1000y"}) {
    EXPECT_FALSE(parse_long_duration(text).ok()) << text;
  }
}

}  // namespace
}  // namespace windlass::cli
