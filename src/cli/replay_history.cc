#include "cli/replay_history.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace windlass::cli {
namespace {

// Without samples for longer than this there was none to record, or nobody to record it.
constexpr int64_t kLongestBridge = 600;
// What takes longer than this was something else.
constexpr double kLongestStart = 4 * 3600;
// A bound pod whose container starts sooner had its image there.
constexpr double kShortestPull = 5;
// The state "at the beginning" may be recorded a little later.
constexpr int64_t kBeginning = 1800;

std::string label(const RangeSeries& series, const std::string& name) {
  const auto it = series.labels.find(name);
  return it == series.labels.end() ? std::string() : it->second;
}

std::string joined(const std::string& space, const std::string& name) {
  return space.empty() ? name : space + "/" + name;
}

double mean_of(const std::map<int64_t, double>& points) {
  double sum = 0;
  for (const auto& [at, value] : points) sum += value;
  return sum / static_cast<double>(points.size());
}

// One model's rates by step, gaps bridged or noted.
class RateFiller {
 public:
  RateFiller(const RangeWindow& span, int64_t rate_window) : span_(span) {
    // A rate at t is that of (t - rate_window, t]: its middle belongs to the middle of a step.
    shift_ = std::max<int64_t>(1, std::llround(static_cast<double>(span.step + rate_window) /
                                               (2.0 * static_cast<double>(span.step))));
  }

  void fill(const std::map<int64_t, double>& points, ModelHistory& out) const {
    const int64_t steps = span_.points();
    std::vector<std::optional<double>> found(static_cast<size_t>(steps));
    for (int64_t i = 0; i < steps; ++i) {
      const auto it = points.find(span_.from + (i + shift_) * span_.step);
      if (it != points.end()) found[static_cast<size_t>(i)] = std::max(it->second, 0.0);
    }
    out.rates.assign(found.size(), 0);
    for (size_t i = 0; i < found.size();) {
      if (found[i]) {
        out.rates[i] = *found[i];
        out.covered_s += static_cast<double>(span_.step);
        ++i;
        continue;
      }
      size_t end = i;
      while (end < found.size() && !found[end]) ++end;
      bridge(found, i, end, out);
      i = end;
    }
    for (const double rate : out.rates) {
      out.requests += rate * static_cast<double>(span_.step);
      out.peak = std::max(out.peak, rate);
    }
  }

 private:
  void bridge(const std::vector<std::optional<double>>& found, size_t from, size_t to,
              ModelHistory& out) const {
    const auto length = static_cast<int64_t>(to - from) * span_.step;
    if (length > std::max(kLongestBridge, 2 * span_.step)) {
      out.gaps.push_back({span_.from + static_cast<int64_t>(from) * span_.step,
                          span_.from + static_cast<int64_t>(to) * span_.step});
      return;
    }
    const auto before = from > 0 ? found[from - 1] : std::nullopt;
    const auto after = to < found.size() ? found[to] : std::nullopt;
    for (size_t i = from; i < to; ++i) {
      const double share = static_cast<double>(i - from + 1) / static_cast<double>(to - from + 1);
      const double left = before.value_or(after.value_or(0));
      out.rates[i] = left + (after.value_or(left) - left) * share;
    }
  }

  RangeWindow span_;
  int64_t shift_;
};

}  // namespace

std::optional<Took> took(std::vector<double> seconds) {
  if (seconds.empty()) return std::nullopt;
  std::ranges::sort(seconds);
  const auto at = [&](double q) {
    const double rank = q * static_cast<double>(seconds.size() - 1);
    const auto low = static_cast<size_t>(rank);
    const size_t high = std::min(low + 1, seconds.size() - 1);
    return seconds[low] + (seconds[high] - seconds[low]) * (rank - std::floor(rank));
  };
  return Took{at(0.5), at(0.95), seconds.size()};
}

