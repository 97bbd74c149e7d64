// The results table for a terminal. Two blanks between columns and no frame: it survives being
// pasted into an issue or cut with awk.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "report/figures.h"
#include "report/report.h"
#include "report/result_rows.h"

namespace windlass::report {
namespace {

constexpr size_t kColumns = 100;

// Breaks at blanks; a word longer than a line (a URL) stays whole, so that it can still be copied.
std::string wrapped_note(const std::string& note) {
  std::string out;
  std::string line = "- ";
  bool fresh = true;
  for (const std::string_view word : split(note, ' ')) {
    if (word.empty()) continue;
    if (!fresh && code_points(line) + 1 + code_points(word) > kColumns) {
      out += line + "\n";
      line = "  ";
      fresh = true;
    }
    if (!fresh) line += ' ';
    line += word;
    fresh = false;
  }
  return fresh ? out : out + line + "\n";
}

// The heading over the table: what was run, so that a pasted table can be run again.
std::string heading(const sim::ScenarioResult& result) {
  std::string out = "scenario " + printable(result.scenario);
  out += "   seed " + std::to_string(result.seed);
  out += "   duration " + length_text(result.duration_s);
  out += "\n";
  for (const sim::RunResult& run : result.policies) {
    if (run.partial) out += printable(run.policy) + " " + partial_text(run) + "\n";
  }
  return out;
}

}  // namespace

std::string results_table(const sim::ScenarioResult& result) {
  std::string out = heading(result) + "\n";
  if (result.policies.empty()) {
    out += "No policy was run.\n";
  } else {
    std::vector<std::vector<std::string>> rows(1, {""});
    for (const sim::RunResult& run : result.policies) rows[0].push_back(printable(run.policy));
    for (const ResultGroup& group : result_rows(result)) {
      rows.push_back({group.title});
      for (const ResultRow& row : group.rows) {
        std::vector<std::string> cells{"  " + row.label};
        cells.insert(cells.end(), row.cells.begin(), row.cells.end());
        rows.push_back(std::move(cells));
      }
    }
    std::vector<bool> right(result.policies.size() + 1, true);
    right[0] = false;
    out += format_table(rows, right);
  }
  const std::vector<std::string> notes = all_notes(result);
  if (!notes.empty()) out += "\nNotes\n";
  for (const std::string& note : notes) out += wrapped_note(note);
  return out;
}

}  // namespace windlass::report
