#include "cli/plan_disruption_command.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "controllers/disruption_view.h"
#include "controllers/expiry.h"
#include "disruption/warm_up.h"

namespace windlass::cli {
namespace {

// A pod that has a node and no status at all was written by hand: it runs.
void complete_bound_pods(cluster::State& state) {
  std::vector<api::Pod> running;
  for (const auto& [key, pod] : state.pods()) {
    const bool told = pod.raw != nullptr && pod.raw->contains("status");
    if (pod.spec.node_name.empty() || told) continue;
    running.push_back(pod);
    running.back().phase = api::PodPhase::kRunning;
    running.back().ready = true;
  }
  for (api::Pod& pod : running) state.put(std::move(pod));
}

std::vector<std::string> admitted(const scheduling::NewClaim& claim, std::string_view key,
                                  std::string catalog::Offering::*field) {
  const api::Requirement& wanted = claim.requirements.get(key);
  std::vector<std::string> values;
  for (const catalog::InstanceType* type : claim.types) {
    for (const catalog::Offering& offering : type->offerings) {
      if (offering.available && wanted.has(offering.*field)) values.push_back(offering.*field);
    }
  }
  std::ranges::sort(values);
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

PlannedReplacement planned(const scheduling::NewClaim& claim) {
  PlannedReplacement out;
  out.nodepool = claim.pool;
  for (const catalog::InstanceType* type : claim.types) out.instance_types.push_back(type->name);
  out.capacity_types = admitted(claim, api::kCapacityTypeLabel, &catalog::Offering::capacity_type);
  out.zones = admitted(claim, api::kZoneLabel, &catalog::Offering::zone);
  out.usd_per_hour = claim.usd_per_hour;
  return out;
}

PlannedCommand planned(const disruption::Command& command) {
  PlannedCommand out;
  out.method = disruption::to_string(command.method);
  out.nodes = command.nodes;
  for (const scheduling::NewClaim& claim : command.replacements) {
    out.replacements.push_back(planned(claim));
  }
  out.usd_per_hour_before = command.usd_per_hour_before;
  out.usd_per_hour_after = command.usd_per_hour_after;
  out.disruption_cost = command.disruption_cost;
  out.move_cost_usd = command.move_cost_usd;
  out.why = command.why;
  return out;
}

// The claim of a replacement as if it had been launched as its cheapest offering.
api::NodeClaim launched(const scheduling::NewClaim& wanted, const api::NodePool& pool,
                        const std::string& name, Instant now) {
  api::NodeClaim claim = scheduling::to_node_claim(wanted, pool);
  claim.meta.name = name;
  claim.meta.uid = "claim-" + name;
  claim.meta.created = now;
  claim.provider_id = "planned:///" + name;
  const catalog::InstanceType& type = *wanted.types.front();
  const catalog::Offering* offering = type.cheapest(wanted.requirements);
  WL_ASSERT(offering != nullptr);
  for (const auto& [key, value] : type.requirements.labels()) claim.meta.labels[key] = value;
  claim.meta.labels[std::string(api::kInstanceTypeLabel)] = type.name;
  claim.meta.labels[std::string(api::kZoneLabel)] = offering->zone;
  claim.meta.labels[std::string(api::kCapacityTypeLabel)] = offering->capacity_type;
  claim.capacity = type.capacity;
  claim.allocatable = type.allocatable;
  api::set_condition(claim.conditions, {"Launched", "True", "Launched", "", now});
  return claim;
}

void delete_claim(cluster::State& state, const std::string& name, Instant now) {
  const api::NodeClaim* found = state.node_claims().find(name);
  if (found == nullptr) return;
  api::NodeClaim going = *found;
  going.meta.deleted = now;
  state.put(std::move(going));
}

double hourly(const std::vector<disruption::Candidate>& nodes) {
  double sum = 0;
  for (const disruption::Candidate& node : nodes) sum += node.usd_per_hour;
  return sum;
}

// Pass after pass over one state.
class Planner {
 public:
  Planner(cluster::State state, const disruption::Options& options, Instant now)
      : state_(std::move(state)), options_(options), now_(now) {}

  DisruptionPlan run() {
    complete_bound_pods(state_);
    disruption::Cluster cluster = look();
    plan_.usd_per_hour_before = hourly(cluster.nodes);
    price_moves(cluster);
    if (expire(cluster)) cluster = look();
    while (true) {
      disruption::Proposal proposal = disruption::propose(cluster, now_, options_);
      if (proposal.commands.empty()) {
        for (disruption::Left& left : proposal.left) {
          if (!gone_.contains(left.node)) plan_.left.push_back(std::move(left));
        }
        break;
      }
      // Each command takes at least one node away for good, so this ends.
      take(proposal.commands.front());
      cluster = look();
    }
    plan_.usd_per_hour_after = plan_.usd_per_hour_before;
    for (const PlannedCommand& command : plan_.commands) {
      plan_.usd_per_hour_after += command.usd_per_hour_after - command.usd_per_hour_before;
    }
    return std::move(plan_);
  }

 private:
  disruption::Cluster look() {
    return controllers::disruption_cluster(state_, nominations_, offerings_, now_);
  }

  void price_moves(const disruption::Cluster& cluster) {
    if (options_.objective != disruption::Objective::kCost) return;
    for (const disruption::Candidate& node : cluster.nodes) {
      const api::Node& object = state_.nodes().at(node.node);
      const double usd = disruption::warm_up_usd(node, object.allocatable);
      if (usd > 0) options_.move_cost_usd.emplace(node.node, usd);
    }
  }

  bool expire(const disruption::Cluster& cluster) {
    bool any = false;
    for (const disruption::Candidate& node : cluster.nodes) {
      const api::NodeClaim& claim = state_.node_claims().at(node.claim);
      const std::optional<Instant> at = controllers::expires_at(claim);
      if (claim.meta.deleted || !at || now_ < *at) continue;
      any = true;
      PlannedCommand command;
      command.method = "expiration";
      command.nodes = {node.node};
      command.usd_per_hour_before = node.usd_per_hour;
      command.disruption_cost = 1;
      command.why = fmt::format(
          "older than expireAfter {} since {}; no budget holds it, and its "
          "pods find their places while it drains",
          to_string(*claim.expire_after), to_rfc3339(*at));
      plan_.commands.push_back(std::move(command));
      gone_.insert(node.node);
      delete_claim(state_, node.claim, now_);
    }
    return any;
  }

  void take(const disruption::Command& command) {
    plan_.commands.push_back(planned(command));
    gone_.insert(command.nodes.begin(), command.nodes.end());
    for (const scheduling::NewClaim& wanted : command.replacements) {
      const api::NodePool& pool = state_.node_pools().at(wanted.pool);
      const std::string name = controllers::claim_name(wanted.pool + "-r", names_, state_);
      state_.put(launched(wanted, pool, name, now_));
    }
    for (const std::string& claim : command.claims) delete_claim(state_, claim, now_);
  }

  cluster::State state_;
  disruption::Options options_;
  Instant now_;
  controllers::Nominations nominations_;
  controllers::OfferingView offerings_;
  DisruptionPlan plan_;
  std::set<std::string> gone_;  // nodes of commands
  uint64_t names_ = 0;
};

std::string short_list(const std::vector<std::string>& values, size_t most) {
  std::vector<std::string> first(
      values.begin(), values.begin() + static_cast<std::ptrdiff_t>(std::min(most, values.size())));
  std::string text = join(first, " ");
  if (values.size() > most) text += fmt::format(" and {} more", values.size() - most);
  return text;
}

std::string replacement_text(const PlannedCommand& command) {
  std::vector<std::string> texts;
  for (const PlannedReplacement& r : command.replacements) {
    texts.push_back(fmt::format("{}: {} ({})", r.nodepool, short_list(r.instance_types, 3),
                                join(r.capacity_types, " ")));
  }
  return texts.empty() ? "-" : join(texts, "; ");
}

Json command_json(const PlannedCommand& command) {
  Json replacements = Json::array();
  for (const PlannedReplacement& r : command.replacements) {
    replacements.push_back({{"nodepool", r.nodepool},
                            {"instance_types", r.instance_types},
                            {"capacity_types", r.capacity_types},
                            {"zones", r.zones},
                            {"usd_per_hour", r.usd_per_hour}});
  }
  return {{"method", command.method},
          {"action", command.replacements.empty() ? "delete" : "replace"},
          {"nodes", command.nodes},
          {"replacements", std::move(replacements)},
          {"usd_per_hour_before", command.usd_per_hour_before},
          {"usd_per_hour_after", command.usd_per_hour_after},
          {"savings_usd_per_hour", command.usd_per_hour_before - command.usd_per_hour_after},
          {"disruption_cost", command.disruption_cost},
          {"move_cost_usd", command.move_cost_usd},
          {"why", command.why}};
}

// The one place of this command that reads a clock: a plan is for now unless told otherwise.
Result<Instant> instant_of(const std::string& text) {
  if (!text.empty()) return parse_rfc3339(text);
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return Instant{std::chrono::duration_cast<std::chrono::nanoseconds>(since).count()};
}

int fail(const Error& error) {
  fmt::print(stderr, "windlass plan disruption: {}\n", error.message());
  return 2;
}

}  // namespace

DisruptionPlan plan_disruption(cluster::State state, const disruption::Options& options,
                               Instant now) {
  return Planner(std::move(state), options, now).run();
}

std::string disruption_table(const DisruptionPlan& plan) {
  std::string text;
  if (plan.commands.empty()) {
    text += "Nothing to do.\n";
  } else {
    std::vector<std::vector<std::string>> rows{
        {"#", "method", "action", "nodes", "replacements", "saves $/h", "disruption cost"}};
    std::string reasons;
    for (size_t i = 0; i < plan.commands.size(); ++i) {
      const PlannedCommand& c = plan.commands[i];
      rows.push_back({std::to_string(i + 1), c.method,
                      c.replacements.empty() ? "delete" : "replace", short_list(c.nodes, 4),
                      replacement_text(c),
                      fmt::format("{:.4f}", c.usd_per_hour_before - c.usd_per_hour_after),
                      fmt::format("{:.2f}", c.disruption_cost)});
      reasons += fmt::format("{}. {}\n", i + 1, c.why);
    }
    text += format_table(rows, {true, false, false, false, false, true, true}) + "\n" + reasons;
  }
  text += fmt::format("\nNodes cost {:.4f} USD/h, {:.4f} after.\n", plan.usd_per_hour_before,
                      plan.usd_per_hour_after);
  if (!plan.left.empty()) {
    std::vector<std::vector<std::string>> rows{{"left alone", "why"}};
    for (const disruption::Left& left : plan.left) rows.push_back({left.node, left.reason});
    text += "\n" + format_table(rows, {false, false});
  }
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

std::string disruption_json(const DisruptionPlan& plan, const std::vector<std::string>& warnings) {
  Json commands = Json::array();
  for (const PlannedCommand& command : plan.commands) commands.push_back(command_json(command));
  Json left = Json::array();
  for (const disruption::Left& node : plan.left) {
    left.push_back({{"node", node.node}, {"why", node.reason}});
  }
  const Json all{{"commands", std::move(commands)},
                 {"left", std::move(left)},
                 {"usd_per_hour_before", plan.usd_per_hour_before},
                 {"usd_per_hour_after", plan.usd_per_hour_after},
                 {"warnings", warnings}};
  return all.dump(2);
}

int run_plan_disruption(const PlanDisruptionOptions& arguments) {
  const Result<Instant> now = instant_of(arguments.now);
  if (!now) return fail(now.error().in("--now"));
  Result<PlanInput> input = read_plan_input(arguments.files, arguments.catalog, *now);
  if (!input) return fail(input.error());
  disruption::Options options;
  options.spot_to_spot = arguments.spot_to_spot;
  if (arguments.objective == "cost") options.objective = disruption::Objective::kCost;
  const DisruptionPlan plan = plan_disruption(std::move(input->state), options, *now);
  if (arguments.output == "json") {
    fmt::print("{}\n", disruption_json(plan, input->warnings));
    return 0;
  }
  for (const std::string& warning : input->warnings) fmt::print(stderr, "{}\n", warning);
  fmt::print("{}\n", disruption_table(plan));
  return 0;
}

}  // namespace windlass::cli
