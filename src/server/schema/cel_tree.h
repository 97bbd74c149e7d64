// The tree of a CEL expression: between the parser and the evaluator.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "server/schema/cel.h"

namespace windlass::server::schema::cel {

enum class Op {
  kLiteral,   // literal
  kVariable,  // text
  kSelect,    // children[0].text
  kIndex,     // children[0][children[1]]
  kHas,       // has(children[0].text)
  kList,      // children
  kMap,       // children: key, value, ...
  kNot,
  kNegate,
  kBinary,  // text: the operator
  kAnd,
  kOr,
  kConditional,  // three children
  kCall,         // text: the function; children: target (of a method) and arguments
  kMacro,        // text: the macro; variable; children: range, body (map with filter: filter, body)
};

struct Node {
  Op op = Op::kLiteral;
  std::string text;
  std::string variable;
  std::shared_ptr<const Json> literal;
  std::vector<Node> children;
  int depth = 1;
};

}  // namespace windlass::server::schema::cel
