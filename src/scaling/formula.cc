// Evaluation: a walk over the tree that stops at the first error. Both its depth and its work are
// bounded (formula_tree.h).
#include "scaling/formula.h"

#include <fmt/format.h>

#include "scaling/formula_parser.h"
#include "scaling/formula_value.h"

namespace windlass::scaling {
namespace {

using Kind = FormulaNode::Kind;
using Op = FormulaOp;

class Evaluator {
 public:
  Evaluator(const FormulaTree& tree, std::span<const std::optional<double>> values)
      : tree_(tree), values_(values) {}

  // Once an error is set, whatever is returned is nil and means nothing.
  FormulaValue run(NodeIndex index) {
    const FormulaNode& node = tree_.nodes[index];
    if (!spend(node, 1)) return {};
    switch (node.kind) {
      case Kind::kLiteral:
        return std::visit([](auto held) { return FormulaValue{held}; }, node.literal);
      case Kind::kTrigger: {
        const std::optional<double>& value = values_[node.slot];
        return value ? FormulaValue{*value} : FormulaValue{};
      }
      case Kind::kLocal:
        return locals_[node.slot];
      case Kind::kElement:
        return elements_.back();
      case Kind::kUnary:
        return unary(node);
      case Kind::kBinary:
        return binary(node);
      case Kind::kChain:
        return chain(node);
      case Kind::kCondition:
        return truth(node.children[0]) ? run_unless_failed(node.children[1])
                                       : run_unless_failed(node.children[2]);
      case Kind::kArray:
        return make_array(run_all(node));
      case Kind::kIndex:
        return element_at(node);
      case Kind::kLet:
        return let(node);
      case Kind::kCall:
        return call(node);
      case Kind::kPredicate:
        return predicate(node);
    }
    WL_UNREACHABLE("formula node");
  }

  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  FormulaValue fail(const FormulaNode& node, std::string_view what) {
    if (!error_) error_ = Error(fmt::format("column {}: {}", node.column, what));
    return {};
  }
  bool spend(const FormulaNode& node, int64_t work) {
    work_ -= work;
    if (work_ < 0) fail(node, fmt::format("takes more than {} steps", kFormulaWorkMax));
    return !error_;
  }
  FormulaValue run_unless_failed(NodeIndex index) { return error_ ? FormulaValue{} : run(index); }
  FormulaValue checked(const FormulaNode& node, Result<FormulaValue> result) {
    if (work_ < 0) spend(node, 0);
    if (!result.ok()) return fail(node, result.error().message());
    return *std::move(result);
  }
  static FormulaValue make_array(std::vector<FormulaValue> items) {
    return {std::make_shared<const std::vector<FormulaValue>>(std::move(items))};
  }

  // False on failure, too.
  bool truth_of(const FormulaNode& node, const FormulaValue& value) {
    if (error_) return false;
    if (value.boolean() != nullptr) return *value.boolean();
    fail(node, fmt::format("needs true or false, found {}", describe(value)));
    return false;
  }
  bool truth(NodeIndex index) { return truth_of(tree_.nodes[index], run(index)); }

  std::vector<FormulaValue> run_all(const FormulaNode& node) {
    std::vector<FormulaValue> values;
    for (const NodeIndex child : node.children) {
      if (!spend(node, 1)) break;
      values.push_back(run(child));
    }
    return values;
  }

  FormulaValue unary(const FormulaNode& node) {
    if (node.op == Op::kNot) return {!truth(node.children[0])};
    const FormulaValue value = run(node.children[0]);
    if (error_) return {};
    if (!value.number()) {
      return fail(node, fmt::format("a sign takes a number, found {}", describe(value)));
    }
    if (node.op == Op::kPlus) return value;
    // -x, not 0 - x: the zero keeps its sign.
    if (value.whole() == nullptr) return {-value.as_double()};
    return checked(node, calculate(Op::kSubtract, {int64_t{0}}, value));
  }

