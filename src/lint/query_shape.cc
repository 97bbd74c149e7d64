#include "lint/query_shape.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/text.h"

namespace windlass::lint {
namespace {

struct Token {
  enum class Kind { kName, kNumber, kString, kSymbol };
  Kind kind;
  std::string text;
};
using Tokens = std::vector<Token>;

bool starts_name(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool in_name(char c) {
  return starts_name(c) || std::isdigit(static_cast<unsigned char>(c)) != 0 || c == ':';
}

size_t string_end(std::string_view text, size_t at) {
  const char quote = text[at];
  for (++at; at < text.size() && text[at] != quote; ++at) {
    if (text[at] == '\\' && quote != '`') ++at;
  }
  return std::min(at + 1, text.size());
}

Tokens tokenize(std::string_view text) {
  Tokens out;
  for (size_t at = 0; at < text.size();) {
    const char c = text[at];
    size_t end = at + 1;
    if (std::isspace(static_cast<unsigned char>(c)) != 0) {
      at = end;
      continue;
    }
    if (c == '#') {
      at = std::min(text.find('\n', at), text.size());
      continue;
    }
    Token::Kind kind = Token::Kind::kSymbol;
    if (starts_name(c) || c == ':') {
      kind = Token::Kind::kName;
      while (end < text.size() && in_name(text[end])) ++end;
    } else if (std::isdigit(static_cast<unsigned char>(c)) != 0 || c == '.') {
      kind = Token::Kind::kNumber;
      while (end < text.size() && (in_name(text[end]) || text[end] == '.')) ++end;
    } else if (c == '"' || c == '\'' || c == '`') {
      kind = Token::Kind::kString;
      end = string_end(text, at);
    }
    out.push_back({kind, std::string(text.substr(at, end - at))});
    at = end;
  }
  return out;
}

template <size_t N>
bool is_one_of(std::string_view text, const std::array<std::string_view, N>& names) {
  return std::ranges::find(names, text) != names.end();
}

constexpr std::array<std::string_view, 12> kAggregations{
    "sum",    "avg",    "min",  "max",     "count",    "group",
    "stddev", "stdvar", "topk", "bottomk", "quantile", "count_values"};
// Keep a series for each they are given, however many: their outside is not one value.
constexpr std::array<std::string_view, 3> kKeepSeries{"topk", "bottomk", "count_values"};
constexpr std::array<std::string_view, 5> kScalars{"scalar", "time", "pi", "vector", "absent"};
constexpr std::array<std::string_view, 7> kSetWords{"and",  "or",     "unless",  "on",
                                                    "bool", "offset", "ignoring"};
constexpr std::array<std::string_view, 2> kGroups{"by", "without"};

bool is_symbol(const Token& token, std::string_view text) {
  return token.kind == Token::Kind::kSymbol && token.text == text;
}

// The index behind the bracket that closes the one at `at`; the end if none does.
size_t past_bracket(const Tokens& tokens, size_t at) {
  int depth = 0;
  for (; at < tokens.size(); ++at) {
    const Token& token = tokens[at];
    if (token.kind != Token::Kind::kSymbol) continue;
    if (token.text == "(" || token.text == "{" || token.text == "[") ++depth;
    if (token.text == ")" || token.text == "}" || token.text == "]") --depth;
    if (depth == 0) return at + 1;
  }
  return at;
}

bool is_operator(const Token& token) {
  static constexpr std::array<std::string_view, 10> kOperators{"+", "-", "*", "/", "%",
                                                               "^", ">", "<", "=", "!"};
  return token.kind == Token::Kind::kSymbol && is_one_of(token.text, kOperators);
}

// Names that select a metric: not functions, not label lists, not durations.
std::vector<std::string> metrics_of(const Tokens& tokens) {
  std::vector<std::string> out;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const Token& token = tokens[i];
    if (is_symbol(token, "{") || is_symbol(token, "[")) {
      i = past_bracket(tokens, i) - 1;
      continue;
    }
    if (token.kind != Token::Kind::kName) continue;
    const bool called = i + 1 < tokens.size() && is_symbol(tokens[i + 1], "(");
    const bool labels = is_one_of(token.text, kGroups) || is_one_of(token.text, kSetWords) ||
                        token.text == "group_left" || token.text == "group_right";
    if (labels && called) i = past_bracket(tokens, i + 1) - 1;
    if (labels || called || is_one_of(token.text, kAggregations)) continue;
    if (std::ranges::find(out, token.text) == out.end()) out.push_back(token.text);
  }
  return out;
}

struct Part {
  QueryShape::Series series = QueryShape::Series::kUnknown;
  bool scalar = false;
  std::string aggregation;
  bool grouped = false;
};

Part shape_of_tokens(const Tokens& tokens, int depth);

Tokens slice(const Tokens& tokens, size_t from, size_t to) {
  return {tokens.begin() + static_cast<int64_t>(std::min(from, tokens.size())),
          tokens.begin() + static_cast<int64_t>(std::min(std::max(from, to), tokens.size()))};
}

Part of_aggregation(const Tokens& tokens) {
  Part out;
  out.aggregation = tokens[0].text;
  size_t at = 1;
  const auto skip_group = [&] {
    if (at >= tokens.size() || tokens[at].kind != Token::Kind::kName ||
        !is_one_of(tokens[at].text, kGroups)) {
      return;
    }
    const size_t end = past_bracket(tokens, at + 1);
    // "by ()" groups by nothing; "without ()" keeps all labels.
    out.grouped = tokens[at].text == "without" || end > at + 3;
    at = end;
  };
  skip_group();
  if (at < tokens.size()) at = past_bracket(tokens, at);
  skip_group();
  const bool keeps = is_one_of(out.aggregation, kKeepSeries);
  out.series = out.grouped || keeps ? QueryShape::Series::kMany : QueryShape::Series::kOne;
  if (keeps) out.aggregation.clear();
  return out;
}

// The last argument of a call: the vector, for all functions that take one beside numbers but
// those that begin with it.
Part of_call(const Tokens& tokens, int depth) {
  const std::string& name = tokens[0].text;
  Part out;
  if (is_one_of(name, kScalars)) {
    out.series = QueryShape::Series::kOne;
    out.scalar = name != "vector" && name != "absent";
    return out;
  }
  const size_t end = past_bracket(tokens, 1);
  std::vector<Tokens> arguments;
  size_t from = 2;
  for (size_t i = 2; i + 1 < end; ++i) {
    if (is_symbol(tokens[i], "(") || is_symbol(tokens[i], "{") || is_symbol(tokens[i], "[")) {
      i = past_bracket(tokens, i) - 1;
    } else if (is_symbol(tokens[i], ",")) {
      arguments.push_back(slice(tokens, from, i));
      from = i + 1;
    }
  }
  if (from + 1 <= end) arguments.push_back(slice(tokens, from, end - 1));
  const bool vector_last = name == "histogram_quantile" || name == "quantile_over_time";
  if (arguments.empty()) return out;
  out = shape_of_tokens(vector_last ? arguments.back() : arguments.front(), depth + 1);
  if (name == "histogram_quantile" && out.grouped) {
    // The buckets' label is used up: a sum by (le) becomes one series.
    const Tokens& inner = arguments.back();
    size_t at = 0;
    while (at < inner.size() && !(inner[at].kind == Token::Kind::kName && inner[at].text == "by"))
      ++at;
    const Tokens labels =
        slice(inner, at + 2, at < inner.size() ? past_bracket(inner, at + 1) - 1 : 0);
    const bool only_le = labels.size() == 1 && labels[0].text == "le";
    out.series = only_le ? QueryShape::Series::kOne : out.series;
    out.grouped = !only_le;
  }
  // What a function makes of an average is not an average any more.
  out.aggregation.clear();
  return out;
}

Part of_operand(const Tokens& tokens, int depth) {
  Part out;
  if (tokens.empty()) return out;
  if (is_symbol(tokens[0], "(") && past_bracket(tokens, 0) == tokens.size()) {
    return shape_of_tokens(slice(tokens, 1, tokens.size() - 1), depth + 1);
  }
  if (tokens[0].kind == Token::Kind::kNumber && tokens.size() == 1) {
    out.series = QueryShape::Series::kOne;
    out.scalar = true;
    return out;
  }
  if (tokens[0].kind == Token::Kind::kName && tokens.size() > 1) {
    if (is_one_of(tokens[0].text, kAggregations)) return of_aggregation(tokens);
    if (is_symbol(tokens[1], "(")) return of_call(tokens, depth);
  }
  const bool selector = tokens[0].kind == Token::Kind::kName || is_symbol(tokens[0], "{");
  if (selector) out.series = QueryShape::Series::kMany;
  return out;
}

Part shape_of_tokens(const Tokens& tokens, int depth) {
  constexpr int kDeepest = 50;
  Part out;
  if (depth > kDeepest) return out;
  // Operands between the operators of the outermost level.
  std::vector<Part> operands;
  // A sign in front is no operator between operands.
  size_t from = 0;
  while (from < tokens.size() && is_operator(tokens[from])) ++from;
  bool set_words = false;
  for (size_t i = from; i <= tokens.size();) {
    if (i == tokens.size() || (i > from && is_operator(tokens[i]))) {
      operands.push_back(of_operand(slice(tokens, from, i), depth));
      while (i < tokens.size() && is_operator(tokens[i])) ++i;
      from = i;
      if (i == tokens.size()) break;
      continue;
    }
    set_words =
        set_words || (tokens[i].kind == Token::Kind::kName && is_one_of(tokens[i].text, kSetWords));
    const bool opens =
        is_symbol(tokens[i], "(") || is_symbol(tokens[i], "{") || is_symbol(tokens[i], "[");
    i = opens ? past_bracket(tokens, i) : i + 1;
  }
  // Words between operands (and, or, on ...) are more than this reads.
  if (set_words || operands.empty()) return out;
  out = operands.front();
  for (size_t i = 1; i < operands.size(); ++i) {
    const Part& next = operands[i];
    if (out.scalar) {
      out = next;
    } else if (!next.scalar) {
      const bool many =
          out.series == QueryShape::Series::kMany || next.series == QueryShape::Series::kMany;
      const bool one =
          out.series == QueryShape::Series::kOne && next.series == QueryShape::Series::kOne;
      out.series = many  ? QueryShape::Series::kMany
                   : one ? QueryShape::Series::kOne
                         : QueryShape::Series::kUnknown;
      // A quotient of sums is an average, a difference of averages none: not to be told here.
      out.aggregation.clear();
    }
  }
  return out;
}

}  // namespace

QueryShape shape_of(std::string_view query) {
  constexpr size_t kLongest = 64 * 1024;
  QueryShape out;
  if (query.size() > kLongest) return out;
  const Tokens tokens = tokenize(query);
  if (tokens.empty()) return out;
  const Part part = shape_of_tokens(tokens, 0);
  out.series = part.series;
  out.aggregation = part.aggregation;
  out.grouped = part.grouped;
  out.metrics = metrics_of(tokens);
  return out;
}

}  // namespace windlass::lint
