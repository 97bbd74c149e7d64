#include "cli/plan_nodes_command.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "scheduling/cost_price.h"
#include "scheduling/lower_bound.h"

namespace windlass::cli {
namespace {

using nlohmann::json;
using scheduling::NewClaim;

constexpr size_t kNamesInTable = 3;

// What is launched first: the cheapest offering of the cheapest type.
const catalog::Offering& first_offering(const NewClaim& claim) {
  const catalog::Offering* offering = claim.types.front()->cheapest(claim.requirements);
  WL_ASSERT(offering != nullptr);
  return *offering;
}

// Where it may be launched, whatever the type.
std::vector<std::string> zones_of(const NewClaim& claim) {
  std::set<std::string> zones;
  for (const catalog::InstanceType* type : claim.types) {
    for (const catalog::Offering& offering : type->offerings) {
      if (scheduling::allows(claim.requirements, offering)) zones.insert(offering.zone);
    }
  }
  return {zones.begin(), zones.end()};
}

json requirements_json(const api::Requirements& requirements) {
  json out = json::array();
  for (const api::RequirementSpec& spec : requirements.to_specs()) {
    json one{{"key", spec.key}, {"operator", api::to_string(spec.op)}};
    if (!spec.values.empty()) one["values"] = spec.values;
    if (spec.min_values) one["minValues"] = *spec.min_values;
    out.push_back(std::move(one));
  }
  return out;
}

json claim_json(const NewClaim& claim) {
  json types = json::array();
  for (const catalog::InstanceType* type : claim.types) types.push_back(type->name);
  return {{"nodepool", claim.pool},
          {"instance_types", std::move(types)},
          {"requirements", requirements_json(claim.requirements)},
          {"capacity_type", first_offering(claim).capacity_type},
          {"zones", zones_of(claim)},
          {"pods", claim.pods},
          {"usd_per_hour", scheduling::expected_price(claim)}};
}

std::string short_list(const std::vector<std::string>& names) {
  if (names.size() <= kNamesInTable) return join(names, ", ");
  const std::vector<std::string> first(names.begin(), names.begin() + kNamesInTable);
  return fmt::format("{}, +{}", join(first, ", "), names.size() - kNamesInTable);
}

std::string claims_table(const std::vector<NewClaim>& claims) {
  std::vector<std::vector<std::string>> rows{
      {"#", "nodepool", "instance types", "capacity", "zones", "pods", "", "USD/h"}};
  for (const NewClaim& claim : claims) {
    std::vector<std::string> types;
    for (const catalog::InstanceType* type : claim.types) types.push_back(type->name);
    rows.push_back({std::to_string(rows.size()), claim.pool, short_list(types),
                    first_offering(claim).capacity_type, join(zones_of(claim), ", "),
                    std::to_string(claim.pods.size()), short_list(claim.pods),
                    fmt::format("{:.4f}", scheduling::expected_price(claim))});
  }
  return format_table(rows, {true, false, false, false, false, true, false, true});
}

// "12.5 % above": how far a price is from the bound, or that it is the least.
std::string distance(double usd_per_hour, double bound) {
  if (bound <= 0) return "no bound is known";
  const double percent = 100 * (usd_per_hour / bound - 1);
  if (percent < 0.05) return "the least there is";
  return fmt::format("{:.1f} % above", percent);
}

std::string totals(const NodesPlan& plan) {
  const scheduling::CostPlan& planned = plan.planned;
  std::string text = fmt::format(
      "new nodes: {}; pods on nodes there are: {}; pods without a place: {}\n"
      "{:.4f} USD/h; lower bound {:.4f} USD/h ({})\n",
      planned.plan.claims.size(), planned.plan.placements.size(), planned.plan.unschedulable.size(),
      planned.usd_per_hour, planned.lower_bound_usd_per_hour,
      distance(planned.usd_per_hour, planned.lower_bound_usd_per_hour));
  if (plan.for_cost) {
    text +=
        fmt::format("stock would pay {:.4f} USD/h\n{}\n", planned.stock_usd_per_hour, planned.why);
  }
  return text;
}

}  // namespace

void plan_nodes(const cluster::State& state, Instant now, NodesPlan& out) {
  scheduling::Problem problem = controllers::cluster_problem(state, out.offerings, now);
  problem.pods = controllers::pending_pods(state);
  const auto moving = controllers::pods_on_deleting_nodes(state, now);
  problem.pods.insert(problem.pods.end(), moving.begin(), moving.end());
  if (out.for_cost) {
    out.planned = scheduling::solve_for_cost(problem);
    return;
  }
  scheduling::CostPlan& planned = out.planned;
  planned.plan = scheduling::solve(problem);
  planned.usd_per_hour = planned.stock_usd_per_hour = scheduling::expected_price(planned.plan);
  planned.lower_bound_usd_per_hour = scheduling::lower_bound(problem, planned.plan);
}

std::string nodes_table(const NodesPlan& plan) {
  const scheduling::Plan& found = plan.planned.plan;
  std::string text;
  if (!found.claims.empty()) text += claims_table(found.claims) + "\n";
  if (!found.placements.empty()) {
    std::vector<std::vector<std::string>> rows{{"pod", "node"}};
    for (const auto& placement : found.placements) rows.push_back({placement.pod, placement.node});
    text += format_table(rows, {false, false}) + "\n";
  }
  if (!found.unschedulable.empty()) {
    std::vector<std::vector<std::string>> rows{{"no place for", "why"}};
    for (const auto& left : found.unschedulable) {
      std::string pod = left.pod;
      for (const std::string& reason : left.reasons) {
        rows.push_back({std::exchange(pod, ""), reason});
      }
    }
    text += format_table(rows, {false, false}) + "\n";
  }
  return text + totals(plan);
}

std::string nodes_json(const NodesPlan& plan, const std::vector<std::string>& warnings) {
  const scheduling::CostPlan& planned = plan.planned;
  json out{{"claims", json::array()},
           {"placements", json::array()},
           {"unschedulable", json::array()},
           {"usd_per_hour", planned.usd_per_hour},
           {"lower_bound_usd_per_hour", planned.lower_bound_usd_per_hour},
           {"elapsed_ms", plan.elapsed_ms},
           {"warnings", warnings}};
  for (const NewClaim& claim : planned.plan.claims) out["claims"].push_back(claim_json(claim));
  for (const auto& placement : planned.plan.placements) {
    out["placements"].push_back({{"pod", placement.pod}, {"node", placement.node}});
  }
  for (const auto& left : planned.plan.unschedulable) {
    out["unschedulable"].push_back({{"pod", left.pod}, {"reasons", left.reasons}});
  }
  if (plan.for_cost) {
    out["stock_usd_per_hour"] = planned.stock_usd_per_hour;
    out["why"] = planned.why;
  }
  return out.dump(2) + "\n";
}

int run_plan_nodes(const PlanNodesOptions& options) {
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  const Instant now{std::chrono::duration_cast<std::chrono::nanoseconds>(wall).count()};
  const auto input = read_plan_input(options.files, options.catalog, now);
  if (!input.ok()) {
    fmt::print(stderr, "error: {}\n", input.error().message());
    return 2;
  }
  NodesPlan plan;
  plan.for_cost = options.objective == "cost";
  const auto start = std::chrono::steady_clock::now();
  plan_nodes(input->state, now, plan);
  const auto elapsed = std::chrono::steady_clock::now() - start;
  plan.elapsed_ms = std::chrono::duration<double, std::milli>(elapsed).count();
  if (options.output == "json") {
    fmt::print("{}", nodes_json(plan, input->warnings));
  } else {
    for (const std::string& warning : input->warnings) fmt::print(stderr, "{}\n", warning);
    fmt::print("{}", nodes_table(plan));
  }
  return plan.planned.plan.unschedulable.empty() ? 0 : 1;
}

}  // namespace windlass::cli
