#include "report/html_parts.h"

#include "base/text.h"

namespace windlass::report {

std::string swatch(const std::string& css, const std::string& kind) {
  return "<i class=\"swatch " + kind + " " + css + "\"></i>";
}

std::string legend_item(const std::string& css, const std::string& kind, const std::string& label) {
  return "<li>" + swatch(css, kind) + html_escape(label) + "</li>";
}

}  // namespace windlass::report
