// Answers to Prometheus' range queries as values, and the windows they are asked in. Pure: nothing
// here knows a socket or a file. Part of `windlass replay`.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "net/http_client.h"

namespace windlass::cli {

struct RangeSeries {
  std::map<std::string, std::string> labels;
  std::map<int64_t, double> points;  // by Unix second; NaN and infinities are left out
};

// Of a reply's body (resultType matrix). The error says what is not as it should be.
Result<std::vector<RangeSeries>> read_range_body(std::string_view body);
// Adds `more` to `all`, series by series of equal labels.
void merge_series(std::vector<RangeSeries>& all, std::vector<RangeSeries> more);

// Times from `from` (inclusive) to `to` (exclusive), `step` apart; all whole seconds, both ends on
// the grid of `step` since the epoch.
struct RangeWindow {
  int64_t from = 0;
  int64_t to = 0;
  int64_t step = 60;
  bool operator==(const RangeWindow&) const = default;
  [[nodiscard]] int64_t points() const { return (to - from) / step; }
};
// The windows in which [from, to) is asked: at most a day's worth of minutes each, far below the
// 11,000 points a series that Prometheus gives, so that a stop loses little. They begin and end at
// fixed times of the epoch, whatever `from` is (the first one may begin before it), so that the
// next replay finds them again; only the last one ends at `to`.
std::vector<RangeWindow> windows_of(const RangeWindow& span);
// Two halves; a window of one point has none.
std::vector<RangeWindow> halves_of(const RangeWindow& window);

// What a reply to a range query means for the one who asks.
enum class ReplyFault {
  kNone,
  kRefused,  // 401, 403: no second try makes it better
  kNoPost,   // 405: by GET, then
  kTooMuch,  // too many samples or points, or too long: ask for less
  kPassing,  // unreachable, overloaded: later
  kOther,
};
ReplyFault fault_of(const net::HttpReply& reply);

// "7d", "36h", "1w2d", "90m": as Prometheus writes durations; whole seconds, above 0.
Result<Duration> parse_long_duration(std::string_view text);

}  // namespace windlass::cli
