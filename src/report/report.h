// A ScenarioResult as a person or a program reads it: the results table, JSON, one HTML file.
#pragma once

#include <string>

#include "base/json.h"
#include "sim/run_result.h"

namespace windlass::report {

// The results table: a row a policy-independent metric, a column a policy, the first policy as the
// baseline ("cost -34 %"); partial runs are marked. Ends with the notes.
std::string results_table(const sim::ScenarioResult& result);

// The object of `-o json`, as the issue of the command lists it (docs/reference/simulate.md). NaN
// becomes null. Numbers are printed the same on every machine.
Json results_json(const sim::ScenarioResult& result);

// One self-contained HTML page: table, charts (inline SVG, a little inline script for hovering),
// light and dark. No network.
std::string results_html(const sim::ScenarioResult& result);

}  // namespace windlass::report
