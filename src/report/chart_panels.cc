#include "report/chart_panels.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/text.h"
#include "report/html_parts.h"
#include "report/palette.h"
#include "report/panel_specs.h"
#include "report/svg_chart.h"

namespace windlass::report {
namespace {

using sim::ChartPoint;
using sim::RunResult;
using sim::ScenarioResult;
// Everything the panels share: one x axis, so that the same place is the same time everywhere.
class PanelWriter {
 public:
  explicit PanelWriter(const ScenarioResult& result)
      : result_(result), classes_(policy_classes(result)) {
    double end = 0;
    for (const RunResult& run : result.policies) {
      std::vector<double> t;
      for (const ChartPoint& point : run.chart) t.push_back(point.t_s);
      for (const double s : t) end = std::isfinite(s) ? std::max(end, s) : end;
      times_.push_back(std::move(t));
    }
    panels_.end_s = end > 0                                                     ? end
                    : std::isfinite(result.duration_s) && result.duration_s > 0 ? result.duration_s
                                                                                : 1;
  }

  void overlay(const PanelSpec& spec);
  void multiples(const PanelSpec& spec, const Scale& y, std::optional<ReferenceLine> reference);
  void multiples(const PanelSpec& spec) {
    multiples(spec, linear_scale(largest(spec), 5, spec.unit == Unit::kCount), {});
  }
  void latency();
  void nodes();
  void clocks();
  void jobs();
  void requests();
  void end_summary() {
    panels_.summary = std::move(panels_.over_time);
    panels_.over_time.clear();
  }
  Panels take() { return std::move(panels_); }

 private:
  [[nodiscard]] std::vector<double> values(size_t policy, const Field& read) const {
    std::vector<double> out;
    for (const ChartPoint& point : result_.policies[policy].chart) out.push_back(read(point));
    return out;
  }
  [[nodiscard]] double largest(const PanelSpec& spec) const {
    double max = 0;
    for (const LineSpec& line : spec.lines) {
      for (const RunResult& run : result_.policies) {
        for (const ChartPoint& point : run.chart) {
          const double value = line.read(point);
          if (std::isfinite(value)) max = std::max(max, value);
        }
      }
    }
    return max;
  }
  [[nodiscard]] std::string name(size_t policy) const {
    return printable(result_.policies[policy].policy);
  }
  [[nodiscard]] std::string policy_legend() const {
    std::string out;
    for (size_t i = 0; i < classes_.size(); ++i) out += legend_item(classes_[i], "line", name(i));
    return out;
  }
  // The mark of something that has each policy's colour in that policy's plot.
  [[nodiscard]] std::string policies_item(const std::string& variant, const std::string& kind,
                                          const std::string& label) const {
    std::string out = "<li class=\"several\">";
    for (const std::string& css : classes_) out += swatch(css + variant, kind);
    return out + html_escape(label) + "</li>";
  }
  void open(const std::string& title, const std::string& why, const std::string& legend,
            const char* kind) {
    html(
        fmt::format("<section class=\"panel {}\"><h2>{}</h2><p class=\"why\">{}</p>\n"
                    "<ul class=\"legend\">{}</ul>\n",
                    kind, html_escape(title), html_escape(why), legend));
  }
  // A policy's plot among its siblings.
  void figure(size_t policy, const std::string& plot) {
    html("<figure><figcaption>" + swatch(classes_[policy], "fill") + html_escape(name(policy)) +
         "</figcaption>" + (times_[policy].empty() ? no_samples() : plot) + "</figure>\n");
  }
  static std::string no_samples() { return "<p class=\"empty\">no samples</p>"; }

  void html(const std::string& text) { panels_.over_time += text; }