  FormulaValue binary(const FormulaNode& node) {
    const NodeIndex left = node.children[0];
    const NodeIndex right = node.children[1];
    if (node.op == Op::kAnd) return {truth(left) && truth(right)};
    if (node.op == Op::kOr) return {truth(left) || (!error_ && truth(right))};
    const FormulaValue a = run(left);
    if (error_) return {};
    if (node.op == Op::kCoalesce) return a.nil() ? run(right) : a;
    const FormulaValue b = run(right);
    if (error_) return {};
    switch (node.op) {
      case Op::kEqual:
      case Op::kNotEqual: {
        const bool same = equal(a, b, work_);
        return checked(node, FormulaValue{same == (node.op == Op::kEqual)});
      }
      case Op::kIn:
      case Op::kNotIn:
        return member(node, a, b);
      case Op::kRange:
        return range(node, a, b);
      default:
        return checked(node, calculate(node.op, a, b));
    }
  }

  FormulaValue member(const FormulaNode& node, const FormulaValue& a, const FormulaValue& b) {
    if (b.array() == nullptr) {
      return fail(node, fmt::format("\"in\" takes an array on its right, found {}", describe(b)));
    }
    bool found = false;
    for (const FormulaValue& item : **b.array()) found = found || equal(a, item, work_);
    return checked(node, FormulaValue{found == (node.op == Op::kIn)});
  }

  FormulaValue range(const FormulaNode& node, const FormulaValue& a, const FormulaValue& b) {
    if (a.whole() == nullptr || b.whole() == nullptr) {
      return fail(node, "a range takes whole numbers; write int(a)..int(b)");
    }
    std::vector<FormulaValue> items;
    for (int64_t at = *a.whole(); at <= *b.whole() && spend(node, 1); ++at) {
      items.push_back({at});
      if (at == *b.whole()) break;  // the next one might not fit
    }
    return make_array(std::move(items));
  }

  FormulaValue chain(const FormulaNode& node) {
    FormulaValue left = run(node.children[0]);
    for (size_t i = 0; i < node.ops.size(); ++i) {
      FormulaValue right = run_unless_failed(node.children[i + 1]);
      if (error_) return {};
      if (!left.number() || !right.number()) {
        return fail(node, fmt::format("\"{}\" takes numbers, found {}", to_string(node.ops[i]),
                                      describe(left.number() ? right : left)));
      }
      if (!in_order(node.ops[i], left, right)) return {false};
      left = std::move(right);
    }
    return {true};
  }
  static bool in_order(Op op, const FormulaValue& a, const FormulaValue& b) {
    const double x = a.as_double();
    const double y = b.as_double();
    return op == Op::kLess           ? x < y
           : op == Op::kLessEqual    ? x <= y
           : op == Op::kGreaterEqual ? x >= y
                                     : x > y;
  }

  FormulaValue element_at(const FormulaNode& node) {
    const FormulaValue array = run(node.children[0]);
    const FormulaValue position = run_unless_failed(node.children[1]);
    if (error_) return {};
    if (array.array() == nullptr || position.whole() == nullptr) {
      return fail(node, "[ ] takes an array and a whole number");
    }
    const auto& items = **array.array();
    const auto size = static_cast<int64_t>(items.size());
    // Counted from the end when negative, as in expr-lang.
    const int64_t at = *position.whole() < 0 ? *position.whole() + size : *position.whole();
    if (at < 0 || at >= size) {
      return fail(node, fmt::format("no element {} in an array of {}", *position.whole(), size));
    }
    return items[static_cast<size_t>(at)];
  }

  FormulaValue let(const FormulaNode& node) {
    locals_.push_back(run(node.children[0]));
    FormulaValue result = run_unless_failed(node.children[1]);
    locals_.pop_back();
    return result;
  }

  FormulaValue call(const FormulaNode& node) {
    std::vector<FormulaValue> arguments = run_all(node);
    if (error_) return {};
    switch (node.call) {
      case FormulaCall::kCount:
        return count_true(node, arguments.front());
      case FormulaCall::kSum:
        if (arguments.front().array() == nullptr) return fail(node, "sum takes an array");
        [[fallthrough]];
      case FormulaCall::kMean:
      case FormulaCall::kMedian:
      case FormulaCall::kMin:
      case FormulaCall::kMax:
        return checked(node, aggregate(node.call, arguments, work_));
      default:
        return checked(node, convert(node.call, arguments.front()));
    }
  }

