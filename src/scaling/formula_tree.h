// A formula's syntax tree, flat: nodes name their children by index, so that neither its copy nor
// its end recurses. Private to this room; the public face is formula.h.
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

namespace windlass::scaling {

enum class FormulaOp {
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kModulo,
  kPower,
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kIn,
  kNotIn,
  kRange,
  kAnd,
  kOr,
  kCoalesce,
  kNegate,
  kPlus,
  kNot,
};

enum class FormulaCall {
  kAll,
  kAny,
  kNone,
  kOne,
  kCount,
  kFilter,
  kMap,
  kSum,
  kMean,
  kMedian,
  kMin,
  kMax,
  kAbs,
  kCeil,
  kFloor,
  kRound,
  kInt,
  kFloat,
  kLen,
};

using NodeIndex = uint32_t;

struct FormulaNode {
  enum class Kind {
    kLiteral,
    kTrigger,    // slot: index into the triggers' values
    kLocal,      // slot: how many lets stand around the one that is meant
    kElement,    // #
    kUnary,      // op, 1 child
    kBinary,     // op, 2 children
    kChain,      // a < b <= c: children are the operands, ops what stands between them
    kCondition,  // condition, then, else
    kArray,
    kIndex,      // array, position
    kLet,        // value, body
    kCall,       // call; arguments
    kPredicate,  // call; array and predicate
  };
  Kind kind = Kind::kLiteral;
  FormulaOp op = FormulaOp::kAdd;
  FormulaCall call = FormulaCall::kAll;
  uint32_t slot = 0;
  uint32_t column = 0;
  uint32_t depth = 1;  // of the tree below, this node counted
  std::variant<std::monostate, bool, int64_t, double> literal;
  std::vector<NodeIndex> children;
  std::vector<FormulaOp> ops;
};

struct FormulaTree {
  std::vector<FormulaNode> nodes;
  NodeIndex root = 0;
  bool has_coalesce = false;
};

// Deeper trees are refused, so that evaluation, which recurses, needs a known piece of stack.
inline constexpr uint32_t kFormulaDepthMax = 200;
inline constexpr size_t kFormulaLengthMax = 16'384;
// Nodes evaluated and array elements made in one evaluation.
inline constexpr int64_t kFormulaWorkMax = 100'000;

std::string_view to_string(FormulaOp op);

}  // namespace windlass::scaling
