// Functions over instant vectors: value by value, and the ones that make or end a vector.
#include <cmath>
#include <limits>
#include <set>

#include "sim/prometheus/functions.h"

namespace windlass::sim::prometheus {
namespace {

// Go's math.Max and math.Min: NaN wins over any number but the infinity asked for.
double max_as_go(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) {
    const double top = std::numeric_limits<double>::infinity();
    return a == top || b == top ? top : std::numeric_limits<double>::quiet_NaN();
  }
  return a > b ? a : b;
}
double min_as_go(double a, double b) { return -max_as_go(-a, -b); }

// Each value through `change`, the names dropped.
template <typename Change>
Result<Operand> map_values(Vector vector, Change change) {
  auto out = without_names(std::move(vector));
  if (!out) return out.error();
  for (Element& element : out->elements) element.value = change(element.value);
  return Operand(std::move(*out));
}

template <typename Change>
Result<Operand> map_values(Evaluation& evaluation, const Query& argument, Change change) {
  auto operand = evaluation.vector(argument);
  if (!operand) return operand.error();
  return map_values(std::move(*operand), change);
}

}  // namespace

Result<Operand> apply_abs(Evaluation& evaluation, const Call& call) {
  return map_values(evaluation, call.arguments[0], [](double v) { return std::fabs(v); });
}

Result<Operand> apply_ceil(Evaluation& evaluation, const Call& call) {
  return map_values(evaluation, call.arguments[0], [](double v) { return std::ceil(v); });
}

Result<Operand> apply_floor(Evaluation& evaluation, const Call& call) {
  return map_values(evaluation, call.arguments[0], [](double v) { return std::floor(v); });
}

// To the nearest multiple of the second argument (1 by default), halves upward. Multiplying by the
// inverse, not dividing, is what Prometheus does, and it shows in the last bits.
Result<Operand> apply_round(Evaluation& evaluation, const Call& call) {
  double to_nearest = 1;
  if (call.arguments.size() > 1) {
    const auto given = evaluation.scalar(call.arguments[1]);
    if (!given) return given.error();
    to_nearest = *given;
  }
  const double inverse = 1 / to_nearest;
  return map_values(evaluation, call.arguments[0],
                    [=](double v) { return std::floor(v * inverse + 0.5) / inverse; });
}

Result<Operand> apply_clamp(Evaluation& evaluation, const Call& call) {
  const auto low = evaluation.scalar(call.arguments[1]);
  if (!low) return low.error();
  const auto high = evaluation.scalar(call.arguments[2]);
  if (!high) return high.error();
  auto operand = evaluation.vector(call.arguments[0]);
  if (!operand) return operand.error();
  if (*high < *low) return Operand(Vector{});
  return map_values(std::move(*operand),
                    [&](double v) { return max_as_go(*low, min_as_go(*high, v)); });
}

Result<Operand> apply_clamp_max(Evaluation& evaluation, const Call& call) {
  const auto high = evaluation.scalar(call.arguments[1]);
  if (!high) return high.error();
  return map_values(evaluation, call.arguments[0], [&](double v) { return min_as_go(*high, v); });
}

Result<Operand> apply_clamp_min(Evaluation& evaluation, const Call& call) {
  const auto low = evaluation.scalar(call.arguments[1]);
  if (!low) return low.error();
  return map_values(evaluation, call.arguments[0], [&](double v) { return max_as_go(*low, v); });
}

// 1 if the vector is empty. Its labels are what the selector says by equality; a label that is
// named twice or matched otherwise is left out.
Result<Operand> apply_absent(Evaluation& evaluation, const Call& call) {
  const auto operand = evaluation.vector(call.arguments[0]);
  if (!operand) return operand.error();
  Vector out;
  if (!operand->elements.empty()) return Operand(std::move(out));
  Labels labels;
  std::set<std::string_view> seen;
  if (const auto* selector = std::get_if<Selector>(&call.arguments[0]->node)) {
    for (const Matcher& matcher : selector->matchers) {
      if (matcher.label == kMetricName) continue;
      const bool sets = matcher.kind == MatchKind::kEqual && seen.insert(matcher.label).second;
      if (sets && !matcher.value.empty()) {
        labels[matcher.label] = matcher.value;
      } else {
        labels.erase(matcher.label);
      }
    }
  }
  out.elements.push_back({evaluation.keep(std::move(labels)), false, 1});
  return Operand(std::move(out));
}

Result<Operand> apply_scalar(Evaluation& evaluation, const Call& call) {
  const auto operand = evaluation.vector(call.arguments[0]);
  if (!operand) return operand.error();
  if (operand->elements.size() != 1) return Operand(std::numeric_limits<double>::quiet_NaN());
  return Operand(operand->elements[0].value);
}

Result<Operand> apply_vector(Evaluation& evaluation, const Call& call) {
  const auto value = evaluation.scalar(call.arguments[0]);
  if (!value) return value.error();
  Vector out;
  out.elements.push_back({evaluation.keep({}), false, *value});
  return Operand(std::move(out));
}

Result<Operand> apply_time(Evaluation& evaluation, const Call& /*call*/) {
  return Operand(static_cast<double>(evaluation.at_ms()) / 1000);
}

}  // namespace windlass::sim::prometheus
