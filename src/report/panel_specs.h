// What the panels of the page show, as data: which figure of a sample a line draws, how it is drawn
// and what it is called. chart_panels draws them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "report/chart_panels.h"
#include "report/svg_chart.h"

namespace windlass::report {

using Field = std::function<double(const sim::ChartPoint&)>;

// What a line of a panel is: how to read it from a sample and how to say it on hover.
struct LineSpec {
  std::string field;
  std::string label;
  PlotSeries::Shape shape = PlotSeries::Shape::kLine;
  bool policy_colour = true;  // else the ink of the page
  Unit unit = Unit::kCount;
  Field read;
};

struct PanelSpec {
  std::string title;
  std::string why;  // one sentence: what to look for
  Unit unit = Unit::kCount;
  std::vector<LineSpec> lines;
  std::vector<HoverSeries> hover_only;  // read out beside the lines; policy and css filled in here
};

PanelSpec cost_panel();
PanelSpec request_panel();
PanelSpec latency_panel();
PanelSpec queue_panel();
PanelSpec replica_panel();
PanelSpec gpu_panel();
PanelSpec job_panel();

}  // namespace windlass::report
