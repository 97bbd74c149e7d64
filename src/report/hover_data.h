// The numbers behind the plots for the page's crosshair: one JSON object in a script element. The
// charts are complete without it.
#pragma once

#include <string>

#include "report/chart_panels.h"
#include "sim/run_result.h"

namespace windlass::report {

// {"end": seconds, "policies": [{"t": [...], FIELD: [...]}], "plots": [[{...}]]}. Values are
// rounded to what a reader needs; of a run with more than 1,440 samples every second, third ... is
// kept. Holds no '<', so it can stand inside a script element.
std::string hover_data(const sim::ScenarioResult& result, const Panels& panels);

}  // namespace windlass::report
