// Range queries: a query evaluated at start, start + step, ... up to end, as a matrix. Each step is
// exactly what an instant query there would give; what selects series is looked up once for all
// steps.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/prometheus/promql.h"

namespace windlass::sim::prometheus {

struct MatrixSeries {
  Labels labels;
  std::vector<Sample> points;  // not empty, rising times
};
using Matrix = std::vector<MatrixSeries>;  // sorted by labels

struct RangeOptions {
  Instant start{};
  Instant end{};                   // not before start
  Duration step{};                 // >= 1 ms; times are whole milliseconds
  size_t points_max = 50'000'000;  // of all series together; an error beyond
  // Asked now and then; true gives up with an error that says "timed out".
  std::function<bool()> enough;
};

// A scalar gives one series without labels. Errors as of evaluate().
Result<Matrix> evaluate_range(const Query& query, const Store& store, const RangeOptions& options);

// What a query that parse_promql() took as a range (is_range()) holds at `at`: its raw samples.
bool is_range(const Query& query);
Result<Matrix> evaluate_samples(const Query& query, const Store& store, Instant at);

// "text" of a query that is nothing but a string literal, which parse_promql() refuses.
std::optional<std::string> parse_string_query(std::string_view text);

// The series that a query consisting of one selector names (`up{job="x"}`), with a sample between
// the two times: what the series and label APIs ask for. Error: any other query.
Result<std::vector<const Series*>> select_series(const Query& query, const Store& store,
                                                 Instant from, Instant to);

}  // namespace windlass::sim::prometheus
