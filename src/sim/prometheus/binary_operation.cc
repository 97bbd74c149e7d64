#include <cmath>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>

#include "sim/prometheus/evaluation.h"

namespace windlass::sim::prometheus {
namespace {

// IEEE's comparisons: NaN equals nothing, itself included.
bool holds(Operator op, double left, double right) {
  switch (op) {
    case Operator::kEqual:
      return left == right;
    case Operator::kNotEqual:
      return left != right;
    case Operator::kLess:
      return left < right;
    case Operator::kLessOrEqual:
      return left <= right;
    case Operator::kGreater:
      return left > right;
    case Operator::kGreaterOrEqual:
      return left >= right;
    default:
      WL_UNREACHABLE("not a comparison");
  }
}

double compute(Operator op, double left, double right) {
  switch (op) {
    case Operator::kAdd:
      return left + right;
    case Operator::kSubtract:
      return left - right;
    case Operator::kMultiply:
      return left * right;
    case Operator::kDivide:
      return left / right;
    case Operator::kModulo:
      return std::fmod(left, right);
    case Operator::kPower:
      return std::pow(left, right);
    default:
      WL_UNREACHABLE("not arithmetic");
  }
}

double operate_scalars(Operator op, double left, double right) {
  if (is_comparison(op)) return holds(op, left, right) ? 1 : 0;
  return compute(op, left, right);
}

// Applied to each element. A comparison that filters keeps the element's own value and name, on
// whichever side the vector stands; all else drops the name.
Result<Operand> operate_mixed(const Binary& binary, Vector vector, double scalar,
                              bool vector_left) {
  const bool filters = is_comparison(binary.op) && !binary.returns_bool;
  std::vector<Element> kept;
  kept.reserve(vector.elements.size());
  for (Element element : vector.elements) {
    const double left = vector_left ? element.value : scalar;
    const double right = vector_left ? scalar : element.value;
    if (filters && !holds(binary.op, left, right)) continue;
    if (!filters) element.value = operate_scalars(binary.op, left, right);
    kept.push_back(element);
  }
  vector.elements = std::move(kept);
  if (filters) return Operand(std::move(vector));
  auto nameless = without_names(std::move(vector));
  if (!nameless) return nameless.error();
  return Operand(std::move(*nameless));
}

std::string key_of(const Element& element, const LabelSubset& matching) {
  std::string key;
  append_key(element, matching, key);
  return key;
}

Error many_to_many(const Element& first, const Element& second, const LabelSubset& matching) {
  return Error(
      fmt::format("found duplicate series for the match group {} on the right hand-side "
                  "of the operation: {} and {}; matching labels must be unique",
                  to_string(reduce(first, matching)), to_string(labels_of(first)),
                  to_string(labels_of(second))));
}

// The labels of a matched pair come from its left side: with on(...) the listed ones, else all but
// those ignored. Arithmetic and bool drop the name as well.
Element matched(Evaluation& evaluation, const Binary& binary, const Element& left, double value) {
  const LabelSubset& matching = binary.matching;
  const bool nameless = left.nameless || !is_comparison(binary.op) || binary.returns_bool;
  if (!matching.listed_only && matching.names.empty()) return {left.labels, nameless, value};
  Labels labels = reduce(left, matching);
  // reduce() leaves the name out with ignoring(...); a filter keeps it unless it is ignored.
  if (!matching.listed_only && !nameless) {
    bool ignored = false;
    for (const std::string& name : matching.names) ignored = ignored || name == kMetricName;
    const std::string_view name = label_value(left, kMetricName);
    if (!ignored && !name.empty()) labels.emplace(kMetricName, name);
  }
  return {evaluation.keep(std::move(labels)), nameless, value};
}

// Each element of the left side meets the one of the right side that agrees on the matched labels.
// Which errors come, and in which order, is Prometheus' VectorBinop: an empty side ends it first,
// then repeated keys on the right, then on the left.
Result<Operand> operate_one_to_one(Evaluation& evaluation, const Binary& binary, const Vector& left,
                                   const Vector& right) {
  Vector out;
  if (left.elements.empty() || right.elements.empty()) return Operand(std::move(out));
  struct Candidate {
    const Element* element;
    bool taken = false;
  };
  std::unordered_map<std::string, Candidate> by_key;
  for (const Element& element : right.elements) {
    const auto [at, added] = by_key.try_emplace(key_of(element, binary.matching), &element);
    if (!added) return many_to_many(*at->second.element, element, binary.matching);
  }
  for (const Element& element : left.elements) {
    const auto at = by_key.find(key_of(element, binary.matching));
    if (at == by_key.end()) continue;
    const double right_value = at->second.element->value;
    const bool filters = is_comparison(binary.op) && !binary.returns_bool;
    if (filters && !holds(binary.op, element.value, right_value)) continue;
    // Only what passes the filter counts as a match, as in Prometheus.
    if (at->second.taken) {
      return Error(
          fmt::format("multiple matches for labels {} on the left hand-side of the "
                      "operation: many-to-one matching is not in the subset",
                      to_string(reduce(element, binary.matching))));
    }
    at->second.taken = true;
    const double value =
        filters ? element.value : operate_scalars(binary.op, element.value, right_value);
    out.elements.push_back(matched(evaluation, binary, element, value));
  }
  return Operand(std::move(out));
}

// Set operators look at labels only; values and names come through untouched.
Operand operate_sets(const Binary& binary, Vector left, const Vector& right) {
  std::unordered_set<std::string> keys;
  const bool joins = binary.op == Operator::kOr;
  for (const Element& e : (joins ? left : right).elements) keys.insert(key_of(e, binary.matching));
  if (joins) {
    for (const Element& element : right.elements) {
      if (!keys.contains(key_of(element, binary.matching))) left.elements.push_back(element);
    }
    // Two names may now share all other labels, where the match was by fewer of them or by name.
    left.unique_without_name = false;
    return Operand(std::move(left));
  }
  const bool wanted = binary.op == Operator::kAnd;
  std::erase_if(left.elements, [&](const Element& element) {
    return keys.contains(key_of(element, binary.matching)) != wanted;
  });
  return Operand(std::move(left));
}

}  // namespace

Result<Operand> operate(Evaluation& evaluation, const Binary& binary) {
  auto left = evaluation.evaluate(*binary.left);
  if (!left) return left;
  auto right = evaluation.evaluate(*binary.right);
  if (!right) return right;
  if (left->is_scalar && right->is_scalar) {
    return Operand(operate_scalars(binary.op, left->scalar, right->scalar));
  }
  if (right->is_scalar) {
    return operate_mixed(binary, std::move(left->vector), right->scalar, true);
  }
  if (left->is_scalar) {
    return operate_mixed(binary, std::move(right->vector), left->scalar, false);
  }
  if (is_set_operator(binary.op)) {
    return operate_sets(binary, std::move(left->vector), right->vector);
  }
  return operate_one_to_one(evaluation, binary, left->vector, right->vector);
}

}  // namespace windlass::sim::prometheus