HistoryBuilder::HistoryBuilder(RangeWindow span, int64_t rate_window,
                               std::set<std::string> own_rates, std::set<std::string> own_inputs,
                               std::set<std::string> own_outputs)
    : span_(span),
      rate_window_(rate_window),
      own_rates_(std::move(own_rates)),
      own_inputs_(std::move(own_inputs)),
      own_outputs_(std::move(own_outputs)) {}

void HistoryBuilder::add_by_model(const ReplayQuery& query, const std::vector<RangeSeries>& answer,
                                  const std::set<std::string>& own, ByName& to) const {
  for (const RangeSeries& series : answer) {
    const std::string model = model_of(query, series);
    if (model.empty() || (query.model.empty() && own.contains(model))) continue;
    // Servers of two kinds may serve one model: their requests add up, lengths are those of one.
    const bool adds = query.topic == ReplayTopic::kRate || query.topic == ReplayTopic::kWaiting;
    for (const auto& [at, value] : series.points) {
      double& known = to[model][at];
      known = adds ? known + value : value;
    }
  }
}

void HistoryBuilder::add(const ReplayQuery& query, const std::vector<RangeSeries>& answer) {
  using T = ReplayTopic;
  switch (query.topic) {
    case T::kRate:
      return add_by_model(query, answer, own_rates_, rates_);
    case T::kWaiting:
      return add_by_model(query, answer, {}, waiting_);
    case T::kInputMean:
      return add_by_model(query, answer, own_inputs_, input_mean_);
    case T::kInputP95:
      return add_by_model(query, answer, own_inputs_, input_p95_);
    case T::kOutputMean:
      return add_by_model(query, answer, own_outputs_, output_mean_);
    case T::kOutputP95:
      return add_by_model(query, answer, own_outputs_, output_p95_);
    case T::kScrapeCount:
      return;
    default:
      break;
  }
  for (const RangeSeries& series : answer) {
    if (series.points.empty()) continue;
    const auto& [first_at, first] = *series.points.begin();
    const std::string node = label(series, "node");
    switch (query.topic) {
      case T::kGpus:
        gpus_.insert(series.points.begin(), series.points.end());
        break;
      case T::kGpuUtilization:
        gpu_utilization_.insert(series.points.begin(), series.points.end());
        break;
      case T::kKeda: {
        std::string space = label(series, "exported_namespace");
        if (space.empty()) space = label(series, "namespace");
        double& peak = keda_peaks_[joined(space, label(series, "scaledObject")) + " " +
                                   label(series, "metric")];
        for (const auto& [at, value] : series.points) peak = std::max(peak, value);
        break;
      }
      case T::kNodeCreated:
        node_created_[node] = first;
        break;
      case T::kNodeReady:
        node_ready_[node] = first_at;
        break;
      case T::kNodeGpus:
        node_gpus_[node] = first_at;
        break;
      case T::kNodeTypes:
        for (const auto& [at, value] : series.points) {
          node_types_[at].push_back({label(series, "instance_type"), label(series, "capacity_type"),
                                     label(series, "nodepool"),
                                     static_cast<int>(std::clamp(value, 0.0, 1e6))});
        }
        break;
      case T::kReplicas:
        replicas_[joined(label(series, "namespace"), label(series, "deployment"))] = series.points;
        break;
      default:
        pods_[query.topic][joined(label(series, "namespace"), label(series, "pod"))] = first;
        break;
    }
  }
}

void HistoryBuilder::finish_models(ReplayHistory& out) const {
  const RateFiller filler(span_, rate_window_);
  for (const auto& [name, points] : rates_) filler.fill(points, out.models[name]);
  const auto of = [](const ByName& all, const std::string& name) {
    const auto it = all.find(name);
    return it == all.end() ? Points() : it->second;
  };
  for (auto& [name, model] : out.models) {
    for (const auto& [at, value] : of(waiting_, name)) {
      model.waiting_peak = std::max(model.waiting_peak, value);
    }
    model.input = {of(input_mean_, name), of(input_p95_, name)};
    model.output = {of(output_mean_, name), of(output_p95_, name)};
  }
}

