// Plots as inline SVG: lines, areas, stacks, bars. A plot has no fixed size: positions across it
// are percentages and the data is stretched underneath, so text keeps its size from a phone to a
// wall screen. Colours are CSS classes (see palette.h), so one drawing serves light and dark. The
// same values always give the same bytes. Labels are escaped here; callers pass plain text.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "report/axis_ticks.h"
#include "report/figures.h"

namespace windlass::report {

struct PlotSeries {
  enum class Shape { kLine, kThinLine, kArea };
  std::string css;  // colour class, "p0"
  Shape shape = Shape::kLine;
  std::vector<double> y;                   // as long as the plot's t; NaN is a gap
  const std::vector<double>* t = nullptr;  // seconds since the run's start, rising; not owned
};

struct ReferenceLine {
  double value = 0;
  std::string label;
};

struct Plot {
  std::string description;  // for screen readers: "Queue of all policies"
  Unit unit = Unit::kCount;
  Scale x, y;
  std::vector<PlotSeries> series;  // drawn in order, the last on top
  std::optional<ReferenceLine> reference;
};

// `id` is the plot's number on the page; the script finds its hover data by it.
std::string draw_plot(const Plot& plot, size_t id);

struct StackLayer {
  std::string css;
  std::vector<double> y;  // >= 0
};

struct StackPlot {
  std::string description;
  Unit unit = Unit::kCount;
  Scale x, y;
  const std::vector<double>* t = nullptr;  // not owned
  std::vector<StackLayer> layers;          // from the bottom up, each as long as *t
};

std::string draw_stack(const StackPlot& plot, size_t id);

// A bar from 0 to `median`, paler on to `high`, with both numbers behind it.
struct RangeBar {
  std::string label;
  std::string css;
  double median = 0, high = 0;  // NaN: nothing to measure
};

struct RangeBarGroup {
  std::string title;
  std::vector<RangeBar> bars;
};

// All groups on one axis of seconds.
std::string draw_range_bars(const std::vector<RangeBarGroup>& groups,
                            const std::string& description);

}  // namespace windlass::report
