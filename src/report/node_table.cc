#include "report/node_table.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/text.h"
#include "report/figures.h"
#include "report/html_parts.h"
#include "report/palette.h"

namespace windlass::report {
namespace {

constexpr size_t kMostRows = 300;

std::string cell(const std::string& text, bool is_number) {
  return std::string(is_number ? "<td class=\"num\">" : "<td>") + html_escape(text) + "</td>";
}

// The difference of two times of the run, where both came to pass.
std::string between(double from, double to, std::string (*text)(double)) {
  return from >= 0 && to >= from ? text(to - from) : "-";
}

std::string table_row(const sim::NodeRecord& node, double run_end_s) {
  const std::string reason = printable(node.end_reason);
  const double end = node.terminated_s >= 0 ? node.terminated_s : run_end_s;
  return "<tr>" + cell(printable(node.name), false) + cell(printable(node.instance_type), false) +
         cell(printable(node.capacity_type), false) + cell(printable(node.zone), false) +
         cell(node.gpus < 0 ? "-" : count_text(static_cast<uint64_t>(node.gpus)), true) +
         cell(clock_text(node.launched_s), true) +
         cell(between(node.launched_s, node.node_ready_s, seconds_text), true) +
         cell(clock_text(node.terminated_s), true) +
         cell(between(node.launched_s, end, length_text), true) +
         cell("$" + decimal(node.usd_per_hour, 4), true) + cell(dollars(node.cost_usd), true) +
         cell(reason.empty() ? "-" : reason, false) + "</tr>\n";
}

std::string policy_table(const sim::RunResult& run, const std::string& css) {
  std::vector<const sim::NodeRecord*> nodes;
  for (const sim::NodeRecord& node : run.node_records) nodes.push_back(&node);
  std::stable_sort(nodes.begin(), nodes.end(),
                   [](const auto* a, const auto* b) { return a->launched_s < b->launched_s; });
  const size_t shown = std::min(nodes.size(), kMostRows);
  std::string count = count_text(nodes.size()) + (nodes.size() == 1 ? " node" : " nodes");
  if (shown < nodes.size()) count += ", the first " + count_text(shown) + " shown";
  std::string out = "<details><summary>" + swatch(css, "fill") +
                    html_escape(printable(run.policy)) + " <span class=\"count\">" + count +
                    "</span></summary>\n" +
                    "<div class=\"scroll\" tabindex=\"0\"><table class=\"nodes\"><thead><tr>";
  for (const char* title : {"node", "type", "capacity", "zone"}) {
    out += fmt::format("<th scope=\"col\">{}</th>", title);
  }
  for (const char* title :
       {"GPUs", "launched", "Ready after", "terminated", "lifetime", "per hour", "cost"}) {
    out += fmt::format("<th scope=\"col\" class=\"num\">{}</th>", title);
  }
  out += "<th scope=\"col\">end</th></tr></thead><tbody>\n";
  for (size_t i = 0; i < shown; ++i) out += table_row(*nodes[i], run.simulated_s);
  return out + "</tbody></table></div></details>\n";
}

}  // namespace

std::string node_tables(const sim::ScenarioResult& result) {
  const std::vector<std::string> classes = policy_classes(result);
  std::string out;
  for (size_t i = 0; i < result.policies.size(); ++i) {
    if (!result.policies[i].node_records.empty()) {
      out += policy_table(result.policies[i], classes[i]);
    }
  }
  return out;
}

}  // namespace windlass::report
