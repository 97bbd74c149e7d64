// Precedence climbing with expr-lang's table: or, and, comparison, .., + -, * / %, ** (to the
// right), ??, and between them the signs: not below .., unary minus below **. So -2 ** 2 is -4 and
// a + b ?? 0 is a + (b ?? 0).
#include "scaling/formula_parser.h"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"
#include "scaling/formula_lexer.h"

namespace windlass::scaling {
namespace {

using Kind = FormulaNode::Kind;
using Op = FormulaOp;

struct BinaryRule {
  std::string_view sign;
  Op op;
  int precedence;
};
constexpr std::array<BinaryRule, 21> kBinary{
    {{"or", Op::kOr, 10},           {"||", Op::kOr, 10},        {"and", Op::kAnd, 15},
     {"&&", Op::kAnd, 15},          {"==", Op::kEqual, 20},     {"!=", Op::kNotEqual, 20},
     {"<", Op::kLess, 20},          {"<=", Op::kLessEqual, 20}, {">", Op::kGreater, 20},
     {">=", Op::kGreaterEqual, 20}, {"in", Op::kIn, 20},        {"not", Op::kNotIn, 20},
     {"..", Op::kRange, 25},        {"+", Op::kAdd, 30},        {"-", Op::kSubtract, 30},
     {"*", Op::kMultiply, 60},      {"/", Op::kDivide, 60},     {"%", Op::kModulo, 60},
     {"**", Op::kPower, 100},       {"^", Op::kPower, 100},     {"??", Op::kCoalesce, 500}}};
constexpr int kNotPrecedence = 50;
constexpr int kSignPrecedence = 90;

struct CallRule {
  std::string_view name;
  FormulaCall call;
  // 0: numbers and arrays as arguments, 1: one argument, 2: an array and a predicate,
  // 3: an array and perhaps a predicate
  int shape;
};
constexpr std::array<CallRule, 19> kCalls{{{"all", FormulaCall::kAll, 2},
                                           {"any", FormulaCall::kAny, 2},
                                           {"none", FormulaCall::kNone, 2},
                                           {"one", FormulaCall::kOne, 2},
                                           {"count", FormulaCall::kCount, 3},
                                           {"filter", FormulaCall::kFilter, 2},
                                           {"map", FormulaCall::kMap, 2},
                                           {"sum", FormulaCall::kSum, 3},
                                           {"mean", FormulaCall::kMean, 0},
                                           {"median", FormulaCall::kMedian, 0},
                                           {"min", FormulaCall::kMin, 0},
                                           {"max", FormulaCall::kMax, 0},
                                           {"abs", FormulaCall::kAbs, 1},
                                           {"ceil", FormulaCall::kCeil, 1},
                                           {"floor", FormulaCall::kFloor, 1},
                                           {"round", FormulaCall::kRound, 1},
                                           {"int", FormulaCall::kInt, 1},
                                           {"float", FormulaCall::kFloat, 1},
                                           {"len", FormulaCall::kLen, 1}}};

bool is_order(Op op) {
  return op == Op::kLess || op == Op::kLessEqual || op == Op::kGreater || op == Op::kGreaterEqual;
}

const CallRule* call_named(std::string_view name) {
  const auto* it = std::ranges::find(kCalls, name, &CallRule::name);
  return it == kCalls.end() ? nullptr : it;
}

class Parser {
 public:
  Parser(std::vector<FormulaToken> tokens, const std::vector<std::string>& names)
      : tokens_(std::move(tokens)), names_(names) {}

  Result<FormulaTree> run() {
    tree_.root = expression(0);
    if (!failed() && token().kind != FormulaToken::Kind::kEnd) {
      fail(token(), fmt::format("found {} behind the end of the formula", found()));
    }
    if (failed()) return Error(error_);
    return std::move(tree_);
  }

