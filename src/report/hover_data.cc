#include "report/hover_data.h"

#include <cmath>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "report/palette.h"
#include "report/panel_specs.h"

namespace windlass::report {
namespace {

constexpr size_t kMostSamples = 1440;

// "</script>" inside a string would end the element.
std::string script_safe(const std::string& json) {
  std::string out;
  for (const char c : json) out += c == '<' ? std::string("\\u003c") : std::string(1, c);
  return out;
}

std::string array(const std::vector<double>& values, const char* format) {
  std::string out = "[";
  for (const double value : values) {
    if (out.size() > 1) out += ',';
    // 0 for NaN would be a claim; null is read out as "-".
    out += std::isfinite(value) ? fmt::format(fmt::runtime(format), value) : "null";
  }
  return out + "]";
}

std::string unit_name(Unit unit) {
  switch (unit) {
    case Unit::kCount:
      return "n";
    case Unit::kPerSecond:
      return "rate";
    case Unit::kMillis:
      return "ms";
    case Unit::kSeconds:
      return "s";
    case Unit::kFraction:
      return "share";
    case Unit::kUsd:
      return "usd";
  }
  return "n";
}

std::map<std::string, Field> fields(const sim::ScenarioResult& result) {
  std::map<std::string, Field> out;
  for (const PanelSpec& panel : {cost_panel(), request_panel(), latency_panel(), queue_panel(),
                                 replica_panel(), gpu_panel(), job_panel()}) {
    for (const LineSpec& line : panel.lines) out[line.field] = line.read;
  }
  out["busy"] = [](const sim::ChartPoint& p) { return p.gpu_busy; };
  const std::vector<NodeLayer> layers = node_layers(result);
  for (size_t k = 0; k < layers.size(); ++k) {
    out["n" + std::to_string(k)] = [layer = layers[k]](const sim::ChartPoint& p) {
      double nodes = 0;
      for (const std::string& key : layer.keys) {
        const auto at = p.nodes_by_type.find(key);
        if (at != p.nodes_by_type.end()) nodes += at->second;
      }
      return nodes;
    };
  }
  return out;
}

std::string policy_data(const sim::RunResult& run, const std::map<std::string, Field>& used) {
  const size_t stride = (run.chart.size() + kMostSamples - 1) / kMostSamples;
  std::vector<double> values;
  const auto collect = [&](const Field& read) {
    values.clear();
    for (size_t i = 0; i < run.chart.size(); i += stride) values.push_back(read(run.chart[i]));
  };
  collect([](const sim::ChartPoint& p) { return p.t_s; });
  std::string out = "{\"t\":" + array(values, "{:.8g}");
  for (const auto& [name, read] : used) {
    collect(read);
    // Dollars keep their cents; of anything else four digits are plenty.
    out += ",\n\"" + name + "\":" + array(values, name == "usd" ? "{:.7g}" : "{:.4g}");
  }
  return out + "}";
}

}  // namespace

std::string hover_data(const sim::ScenarioResult& result, const Panels& panels) {
  const std::map<std::string, Field> known = fields(result);
  std::map<std::string, Field> used;
  Json plots = Json::array();
  for (const auto& plot : panels.plots) {
    Json series = Json::array();
    for (const HoverSeries& line : plot) {
      series.push_back({{"p", line.policy},
                        {"f", line.field},
                        {"l", line.label},
                        {"c", line.css},
                        {"u", unit_name(line.unit)}});
      const auto at = known.find(line.field);
      if (at != known.end()) used[line.field] = at->second;
    }
    plots.push_back(std::move(series));
  }
  std::string out = fmt::format("{{\"end\":{:.8g},\n\"policies\":[", panels.end_s);
  for (size_t i = 0; i < result.policies.size(); ++i) {
    out += (i == 0 ? "\n" : ",\n") + policy_data(result.policies[i], used);
  }
  out += "],\n\"plots\":" + plots.dump(-1, ' ', false, Json::error_handler_t::replace) + "}";
  return script_safe(out);
}

}  // namespace windlass::report
