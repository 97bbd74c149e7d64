#include "report/svg_chart.h"

#include <cmath>

#include <gtest/gtest.h>

namespace windlass::report {
namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(SvgChart, TicksStandWhereTheirValuesAre) {
  const std::vector<double> t = {0, 86400};
  Plot plot{"Queue", Unit::kCount, time_scale(86400, 4), linear_scale(20, 2, true), {}, {}};
  plot.series.push_back({"p1", PlotSeries::Shape::kLine, {0, 20}, &t});
  const std::string svg = draw_plot(plot, 3);
  EXPECT_TRUE(has(svg, "data-plot=\"3\""));
  EXPECT_TRUE(has(svg, "y=\"50%\" dy=\".34em\">10</text>")) << svg;
  EXPECT_TRUE(has(svg, "y=\"0%\" dy=\".34em\">20</text>"));
  EXPECT_TRUE(has(svg, "x=\"25%\" y=\"100%\" dy=\"18\">6:00</text>"));
  EXPECT_TRUE(has(svg, "<path class=\"line p1\" d=\"M0 1000l720-1000\"/>"));
}

TEST(SvgChart, ALabelAtTheTopGoesBelowItsLine) {
  const std::vector<double> t = {0, 1};
  Plot plot{"", Unit::kMillis, time_scale(1, 4), linear_scale(100, 5, false), {}, {}};
  plot.reference = ReferenceLine{100, "SLO <100 ms>"};
  EXPECT_TRUE(has(draw_plot(plot, 0), "y=\"0%\" dy=\"14\">SLO &lt;100 ms&gt;</text>"));
  plot.reference->value = 50;
  EXPECT_TRUE(has(draw_plot(plot, 0), "y=\"50%\" dy=\"-5\""));
}

TEST(SvgChart, StackedLayersRestOnEachOther) {
  const std::vector<double> t = {0, 10};
  StackPlot plot{"", Unit::kCount, time_scale(10, 4), linear_scale(10, 5, true), &t, {}};
  plot.layers = {{"n0", {2, 2}}, {"n1", {0, 0}}, {"n2 spot", {3, 5}}};
  const std::string svg = draw_stack(plot, 0);
  EXPECT_TRUE(has(svg, "<path class=\"layer n0\" d=\"M0 800h720v200h-720z\"/>")) << svg;
  EXPECT_FALSE(has(svg, "n1"));  // nothing of it was ever there
  EXPECT_TRUE(has(svg, "<path class=\"layer n2 spot\" d=\"M0 500l720-200v500h-720z\"/>"));
}

// All layers of a column come from one sample, the one with the highest total.
TEST(SvgChart, StacksAreThinnedBySample) {
  std::vector<double> t;
  StackLayer low{"n0", {}};
  StackLayer high{"n1", {}};
  for (int i = 0; i < 7200; ++i) {
    t.push_back(i);
    low.y.push_back(i % 2);
    high.y.push_back(1 - i % 2 + (i == 3600 ? 2 : 0));
  }
  StackPlot plot{"", Unit::kCount, time_scale(7199, 4), linear_scale(4, 4, true), &t, {low, high}};
  const std::string svg = draw_stack(plot, 0);
  // At i = 3600 `low` is 0 and `high` 3; were the layers thinned one by one, they would sum to 4.
  EXPECT_TRUE(has(svg, "l1-500")) << svg.substr(0, 4000);
  EXPECT_FALSE(has(svg, "l1-750"));
}

TEST(SvgChart, RangeBarsSayWhatTheyMeasured) {
  const std::string svg = draw_range_bars(
      {{"node Ready", {{"static", "p0", NAN, NAN}, {"windlass-without-forecast", "p2", 50, 100}}}},
      "clocks & bars");
  EXPECT_TRUE(has(svg, "aria-label=\"clocks &amp; bars\""));
  EXPECT_TRUE(has(svg, ">-</text>"));
  EXPECT_TRUE(has(svg, ">50 / 100 s</text>"));
  EXPECT_TRUE(has(svg, "class=\"bar p2\" y=\"52\" width=\"50%\"")) << svg;
  EXPECT_TRUE(has(svg, ">windlass-without-…</text>"));
}

}  // namespace
}  // namespace windlass::report