 private:
  [[nodiscard]] const FormulaToken& token() const { return tokens_[at_]; }
  [[nodiscard]] bool failed() const { return !error_.empty(); }
  void next() {
    if (at_ + 1 < tokens_.size()) ++at_;
  }
  bool take(std::string_view sign) {
    if (!token().is(sign)) return false;
    next();
    return true;
  }
  void expect(std::string_view sign) {
    if (failed() || take(sign)) return;
    fail(token(), fmt::format("found {}, expected \"{}\"", found(), sign));
  }
  [[nodiscard]] std::string found() const {
    return token().kind == FormulaToken::Kind::kEnd
               ? std::string("the end")
               : fmt::format("\"{}\"", token().text.substr(0, 40));
  }
  void fail(const FormulaToken& where, std::string_view what) {
    if (!failed()) error_ = fmt::format("column {}: {}", where.column, what);
  }

  NodeIndex add(Kind kind, const FormulaToken& where, std::vector<NodeIndex> children) {
    FormulaNode node;
    node.kind = kind;
    node.column = where.column;
    node.children = std::move(children);
    if (failed()) return 0;
    for (const NodeIndex child : node.children) {
      node.depth = std::max(node.depth, tree_.nodes[child].depth + 1);
    }
    if (node.depth > kFormulaDepthMax) fail(where, too_deep());
    tree_.nodes.push_back(std::move(node));
    return static_cast<NodeIndex>(tree_.nodes.size() - 1);
  }
  NodeIndex add_op(Kind kind, const FormulaToken& where, Op op, std::vector<NodeIndex> children) {
    const NodeIndex index = add(kind, where, std::move(children));
    if (!failed()) tree_.nodes[index].op = op;
    return index;
  }
  static std::string too_deep() {
    return fmt::format("nested more than {} deep", kFormulaDepthMax);
  }

  // An expression whose operators bind at least as tightly as `precedence`.
  NodeIndex expression(int precedence) {
    if (failed()) return 0;
    if (++nesting_ > kFormulaDepthMax) fail(token(), too_deep());
    NodeIndex result = 0;
    if (failed()) {
      // Unwind: nothing more is read.
    } else if (precedence == 0 && token().is("let")) {
      result = let();
    } else if (precedence == 0 && token().is("if")) {
      result = if_else();
    } else {
      result = binary(precedence);
      if (precedence == 0) result = ternary(result);
    }
    --nesting_;
    return result;
  }

  // The binary operator at the present token, if it binds tightly enough.
  [[nodiscard]] const BinaryRule* operator_here(int precedence) const {
    if (token().kind != FormulaToken::Kind::kSign && token().kind != FormulaToken::Kind::kName) {
      return nullptr;
    }
    const auto* rule = std::ranges::find(kBinary, token().text, &BinaryRule::sign);
    if (rule == kBinary.end() || rule->precedence < precedence) return nullptr;
    // "not" joins two operands only as "not in".
    if (rule->op == Op::kNotIn && !tokens_[std::min(at_ + 1, tokens_.size() - 1)].is("in")) {
      return nullptr;
    }
    return rule;
  }

  NodeIndex binary(int precedence) {
    NodeIndex left = unary();
    bool coalesced = false;
    while (const BinaryRule* rule = failed() ? nullptr : operator_here(precedence)) {
      const FormulaToken sign = token();
      next();
      if (rule->op == Op::kNotIn) next();
      if (coalesced && rule->op != Op::kCoalesce) {
        fail(sign, fmt::format("\"{}\" after ?? needs parentheses around one of them", sign.text));
      }
      coalesced = rule->op == Op::kCoalesce;
      tree_.has_coalesce |= coalesced;
      if (is_order(rule->op)) {
        left = chain(left, sign, *rule);
        continue;
      }
      const bool to_the_right = rule->op == Op::kPower;
      const NodeIndex right = expression(rule->precedence + (to_the_right ? 0 : 1));
      left = add_op(Kind::kBinary, sign, rule->op, {left, right});
    }
    return left;
  }

  // a < b < c means a < b and b < c.
  NodeIndex chain(NodeIndex left, const FormulaToken& sign, const BinaryRule& first) {
    std::vector<NodeIndex> operands{left, expression(first.precedence + 1)};
    std::vector<Op> ops{first.op};
    while (const BinaryRule* rule = failed() ? nullptr : operator_here(first.precedence)) {
      if (!is_order(rule->op)) break;
      next();
      ops.push_back(rule->op);
      operands.push_back(expression(rule->precedence + 1));
    }
    const NodeIndex node = add(Kind::kChain, sign, std::move(operands));
    if (!failed()) tree_.nodes[node].ops = std::move(ops);
    return node;
  }