void HistoryBuilder::finish_nodes(ReplayHistory& out) const {
  std::vector<double> ready;
  std::vector<double> gpus;
  for (const auto& [node, at] : node_ready_) {
    const auto created = node_created_.find(node);
    // A node that was there before says nothing.
    if (created == node_created_.end() || created->second < static_cast<double>(span_.from)) {
      continue;
    }
    // It became Ready between the sample before and this one: in the middle, on average.
    const double delay =
        static_cast<double>(at) - static_cast<double>(span_.step) / 2 - created->second;
    if (delay < kLongestStart) ready.push_back(std::max(delay, 0.0));
    const auto with_gpus = node_gpus_.find(node);
    if (with_gpus == node_gpus_.end()) continue;
    const auto later = static_cast<double>(with_gpus->second - at);
    if (later < kLongestStart) gpus.push_back(std::max(later, 0.0));
  }
  out.node_ready = took(ready);
  // The mean alone: one of them is told apart no finer than a step, many are.
  if (!gpus.empty()) {
    double sum = 0;
    for (const double delay : gpus) sum += delay;
    out.node_gpus = sum / static_cast<double>(gpus.size());
  }
}

void HistoryBuilder::finish_pods(ReplayHistory& out) const {
  const auto of = [&](ReplayTopic topic, const std::string& pod) -> std::optional<double> {
    const auto values = pods_.find(topic);
    if (values == pods_.end()) return std::nullopt;
    const auto it = values->second.find(pod);
    return it == values->second.end() ? std::nullopt : std::optional(it->second);
  };
  const auto all = pods_.find(ReplayTopic::kPodReady);
  if (all == pods_.end()) return;
  std::vector<double> from_start;
  std::vector<double> from_before;
  std::vector<double> pulls;
  for (const auto& [pod, ready] : all->second) {
    const auto created = of(ReplayTopic::kPodCreated, pod);
    if (created && *created < static_cast<double>(span_.from)) continue;
    const auto scheduled = of(ReplayTopic::kPodScheduled, pod);
    const auto started = of(ReplayTopic::kPodStarted, pod);
    const auto keep = [](std::vector<double>& to, double seconds) {
      if (seconds >= 0 && seconds < kLongestStart) to.push_back(seconds);
    };
    if (started) {
      keep(from_start, ready - *started);
      if (scheduled && *started - *scheduled >= kShortestPull) keep(pulls, *started - *scheduled);
    } else if (scheduled || created) {
      keep(from_before, ready - scheduled.value_or(created.value_or(0)));
    }
  }
  out.image_pull = took(pulls);
  out.pod_start = took(from_start);
  if (!out.pod_start) {
    out.pod_start = took(from_before);
    out.pull_within_start = out.pod_start.has_value();
  }
}

void HistoryBuilder::finish_start(ReplayHistory& out) const {
  for (const auto& [deployment, points] : replicas_) {
    if (points.empty()) continue;
    const auto& [at, first] = *points.begin();
    if (at - span_.from <= kBeginning) out.first_replicas[deployment] = static_cast<int>(first);
    int& most = out.most_replicas[deployment];
    for (const auto& [time, value] : points) most = std::max(most, static_cast<int>(value));
  }
  int most = 0;
  for (const auto& [at, nodes] : node_types_) {
    int count = 0;
    for (const NodeCount& group : nodes) count += group.count;
    if (count > most) out.most_nodes = nodes;
    most = std::max(most, count);
  }
  const auto first = node_types_.begin();
  if (first != node_types_.end() && first->first - span_.from <= kBeginning) {
    out.first_nodes = first->second;
  }
}

ReplayHistory HistoryBuilder::finish() const {
  ReplayHistory out;
  out.span = span_;
  finish_models(out);
  finish_nodes(out);
  finish_pods(out);
  finish_start(out);
  if (!gpus_.empty()) out.gpus = mean_of(gpus_);
  if (!gpu_utilization_.empty()) out.gpu_utilization = mean_of(gpu_utilization_);
  out.keda_peaks = keda_peaks_;
  return out;
}

}  // namespace windlass::cli
