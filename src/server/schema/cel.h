// A subset of the Common Expression Language: what rules in CRDs (x-kubernetes-validations) use.
//
// Understood: self, oldSelf; literals (numbers, texts also raw, lists, maps, true, false, null);
// field and index access; has(); ! - * / % + - < <= > >= == != in && || ?:; the macros all, exists,
// exists_one, filter, map; size, int, double, string, bool, dyn, duration, timestamp; of texts
// startsWith, endsWith, contains, matches, find, findAll, lowerAscii, upperAscii, trim, split,
// replace, substring, indexOf, lastIndexOf, charAt; of lists join, sum, min, max, isSorted,
// indexOf. Whatever else makes compile() fail, and the rule counts as not supported.
//
// Numbers compare across types, && and || forgive an error on one side if the other decides: both
// as in Kubernetes. Work and nesting are bounded; rules and values are untrusted.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace windlass::server::schema::cel {

struct Node;

struct Program {
  std::shared_ptr<const Node> root;
  bool uses_old_self = false;
};

Result<Program> compile(std::string_view rule);

// The rule's value: a boolean for rules, a text for messageExpression. `old_self` may be null if
// the program doesn't use it. `budget` is the number of steps left for all rules of one write. The
// error says what went wrong ("no such key: x").
Result<Json> evaluate(const Program& program, const Json& self, const Json* old_self,
                      int64_t& budget);

}  // namespace windlass::server::schema::cel