  const ScenarioResult& result_;
  std::vector<std::string> classes_;
  std::vector<std::vector<double>> times_;
  Panels panels_;
};

// All policies in one plot, a line each.
void PanelWriter::overlay(const PanelSpec& spec) {
  const LineSpec& line = spec.lines.front();
  open(spec.title, spec.why, policy_legend(), "wide");
  Plot plot{spec.title + " of all policies",
            spec.unit,
            time_scale(panels_.end_s, 8),
            linear_scale(largest(spec), 5, spec.unit == Unit::kCount),
            {},
            {}};
  std::vector<HoverSeries> hover;
  for (size_t i = 0; i < classes_.size(); ++i) {
    plot.series.push_back({classes_[i], line.shape, values(i, line.read), &times_[i]});
    hover.push_back({i, line.field, name(i), classes_[i], line.unit});
  }
  html(draw_plot(plot, panels_.plots.size()) + "</section>\n");
  panels_.plots.push_back(std::move(hover));
}

// A plot per policy, side by side on the same scale.
void PanelWriter::multiples(const PanelSpec& spec, const Scale& y,
                            std::optional<ReferenceLine> reference) {
  std::string legend;
  for (const LineSpec& line : spec.lines) {
    const bool area = line.shape == PlotSeries::Shape::kArea;
    const char* kind = area ? "fill" : "line";
    legend += line.policy_colour ? policies_item("", kind, line.label)
                                 : legend_item("ink", kind, line.label);
  }
  if (reference) legend += legend_item("slo", "line", reference->label);
  open(spec.title, spec.why, legend, "full");
  html("<div class=\"multiples\">\n");
  for (size_t i = 0; i < classes_.size(); ++i) {
    Plot plot{
        spec.title + ", " + name(i), spec.unit, time_scale(panels_.end_s, 4), y, {}, reference};
    std::vector<HoverSeries> hover;
    for (const LineSpec& line : spec.lines) {
      const std::string css = line.policy_colour ? classes_[i] : "ink";
      plot.series.push_back({css, line.shape, values(i, line.read), &times_[i]});
      hover.push_back({i, line.field, line.label, css, line.unit});
    }
    for (HoverSeries extra : spec.hover_only) {
      extra.policy = i;
      extra.css = classes_[i];
      hover.push_back(std::move(extra));
    }
    figure(i, draw_plot(plot, panels_.plots.size()));
    panels_.plots.push_back(std::move(hover));
  }
  html("</div></section>\n");
}

// Requests come from the trace, so the policies usually share them: then one line says so.
void PanelWriter::requests() {
  const PanelSpec spec = request_panel();
  const Field& read = spec.lines.front().read;
  size_t longest = 0;
  for (size_t i = 1; i < classes_.size(); ++i) {
    if (times_[i].size() > times_[longest].size()) longest = i;
  }
  const std::vector<double>& t = times_[longest];
  const std::vector<double> y = values(longest, read);
  bool same = true;
  for (size_t i = 0; i < classes_.size(); ++i) {
    const std::vector<double> mine = values(i, read);
    // A run that was stopped has seen the beginning of the same traffic.
    same = same && std::equal(times_[i].begin(), times_[i].end(), t.begin()) &&
           std::equal(mine.begin(), mine.end(), y.begin());
  }
  if (!same || classes_.size() < 2) return overlay(spec);
  open(spec.title, spec.why, legend_item("ink", "line", "the same for all policies"), "wide");
  const Plot plot{spec.title,
                  spec.unit,
                  time_scale(panels_.end_s, 8),
                  linear_scale(largest(spec), 5, false),
                  {{"ink", PlotSeries::Shape::kArea, y, &t}},
                  {}};
  html(draw_plot(plot, panels_.plots.size()) + "</section>\n");
  panels_.plots.push_back({{longest, "rps", "all policies", "ink", Unit::kPerSecond}});
}

void PanelWriter::latency() {
  PanelSpec spec = latency_panel();
  double slo = 0;
  double min = INFINITY;
  for (const RunResult& run : result_.policies) {
    if (std::isfinite(run.slo_ms)) slo = std::max(slo, run.slo_ms);
    for (const ChartPoint& point : run.chart) {
      for (const double ms : {point.latency_p50_ms, point.latency_p95_ms}) {
        if (ms > 0) min = std::min(min, ms);
      }
    }
  }
  const double max = std::max(largest(spec), slo);
  if (slo > 0) min = std::min(min, slo);
  // A cold start is a hundred times a warm answer; on a linear axis one of the two vanishes.
  const bool logarithmic = std::isfinite(min) && max / min > 20;
  if (logarithmic) spec.why += " Logarithmic.";
  std::optional<ReferenceLine> reference;
  if (slo > 0) reference = ReferenceLine{slo, "SLO " + limit_text(slo)};
  multiples(spec, logarithmic ? log_scale(min, max) : linear_scale(max, 5, false), reference);
}

void PanelWriter::nodes() {
  const std::vector<NodeLayer> layers = node_layers(result_);
  std::string legend;
  for (const NodeLayer& layer : layers) legend += legend_item(layer.css, "fill", layer.label);
  open("Nodes by type", "Paid nodes, stacked; spot capacity in the muted tone.", legend, "full");
  html("<div class=\"multiples\">\n");
  const auto nodes_of = [](const ChartPoint& point, const NodeLayer& layer) {
    double nodes = 0;
    for (const std::string& key : layer.keys) {
      const auto at = point.nodes_by_type.find(key);
      if (at != point.nodes_by_type.end()) nodes += std::max(at->second, 0);
    }
    return nodes;
  };
  double max = 0;
  for (const RunResult& run : result_.policies) {
    for (const ChartPoint& point : run.chart) {
      double total = 0;
      for (const NodeLayer& layer : layers) total += nodes_of(point, layer);
      max = std::max(max, total);
    }
  }
  for (size_t i = 0; i < classes_.size(); ++i) {
    StackPlot plot{"Nodes by type, " + name(i), Unit::kCount, time_scale(panels_.end_s, 4),
                   linear_scale(max, 5, true),  &times_[i],   {}};
    std::vector<HoverSeries> hover;
    for (size_t k = 0; k < layers.size(); ++k) {
      const auto read = [&](const ChartPoint& point) { return nodes_of(point, layers[k]); };
      plot.layers.push_back({layers[k].css, values(i, read)});
      // Top of the stack first, as the eye meets it.
      hover.insert(hover.begin(),
                   {i, "n" + std::to_string(k), layers[k].label, layers[k].css, Unit::kCount});
    }
    figure(i, draw_stack(plot, panels_.plots.size()));
    panels_.plots.push_back(std::move(hover));
  }
  html("</div></section>\n");
}

void PanelWriter::clocks() {
  std::vector<RangeBarGroup> groups = {{"node Ready", {}}, {"pod Ready", {}}, {"first token", {}}};
  for (size_t i = 0; i < classes_.size(); ++i) {
    const auto& clocks = result_.policies[i].provisioning_s;
    const auto add = [&](size_t group, const sim::ClockSummary& clock) {
      groups[group].bars.push_back({name(i), classes_[i], clock.p50, clock.p95});
    };
    add(0, clocks.node_ready);
    add(1, clocks.pod_ready);
    add(2, clocks.first_token);
  }
  open("The three clocks",
       "Seconds from the node claim until the node, the pod, the first answer is there.",
       policies_item("", "fill", "P50") + policies_item(" pale", "fill", "P95"), "wide");
  html(draw_range_bars(groups, "Provisioning clocks, P50 and P95") + "</section>\n");
}

void PanelWriter::jobs() {
  const bool any = std::any_of(result_.policies.begin(), result_.policies.end(),
                               [](const RunResult& run) { return run.jobs.submitted > 0; });
  if (any) multiples(job_panel());
}

}  // namespace

Panels chart_panels(const ScenarioResult& result) {
  PanelWriter writer(result);
  if (result.policies.empty()) return writer.take();
  writer.overlay(cost_panel());
  writer.clocks();
  writer.end_summary();
  writer.requests();
  writer.overlay(queue_panel());
  writer.latency();
  writer.multiples(replica_panel());
  writer.multiples(gpu_panel());
  writer.nodes();
  writer.jobs();
  return writer.take();
}

}  // namespace windlass::report
