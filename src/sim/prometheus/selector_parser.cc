#include <algorithm>

#include <fmt/format.h>
#include <re2/re2.h>

#include "base/utf8.h"
#include "sim/prometheus/parser.h"

namespace windlass::sim::prometheus {
namespace {

bool is_label_name(std::string_view word) { return word.find(':') == std::string_view::npos; }

Result<std::shared_ptr<const re2::RE2>> compile(const std::string& pattern) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(1 << 20);  // a hostile pattern may not grow beyond that
  // FullMatch anchors at both ends, as Prometheus' ^(?:...)$ does.
  auto regex = std::make_shared<const RE2>(pattern, options);
  if (!regex->ok()) return Error(printable(regex->error(), 100));
  return std::shared_ptr<const re2::RE2>(std::move(regex));
}

}  // namespace

bool Matcher::matches(std::string_view label_value) const {
  switch (kind) {
    case MatchKind::kEqual:
      return label_value == value;
    case MatchKind::kNotEqual:
      return label_value != value;
    case MatchKind::kRegex:
    case MatchKind::kNotRegex:
      const re2::StringPiece text(label_value.data(), label_value.size());
      return RE2::FullMatch(text, *regex) == (kind == MatchKind::kRegex);
  }
  WL_UNREACHABLE("a match kind of its own");
}

Result<Query> Parser::parse_selector() {
  const size_t position = peek().position;
  Selector selector;
  if (peek().kind == TokenKind::kWord) selector.name = std::string(take().text);
  if (at_symbol("{")) {
    if (const Status parsed = parse_matchers(selector); !parsed) return parsed.error();
  }
  if (const Status selects = check_selects_something(selector, position); !selects) {
    return selects.error();
  }
  if (const Status ranged = parse_range(selector); !ranged) return ranged.error();
  if (const Status moved = parse_offset(selector); !moved) return moved.error();
  // Left over: a second range or offset, @, a subquery. refuse_suffix() names each.
  if (const Status suffix = refuse_suffix(); !suffix) return suffix.error();
  const auto type = selector.range_ms > 0 ? ValueType::kRange : ValueType::kVector;
  return make(type, std::move(selector), 0);
}

// Prometheus refuses selectors that could match every series there is, such as {job=~".*"}.
Status Parser::check_selects_something(const Selector& selector, size_t position) const {
  if (!selector.name.empty()) return {};
  const bool matches_empty =
      std::ranges::all_of(selector.matchers, [](const Matcher& m) { return m.matches(""); });
  if (!matches_empty) return {};
  return error_from(position,
                    "the selector must contain at least one non-empty matcher (accepted: a metric "
                    "name, or a matcher that an absent label fails)");
}

Status Parser::parse_matchers(Selector& selector) {
  const size_t position = take().position;
  while (!at_symbol("}")) {
    if (const Status parsed = parse_matcher(selector); !parsed) return parsed;
    if (!at_symbol(",")) break;
    take();  // a trailing comma is fine here
  }
  if (const Status closed = expect("}", "`,` or `}`"); !closed) return closed;
  const auto names_metric = [](const Matcher& m) { return m.label == kMetricName; };
  if (!selector.name.empty() && std::ranges::any_of(selector.matchers, names_metric)) {
    return error_from(position, fmt::format("the metric name must not be set twice: {} stands "
                                            "before the braces and {} within",
                                            printable(selector.name, 40), kMetricName));
  }
  // {__name__="x"} is x{}; pinned, it is found without walking all series.
  const auto pins = [&](const Matcher& m) {
    return names_metric(m) && m.kind == MatchKind::kEqual && !m.value.empty();
  };
  const auto pin = std::ranges::find_if(selector.matchers, pins);
  if (pin != selector.matchers.end()) {
    selector.name = pin->value;
    selector.matchers.erase(pin);
  }
  return {};
}

Status Parser::parse_matcher(Selector& selector) {
  const Token label = peek();
  if (label.kind != TokenKind::kWord || !is_label_name(label.text)) {
    return unexpected("a label name or `}`");
  }
  take();
  Matcher matcher{std::string(label.text), MatchKind::kEqual, "", nullptr};
  if (at_symbol("=")) {
    matcher.kind = MatchKind::kEqual;
  } else if (at_symbol("!=")) {
    matcher.kind = MatchKind::kNotEqual;
  } else if (at_symbol("=~")) {
    matcher.kind = MatchKind::kRegex;
  } else if (at_symbol("!~")) {
    matcher.kind = MatchKind::kNotRegex;
  } else {
    return unexpected("`=`, `!=`, `=~` or `!~`");
  }
  take();
  const Token text = peek();
  if (text.kind != TokenKind::kString) return unexpected("a string in quotes");
  auto value = string_value(text.text);
  if (!value) {
    return error_from(text.position, fmt::format("bad escape in {} (accepted: \\a \\b \\f \\n \\r "
                                                 "\\t \\v \\\\, the quote in use, \\ooo, \\xhh, "
                                                 "\\uhhhh, \\Uhhhhhhhh; together UTF-8)",
                                                 shown(text)));
  }
  take();
  matcher.value = std::move(*value);
  if (matcher.kind == MatchKind::kRegex || matcher.kind == MatchKind::kNotRegex) {
    auto regex = compile(matcher.value);
    if (!regex) {
      return error_from(text.position, fmt::format("bad regular expression {}: {} (accepted: RE2 "
                                                   "syntax)",
                                                   shown(text), regex.error().message()));
    }
    matcher.regex = std::move(*regex);
  }
  selector.matchers.push_back(std::move(matcher));
  return {};
}

Status Parser::parse_range(Selector& selector) {
  if (!at_symbol("[")) return {};
  if (const Status subquery = refuse_subquery(); !subquery) return subquery;
  take();
  if (peek().kind != TokenKind::kDuration) return unexpected("a duration such as 5m");
  const Token length = take();
  selector.range_ms = duration_ms(length.text).value_or(0);
  if (selector.range_ms == 0) return error_from(length.position, "a range must be above 0");
  return expect("]", "`]`");
}

Status Parser::parse_offset(Selector& selector) {
  if (!at_keyword("offset")) return {};
  take();
  const bool negative = at_symbol("-");
  if (negative) take();
  if (peek().kind != TokenKind::kDuration) return unexpected("a duration such as 5m or -5m");
  const Token length = take();
  const int64_t offset_ms = duration_ms(length.text).value_or(0);
  if (offset_ms == 0) return error_from(length.position, "an offset must not be 0");
  selector.offset_ms = negative ? -offset_ms : offset_ms;
  return {};
}

Result<LabelSubset> Parser::parse_label_list(bool listed_only) {
  LabelSubset labels{listed_only, {}};
  if (const Status opened = expect("(", "`(`"); !opened) return opened.error();
  while (!at_symbol(")")) {
    const bool number = at_keyword("inf") || at_keyword("nan");
    if (peek().kind != TokenKind::kWord || number || !is_label_name(peek().text)) {
      return unexpected("a label name or `)`");
    }
    labels.names.emplace_back(take().text);
    if (!at_symbol(",")) break;
    take();  // a trailing comma is fine here
  }
  if (const Status closed = expect(")", "`,` or `)`"); !closed) return closed.error();
  std::ranges::sort(labels.names);
  const auto repeated = std::ranges::unique(labels.names);
  labels.names.erase(repeated.begin(), repeated.end());
  return labels;
}

}  // namespace windlass::sim::prometheus
