// Asks our PromQL what promql_peer.py asks the real Prometheus. Reads lines from standard input and
// answers each query with one line of JSON on standard output:
//   series <labels>         a JSON object; the samples that follow are of this series
//   sample <t_ms> <value>
//   query <t_ms> <text>     a JSON string
//   range <start_ms> <end_ms> <step_ms> <text>
// Fields are divided by tabs.
#include <cmath>
#include <iostream>
#include <string>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "sim/prometheus/range.h"

namespace {

using namespace windlass;
using namespace windlass::sim::prometheus;

// Prometheus' own spelling, so that the script reads both alike; 17 digits lose nothing.
std::string printed(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.17g", value);
  return buffer;
}

double read_value(const std::string& text) {
  if (text == "NaN") return std::nan("");
  if (text == "+Inf") return INFINITY;
  if (text == "-Inf") return -INFINITY;
  const auto value = parse_double(text);
  return value ? *value : std::nan("");
}

nlohmann::json answer(const std::string& text, const Store& store, Instant at) {
  const auto query = parse_promql(text);
  if (!query) return {{"error", query.error().message()}, {"stage", "parse"}};
  const auto value = evaluate(*query, store, at);
  if (!value) return {{"error", value.error().message()}, {"stage", "evaluate"}};
  if (const double* scalar = std::get_if<double>(&*value)) return {{"scalar", printed(*scalar)}};
  nlohmann::json vector = nlohmann::json::array();
  for (const VectorElement& element : std::get<InstantVector>(*value)) {
    vector.push_back({{"labels", element.labels}, {"value", printed(element.value)}});
  }
  return {{"vector", vector}};
}

Instant instant_of(std::string_view t_ms) {
  const auto parsed = parse_int(t_ms);
  return {parsed ? *parsed * 1'000'000 : 0};
}

nlohmann::json range_answer(const std::string& text, const Store& store,
                            const RangeOptions& options) {
  const auto query = parse_promql(text);
  if (!query) return {{"error", query.error().message()}, {"stage", "parse"}};
  const auto matrix = evaluate_range(*query, store, options);
  if (!matrix) return {{"error", matrix.error().message()}, {"stage", "evaluate"}};
  nlohmann::json out = nlohmann::json::array();
  for (const MatrixSeries& series : *matrix) {
    nlohmann::json points = nlohmann::json::array();
    for (const Sample& point : series.points) {
      points.push_back({static_cast<double>(point.t_ms) / 1000, printed(point.value)});
    }
    out.push_back({{"labels", series.labels}, {"points", points}});
  }
  return {{"matrix", out}};
}

}  // namespace

int main() {
  Store store(hours(1'000));
  SeriesId series = 0;
  std::string line;
  while (std::getline(std::cin, line)) {
    const auto fields = split(line, '\t');
    if (fields[0] == "series" && fields.size() == 2) {
      series = store.series(nlohmann::json::parse(fields[1]).get<Labels>());
    } else if (fields[0] == "sample" && fields.size() == 3 && !store.all().empty()) {
      store.append(series, instant_of(fields[1]), read_value(std::string(fields[2])));
    } else if (fields[0] == "query" && fields.size() == 3) {
      const auto text = nlohmann::json::parse(fields[2]).get<std::string>();
      std::cout << answer(text, store, instant_of(fields[1])).dump() << "\n";
    } else if (fields[0] == "range" && fields.size() == 5) {
      RangeOptions options;
      options.start = instant_of(fields[1]);
      options.end = instant_of(fields[2]);
      options.step = instant_of(fields[3]) - Instant{};
      const auto text = nlohmann::json::parse(fields[4]).get<std::string>();
      std::cout << range_answer(text, store, options).dump() << "\n";
    } else {
      std::cerr << "not understood: " << line << "\n";
      return 2;
    }
  }
  return 0;
}
