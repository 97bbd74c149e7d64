// The page: heading, headline figures, table, notes, charts, nodes. One file without any request to
// anywhere; a content security policy in its head makes the browser hold it to that.
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "report/chart_panels.h"
#include "report/figures.h"
#include "report/headline.h"
#include "report/hover_data.h"
#include "report/html_parts.h"
#include "report/node_table.h"
#include "report/page_assets.h"
#include "report/palette.h"
#include "report/report.h"
#include "report/result_rows.h"

namespace windlass::report {
namespace {

using sim::RunResult;
using sim::ScenarioResult;

std::string head(const ScenarioResult& result) {
  std::string out =
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
      "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n";
  out += "<title>" + html_escape(printable(result.scenario)) + " - Windlass simulation</title>\n";
  out += "<style>";
  out += page_style();
  return out + "</style>\n</head>\n";
}

std::string fact(const std::string& name, const std::string& value) {
  return "<div><dt>" + name + "</dt><dd>" + html_escape(value) + "</dd></div>";
}

std::string heading(const ScenarioResult& result) {
  std::string out = "<header><p class=\"kind\">Windlass simulation</p>\n<h1>" +
                    html_escape(printable(result.scenario)) + "</h1>\n<dl class=\"facts\">";
  out += fact("duration", length_text(result.duration_s));
  out += fact("seed", std::to_string(result.seed));
  if (!result.policies.empty()) {
    const RunResult& first = result.policies.front();
    const std::string slo = common_slo(result);
    if (!slo.empty()) out += fact("SLO", slo);
    if (first.sample_period.ns > 0) out += fact("sample", to_string(first.sample_period));
  }
  out += "</dl>\n";
  const std::vector<std::string> classes = policy_classes(result);
  out += "<ul class=\"policies\">";
  for (size_t i = 0; i < result.policies.size(); ++i) {
    const std::string meaning = policy_meaning(result.policies[i].policy);
    out += "<li>" + swatch(classes[i], "fill") + "<b>" +
           html_escape(printable(result.policies[i].policy)) + "</b>";
    if (!meaning.empty()) out += " <span>" + meaning + "</span>";
    out += "</li>";
  }
  out += "</ul>\n";
  for (const RunResult& run : result.policies) {
    if (!run.partial) continue;
    out += "<p class=\"partial\"><b>" + html_escape(printable(run.policy)) + "</b> " +
           html_escape(partial_text(run)) + "</p>\n";
  }
  return out + "</header>\n";
}

std::string table(const ScenarioResult& result) {
  if (result.policies.empty()) return "<p class=\"empty\">No policy was run.</p>\n";
  const std::vector<std::string> classes = policy_classes(result);
  std::string out =
      "<section class=\"results\"><h2>Results</h2>\n<div class=\"scroll\" tabindex=\"0\">"
      "<table>\n<thead><tr><td></td>";
  for (size_t i = 0; i < result.policies.size(); ++i) {
    out += "<th scope=\"col\">" + swatch(classes[i], "fill") +
           html_escape(printable(result.policies[i].policy)) + "</th>";
  }
  out += "</tr></thead>\n";
  for (const ResultGroup& group : result_rows(result)) {
    out += fmt::format(
        "<tbody>\n<tr class=\"group\"><th scope=\"rowgroup\" colspan=\"{}\">{}</th>"
        "</tr>\n",
        result.policies.size() + 1, html_escape(group.title));
    for (const ResultRow& row : group.rows) {
      out += "<tr><th scope=\"row\">" + html_escape(row.label) + "</th>";
      for (const std::string& cell : row.cells) {
        out += "<td class=\"num\">" + html_escape(cell) + "</td>";
      }
      out += "</tr>\n";
    }
    out += "</tbody>\n";
  }
  return out + "</table></div></section>\n";
}

std::string notes(const ScenarioResult& result) {
  const std::vector<std::string> all = all_notes(result);
  if (all.empty()) return "";
  std::string out = "<section class=\"notes\"><h2>Notes</h2>\n<ul>\n";
  for (const std::string& note : all) out += "<li>" + html_escape(note) + "</li>\n";
  return out + "</ul></section>\n";
}

std::string nodes(const ScenarioResult& result) {
  const std::string tables = node_tables(result);
  if (tables.empty()) return "";
  return "<section class=\"node-tables\"><h2>Nodes</h2>\n" + tables + "</section>\n";
}

}  // namespace

std::string results_html(const ScenarioResult& result) {
  const Panels panels = chart_panels(result);
  std::string out = head(result) + "<body>\n<main>\n" + heading(result) + headline(result);
  // Four columns and more need the page's full width.
  const char* layout = result.policies.size() > 3 ? "read many" : "read";
  out += fmt::format("<div class=\"{}\">\n", layout) + table(result) + "<div class=\"beside\">\n" +
         notes(result) + panels.summary + "</div></div>\n";
  if (!panels.over_time.empty()) {
    out +=
        "<h2 class=\"part\">Over time</h2>\n<p class=\"why\">Times are hours:minutes since the "
        "start of the run; every chart has the same time axis.</p>\n<div class=\"panels\">\n" +
        panels.over_time + "</div>\n";
  }
  out += nodes(result) + "</main>\n";
  if (!panels.plots.empty()) {
    out += "<script type=\"application/json\" id=\"samples\">" + hover_data(result, panels) +
           "</script>\n<script type=\"module\">";
    out += page_script();
    out += "</script>\n";
  }
  return out + "</body>\n</html>\n";
}

}  // namespace windlass::report
