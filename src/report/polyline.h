// Series of thousands of samples as short SVG paths. A chart has a few hundred pixel columns;
// within each only the lowest and the highest sample can be told apart, so only those are kept.
// Peaks survive, the page stays small.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "report/axis_ticks.h"

namespace windlass::report {

// The coordinates of a plot: x 0..kPlotColumns left to right, y 0..kPlotRows from the top. The SVG
// stretches them to whatever size the plot has on screen.
inline constexpr int kPlotColumns = 720;
inline constexpr int kPlotRows = 1000;

struct PlotPoint {
  int x = 0, y = 0;
  bool operator==(const PlotPoint&) const = default;
};

// One unbroken stretch of a line. A NaN sample ends it.
using PlotLine = std::vector<PlotPoint>;

// Places samples (t rising) on the plot; at most two points a column, runs of equal height reduced
// to their ends. Times or values that are no numbers break the line.
std::vector<PlotLine> thin(std::span<const double> t, std::span<const double> y,
                           const Scale& x_scale, const Scale& y_scale);

// The `d` attribute of the lines: "M0 500l1-3 2 7".
std::string line_path(const std::vector<PlotLine>& lines);
// The same closed down to the bottom edge, to be filled.
std::string area_path(const std::vector<PlotLine>& lines);
// The band between two lines with equal x: along `upper`, back along `lower`. Equal sizes.
std::string band_path(const PlotLine& upper, const PlotLine& lower);

}  // namespace windlass::report
