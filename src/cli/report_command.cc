#include "cli/report_command.h"

#include <algorithm>
#include <iostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "base/utf8.h"
#include "cli/plan_input.h"

namespace windlass::cli {
namespace {

// Longer than this, periods are days.
constexpr Duration kByDay = hours(48);

bool is_summary(const DecisionRecord& record) {
  return record.controller == "observer" && record.decision == "summary";
}

Result<double> number(const DecisionRecord& record, std::string_view name) {
  const std::string text = record.input(name);
  auto value = parse_double(text);
  if (value.ok() && *value < 0) value = Error("below 0");
  if (!value.ok()) return Error(fmt::format("{}: \"{}\" is no amount", name, printable(text, 32)));
  return value;
}

Result<ObservedCost> read_summary(const DecisionRecord& record) {
  ObservedCost out;
  for (const auto& [name, time] : {std::pair("from", &out.from), std::pair("to", &out.to)}) {
    const auto read = parse_rfc3339(record.input(name));
    if (!read.ok()) return Error(fmt::format("{}: {}", name, read.error().message()));
    *time = *read;
  }
  if (out.to < out.from) return Error("to: before from");
  out.observed = out.to - out.from;
  const auto running = number(record, "runningUsd");
  if (!running.ok()) return running.error();
  const auto wanted = number(record, "wantedUsd");
  if (!wanted.ok()) return wanted.error();
  out.running_usd = *running;
  out.wanted_usd = *wanted;
  return out;
}

void add(ObservedCost& sum, const ObservedCost& part) {
  if (sum.observed == Duration{}) sum.from = part.from;
  sum.to = std::max(sum.to, part.to);
  sum.observed = sum.observed + part.observed;
  sum.running_usd += part.running_usd;
  sum.wanted_usd += part.wanted_usd;
}

std::string day_of(Instant at) { return to_rfc3339(at).substr(0, 10); }

// "2026-03-02 08:00".
std::string minute_of(Instant at) {
  std::string text = to_rfc3339(at).substr(0, 16);
  text[10] = ' ';
  return text;
}

std::vector<ObservedCost> by_day(const std::vector<ObservedCost>& periods) {
  std::vector<ObservedCost> out;
  for (const ObservedCost& period : periods) {
    if (out.empty() || day_of(out.back().from) != day_of(period.from)) out.emplace_back();
    add(out.back(), period);
  }
  return out;
}

std::string dollars(double usd) {
  return usd < 0 ? fmt::format("-${:.2f}", -usd) : fmt::format("${:.2f}", usd);
}

std::vector<std::string> row_of(std::string name, const ObservedCost& cost) {
  return {std::move(name),           fmt::format("{:.1f} h", cost.observed.hours()),
          dollars(cost.running_usd), dollars(cost.wanted_usd),
          dollars(cost.saved_usd()), fmt::format("{:.1f} %", cost.saved_share() * 100)};
}

std::string costs_text(const DecisionReport& report) {
  if (report.periods.empty()) {
    return "No summary of costs is in the file: windlass run --observe writes one every hour.\n";
  }
  std::vector<std::vector<std::string>> rows{
      {"FROM", "OBSERVED", "RAN", "WANTED", "SAVING", "SHARE"}};
  if (report.periods.size() > 1) {
    const bool days = report.total.observed > kByDay;
    for (const ObservedCost& period : report.periods) {
      rows.push_back(row_of(days ? day_of(period.from) : minute_of(period.from), period));
    }
  }
  rows.push_back(row_of("all", report.total));
  std::string out = format_table(rows, {false, true, true, true, true, true});
  if (report.unplaced > 0) {
    out += fmt::format("{} of the wanted pods had no place at the end.\n", report.unplaced);
  }
  return out;
}

nlohmann::ordered_json cost_json(const ObservedCost& cost) {
  nlohmann::ordered_json out;
  out["from"] = to_rfc3339(cost.from);
  out["to"] = to_rfc3339(cost.to);
  out["observedHours"] = cost.observed.hours();
  out["runningUsd"] = cost.running_usd;
  out["wantedUsd"] = cost.wanted_usd;
  out["savedUsd"] = cost.saved_usd();
  out["savedShare"] = cost.saved_share();
  return out;
}

}  // namespace

double ObservedCost::saved_share() const { return running_usd > 0 ? saved_usd() / running_usd : 0; }

DecisionReport make_report(const DecisionLog& log) {
  DecisionReport out;
  for (const DecisionRecord& record : log.records) {
    if (&record == &log.records.front()) out.first = out.last = record.time;
    out.first = std::min(out.first, record.time);
    out.last = std::max(out.last, record.time);
    if (!is_summary(record)) {
      ++out.decisions[record.policy][{record.controller, record.decision}];
      continue;
    }
    const auto summary = read_summary(record);
    if (!summary.ok()) {
      out.bad_records.push_back(
          fmt::format("line {}: summary: {}", record.line, summary.error().message()));
      continue;
    }
    out.periods.push_back(*summary);
    const auto unplaced = parse_int(record.input("unplaced"));
    out.unplaced = unplaced.ok() && *unplaced > 0 ? static_cast<size_t>(*unplaced) : 0;
  }
  std::ranges::stable_sort(out.periods, {}, &ObservedCost::from);
  for (const ObservedCost& period : out.periods) add(out.total, period);
  if (out.total.observed > kByDay) out.periods = by_day(out.periods);
  return out;
}

std::string report_text(const DecisionReport& report) {
  std::string out =
      fmt::format("{} to {} (UTC)\n\n", minute_of(report.first), minute_of(report.last));
  out += costs_text(report);
  for (const auto& [policy, counts] : report.decisions) {
    size_t all = 0;
    for (const auto& [what, count] : counts) all += count;
    out += fmt::format("\n{} decision{}{}\n", all, all == 1 ? "" : "s",
                       policy.empty() ? "" : " of policy " + printable(policy, 64));
    std::vector<std::vector<std::string>> rows{{"CONTROLLER", "DECISION", "TIMES"}};
    for (const auto& [what, count] : counts) {
      rows.push_back(
          {printable(what.first, 64), printable(what.second, 64), std::to_string(count)});
    }
    out += format_table(rows, {false, false, true});
  }
  return out;
}

std::string report_json(const DecisionReport& report) {
  nlohmann::ordered_json out;
  out["first"] = to_rfc3339(report.first);
  out["last"] = to_rfc3339(report.last);
  out["costs"] = nullptr;
  if (!report.periods.empty()) {
    out["costs"] = cost_json(report.total);
    out["costs"]["unplaced"] = report.unplaced;
    out["costs"]["periods"] = nlohmann::ordered_json::array();
    for (const ObservedCost& period : report.periods) {
      out["costs"]["periods"].push_back(cost_json(period));
    }
  }
  out["decisions"] = nlohmann::ordered_json::array();
  for (const auto& [policy, counts] : report.decisions) {
    for (const auto& [what, count] : counts) {
      out["decisions"].push_back({{"policy", policy},
                                  {"controller", what.first},
                                  {"decision", what.second},
                                  {"times", count}});
    }
  }
  return out.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

int run_report(const ReportOptions& options) {
  const auto text = read_file(options.file);
  if (!text.ok()) {
    std::cerr << "error: " << text.error().message() << "\n";
    return 2;
  }
  const DecisionLog log = read_decision_log(*text);
  const DecisionReport report = make_report(log);
  for (const auto* faults : {&log.bad_lines, &report.bad_records}) {
    for (const std::string& bad : *faults) {
      std::cerr << fmt::format("warning: {}: {}; skipped\n", options.file, bad);
    }
  }
  if (log.records.empty()) {
    std::cerr << fmt::format(
        "error: {}: holds no decisions (windlass run --observe --decisions FILE writes them)\n",
        options.file);
    return 2;
  }
  std::cout << (options.output == "json" ? report_json(report) : report_text(report));
  return 0;
}

}  // namespace windlass::cli
