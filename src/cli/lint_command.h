// `windlass lint FILE...`: what manifests will really do, before they are applied.
#pragma once

#include <string>
#include <vector>

#include "lint/rules.h"

namespace windlass::cli {

// For people: a block a finding, and a count of each severity. For programs: {findings: [...],
// errors, warnings, infos}.
std::string lint_table(const std::vector<lint::Finding>& findings);
std::string lint_json(const std::vector<lint::Finding>& findings);
// 1 with any finding of severity error, else 0.
int lint_exit_code(const std::vector<lint::Finding>& findings);

struct LintOptions {
  std::vector<std::string> paths;
  std::string catalog;
  std::string output = "table";
};

// Prints to standard output. The exit code: lint_exit_code()'s, or 2 if a file can't be read.
int run_lint(const LintOptions& options);

}  // namespace windlass::cli
