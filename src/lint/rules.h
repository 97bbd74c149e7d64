// The rules of `windlass lint`: one table that names them all, and what a finding of one says. A
// rule is about what a manifest will really do, not about how it is written. docs/lint.md explains
// each with an example; a test holds both lists against each other.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace windlass::lint {

// Error: will not do what it says, or is refused. Warning: does something other than most readers
// expect. Info: worth knowing.
enum class Severity { kError, kWarning, kInfo };
std::string_view to_string(Severity severity);  // "error", "warning", "info"

struct Rule {
  std::string_view id;
  Severity severity;
  std::string_view title;
};
// In the order of docs/lint.md.
const std::vector<Rule>& rules();
// The rule of this id; it must be one of rules().
const Rule& rule(std::string_view id);

struct Finding {
  std::string_view id;  // of a rule
  Severity severity = Severity::kError;
  std::string place;  // "pool.yaml:17: NodePool/gpu spec.limits"
  std::string what;   // what happens
  std::string fix;    // what to write instead
};

}  // namespace windlass::lint