  NodeIndex ternary(NodeIndex condition) {
    const FormulaToken mark = token();
    if (failed() || !take("?")) return condition;
    const NodeIndex yes = expression(0);
    expect(":");
    const NodeIndex no = expression(0);
    return add(Kind::kCondition, mark, {condition, yes, no});
  }

  NodeIndex if_else() {
    const FormulaToken word = token();
    next();
    // Not expression(0): its "{" would not be the block's.
    const NodeIndex condition = expression(1);
    expect("{");
    const NodeIndex yes = expression(0);
    expect("}");
    expect("else");
    NodeIndex no = 0;
    if (!failed() && token().is("if")) {
      no = expression(0);
    } else {
      expect("{");
      no = expression(0);
      expect("}");
    }
    return add(Kind::kCondition, word, {condition, yes, no});
  }

  NodeIndex let() {
    const FormulaToken word = token();
    next();
    const FormulaToken name = token();
    const std::string text(name.text);
    if (name.kind != FormulaToken::Kind::kName) {
      fail(name, fmt::format("found {}, expected a name", found()));
    } else if (call_named(text) != nullptr || std::ranges::find(names_, text) != names_.end() ||
               std::ranges::find(locals_, text) != locals_.end() || is_word(text)) {
      fail(name, fmt::format("\"{}\" means something already", text.substr(0, 64)));
    }
    next();
    expect("=");
    const NodeIndex value = expression(0);
    expect(";");
    locals_.push_back(text);
    const NodeIndex body = expression(0);
    locals_.pop_back();
    return add(Kind::kLet, word, {value, body});
  }

  static bool is_word(std::string_view text) {
    constexpr std::array<std::string_view, 10> kWords{"let", "if",  "else", "true", "false",
                                                      "nil", "and", "or",   "not",  "in"};
    return std::ranges::find(kWords, text) != kWords.end();
  }

  NodeIndex unary() {
    if (failed()) return 0;
    const FormulaToken sign = token();
    if (take("not") || take("!")) {
      const NodeIndex operand = expression(kNotPrecedence);
      return postfix(add_op(Kind::kUnary, sign, Op::kNot, {operand}));
    }
    if (take("-") || take("+")) {
      const NodeIndex operand = expression(kSignPrecedence);
      const Op op = sign.text == "-" ? Op::kNegate : Op::kPlus;
      return postfix(add_op(Kind::kUnary, sign, op, {operand}));
    }
    return postfix(primary());
  }

  NodeIndex postfix(NodeIndex node) {
    while (!failed() && token().is("[")) {
      const FormulaToken bracket = token();
      next();
      const NodeIndex position = expression(0);
      expect("]");
      node = add(Kind::kIndex, bracket, {node, position});
    }
    return node;
  }

  NodeIndex primary() {
    const FormulaToken here = token();
    if (here.kind == FormulaToken::Kind::kNumber) {
      next();
      const NodeIndex node = add(Kind::kLiteral, here, {});
      if (failed()) return 0;
      std::visit([&](auto number) { tree_.nodes[node].literal = number; }, here.number);
      return node;
    }
    if (take("(")) {
      const NodeIndex inner = expression(0);
      expect(")");
      return inner;
    }
    if (take("[")) {
      return add(Kind::kArray, here, list("]"));
    }
    if (take("#")) {
      if (predicates_ == 0) fail(here, "# stands for an element in a predicate only");
      return add(Kind::kElement, here, {});
    }
    if (here.kind == FormulaToken::Kind::kName) return name();
    fail(here,
         fmt::format("found {}, expected a number, a trigger's name, \"(\" or a call", found()));
    return 0;
  }

