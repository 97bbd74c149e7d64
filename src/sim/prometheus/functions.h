// The functions of the subset, private to this directory: one table row each, so that the parser's
// checks, its messages and evaluation agree on what there is.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sim/prometheus/ast.h"
#include "sim/prometheus/evaluation.h"

namespace windlass::sim::prometheus {

struct Signature {
  std::string_view name;
  std::vector<ValueType> parameters;
  size_t required;  // of the parameters; the rest may be left out
};

struct Function {
  Signature signature;
  ValueType returns;
  Result<Operand> (*apply)(Evaluation& evaluation, const Call& call);
};

// Null if the subset has no such function.
const Function* find_function(std::string_view name);
// Whether Prometheus has it, though the subset has not.
bool is_known_elsewhere(std::string_view name);
// Sorted.
std::vector<std::string_view> function_names();

// functions_range.cc: over the samples of each series in a window.
Result<Operand> apply_rate(Evaluation& evaluation, const Call& call);
Result<Operand> apply_increase(Evaluation& evaluation, const Call& call);
Result<Operand> apply_delta(Evaluation& evaluation, const Call& call);
Result<Operand> apply_irate(Evaluation& evaluation, const Call& call);
Result<Operand> apply_avg_over_time(Evaluation& evaluation, const Call& call);
Result<Operand> apply_count_over_time(Evaluation& evaluation, const Call& call);
Result<Operand> apply_last_over_time(Evaluation& evaluation, const Call& call);
Result<Operand> apply_max_over_time(Evaluation& evaluation, const Call& call);
Result<Operand> apply_min_over_time(Evaluation& evaluation, const Call& call);
Result<Operand> apply_present_over_time(Evaluation& evaluation, const Call& call);
Result<Operand> apply_quantile_over_time(Evaluation& evaluation, const Call& call);
Result<Operand> apply_stddev_over_time(Evaluation& evaluation, const Call& call);
Result<Operand> apply_stdvar_over_time(Evaluation& evaluation, const Call& call);
Result<Operand> apply_sum_over_time(Evaluation& evaluation, const Call& call);

// functions_instant.cc
Result<Operand> apply_abs(Evaluation& evaluation, const Call& call);
Result<Operand> apply_absent(Evaluation& evaluation, const Call& call);
Result<Operand> apply_ceil(Evaluation& evaluation, const Call& call);
Result<Operand> apply_clamp(Evaluation& evaluation, const Call& call);
Result<Operand> apply_clamp_max(Evaluation& evaluation, const Call& call);
Result<Operand> apply_clamp_min(Evaluation& evaluation, const Call& call);
Result<Operand> apply_floor(Evaluation& evaluation, const Call& call);
Result<Operand> apply_round(Evaluation& evaluation, const Call& call);
Result<Operand> apply_scalar(Evaluation& evaluation, const Call& call);
Result<Operand> apply_time(Evaluation& evaluation, const Call& call);
Result<Operand> apply_vector(Evaluation& evaluation, const Call& call);

// histogram_quantile.cc
Result<Operand> apply_histogram_quantile(Evaluation& evaluation, const Call& call);

}  // namespace windlass::sim::prometheus
