// The recursive-descent parser, private to this directory. Its methods stand in three files:
// parser.cc has expressions and operators, call_parser.cc functions and aggregations,
// selector_parser.cc what names series. Recursion is
// bounded by kDepthMax, counted in enter().
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sim/prometheus/ast.h"
#include "sim/prometheus/functions.h"
#include "sim/prometheus/lexer.h"

namespace windlass::sim::prometheus {

class Parser {
 public:
  Parser(std::string_view query, std::vector<Token> tokens)
      : query_(query), tokens_(std::move(tokens)) {}

  // The whole query.
  Result<Query> parse(Results results);

 private:
  // An operator with what may follow it: `bool`, on(...), ignoring(...).
  struct BinaryHead {
    Operator op;
    bool returns_bool = false;
    LabelSubset matching;
    size_t position;
  };
  struct Arguments {
    std::vector<Query> values;
    std::vector<size_t> positions;
  };

  // parser.cc
  Result<Query> parse_expression(int precedence_min = 1);  // 1: any operator
  Result<Query> parse_operand();
  Result<Query> parse_primary();
  Result<Query> parse_word();
  Result<Query> parse_number();
  Result<Query> parse_parenthesised();
  Result<Query> parse_unary();
  Result<BinaryHead> parse_binary_head(Operator op);
  Result<Query> make_binary(BinaryHead head, Query left, Query right);
  [[nodiscard]] Status refuse_suffix() const;
  [[nodiscard]] Status refuse_subquery() const;

  // call_parser.cc
  [[nodiscard]] bool at_aggregator() const;
  Result<Query> parse_call();
  Result<Query> parse_aggregation();
  Status parse_grouping(LabelSubset& grouping);
  Result<Arguments> parse_arguments();
  [[nodiscard]] Status check_arguments(const Signature& signature, const Arguments& arguments,
                                       size_t position) const;

  // selector_parser.cc
  Result<Query> parse_selector();
  Status parse_matchers(Selector& selector);
  Status parse_matcher(Selector& selector);
  Status parse_range(Selector& selector);
  Status parse_offset(Selector& selector);
  [[nodiscard]] Status check_selects_something(const Selector& selector, size_t position) const;
  Result<LabelSubset> parse_label_list(bool listed_only);

  Status enter();
  void leave() { --depth_; }
  Result<Query> make(ValueType type, decltype(Expression::node) node, int depth_below) const;

  [[nodiscard]] const Token& peek(size_t ahead = 0) const;
  Token take();
  [[nodiscard]] bool at_symbol(std::string_view symbol, size_t ahead = 0) const;
  // Keywords are words in any letter case.
  [[nodiscard]] bool at_keyword(std::string_view keyword, size_t ahead = 0) const;
  Status expect(std::string_view symbol, std::string_view where);
  [[nodiscard]] Error error_here(std::string_view message) const;
  [[nodiscard]] Error error_from(size_t position, std::string_view message) const;
  // "unexpected X; accepted: Y"
  [[nodiscard]] Error unexpected(std::string_view accepted) const;

  std::string_view query_;
  std::vector<Token> tokens_;
  size_t next_ = 0;
  int depth_ = 0;
};

// ASCII lower case, for keywords.
std::string lower(std::string_view text);
// The token as a message shows it: never longer than a line.
std::string shown(const Token& token);

}  // namespace windlass::sim::prometheus
