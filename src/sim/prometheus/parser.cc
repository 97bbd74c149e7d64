#include "sim/prometheus/parser.h"

#include <algorithm>
#include <array>
#include <limits>

#include <fmt/format.h>

#include "base/utf8.h"

namespace windlass::sim::prometheus {
namespace {

// Binding strength, weakest first, as in Prometheus' grammar. Only ^ groups to the right. A unary
// sign binds like multiplication: -a^b is -(a^b), -a*b is (-a)*b.
constexpr int kPowerPrecedence = 6;

struct OperatorRow {
  std::string_view text;
  Operator op;
  int precedence;
};
constexpr std::array<OperatorRow, 15> kOperators = {{{"or", Operator::kOr, 1},
                                                     {"and", Operator::kAnd, 2},
                                                     {"unless", Operator::kUnless, 2},
                                                     {"==", Operator::kEqual, 3},
                                                     {"!=", Operator::kNotEqual, 3},
                                                     {"<", Operator::kLess, 3},
                                                     {"<=", Operator::kLessOrEqual, 3},
                                                     {">", Operator::kGreater, 3},
                                                     {">=", Operator::kGreaterOrEqual, 3},
                                                     {"+", Operator::kAdd, 4},
                                                     {"-", Operator::kSubtract, 4},
                                                     {"*", Operator::kMultiply, 5},
                                                     {"/", Operator::kDivide, 5},
                                                     {"%", Operator::kModulo, 5},
                                                     {"^", Operator::kPower, 6}}};

const OperatorRow* find_operator(const Token& token) {
  if (token.kind != TokenKind::kSymbol && token.kind != TokenKind::kWord) return nullptr;
  const auto* row = std::ranges::find(kOperators, lower(token.text), &OperatorRow::text);
  return row == kOperators.end() ? nullptr : row;
}

}  // namespace

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string shown(const Token& token) {
  if (token.kind == TokenKind::kEnd) return "the end of the query";
  return "`" + printable(token.text, 40) + "`";
}

std::string_view to_string(ValueType type) {
  switch (type) {
    case ValueType::kScalar:
      return "a scalar";
    case ValueType::kVector:
      return "an instant vector";
    case ValueType::kRange:
      return "a range vector";
  }
  WL_UNREACHABLE("a value type of its own");
}

// Refused here is all that could surprise later: a scenario with such a query never starts.
Result<Query> parse_promql(std::string_view text, Results results) {
  if (text.size() > kQueryBytesMax) {
    return Error(
        fmt::format("the query has {} bytes (accepted: up to {})", text.size(), kQueryBytesMax));
  }
  auto tokens = tokenize(text);
  if (!tokens) return tokens.error();
  return Parser(text, std::move(*tokens)).parse(results);
}

Result<Query> Parser::parse(Results results) {
  auto query = parse_expression();
  if (!query) return query;
  if (peek().kind != TokenKind::kEnd) {
    return unexpected("an operator or the end of the query");
  }
  if ((*query)->type == ValueType::kRange && results != Results::kRangeToo) {
    return error_from(0,
                      "the query is a range vector (accepted: a scalar or an instant vector, such "
                      "as rate(...) makes of it)");
  }
  return query;
}

// Precedence climbing: takes operators that bind at least as closely as precedence_min, and leaves
// the rest to the caller further up.
Result<Query> Parser::parse_expression(int precedence_min) {
  if (const Status entered = enter(); !entered) return entered.error();
  auto left = parse_operand();
  while (left) {
    if (at_keyword("atan2")) {
      return error_here(
          "the operator atan2 is not in the subset (accepted: + - * / % ^ == != < <= > >= and or "
          "unless)");
    }
    const OperatorRow* row = find_operator(peek());
    if (row == nullptr || row->precedence < precedence_min) break;
    auto head = parse_binary_head(row->op);
    if (!head) return head.error();
    const bool groups_right = row->op == Operator::kPower;
    auto right = parse_expression(groups_right ? row->precedence : row->precedence + 1);
    if (!right) return right;
    left = make_binary(std::move(*head), std::move(*left), std::move(*right));
  }
  leave();
  return left;
}

Result<Parser::BinaryHead> Parser::parse_binary_head(Operator op) {
  BinaryHead head{op, false, {}, take().position};
  if (at_keyword("bool")) {
    if (!is_comparison(op)) return error_here("bool belongs to comparisons (== != < <= > >=) only");
    take();
    head.returns_bool = true;
  }
  const bool on = at_keyword("on");
  if (!on && !at_keyword("ignoring")) return head;
  take();
  auto labels = parse_label_list(on);
  if (!labels) return labels.error();
  head.matching = std::move(*labels);
  if (at_keyword("group_left") || at_keyword("group_right")) {
    return error_here(
        fmt::format("{} is not in the subset (accepted: one-to-one matching by "
                    "on(...) or ignoring(...))",
                    lower(peek().text)));
  }
  return head;
}

// Types are settled here, in Prometheus' order of complaints, so that evaluation needs no check.
Result<Query> Parser::make_binary(BinaryHead head, Query left, Query right) {
  for (const Query& side : {left, right}) {
    if (side->type == ValueType::kRange) {
      return error_from(head.position,
                        "an operator takes scalars and instant vectors, found a range vector");
    }
  }
  const bool vectors = left->type == ValueType::kVector && right->type == ValueType::kVector;
  const bool scalars = left->type == ValueType::kScalar && right->type == ValueType::kScalar;
  if (is_set_operator(head.op) && !vectors) {
    return error_from(head.position, "and, or and unless take instant vectors, found a scalar");
  }
  if (is_comparison(head.op) && scalars && !head.returns_bool) {
    return error_from(head.position,
                      "a comparison of two scalars needs bool, as in `1 < bool 2`: it can't "
                      "filter");
  }
  // on() with nothing in it is let through, as Prometheus does.
  if (!vectors && !head.matching.names.empty()) {
    return error_from(head.position, "on and ignoring match instant vectors, found a scalar");
  }
  const auto type = scalars ? ValueType::kScalar : ValueType::kVector;
  return make(type, Binary{head.op, head.returns_bool, std::move(head.matching), left, right},
              std::max(left->depth, right->depth));
}

Result<Query> Parser::parse_operand() {
  if (at_symbol("+") || at_symbol("-")) return parse_unary();
  return parse_primary();
}

Result<Query> Parser::parse_unary() {
  const Token sign = take();
  auto operand = parse_expression(kPowerPrecedence);
  if (!operand) return operand;
  if ((*operand)->type == ValueType::kRange) {
    return error_from(sign.position,
                      "a sign stands before a scalar or an instant vector, found a range vector");
  }
  if (sign.text == "+") return operand;  // it changes nothing, not even the name
  if (const auto* number = std::get_if<Number>(&(*operand)->node)) {
    return make(ValueType::kScalar, Number{-number->value}, 0);
  }
  return make((*operand)->type, Negation{*operand}, (*operand)->depth);
}

Result<Query> Parser::parse_primary() {
  const Token& token = peek();
  const bool names_series = at_symbol("{") || token.kind == TokenKind::kWord;
  if (names_series) return parse_word();
  auto primary = at_symbol("(") ? parse_parenthesised()
                 : token.kind == TokenKind::kNumber
                     ? parse_number()
                     : Result<Query>(unexpected("a selector, a number, a function, an "
                                                "aggregation or a parenthesis"));
  if (!primary) return primary;
  if (const Status suffix = refuse_suffix(); !suffix) return suffix.error();
  return primary;
}

Result<Query> Parser::parse_parenthesised() {
  take();
  auto inner = parse_expression();
  if (!inner) return inner;
  if (const Status closed = expect(")", "an operator or `)`"); !closed) return closed.error();
  return inner;
}

Result<Query> Parser::parse_number() {
  const Token token = take();
  const auto value = number_value(token.text);
  if (!value) {
    return error_from(
        token.position,
        fmt::format("not a number: {} (accepted: like 2.5, 1e3, 0x1F, Inf, NaN)", shown(token)));
  }
  return make(ValueType::kScalar, Number{*value}, 0);
}

// A word, or a selector's brace: numbers by name, aggregations, functions, else a metric.
Result<Query> Parser::parse_word() {
  // These five can't name a metric; all other keywords can, as in Prometheus.
  for (const std::string_view reserved : {"bool", "on", "ignoring", "group_left", "group_right"}) {
    if (at_keyword(reserved)) return unexpected("an operand; this word belongs behind an operator");
  }
  const bool infinite = at_keyword("inf");
  const bool called = at_symbol("(", 1);
  // `sum` alone is a metric; what follows makes it an aggregation.
  const bool grouped = called || at_keyword("by", 1) || at_keyword("without", 1);
  Result<Query> made = Query();
  if (infinite || at_keyword("nan")) {
    take();
    made = make(ValueType::kScalar,
                Number{infinite ? std::numeric_limits<double>::infinity()
                                : std::numeric_limits<double>::quiet_NaN()},
                0);
  } else if (grouped && at_aggregator()) {
    made = parse_aggregation();
  } else if (called) {
    made = parse_call();
  } else {
    return parse_selector();
  }
  if (!made) return made;
  if (const Status suffix = refuse_suffix(); !suffix) return suffix.error();
  return made;
}

Status Parser::refuse_subquery() const {
  if (at_symbol("[") && at_symbol(":", 2)) {
    return error_here(
        "subqueries such as [30m:1m] are not in the subset (accepted: a range such as [5m] "
        "directly behind a selector)");
  }
  return {};
}

// What may follow a selector only.
Status Parser::refuse_suffix() const {
  if (const Status subquery = refuse_subquery(); !subquery) return subquery;
  if (at_symbol("[")) return error_here("a range stands directly behind a selector only");
  if (at_keyword("offset")) return error_here("offset stands directly behind a selector only");
  if (at_symbol("@")) return error_here("the @ modifier is not in the subset (accepted: offset)");
  return {};
}

Status Parser::enter() {
  if (++depth_ <= kDepthMax) return {};
  return error_here(fmt::format("nested deeper than {} levels", kDepthMax));
}

// Every node comes from here: chains such as a + b + c ... grow deep without recursion in the
// parser, and would overflow the stack of whoever walks or destroys the tree.
Result<Query> Parser::make(ValueType type, decltype(Expression::node) node, int depth_below) const {
  if (depth_below >= kDepthMax) {
    return error_here(fmt::format("nested deeper than {} levels", kDepthMax));
  }
  return Query(
      std::make_shared<const Expression>(Expression{type, depth_below + 1, std::move(node)}));
}

// Beyond the last token stands the end, however far one looks.
const Token& Parser::peek(size_t ahead) const {
  return tokens_[std::min(next_ + ahead, tokens_.size() - 1)];
}

Token Parser::take() {
  const Token token = peek();
  if (next_ + 1 < tokens_.size()) ++next_;
  return token;
}

bool Parser::at_symbol(std::string_view symbol, size_t ahead) const {
  return peek(ahead).kind == TokenKind::kSymbol && peek(ahead).text == symbol;
}

bool Parser::at_keyword(std::string_view keyword, size_t ahead) const {
  const Token& token = peek(ahead);
  return token.kind == TokenKind::kWord && token.text.size() == keyword.size() &&
         lower(token.text) == keyword;
}

Status Parser::expect(std::string_view symbol, std::string_view where) {
  if (!at_symbol(symbol)) return unexpected(where);
  take();
  return {};
}

Error Parser::error_here(std::string_view message) const {
  return error_from(peek().position, message);
}

Error Parser::error_from(size_t position, std::string_view message) const {
  return error_at(query_, position, message);
}

Error Parser::unexpected(std::string_view accepted) const {
  return error_here(fmt::format("unexpected {} (accepted: {})", shown(peek()), accepted));
}

}  // namespace windlass::sim::prometheus
