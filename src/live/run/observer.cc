#include "live/run/observer.h"

#include <algorithm>
#include <deque>
#include <utility>

#include <fmt/format.h>

namespace windlass::live {
namespace {

constexpr Duration kCompare = minutes(1);
constexpr Duration kFirstLook = seconds(2);  // again and again, until the world is known
constexpr Duration kPeriod = hours(1);
constexpr int64_t kRest = 50;  // so many times as long as it took

double price_of(const catalog::InstanceType& type, const std::string& zone,
                const std::string& capacity_type) {
  for (const catalog::Offering& offering : type.offerings) {
    if (offering.zone == zone && offering.capacity_type == capacity_type) {
      return offering.usd_per_hour;
    }
  }
  return 0;
}

std::string label(const api::Node& node, std::string_view key) {
  const auto it = node.meta.labels.find(key);
  return it == node.meta.labels.end() ? std::string() : it->second;
}

bool managed(const api::Node& node) { return !label(node, api::kNodePoolLabel).empty(); }

}  // namespace

void Observer::start(net::Clock& clock) {
  began_ = compared_ = clock.now();
  tick(clock, kFirstLook);
}

void Observer::tick(net::Clock& clock, Duration wait) {
  clock.after(wait, guard_([this, &clock] {
                const Instant now = clock.now();
                const Duration began = clock.steady();
                // What is observed begins when there is something to compare.
                if (world_.deciding() && !std::exchange(comparing_, true)) {
                  began_ = compared_ = now;
                }
                if (world_.deciding()) compare(now);
                const Duration took = clock.steady() - began;
                if (now - began_ >= kPeriod) summarize(now);
                tick(clock, comparing_ ? std::max(kCompare, took * kRest) : kFirstLook);
              }));
}

void Observer::note(const controllers::Action& action) {
  if (const auto* scale = std::get_if<controllers::ScaleDeployment>(&action)) {
    wanted_[scale->deployment] = scale->replicas;
  }
}

bool Observer::fresh(std::string_view controller, const controllers::Decision& decision,
                     Instant now) {
  // A claim has a new name at every look; the pods it is for are the same.
  std::string key = fmt::format("{} {} {}", controller, decision.what, decision.result);
  if (decision.what == "create") {
    for (const auto& [name, value] : decision.inputs) key += " " + value;
  } else {
    key += " " + decision.object;
  }
  const auto [it, first] = told_.try_emplace(key, now);
  if (!first && now - it->second < kPeriod) return false;
  it->second = now;
  ++decisions_;
  return true;
}

double Observer::running_usd_per_hour() const {
  double out = 0;
  for (const auto& [name, node] : world_.state().nodes()) {
    const catalog::InstanceType* type =
        managed(node) ? world_.state().catalog().find(label(node, api::kInstanceTypeLabel))
                      : nullptr;
    if (type == nullptr) continue;
    out += price_of(*type, label(node, api::kZoneLabel), label(node, api::kCapacityTypeLabel));
  }
  return out;
}

double Observer::wanted_usd_per_hour(Instant now) {
  const cluster::State& state = world_.state();
  scheduling::Problem problem = controllers::cluster_problem(state, offerings_, now);
  // What the pools' own nodes hold is placed anew; nodes nobody decides about stay.
  std::erase_if(problem.nodes, [&](const scheduling::ExistingNode& existing) {
    const api::Node* node = state.nodes().find(existing.name);
    return node == nullptr || managed(*node);
  });
  for (scheduling::Pool& pool : problem.pools) pool.used = {};
  // The solver places whatever it is given, also what stands on a node now: tens of thousands of
  // pods need no copies.
  std::map<std::string, int32_t> placed;
  std::deque<api::Pod> to_come;
  for (const auto& [key, pod] : state.pods()) {
    const api::Node* node = state.nodes().find(pod.spec.node_name);
    const bool ours = pod.spec.node_name.empty() || (node != nullptr && managed(*node));
    if (pod.daemon() || pod.terminal() || pod.meta.deleted || !ours) continue;
    const api::Deployment* deployment = state.deployment_of(pod);
    const auto wanted =
        deployment == nullptr ? wanted_.end() : wanted_.find(deployment->meta.key());
    if (wanted != wanted_.end() && ++placed[wanted->first] > wanted->second) continue;
    problem.pods.push_back(&pod);
  }
  for (const auto& [key, replicas] : wanted_) {
    const api::Deployment* deployment = state.deployments().find(key);
    if (deployment == nullptr) continue;
    for (int32_t i = placed[key]; i < replicas; ++i) {
      api::Pod pod;
      pod.meta.name = fmt::format("{}-wanted-{}", deployment->meta.name, i);
      pod.meta.namespace_name = deployment->meta.namespace_name;
      pod.meta.labels = deployment->pod_template.labels;
      pod.meta.annotations = deployment->pod_template.annotations;
      pod.spec = deployment->pod_template.spec;
      problem.pods.push_back(&to_come.emplace_back(std::move(pod)));
    }
  }
  const scheduling::Plan plan = scheduling::solve(problem);
  unplaced_ = plan.unschedulable.size();
  double out = 0;
  for (const scheduling::NewClaim& claim : plan.claims) out += claim.usd_per_hour;
  return out;
}

void Observer::compare(Instant now) {
  const double passed_h = std::max(0.0, (now - compared_).hours());
  running_usd_ += running_rate_ * passed_h;
  wanted_usd_ += wanted_rate_ * passed_h;
  compared_ = now;
  running_rate_ = running_usd_per_hour();
  wanted_rate_ = wanted_usd_per_hour(now);
}

void Observer::summarize(Instant now) {
  if (world_.deciding()) compare(now);
  if (!comparing_) began_ = now;
  controllers::Decision summary;
  summary.object = "Cluster";
  summary.what = "summary";
  summary.inputs = {{"from", to_rfc3339(began_)},
                    {"to", to_rfc3339(now)},
                    {"runningUsd", fmt::format("{:.4f}", running_usd_)},
                    {"wantedUsd", fmt::format("{:.4f}", wanted_usd_)},
                    {"decisions", std::to_string(decisions_)},
                    {"unplaced", std::to_string(unplaced_)}};
  summary.result =
      fmt::format("${:.2f} for the nodes that ran, ${:.2f} for what would have been wanted",
                  running_usd_, wanted_usd_);
  summary.reasons = {
      "wanted replicas packed anew onto the pools' cheapest nodes, without the time "
      "that starting them takes"};
  if (on_summary) on_summary(summary);
  began_ = now;
  running_usd_ = wanted_usd_ = 0;
  decisions_ = 0;
  std::erase_if(told_, [&](const auto& entry) { return now - entry.second >= kPeriod; });
}

}  // namespace windlass::live
