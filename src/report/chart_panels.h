// The charts of the page: which there are, what each shows and what it says above. The order tells
// the story: what it cost, what users felt, what was asked for, what was running.
#pragma once

#include <string>
#include <vector>

#include "report/figures.h"
#include "sim/run_result.h"

namespace windlass::report {

// A series as the crosshair reads it out. `field` names an array of hover_data's policy object.
struct HoverSeries {
  size_t policy = 0;
  std::string field;
  std::string label;
  std::string css;
  Unit unit = Unit::kCount;
};

struct Panels {
  std::string summary;    // the panels that stand beside the table: cost, the three clocks
  std::string over_time;  // all others
  std::vector<std::vector<HoverSeries>> plots;  // by the id in data-plot
  double end_s = 1;                             // what the right edge of every plot stands for
};

// All panels; both texts are empty without policies. Policies without samples keep their empty
// plots.
Panels chart_panels(const sim::ScenarioResult& result);

}  // namespace windlass::report
