#include "server/observe/history.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "server/observe/json_text.h"
#include "server/observe/model_rates.h"

namespace windlass::server::observe {
namespace {

// NaN gives way to any number.
double larger(double a, double b) { return std::isnan(a) || b > a ? b : a; }

double mean(double a, double a_weight, double b, double b_weight) {
  if (std::isnan(a)) return b;
  if (std::isnan(b) || a_weight + b_weight <= 0) return a;
  return (a * a_weight + b * b_weight) / (a_weight + b_weight);
}

template <typename Value>
void append_series(JsonText& json, std::string_view name, const std::vector<HistoryPoint>& points,
                   Value value) {
  json.key(name).open('[');
  for (const HistoryPoint& point : points) json.number(value(point));
  json.close(']');
}

}  // namespace

HistoryPoint merged(const HistoryPoint& first, const HistoryPoint& second) {
  HistoryPoint out = second;
  const double a = first.span_s;
  const double b = second.span_s;
  out.span_s = a + b;
  out.usd_per_hour = mean(first.usd_per_hour, a, second.usd_per_hour, b);
  out.requests_per_s = mean(first.requests_per_s, a, second.requests_per_s, b);
  out.tokens_per_s = mean(first.tokens_per_s, a, second.tokens_per_s, b);
  // Where few requests completed their median says little: weighed by how many there were.
  out.p50_ms =
      mean(first.p50_ms, a * first.requests_per_s, second.p50_ms, b * second.requests_per_s);
  out.p95_ms = larger(first.p95_ms, second.p95_ms);
  out.queue = larger(first.queue, second.queue);
  out.gpu_busy = mean(first.gpu_busy, a, second.gpu_busy, b);
  out.pods_pending = std::max(first.pods_pending, second.pods_pending);
  return out;
}

uint32_t History::type_id(const std::string& name) {
  const auto [at, added] = type_ids_.try_emplace(name, static_cast<uint32_t>(types_.size()));
  if (added) types_.push_back(name);
  return at->second;
}

void History::add_rates(const Sources& sources, HistoryPoint& point) {
  const std::vector<ModelReading> readings = sources.models();
  before_.resize(readings.size());
  std::vector<float> latencies;
  for (size_t i = 0; i < readings.size(); ++i) {
    const ModelReading& reading = readings[i];
    Counters& before = before_[i];
    point.requests_per_s += static_cast<double>(reading.offered - before.offered) / point.span_s;
    point.tokens_per_s += (reading.generated_tokens - before.tokens) / point.span_s;
    point.queue += reading.waiting;
    point.replicas_ready += reading.servers_ready;
    const auto newest = newest_latencies(reading, reading.completed - before.completed);
    latencies.insert(latencies.end(), newest.begin(), newest.end());
    before = {reading.offered, reading.completed, reading.generated_tokens};
  }
  point.p50_ms = nearest_rank(latencies, 0.5);
  point.p95_ms = nearest_rank(latencies, 0.95);
}

void History::add_nodes(const Sources& sources, HistoryPoint& point) {
  for (const auto& [id, instance] : *sources.instances) {
    if (instance.terminated) continue;
    point.usd_per_hour += instance.usd_per_hour;
    point.gpus_paid += instance.type->gpu_count;
    const uint32_t type = type_id(instance.type->name + " " + instance.capacity_type);
    if (point.nodes_by_type.size() <= type) point.nodes_by_type.resize(type + 1);
    ++point.nodes_by_type[type];
  }
}

void History::add_policies(const Sources& sources, HistoryPoint& point) {
  if (!sources.other_policies) return;
  for (const PolicyCost& cost : sources.other_policies()) {
    const auto at = std::ranges::find(policies_, cost.name);
    const auto id = static_cast<size_t>(at - policies_.begin());
    if (at == policies_.end()) policies_.push_back(cost.name);
    if (point.policies_usd.size() <= id) {
      point.policies_usd.resize(id + 1, std::numeric_limits<double>::quiet_NaN());
    }
    point.policies_usd[id] = cost.usd;
  }
}

void History::begin(const Sources& sources) {
  last_s_ = (sources.now() - sources.started).seconds();
  before_.clear();
  for (const ModelReading& reading : sources.models()) {
    before_.push_back({reading.offered, reading.completed, reading.generated_tokens});
  }
  paid_before_ = sources.gpu_seconds_paid();
  busy_before_ = sources.gpu_seconds_busy();
}

bool History::sample(const Sources& sources) {
  HistoryPoint point;
  point.t_s = (sources.now() - sources.started).seconds();
  point.span_s = point.t_s - last_s_;
  if (point.span_s <= 0) return false;
  last_s_ = point.t_s;
  add_rates(sources, point);
  add_nodes(sources, point);
  add_policies(sources, point);
  for (const cluster::InferenceModel& model : sources.state->models()) {
    const api::Deployment* deployment = sources.state->deployments().find(model.deployment);
    if (deployment != nullptr) point.replicas_wanted += deployment->replicas;
  }
  point.usd = sources.cost_usd();
  const double paid = sources.gpu_seconds_paid();
  const double busy = sources.gpu_seconds_busy();
  point.gpu_busy = paid > paid_before_ ? (busy - busy_before_) / (paid - paid_before_) : 0;
  paid_before_ = paid;
  busy_before_ = busy;
  point.pods_pending = static_cast<int>(sources.state->unbound_pods().size());
  points_.push_back(std::move(point));
  if (points_.size() > points_max_) thin();
  return true;
}

void History::thin() {
  size_t kept = 0;
  for (size_t i = 0; i + 1 < points_.size(); i += 2) {
    points_[kept++] = merged(points_[i], points_[i + 1]);
  }
  if (points_.size() % 2 == 1) points_[kept++] = std::move(points_.back());
  points_.resize(kept);
}

std::string History::json(double from_s, double to_s, size_t points) const {
  const auto first = std::ranges::upper_bound(points_, from_s, {}, &HistoryPoint::t_s);
  const auto last = std::ranges::upper_bound(points_, to_s, {}, &HistoryPoint::t_s);
  const auto count = first < last ? static_cast<size_t>(last - first) : 0;
  std::vector<HistoryPoint> shown;
  // The i-th point goes to place i * width / count, so that every place has one.
  const size_t width = std::min(count, std::max<size_t>(points, 1));
  size_t place = SIZE_MAX;
  for (size_t i = 0; i < count; ++i) {
    const HistoryPoint& point = *(first + static_cast<ptrdiff_t>(i));
    const size_t here = i * width / count;
    if (here == place) {
      shown.back() = merged(shown.back(), point);
    } else {
      shown.push_back(point);
    }
    place = here;
  }
  JsonText json;
  json.open('{');
  const auto series = [&](std::string_view name, int decimals, auto value) {
    append_series(json, name, shown,
                  [&](const HistoryPoint& p) { return rounded(value(p), decimals); });
  };
  series("t", 3, [](const auto& p) { return p.t_s; });
  series("usd", 4, [](const auto& p) { return p.usd; });
  series("usd_per_hour", 4, [](const auto& p) { return p.usd_per_hour; });
  series("requests_per_s", 3, [](const auto& p) { return p.requests_per_s; });
  series("tokens_per_s", 1, [](const auto& p) { return p.tokens_per_s; });
  series("p50_ms", 1, [](const auto& p) { return p.p50_ms; });
  series("p95_ms", 1, [](const auto& p) { return p.p95_ms; });
  series("queue", 1, [](const auto& p) { return p.queue; });
  series("replicas_wanted", 0, [](const auto& p) { return p.replicas_wanted; });
  series("replicas_ready", 0, [](const auto& p) { return p.replicas_ready; });
  series("gpus_paid", 0, [](const auto& p) { return p.gpus_paid; });
  series("gpu_busy", 4, [](const auto& p) { return p.gpu_busy; });
  series("pods_pending", 0, [](const auto& p) { return p.pods_pending; });
  json.key("nodes_by_type").open('{');
  for (const auto& [name, id] : type_ids_) {
    const auto nodes = [id = id](const HistoryPoint& p) {
      return id < p.nodes_by_type.size() ? static_cast<double>(p.nodes_by_type[id]) : 0;
    };
    if (std::ranges::any_of(shown, [&](const auto& p) { return nodes(p) > 0; })) {
      append_series(json, name, shown, nodes);
    }
  }
  json.close('}').key("policies_usd").open('{');
  for (size_t id = 0; id < policies_.size(); ++id) {
    append_series(json, policies_[id], shown, [id](const HistoryPoint& p) {
      return id < p.policies_usd.size() ? rounded(p.policies_usd[id], 4)
                                        : std::numeric_limits<double>::quiet_NaN();
    });
  }
  json.close('}').close('}');
  return json.take();
}

}  // namespace windlass::server::observe
