#include "server/rest/selectors.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/names.h"

namespace windlass::server::rest {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Up to the next of `stops`, trimmed; the stop stays.
std::string_view take_until(std::string_view& text, std::string_view stops) {
  const size_t end = std::min(text.find_first_of(stops), text.size());
  const std::string_view taken = trimmed(text.substr(0, end));
  text.remove_prefix(end);
  return taken;
}

bool take(std::string_view& text, std::string_view token) {
  if (!text.starts_with(token)) return false;
  text.remove_prefix(token.size());
  return true;
}

std::optional<std::string> parse_set(std::string_view& text, LabelTerm& term) {
  text = trimmed(text);
  if (!take(text, "(")) return "expected: '('";
  while (true) {
    term.values.emplace_back(take_until(text, ",)"));
    if (take(text, ")")) break;
    if (!take(text, ",")) return "expected: ',' or ')'";
  }
  text = trimmed(text);
  return std::nullopt;
}

bool is_integer(const std::string& text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size() && !text.empty();
}

// What follows the key: an operator with its values, or nothing (exists).
std::optional<std::string> parse_operator(std::string_view& text, LabelTerm& term) {
  using Op = LabelTerm::Op;
  text = trimmed(text);
  if (text.empty() || text.front() == ',') {
    term.op = Op::kExists;
    return std::nullopt;
  }
  if (take(text, "notin")) {
    term.op = Op::kNotIn;
    return parse_set(text, term);
  }
  if (take(text, "in")) return parse_set(text, term);
  if (take(text, "!=")) {
    term.op = Op::kNotIn;
  } else if (take(text, "==") || take(text, "=")) {
    term.op = Op::kIn;
  } else if (take(text, ">")) {
    term.op = Op::kGreater;
  } else if (take(text, "<")) {
    term.op = Op::kLess;
  } else {
    return "expected an operator: in, notin, =, ==, !=, >, <";
  }
  term.values.emplace_back(take_until(text, ","));
  const bool compares = term.op == Op::kGreater || term.op == Op::kLess;
  if (compares && !is_integer(term.values[0])) {
    return "for 'Gt', 'Lt' operators, the value must be an integer";
  }
  return std::nullopt;
}

std::optional<std::string> parse_term(std::string_view& text, LabelTerm& term) {
  text = trimmed(text);
  const bool absent = take(text, "!");
  text = trimmed(text);
  term.key = take_until(text, " \t,=!<>()");
  if (!api::is_qualified_name(term.key)) {
    return fmt::format("key: Invalid value: \"{}\": not a label's key ({})", term.key,
                       api::kAcceptedKey);
  }
  if (absent) {
    text = trimmed(text);
    term.op = LabelTerm::Op::kAbsent;
    return std::nullopt;
  }
  if (auto fault = parse_operator(text, term)) return fault;
  for (const auto& value : term.values) {
    if (!api::is_label_value(value)) {
      return fmt::format("values: Invalid value: \"{}\": not a label's value ({})", value,
                         api::kAcceptedLabelValue);
    }
  }
  return std::nullopt;
}

bool holds(const LabelTerm& term, const api::StringMap& labels) {
  using Op = LabelTerm::Op;
  const auto found = labels.find(term.key);
  const bool present = found != labels.end();
  switch (term.op) {
    case Op::kExists:
      return present;
    case Op::kAbsent:
      return !present;
    case Op::kIn:
    case Op::kNotIn: {
      const bool listed = present && std::find(term.values.begin(), term.values.end(),
                                               found->second) != term.values.end();
      return listed == (term.op == Op::kIn);
    }
    case Op::kGreater:
    case Op::kLess: {
      if (!present || !is_integer(found->second)) return false;
      int64_t left = 0;
      int64_t right = 0;
      std::from_chars(found->second.data(), found->second.data() + found->second.size(), left);
      std::from_chars(term.values[0].data(), term.values[0].data() + term.values[0].size(), right);
      return term.op == Op::kGreater ? left > right : left < right;
    }
  }
  return false;
}

std::string_view field_of(const cluster::Document& document, std::string_view field) {
  if (field == "metadata.name") return document.key.name;
  if (field == "metadata.namespace") return document.key.namespace_name;
  for (const auto& [name, value] : document.fields) {
    if (name == field) return value;
  }
  return {};
}

bool is_selectable(const Resource& resource, std::string_view field) {
  if (field == "metadata.name" || field == "metadata.namespace") return true;
  const auto named = [&](const auto& pair) { return pair.first == field; };
  const auto own = kinds::selectable_fields(resource.store_name, Json::object());
  return std::any_of(own.begin(), own.end(), named) ||
         std::any_of(resource.selectable.begin(), resource.selectable.end(), named);
}

// Up to an unescaped comma; \, \= and \\ stand for the character.
std::string take_field_value(std::string_view& text) {
  std::string value;
  while (!text.empty() && text.front() != ',') {
    if (text.front() == '\\' && text.size() > 1) text.remove_prefix(1);
    value += text.front();
    text.remove_prefix(1);
  }
  return value;
}

}  // namespace

Outcome<std::vector<LabelTerm>> parse_label_selector(std::string_view text) {
  const std::string whole(text);
  std::vector<LabelTerm> terms;
  text = trimmed(text);
  while (!text.empty()) {
    LabelTerm term;
    auto fault = parse_term(text, term);
    if (!fault && !text.empty() && !take(text, ",")) fault = "expected: ','";
    if (fault) {
      return bad_request(fmt::format("unable to parse requirement in \"{}\": {}", whole, *fault));
    }
    terms.push_back(std::move(term));
    text = trimmed(text);
  }
  return terms;
}

Outcome<std::vector<FieldTerm>> parse_field_selector(std::string_view text,
                                                     const Resource& resource) {
  const std::string whole(text);
  std::vector<FieldTerm> terms;
  while (!text.empty()) {
    if (take(text, ",")) continue;
    FieldTerm term;
    term.field = take_until(text, "=!,");
    if (take(text, "!=")) {
      term.equal = false;
    } else if (!take(text, "==") && !take(text, "=")) {
      return bad_request(
          fmt::format("invalid selector: '{}'; can't understand '{}'", whole, term.field));
    }
    term.value = take_field_value(text);
    if (!is_selectable(resource, term.field)) {
      return bad_request(fmt::format(
          "Unable to find \"{}\" that match label selector \"\", field selector \"{}\": "
          "field label not supported: {}",
          api_version(resource.group, resource.versions.front().name) +
              ", Resource=" + resource.plural,
          whole, term.field));
    }
    terms.push_back(std::move(term));
  }
  return terms;
}

bool matches(const std::vector<LabelTerm>& terms, const api::StringMap& labels) {
  return std::all_of(terms.begin(), terms.end(),
                     [&](const LabelTerm& term) { return holds(term, labels); });
}

bool Selector::matches(const cluster::Document& document) const {
  for (const auto& term : fields) {
    if ((field_of(document, term.field) == term.value) != term.equal) return false;
  }
  return rest::matches(labels, document.labels);
}

std::string Selector::only_name() const {
  for (const auto& term : fields) {
    if (term.field == "metadata.name" && term.equal) return term.value;
  }
  return {};
}

}  // namespace windlass::server::rest
