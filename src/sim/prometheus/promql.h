// A subset of PromQL over the simulated series: what autoscaling queries use. Selectors with all
// four matchers, ranges, offset; arithmetic and comparison (bool too) with vector matching on equal
// labels (on/ignoring); sum avg min max count quantile by/without; rate increase delta irate and
// the *_over_time family; histogram_quantile, clamp, clamp_min, clamp_max, abs, ceil, floor, round,
// absent, vector, scalar, time. Anything else is a parse error that names the function. Meaning and
// edge cases are Prometheus 2.42's: 5 min look-back, staleness, extrapolation in rate().
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "sim/prometheus/store.h"

namespace windlass::sim::prometheus {

struct Expression;  // the parsed query
using Query = std::shared_ptr<const Expression>;

// What a query may come to: a scalar or an instant vector, or also the samples of a range selector
// alone (`up[5m]`, for evaluate_samples() in range.h).
enum class Results { kInstant, kRangeToo };
// The error gives the position (1-based column) and what is accepted there.
Result<Query> parse_promql(std::string_view text, Results results = Results::kInstant);

struct VectorElement {
  Labels labels;
  double value;
};
using InstantVector = std::vector<VectorElement>;  // sorted by labels
using Value = std::variant<double, InstantVector>;

// An instant query at `at`. Errors: duplicate series in a match and the like, as Prometheus words
// them in substance.
Result<Value> evaluate(const Query& query, const Store& store, Instant at);

}  // namespace windlass::sim::prometheus
