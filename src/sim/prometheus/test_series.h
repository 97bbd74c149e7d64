// Makes series for the tests of this directory from a line of text, and asks queries of them.
#pragma once

#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "sim/prometheus/evaluation.h"

namespace windlass::sim::prometheus {

constexpr Instant kTestStart{1'700'000'000'000'000'000};

// "1 2 _ NaN stale 5": a sample each 15 s from kTestStart on; _ is a missed scrape.
inline void load(Store& store, const Labels& labels, std::string_view values) {
  const SeriesId id = store.series(labels);
  Instant t = kTestStart;
  for (const std::string_view value : split(values, ' ')) {
    if (value == "stale") store.mark_stale(id, t);
    const auto number = parse_double(value);
    if (number) store.append(id, t, *number);
    if (value == "NaN") store.append(id, t, std::nan(""));
    if (value == "Inf") store.append(id, t, INFINITY);
    if (value == "-Inf") store.append(id, t, -INFINITY);
    t = t + seconds(15);
  }
}

inline std::string printed(double value) {
  return std::isnan(value) ? "nan" : fmt::format("{:.10g}", value);  // whatever a NaN's sign
}

// The answer as text, one series behind the other: `up{pod="a"} 1; up{pod="b"} 0`, a scalar as its
// number, an error as "error: ...".
inline std::string answer(const Store& store, std::string_view query, Duration since_start) {
  const auto parsed = parse_promql(query);
  if (!parsed) return "error: " + parsed.error().message();
  const auto value = evaluate(*parsed, store, kTestStart + since_start);
  if (!value) return "error: " + value.error().message();
  if (const double* scalar = std::get_if<double>(&*value)) return printed(*scalar);
  std::vector<std::string> lines;
  for (const VectorElement& element : std::get<InstantVector>(*value)) {
    lines.push_back(to_string(element.labels) + " " + printed(element.value));
  }
  return join(lines, "; ");
}

}  // namespace windlass::sim::prometheus
