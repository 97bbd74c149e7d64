#include <algorithm>

#include "sim/traffic/traffic.h"

namespace windlass::sim {

double DayShape::factor_at(Duration since_midnight) const {
  if (points.empty()) return 1;
  constexpr int64_t kDay = hours(24).ns;
  const int64_t of_day = since_midnight.ns % kDay;
  const double hour = Duration{of_day < 0 ? of_day + kDay : of_day}.hours();
  const auto after = std::find_if(points.begin(), points.end(),
                                  [hour](const Point& point) { return point.hour > hour; });
  const bool wraps = after == points.begin() || after == points.end();
  const Point& next = after == points.end() ? points.front() : *after;
  const Point& previous = after == points.begin() ? points.back() : *(after - 1);
  const double span = next.hour - previous.hour + (wraps ? 24 : 0);
  if (span <= 0) return next.factor;
  const double into = hour - previous.hour + (hour < previous.hour ? 24 : 0);
  return previous.factor + (next.factor - previous.factor) * into / span;
}

}  // namespace windlass::sim
