#include "cli/lint_command.h"

#include <algorithm>
#include <iostream>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "catalog/catalog_file.h"
#include "cli/plan_input.h"
#include "lint/lint.h"

namespace windlass::cli {
namespace {

using lint::Finding;
using lint::Severity;

size_t count_of(const std::vector<Finding>& findings, Severity severity) {
  return static_cast<size_t>(std::ranges::count(findings, severity, &Finding::severity));
}

std::string counted(size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

// Every type may be bought as spot: which ones have a market today is no matter of manifests, and
// the built-in table knows the spot prices of GPU types only.
Result<catalog::Catalog> load_catalog(const std::string& path) {
  if (path.empty()) {
    catalog::CatalogOptions options;
    options.spot_default_fraction = 0.5;
    return catalog::built_in(options);
  }
  const auto text = read_file(path);
  if (!text.ok()) return text.error();
  return catalog::read_catalog(*text, path);
}

Result<std::vector<lint::File>> load(const std::vector<std::string>& paths) {
  const auto files = manifest_files(paths);
  if (!files.ok()) return files.error();
  std::vector<lint::File> out;
  for (const std::string& file : *files) {
    auto text = read_file(file);
    if (!text.ok()) return text.error();
    out.push_back({file == "-" ? "standard input" : file, *std::move(text)});
  }
  return out;
}

}  // namespace

std::string lint_table(const std::vector<Finding>& findings) {
  std::string out;
  for (const Finding& finding : findings) {
    out += fmt::format("{:<7} {}  {}\n        {}\n        fix: {}\n", to_string(finding.severity),
                       finding.id, finding.place, finding.what, finding.fix);
  }
  if (!out.empty()) out += "\n";
  return out + fmt::format("{}, {}, {}\n", counted(count_of(findings, Severity::kError), "error"),
                           counted(count_of(findings, Severity::kWarning), "warning"),
                           counted(count_of(findings, Severity::kInfo), "remark"));
}

std::string lint_json(const std::vector<Finding>& findings) {
  nlohmann::ordered_json out;
  out["findings"] = nlohmann::ordered_json::array();
  for (const Finding& finding : findings) {
    out["findings"].push_back({{"id", finding.id},
                               {"severity", to_string(finding.severity)},
                               {"place", finding.place},
                               {"what", finding.what},
                               {"fix", finding.fix}});
  }
  out["errors"] = count_of(findings, Severity::kError);
  out["warnings"] = count_of(findings, Severity::kWarning);
  out["infos"] = count_of(findings, Severity::kInfo);
  return out.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

int lint_exit_code(const std::vector<Finding>& findings) {
  return count_of(findings, Severity::kError) > 0 ? 1 : 0;
}

int run_lint(const LintOptions& options) {
  const auto catalog = load_catalog(options.catalog);
  const auto files = catalog.ok() ? load(options.paths) : catalog.error();
  if (!files.ok()) {
    std::cerr << "error: " << files.error().message() << "\n";
    return 2;
  }
  const std::vector<Finding> findings = lint::lint(*files, *catalog);
  std::cout << (options.output == "json" ? lint_json(findings) : lint_table(findings));
  return lint_exit_code(findings);
}

}  // namespace windlass::cli
