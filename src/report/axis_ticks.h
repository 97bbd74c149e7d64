// Axes: which stretch of values a chart shows, and where its ticks stand. Ticks are round (1, 2 or
// 5 times a power of ten; for time, the steps of a clock), so that a reader can interpolate. Pure
// arithmetic on values; the drawing is in svg_chart.
#pragma once

#include <vector>

namespace windlass::report {

struct Scale {
  double lo = 0, hi = 1;  // lo < hi; both > 0 on a log scale
  bool logarithmic = false;
  double step = 1;            // between ticks; meaningless on a log scale
  std::vector<double> ticks;  // rising, within [lo, hi]

  // Where a value lies, 0 at lo and 1 at hi; values beyond are put on the edge.
  [[nodiscard]] double position(double value) const;
};

// From 0 up to the first round value that covers `max`, with about `target` steps. `whole` keeps
// the ticks on integers (nodes and requests do not come in halves). A max that is not a positive
// number gives 0..1.
Scale linear_scale(double max, int target, bool whole);

// 1-2-5 bounds around [min, max], 0 < min <= max; ticks at 1-2-5 over less than three decades, at
// the decades and the two bounds up to four, then at decades alone.
Scale log_scale(double min, double max);

// 0..end_s with ticks at steps a clock has (30 s, 5 min, 6 h ...), the finest that needs at most
// `target` steps. The end is not rounded: the run ends where it ends.
Scale time_scale(double end_s, int target);

}  // namespace windlass::report
