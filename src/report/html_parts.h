// The small pieces of HTML the page's parts share. Text given here is plain and escaped here; CSS
// classes come from palette.h.
#pragma once

#include <string>

namespace windlass::report {

// The coloured mark that stands for a series: `kind` is "line" or "fill", as it is drawn.
std::string swatch(const std::string& css, const std::string& kind);

// A list item of a legend: the mark and its name.
std::string legend_item(const std::string& css, const std::string& kind, const std::string& label);

}  // namespace windlass::report