  FormulaValue count_true(const FormulaNode& node, const FormulaValue& value) {
    if (value.array() == nullptr) return fail(node, "count takes an array");
    int64_t count = 0;
    for (const FormulaValue& item : **value.array()) count += truth_of(node, item) ? 1 : 0;
    return {count};
  }

  FormulaValue predicate(const FormulaNode& node) {
    const FormulaValue subject = run(node.children[0]);
    if (error_) return {};
    if (subject.array() == nullptr) {
      return fail(node, fmt::format("takes an array, found {}", describe(subject)));
    }
    std::vector<FormulaValue> kept;
    int64_t hits = 0;
    const auto& items = **subject.array();
    for (const FormulaValue& item : items) {
      elements_.push_back(item);
      FormulaValue value = run(node.children[1]);
      elements_.pop_back();
      if (error_) return {};
      if (node.call == FormulaCall::kMap || node.call == FormulaCall::kSum) {
        kept.push_back(std::move(value));
        continue;
      }
      const bool hit = truth_of(tree_.nodes[node.children[1]], value);
      // Decided: as in expr-lang, what comes later is not looked at, be it nil.
      if (!hit && node.call == FormulaCall::kAll) return {false};
      if (hit && node.call == FormulaCall::kAny) return {true};
      if (hit && node.call == FormulaCall::kNone) return {false};
      if (!hit) continue;
      ++hits;
      if (node.call == FormulaCall::kFilter) kept.push_back(item);
    }
    return of_hits(node, hits, static_cast<int64_t>(items.size()), std::move(kept));
  }

  FormulaValue of_hits(const FormulaNode& node, int64_t hits, int64_t size,
                       std::vector<FormulaValue> kept) {
    if (error_) return {};
    switch (node.call) {
      case FormulaCall::kAll:
        return {hits == size};
      case FormulaCall::kAny:
        return {false};
      case FormulaCall::kNone:
        return {true};
      case FormulaCall::kOne:
        return {hits == 1};
      case FormulaCall::kCount:
        return {hits};
      case FormulaCall::kSum:
        return checked(node, aggregate(FormulaCall::kSum, kept, work_));
      default:
        return make_array(std::move(kept));
    }
  }

  const FormulaTree& tree_;
  std::span<const std::optional<double>> values_;
  std::vector<FormulaValue> locals_;
  std::vector<FormulaValue> elements_;  // what # stands for, innermost last
  int64_t work_ = kFormulaWorkMax;
  std::optional<Error> error_;
};

}  // namespace

std::string_view to_string(FormulaOp op) {
  constexpr std::string_view kTexts[] = {
      "+",  "-",  "*",      "/",  "%",   "**", "==", "!=", "<", "<=", ">",
      ">=", "in", "not in", "..", "and", "or", "??", "-",  "+", "not"};
  return kTexts[static_cast<size_t>(op)];
}

Result<Formula> Formula::parse(std::string_view text, const std::vector<std::string>& names) {
  auto tree = parse_formula(text, names);
  if (!tree.ok()) return tree.error();
  Formula formula;
  formula.tree_ = std::make_shared<const FormulaTree>(*std::move(tree));
  return formula;
}

Result<std::optional<double>> Formula::evaluate(
    std::span<const std::optional<double>> values) const {
  Evaluator evaluator(*tree_, values);
  const FormulaValue value = evaluator.run(tree_->root);
  if (evaluator.error()) return *evaluator.error();
  if (value.number()) return std::optional(value.as_double());
  // KEDA wraps a formula in float(), except that nil may leave one with ??.
  if (value.nil() && tree_->has_coalesce) return std::optional<double>();
  return Error(fmt::format("the formula gives {}, a number is needed", describe(value)));
}

}  // namespace windlass::scaling
