#include "report/svg_chart.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/assert.h"
#include "base/text.h"
#include "report/polyline.h"

namespace windlass::report {
namespace {

// Two decimals of a percent are a fifteenth of a pixel on the widest plot.
std::string share_text(double share) {
  std::string text = fmt::format("{:.2f}", share * 100);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text + "%";
}

std::string y_axis(const Scale& y, Unit unit) {
  std::string out = "<g class=\"axis\">";
  for (const double tick : y.ticks) {
    const std::string at = share_text(1 - y.position(tick));
    const bool base = tick == y.ticks.front();
    out += fmt::format("<line{} x2=\"100%\" y1=\"{}\" y2=\"{}\"/>", base ? " class=\"base\"" : "",
                       at, at);
    out += fmt::format("<text class=\"y\" x=\"-8\" y=\"{}\" dy=\".34em\">{}</text>", at,
                       axis_label(unit, tick, y.logarithmic ? tick : y.step));
  }
  return out + "<line class=\"base\" x2=\"100%\" y1=\"100%\" y2=\"100%\"/></g>";
}

// Every other label is marked: a narrow screen hides those.
std::string time_axis(const Scale& x) {
  std::string out = "<g class=\"axis\">";
  for (size_t i = 0; i < x.ticks.size(); ++i) {
    const std::string at = share_text(x.position(x.ticks[i]));
    out += fmt::format("<rect class=\"tick\" x=\"{}\" y=\"100%\" width=\"1\" height=\"4\"/>", at);
    out += fmt::format("<text class=\"x{}\" x=\"{}\" y=\"100%\" dy=\"18\">{}</text>",
                       i % 2 == 1 && x.ticks.size() > 6 ? " odd" : "", at,
                       x.step < 60 ? clock_text_seconds(x.ticks[i]) : clock_text(x.ticks[i]));
  }
  return out + "</g>";
}

std::string frame_start(const std::string& description, const Scale& x, const Scale& y, Unit unit,
                        size_t id) {
  return fmt::format(
             "<div class=\"plot\" data-plot=\"{}\"><svg class=\"frame\" role=\"img\" "
             "aria-label=\"{}\">",
             id, html_escape(description)) +
         y_axis(y, unit) + time_axis(x) +
         fmt::format(
             "<svg class=\"data\" viewBox=\"0 0 {} {}\" preserveAspectRatio=\"none\" "
             "width=\"100%\" height=\"100%\">",
             kPlotColumns, kPlotRows);
}

// The crosshair waits, invisible, for the script.
const char* const kCross = "<line class=\"cross\" y1=\"0\" y2=\"100%\"/></svg></div>\n";

std::string draw_series(const PlotSeries& series, const Scale& x, const Scale& y) {
  const std::vector<PlotLine> lines = thin(*series.t, series.y, x, y);
  if (lines.empty()) return "";
  const auto path = [&](const char* shape, const std::string& d) {
    return fmt::format("<path class=\"{} {}\" d=\"{}\"/>", shape, series.css, d);
  };
  switch (series.shape) {
    case PlotSeries::Shape::kArea:
      return path("area", area_path(lines)) + path("line", line_path(lines));
    case PlotSeries::Shape::kThinLine:
      return path("line thin", line_path(lines));
    case PlotSeries::Shape::kLine:
      return path("line", line_path(lines));
  }
  WL_UNREACHABLE("shape of a series");
}

std::string draw_reference(const ReferenceLine& reference, const Scale& y) {
  const double from_top = 1 - y.position(reference.value);
  // Near the upper edge the label goes below its line, where there is room.
  return fmt::format(
      "<line class=\"reference\" x2=\"100%\" y1=\"{0}\" y2=\"{0}\"/>"
      "<text class=\"reference\" x=\"100%\" y=\"{0}\" dy=\"{1}\">{2}</text>",
      share_text(from_top), from_top < 0.12 ? 14 : -5, html_escape(reference.label));
}

// Of the samples that share a pixel column the one with the largest total stands for the column:
// all layers must come from one sample, or they would not add up.
std::vector<size_t> stack_samples(const StackPlot& plot) {
  std::vector<size_t> kept;
  int kept_column = -1;
  double kept_total = 0;
  for (size_t i = 0; i < plot.t->size(); ++i) {
    if (!std::isfinite((*plot.t)[i])) continue;
    const int column = static_cast<int>(std::lround(plot.x.position((*plot.t)[i]) * kPlotColumns));
    double total = 0;
    for (const StackLayer& layer : plot.layers) total += layer.y[i];
    if (column != kept_column) {
      kept.push_back(i);
    } else if (total > kept_total) {
      kept.back() = i;
    } else {
      continue;
    }
    kept_column = column;
    kept_total = total;
  }
  return kept;
}

constexpr int kBarRow = 22;       // px a bar
constexpr size_t kBarLabel = 18;  // characters of a bar's name
constexpr int kBarTitle = 26;     // px a group's title

std::string draw_bar(const RangeBar& bar, const Scale& scale, int top) {
  std::string out = fmt::format("<text class=\"y\" x=\"-8\" y=\"{}\" dy=\".34em\">{}</text>",
                                top + kBarRow / 2, html_escape(shortened(bar.label, kBarLabel)));
  if (!std::isfinite(bar.median) || !std::isfinite(bar.high)) {
    return out + fmt::format("<text class=\"value none\" x=\"6\" y=\"{}\" dy=\".34em\">-</text>",
                             top + kBarRow / 2);
  }
  const std::string high = share_text(scale.position(bar.high));
  const auto rect = [&](const char* css, const std::string& width) {
    return fmt::format("<rect class=\"{} {}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"2\"/>", css,
                       bar.css, top + 4, width, kBarRow - 8);
  };
  out += rect("bar high", high) + rect("bar", share_text(scale.position(bar.median)));
  return out +
         fmt::format("<text class=\"value\" x=\"{}\" y=\"{}\" dx=\"7\" dy=\".34em\">{}</text>",
                     high, top + kBarRow / 2, seconds_pair(bar.median, bar.high));
}

}  // namespace

std::string draw_plot(const Plot& plot, size_t id) {
  std::string out = frame_start(plot.description, plot.x, plot.y, plot.unit, id);
  for (const PlotSeries& series : plot.series) out += draw_series(series, plot.x, plot.y);
  out += "</svg>";
  if (plot.reference) out += draw_reference(*plot.reference, plot.y);
  return out + kCross;
}

std::string draw_stack(const StackPlot& plot, size_t id) {
  std::string out = frame_start(plot.description, plot.x, plot.y, plot.unit, id);
  const std::vector<size_t> samples = stack_samples(plot);
  std::vector<double> total(samples.size(), 0);
  PlotLine lower;
  for (const size_t i : samples) {
    const double x = plot.x.position((*plot.t)[i]) * kPlotColumns;
    lower.push_back({static_cast<int>(std::lround(x)), kPlotRows});
  }
  for (const StackLayer& layer : plot.layers) {
    PlotLine upper = lower;
    for (size_t k = 0; k < samples.size(); ++k) {
      total[k] += layer.y[samples[k]];
      upper[k].y = static_cast<int>(std::lround((1 - plot.y.position(total[k])) * kPlotRows));
    }
    if (upper != lower) {
      out += fmt::format("<path class=\"layer {}\" d=\"{}\"/>", layer.css, band_path(upper, lower));
    }
    lower = std::move(upper);
  }
  return out + "</svg>" + kCross;
}

std::string draw_range_bars(const std::vector<RangeBarGroup>& groups,
                            const std::string& description) {
  double max = 0;
  int height = 0;
  size_t label = 6;
  for (const RangeBarGroup& group : groups) {
    height += kBarTitle + kBarRow * static_cast<int>(group.bars.size());
    for (const RangeBar& bar : group.bars) {
      if (std::isfinite(bar.high)) max = std::max(max, bar.high);
      label = std::max(label, std::min(code_points(bar.label), kBarLabel));
    }
  }
  const Scale scale = linear_scale(max, 4, false);
  // SVG cannot make room for its text; the names' share of the width is set by their length.
  std::string out = fmt::format(
      "<div class=\"plot bars\" style=\"padding-left:{}px\"><svg class=\"frame\" role=\"img\" "
      "aria-label=\"{}\" style=\"height:{}px\"><g class=\"axis\">",
      14 + 7 * label, html_escape(description), height);
  for (size_t i = 0; i < scale.ticks.size(); ++i) {
    const double tick = scale.ticks[i];
    const std::string at = share_text(scale.position(tick));
    out += fmt::format(
        "<line{0} x1=\"{1}\" x2=\"{1}\" y2=\"100%\"/><text class=\"x{2}\" x=\"{1}\" "
        "y=\"100%\" dy=\"18\">{3}</text>",
        i == 0 ? " class=\"base\"" : "", at, i % 2 == 1 && scale.ticks.size() > 3 ? " odd" : "",
        axis_label(Unit::kSeconds, tick, scale.step));
  }
  out += "</g>";
  int top = 0;
  for (const RangeBarGroup& group : groups) {
    out += fmt::format("<text class=\"group\" x=\"6\" y=\"{}\">{}</text>", top + kBarTitle - 8,
                       html_escape(group.title));
    top += kBarTitle;
    for (const RangeBar& bar : group.bars) {
      out += draw_bar(bar, scale, top);
      top += kBarRow;
    }
  }
  return out + "</svg></div>\n";
}

}  // namespace windlass::report