  // Expressions up to the closing sign, which is taken; a comma may stand at the end.
  std::vector<NodeIndex> list(std::string_view close) {
    std::vector<NodeIndex> items;
    while (!failed() && !take(close)) {
      items.push_back(expression(0));
      if (!failed() && !token().is(close)) expect(",");
    }
    return items;
  }

  NodeIndex name() {
    const FormulaToken here = token();
    next();
    if (here.text == "true" || here.text == "false" || here.text == "nil") {
      const NodeIndex node = add(Kind::kLiteral, here, {});
      if (!failed() && here.text != "nil") tree_.nodes[node].literal = here.text == "true";
      return node;
    }
    if (token().is("(")) return call(here);
    const auto local = std::ranges::find(locals_, here.text);
    const auto trigger = std::ranges::find(names_, here.text);
    if (local == locals_.end() && trigger == names_.end()) {
      fail(here, unknown(here.text));
      return 0;
    }
    const bool is_local = local != locals_.end();
    const NodeIndex node = add(is_local ? Kind::kLocal : Kind::kTrigger, here, {});
    if (failed()) return 0;
    tree_.nodes[node].slot =
        static_cast<uint32_t>(is_local ? local - locals_.begin() : trigger - names_.begin());
    return node;
  }

  [[nodiscard]] std::string unknown(std::string_view name) const {
    const std::vector<std::string_view> known(names_.begin(), names_.end());
    const std::string_view near = nearest_name(name, known);
    const std::string hint =
        near.empty() ? std::string() : fmt::format("; did you mean \"{}\"?", near);
    return fmt::format("unknown name \"{}\" (accepted: {}){}", name.substr(0, 64),
                       names_.empty() ? "none, for no trigger has a name" : join(names_, ", "),
                       hint);
  }

  NodeIndex call(const FormulaToken& name) {
    const CallRule* rule = call_named(name.text);
    if (rule == nullptr) {
      std::vector<std::string> known;
      for (const CallRule& r : kCalls) known.emplace_back(r.name);
      fail(name, fmt::format("unknown function \"{}\" (accepted: {})", name.text.substr(0, 64),
                             join(known, ", ")));
      return 0;
    }
    expect("(");
    std::vector<NodeIndex> arguments;
    bool predicate = false;
    if (rule->shape < 2) {
      arguments = list(")");
    } else {
      arguments.push_back(expression(0));
      if (!failed() && take(",") && !token().is(")")) {
        arguments.push_back(predicate_body());
        predicate = true;
        take(",");
      }
      expect(")");
    }
    const bool right_count = rule->shape == 0   ? !arguments.empty()
                             : rule->shape == 1 ? arguments.size() == 1
                             : rule->shape == 2 ? predicate
                                                : true;
    if (!right_count) {
      fail(name, fmt::format("{} takes {}", rule->name,
                             rule->shape == 0   ? "at least one argument"
                             : rule->shape == 1 ? "one argument"
                                                : "an array and a predicate, like {# > 1}"));
    }
    const NodeIndex node =
        add(predicate ? Kind::kPredicate : Kind::kCall, name, std::move(arguments));
    if (!failed()) tree_.nodes[node].call = rule->call;
    return node;
  }

  NodeIndex predicate_body() {
    ++predicates_;
    const bool braces = take("{");
    const NodeIndex body = expression(0);
    if (braces) expect("}");
    --predicates_;
    return body;
  }

  std::vector<FormulaToken> tokens_;
  const std::vector<std::string>& names_;
  std::vector<std::string> locals_;  // of the lets around, outermost first
  size_t at_ = 0;
  uint32_t nesting_ = 0;
  int predicates_ = 0;
  FormulaTree tree_;
  std::string error_;
};

}  // namespace

Result<FormulaTree> parse_formula(std::string_view text, const std::vector<std::string>& names) {
  if (text.size() > kFormulaLengthMax) {
    return Error(
        fmt::format("column {}: longer than {} bytes", kFormulaLengthMax + 1, kFormulaLengthMax));
  }
  auto tokens = read_formula_tokens(text);
  if (!tokens.ok()) return tokens.error();
  return Parser(*std::move(tokens), names).run();
}

}  // namespace windlass::scaling
