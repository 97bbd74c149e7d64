#include "sim/prometheus/functions.h"

#include <algorithm>
#include <array>

namespace windlass::sim::prometheus {
namespace {

constexpr ValueType kScalar = ValueType::kScalar;
constexpr ValueType kVector = ValueType::kVector;
constexpr ValueType kRange = ValueType::kRange;

// Sorted by name.
const std::vector<Function>& table() {
  static const std::vector<Function> kTable = {
      {{"abs", {kVector}, 1}, kVector, apply_abs},
      {{"absent", {kVector}, 1}, kVector, apply_absent},
      {{"avg_over_time", {kRange}, 1}, kVector, apply_avg_over_time},
      {{"ceil", {kVector}, 1}, kVector, apply_ceil},
      {{"clamp", {kVector, kScalar, kScalar}, 3}, kVector, apply_clamp},
      {{"clamp_max", {kVector, kScalar}, 2}, kVector, apply_clamp_max},
      {{"clamp_min", {kVector, kScalar}, 2}, kVector, apply_clamp_min},
      {{"count_over_time", {kRange}, 1}, kVector, apply_count_over_time},
      {{"delta", {kRange}, 1}, kVector, apply_delta},
      {{"floor", {kVector}, 1}, kVector, apply_floor},
      {{"histogram_quantile", {kScalar, kVector}, 2}, kVector, apply_histogram_quantile},
      {{"increase", {kRange}, 1}, kVector, apply_increase},
      {{"irate", {kRange}, 1}, kVector, apply_irate},
      {{"last_over_time", {kRange}, 1}, kVector, apply_last_over_time},
      {{"max_over_time", {kRange}, 1}, kVector, apply_max_over_time},
      {{"min_over_time", {kRange}, 1}, kVector, apply_min_over_time},
      {{"present_over_time", {kRange}, 1}, kVector, apply_present_over_time},
      {{"quantile_over_time", {kScalar, kRange}, 2}, kVector, apply_quantile_over_time},
      {{"rate", {kRange}, 1}, kVector, apply_rate},
      {{"round", {kVector, kScalar}, 1}, kVector, apply_round},
      {{"scalar", {kVector}, 1}, kScalar, apply_scalar},
      {{"stddev_over_time", {kRange}, 1}, kVector, apply_stddev_over_time},
      {{"stdvar_over_time", {kRange}, 1}, kVector, apply_stdvar_over_time},
      {{"sum_over_time", {kRange}, 1}, kVector, apply_sum_over_time},
      {{"time", {}, 0}, kScalar, apply_time},
      {{"vector", {kScalar}, 1}, kVector, apply_vector},
  };
  return kTable;
}

// What Prometheus 2.42 has beyond the subset, so that a message can tell a typo from a gap.
constexpr std::array<std::string_view, 43> kElsewhere = {"absent_over_time",
                                                         "acos",
                                                         "acosh",
                                                         "asin",
                                                         "asinh",
                                                         "atan",
                                                         "atanh",
                                                         "changes",
                                                         "cos",
                                                         "cosh",
                                                         "day_of_month",
                                                         "day_of_week",
                                                         "day_of_year",
                                                         "days_in_month",
                                                         "deg",
                                                         "deriv",
                                                         "exp",
                                                         "histogram_count",
                                                         "histogram_sum",
                                                         "histogram_fraction",
                                                         "holt_winters",
                                                         "hour",
                                                         "idelta",
                                                         "label_join",
                                                         "label_replace",
                                                         "ln",
                                                         "log10",
                                                         "log2",
                                                         "minute",
                                                         "month",
                                                         "pi",
                                                         "predict_linear",
                                                         "rad",
                                                         "resets",
                                                         "sgn",
                                                         "sin",
                                                         "sinh",
                                                         "sort",
                                                         "sort_desc",
                                                         "sqrt",
                                                         "tan",
                                                         "tanh",
                                                         "timestamp"};

}  // namespace

// Linear: queries are parsed once, and the table is short.
const Function* find_function(std::string_view name) {
  for (const Function& function : table()) {
    if (function.signature.name == name) return &function;
  }
  return nullptr;
}

bool is_known_elsewhere(std::string_view name) {
  return std::ranges::find(kElsewhere, name) != kElsewhere.end();
}

std::vector<std::string_view> function_names() {
  std::vector<std::string_view> names;
  for (const Function& function : table()) names.push_back(function.signature.name);
  return names;
}

}  // namespace windlass::sim::prometheus
