// parse_label_selector: the text form of a label selector, as kubectl -l and KEDA's podSelector
// have it: terms between commas, of key=value, key==value, key!=value, key in (..), key notin (..),
// key, !key.
#include <fmt/format.h>

#include "base/text.h"
#include "scaling/trigger_plan.h"

namespace windlass::scaling {
namespace {

using Term = api::LabelSelectorTerm;

Error bad(std::string_view term) {
  return Error(
      fmt::format("not a label selector: \"{}\" (accepted: key=value, key!=value, key in "
                  "(a, b), key notin (a, b), key, !key, between commas)",
                  term.substr(0, 80)));
}

// Terms at commas that stand outside parentheses.
std::vector<std::string_view> terms_of(std::string_view text) {
  std::vector<std::string_view> terms;
  size_t start = 0;
  int open = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '(') ++open;
    if (text[i] == ')') --open;
    if (text[i] != ',' || open > 0) continue;
    terms.push_back(text.substr(start, i - start));
    start = i + 1;
  }
  terms.push_back(text.substr(start));
  return terms;
}

bool is_label_text(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    const bool alphanumeric =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!alphanumeric && std::string_view("-_./").find(c) == std::string_view::npos) return false;
  }
  return true;
}

Result<Term> parse_set(std::string_view key, Term::Op op, std::string_view list,
                       std::string_view whole) {
  list = trim(list);
  if (!is_label_text(key) || !list.starts_with('(') || !list.ends_with(')')) return bad(whole);
  Term term{std::string(key), op, {}};
  for (const std::string_view value : split(list.substr(1, list.size() - 2), ',')) {
    if (!trim(value).empty() && !is_label_text(trim(value))) return bad(whole);
    term.values.emplace_back(trim(value));
  }
  return term;
}

Result<Term> parse_term(std::string_view text) {
  const std::string_view term = trim(text);
  for (const auto& [word, op] : {std::pair{std::string_view(" notin"), Term::Op::kNotIn},
                                 std::pair{std::string_view(" in"), Term::Op::kIn}}) {
    const size_t at = term.find(word);
    const size_t end = at + word.size();
    const bool found =
        at != std::string_view::npos && end < term.size() && (term[end] == ' ' || term[end] == '(');
    if (found) return parse_set(trim(term.substr(0, at)), op, term.substr(end), term);
  }
  const size_t equals = term.find('=');
  if (equals == std::string_view::npos) {
    const bool absent = term.starts_with('!');
    const std::string_view key = trim(absent ? term.substr(1) : term);
    if (!is_label_text(key)) return bad(term);
    return Term{std::string(key), absent ? Term::Op::kDoesNotExist : Term::Op::kExists, {}};
  }
  const bool unequal = equals > 0 && term[equals - 1] == '!';
  const std::string_view key = trim(term.substr(0, equals - (unequal ? 1 : 0)));
  std::string_view value = term.substr(equals + 1);
  if (!unequal && value.starts_with('=')) value.remove_prefix(1);
  value = trim(value);
  if (!is_label_text(key) || (!value.empty() && !is_label_text(value))) return bad(term);
  return Term{std::string(key), unequal ? Term::Op::kNotIn : Term::Op::kIn, {std::string(value)}};
}

}  // namespace

Result<api::LabelSelector> parse_label_selector(std::string_view text) {
  api::LabelSelector selector;
  if (trim(text).empty()) return selector;
  for (const std::string_view part : terms_of(text)) {
    auto term = parse_term(part);
    if (!term.ok()) return term.error();
    selector.match_expressions.push_back(*std::move(term));
  }
  return selector;
}

}  // namespace windlass::scaling
