// Laws that hold for every proposal, on random small clusters, checked by slow and obvious means.
#include <algorithm>
#include <cmath>
#include <set>
#include <span>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/rng.h"
#include "disruption/consolidation.h"
#include "disruption/quick_look.h"
#include "disruption/small_cluster.h"

namespace windlass::disruption {
namespace {

constexpr Duration kAfter = minutes(10);

bool one_in(Rng& rng, uint64_t n) { return rng.below(n) == 0; }

template <typename T>
T any_of(Rng& rng, std::initializer_list<T> values) {
  return values.begin()[rng.below(values.size())];
}

void random_pools(SmallCluster& cluster, Rng& rng) {
  using enum api::ConsolidationPolicy;
  for (const char* name : {"p", "q"}) {
    api::NodePool& pool = cluster.pool(name);
    if (one_in(rng, 2)) SmallCluster::allow_spot(pool);
    pool.consolidation_policy =
        any_of(rng, {kWhenEmptyOrUnderutilized, kWhenEmptyOrUnderutilized, kWhenEmpty, kBalanced});
    if (one_in(rng, 3)) pool.consolidate_after = kAfter;
    if (one_in(rng, 10)) pool.consolidate_after.reset();
    pool.budgets = {{{any_of(rng, {100, 100, 50, 10}), true}, {}, "", {}}};
    if (one_in(rng, 4)) {
      pool.budgets.push_back({{static_cast<int32_t>(rng.below(3)), false},
                              {any_of<std::string>(rng, {"Empty", "Underutilized", "Drifted"})},
                              "",
                              {}});
    }
  }
}

void random_pod(SmallCluster& cluster, Rng& rng, const std::string& name, const std::string& node,
                int64_t cpu) {
  api::Pod& pod = cluster.pod(name, node, cpu);
  pod.meta.labels["app"] = any_of<std::string>(rng, {"x", "y", "z", "z"});
  pod.started_at = kNow - minutes(static_cast<int64_t>(rng.below(20)));
  if (one_in(rng, 15)) {
    pod.meta.annotations[std::string(api::kDoNotDisrupt)] =
        any_of<std::string>(rng, {"true", "10m", "no"});
  }
  if (one_in(rng, 12)) pod.spec.priority = any_of(rng, {-50'000'000, 1000});
  if (one_in(rng, 8)) pod.spec.tolerations.push_back({"", "Exists", "", "", {}});
  if (one_in(rng, 10)) {
    pod.ready = false;
    pod.ready_at = pod.started_at;  // broken, not warming up
  }
  if (one_in(rng, 12)) pod.meta.owners.front().kind = "DaemonSet";
  if (one_in(rng, 20)) pod.meta.deleted = kNow;
}

void spoil(Candidate& node, Rng& rng) {
  node.initialized = !one_in(rng, 10);
  node.deleting = one_in(rng, 10);
  node.nominated = one_in(rng, 12);
  node.ready = !one_in(rng, 12);
  if (one_in(rng, 3)) node.last_pod_event = kNow - minutes(static_cast<int64_t>(rng.below(20)));
  node.do_not_disrupt = one_in(rng, 15);
  if (one_in(rng, 12)) {
    node.drifted = "AMIDrift: old";
    node.drifted_since = kNow - hours(static_cast<int64_t>(rng.below(3)));
  }
}

void random_nodes(SmallCluster& cluster, Rng& rng) {
  const uint64_t count = 1 + rng.below(6);
  for (uint64_t i = 0; i < count; ++i) {
    const std::string name = fmt::format("n{}", i);
    const std::string type = any_of<std::string>(rng, {"t-02", "t-04", "t-08", "t-16"});
    spoil(cluster.node(name, any_of<std::string>(rng, {"p", "p", "q"}), type,
                       any_of<std::string>(rng, {"on-demand", "on-demand", "spot"})),
          rng);
    int64_t free = cluster.types.find(type)->allocatable.milli(api::kCpu);
    for (uint64_t j = 0, pods = rng.below(4); j < pods; ++j) {
      const int64_t cpu = any_of<int64_t>(rng, {250, 500, 1000, 1500, 3000});
      if (cpu > free) continue;
      free -= cpu;
      random_pod(cluster, rng, fmt::format("{}-{}", name, j), name, cpu);
    }
  }
}

// Large nodes with little on them and nothing in the way: what many-to-one needs.
void roomy_nodes(SmallCluster& cluster, Rng& rng) {
  const uint64_t count = 1 + rng.below(5);
  for (uint64_t i = 0; i < count; ++i) {
    const std::string name = fmt::format("n{}", i);
    cluster.node(name, "p", any_of<std::string>(rng, {"t-08", "t-16"}));
    cluster.pod(name + "-0", name, any_of<int64_t>(rng, {250, 500, 1000, 1500}))
        .meta.labels["app"] = "z";
  }
}

void fill(SmallCluster& cluster, Options& options, Rng& rng) {
  random_pools(cluster, rng);
  if (one_in(rng, 3)) {
    roomy_nodes(cluster, rng);
  } else {
    random_nodes(cluster, rng);
  }
  for (uint64_t i = 0, pods = rng.below(3); i < pods; ++i) {
    random_pod(cluster, rng, fmt::format("pending-{}", i), "", any_of<int64_t>(rng, {500, 2500}));
  }
  for (const char* app : {"x", "y"}) {
    if (!one_in(rng, 2)) continue;
    api::PodDisruptionBudget& budget = cluster.budget(std::string("pdb-") + app);
    budget.selector.match_labels["app"] = app;
    budget.max_unavailable = {{static_cast<int32_t>(rng.below(3)), false}};
  }
  if (one_in(rng, 3)) {
    for (const char* node : {"n0", "n1", "n2"}) options.move_cost_usd[node] = rng.uniform() * 0.5;
  }
}

struct World {
  SmallCluster made;
  Options options;
  Cluster cluster;
  Proposal proposal;

  // Of every second seed under Objective::kCost.
  explicit World(uint64_t seed) {
    Rng rng(seed, "cluster");
    fill(made, options, rng);
    if (seed % 2 == 1) options.objective = Objective::kCost;
    cluster = made.build();
    proposal = propose(cluster, kNow, options);
  }
  [[nodiscard]] bool acts() const { return !proposal.commands.empty(); }
  [[nodiscard]] const Command& command() const { return proposal.commands.front(); }
  [[nodiscard]] bool drifts() const {
    return command().method == Command::Method::kDrift ||
           command().method == Command::Method::kStaticDrift;
  }
  [[nodiscard]] bool goes(const Candidate& node) const {
    if (!acts()) return false;
    const auto& claims = command().claims;
    return std::find(claims.begin(), claims.end(), node.claim) != claims.end();
  }
};

// Else the laws below would say little.
TEST(ProposeLaws, RandomClustersReachEveryMethod) {
  std::map<std::string, int> seen;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    const World world(seed);
    if (!world.acts()) continue;
    ++seen[fmt::format("{}{}", to_string(world.command().method),
                       world.command().replacements.empty() ? " deletes" : " replaces")];
  }
  for (const char* what : {"emptiness deletes", "drift deletes", "multi_node_consolidation deletes",
                           "multi_node_consolidation replaces", "single_node_consolidation deletes",
                           "single_node_consolidation replaces"}) {
    EXPECT_GE(seen[what], 10) << what;
  }
}

bool holds_back(const api::Pod& pod, const Cluster& cluster) {
  if (pod.terminal() || pod.meta.deleted) return false;
  const auto mark = pod.meta.annotations.find(std::string(api::kDoNotDisrupt));
  if (mark != pod.meta.annotations.end()) {
    if (mark->second == "true") return true;
    if (mark->second == "10m" && kNow - *pod.started_at < minutes(10)) return true;
  }
  if (!pod.spec.tolerations.empty()) return false;  // tolerates the disrupted taint
  for (const api::PodDisruptionBudget* budget : cluster.budgets) {
    const std::string& app = budget->selector.match_labels.at("app");
    if (pod.meta.labels.at("app") != app) continue;
    int32_t down = 0;
    for (const api::Pod* other : cluster.all_pods) {
      if (other->meta.labels.at("app") != app) continue;
      if (!other->ready || other->meta.deleted) ++down;
    }
    if (down >= budget->max_unavailable->value) return true;
  }
  return false;
}

// 4.2.
RC_GTEST_PROP(ProposeLaws, NeverTouchesWhatIsHeldBack, ()) {
  const World world(*rc::gen::arbitrary<uint64_t>());
  for (const Candidate& node : world.cluster.nodes) {
    if (!world.goes(node)) continue;
    RC_ASSERT(node.initialized && !node.deleting && !node.nominated);
    RC_ASSERT(!node.do_not_disrupt);
    for (const api::Pod* pod : node.pods) RC_ASSERT(!holds_back(*pod, world.cluster));
  }
}

// 4.6, for budgets without windows.
RC_GTEST_PROP(ProposeLaws, StaysWithinBudgets, ()) {
  const World world(*rc::gen::arbitrary<uint64_t>());
  if (!world.acts()) return;
  const std::string_view reason = world.command().method == Command::Method::kEmptiness ? "Empty"
                                  : world.drifts()                                      ? "Drifted"
                                                   : "Underutilized";
  for (const scheduling::Pool& pool : world.cluster.scheduling.pools) {
    int64_t initialized = 0;
    int64_t already = 0;
    int64_t chosen = 0;
    for (const Candidate& node : world.cluster.nodes) {
      if (node.pool != pool.pool->meta.name || !node.initialized) continue;
      ++initialized;
      if (node.deleting || !node.ready) ++already;
      if (world.goes(node)) ++chosen;
    }
    for (const api::Budget& budget : pool.pool->budgets) {
      if (!budget.reasons.empty() && budget.reasons.front() != reason) continue;
      const int64_t room =
          budget.nodes.percent ? (initialized * budget.nodes.value + 99) / 100 : budget.nodes.value;
      RC_ASSERT(chosen <= std::max<int64_t>(0, room - already));
    }
  }
}

// Whatever the replacements come up as, they cost less together than what goes.
RC_GTEST_PROP(ProposeLaws, EveryCommandSaves, ()) {
  const World world(*rc::gen::arbitrary<uint64_t>());
  if (!world.acts()) return;
  const Command& command = world.command();
  double before = 0;
  double moving = 0;
  for (const Candidate& node : world.cluster.nodes) {
    if (!world.goes(node)) continue;
    before += node.usd_per_hour;
    const auto cost = world.options.move_cost_usd.find(node.node);
    if (cost != world.options.move_cost_usd.end()) moving += cost->second;
  }
  RC_ASSERT(std::abs(before - command.usd_per_hour_before) < 1e-9);
  RC_ASSERT(std::abs(moving - command.move_cost_usd) < 1e-9);
  if (world.drifts()) return;
  RC_ASSERT(command.usd_per_hour_after < command.usd_per_hour_before);
  if (command.method != Command::Method::kEmptiness) {
    RC_ASSERT(command.usd_per_hour_before - command.usd_per_hour_after >= moving);
  }
  if (world.options.objective == Objective::kStock) RC_ASSERT(command.replacements.size() <= 1u);
  double dearest_together = 0;
  double cheapest_together = 0;
  for (const scheduling::NewClaim& claim : command.replacements) {
    RC_ASSERT(!claim.types.empty());
    double cheapest = 1e9;
    double dearest = 0;
    for (const catalog::InstanceType* type : claim.types) {
      for (const catalog::Offering& offering : type->offerings) {
        if (!claim.requirements.get(api::kZoneLabel).has(offering.zone)) continue;
        if (!claim.requirements.get(api::kCapacityTypeLabel).has(offering.capacity_type)) continue;
        cheapest = std::min(cheapest, offering.usd_per_hour);
        dearest = std::max(dearest, offering.usd_per_hour);
      }
    }
    cheapest_together += cheapest;
    dearest_together += dearest;
  }
  RC_ASSERT(dearest_together < before);
  RC_ASSERT(std::abs(cheapest_together - command.usd_per_hour_after) < 1e-9);
}

// With equal prices of moving, cost finds what stock finds or better. (Nodes that warm up are the
// exception: cost leaves them alone. None of these does.)
RC_GTEST_PROP(ProposeLaws, CostNeverSavesLessThanStock, ()) {
  const World world(*rc::gen::arbitrary<uint64_t>());
  const auto saved = [&](Objective objective) {
    Options options;
    options.objective = objective;
    const Proposal proposal = propose(world.cluster, kNow, options);
    if (proposal.commands.empty()) return 0.0;
    const Command& command = proposal.commands.front();
    // Drift is not about money: cost may pay less for its replacements, so it never saves less.
    return command.usd_per_hour_before - command.usd_per_hour_after;
  };
  RC_ASSERT(saved(Objective::kCost) >= saved(Objective::kStock) - 1e-9);
}

// Tries every assignment of the pods (milli-CPUs) to the bins.
bool fits(std::vector<int64_t> pods, std::vector<int64_t> bins) {
  if (pods.empty()) return true;
  const int64_t pod = pods.back();
  pods.pop_back();
  std::set<int64_t> tried;  // bins with the same room are alike
  for (int64_t& bin : bins) {
    if (bin < pod || !tried.insert(bin).second) continue;
    bin -= pod;
    if (fits(pods, bins)) return true;
    bin += pod;
  }
  return false;
}

// Quirk 3: what costs nothing to evict does not keep a node, and needs no place.
bool counts_as_empty(const Candidate& node) {
  double cost = 0;
  for (const api::Pod* pod : node.pods) {
    if (pod->daemon() || pod->meta.deleted) continue;
    cost += 1 + pod->spec.priority.value_or(0) / 33554432.0;
  }
  return cost <= 0;
}

// 4.4, 2.3: on settled, initialized nodes that stay, or on the replacement, whatever type it gets.
bool moved_pods_fit_elsewhere(const World& world) {
  if (!world.acts() || world.command().method == Command::Method::kEmptiness) return true;
  std::vector<int64_t> pods;
  std::vector<int64_t> bins;
  for (const Candidate& node : world.cluster.nodes) {
    int64_t free = world.made.types.find(node.instance_type)->allocatable.milli(api::kCpu);
    for (const api::Pod* pod : node.pods) {
      const int64_t cpu = api::pod_requests(pod->spec).milli(api::kCpu);
      free -= cpu;
      const bool moves = !pod->daemon() && !pod->meta.deleted && !counts_as_empty(node);
      if (world.goes(node) && moves) pods.push_back(cpu);
    }
    if (world.goes(node) || node.deleting || !node.initialized) continue;
    const Instant since =
        std::max(node.initialized_at, node.last_pod_event.value_or(kNow - hours(9)));
    bool settling = false;
    for (const scheduling::Pool& pool : world.cluster.scheduling.pools) {
      if (pool.pool->meta.name != node.pool || !pool.pool->consolidate_after) continue;
      settling = kNow - since < *pool.pool->consolidate_after;
    }
    if (!settling) bins.push_back(free);
  }
  std::sort(pods.begin(), pods.end());
  if (pods.empty() && !world.drifts()) return false;
  // Each claim as its smallest type: whatever fits there fits on the others.
  for (const scheduling::NewClaim& claim : world.command().replacements) {
    int64_t smallest = INT64_MAX;
    for (const catalog::InstanceType* type : claim.types) {
      smallest = std::min(smallest, type->allocatable.milli(api::kCpu));
    }
    bins.push_back(smallest);
  }
  return fits(pods, bins);
}

RC_GTEST_PROP(ProposeLaws, MovedPodsFitElsewhere, ()) {
  RC_ASSERT(moved_pods_fit_elsewhere(World(*rc::gen::arbitrary<uint64_t>())));
}

// Of a drifted node that counts as empty, which few random worlds have.
TEST(ProposeLaws, MovedPodsFitElsewhereInRareWorlds) {
  for (const uint64_t seed : {33883, 36508, 66559}) {
    const World world(seed);
    EXPECT_TRUE(world.acts() && world.drifts() && !world.cluster.all_pods.empty()) << seed;
    EXPECT_TRUE(moved_pods_fit_elsewhere(world)) << seed;
  }
}

// The shortcut of single-node consolidation says no only where the simulation does.
RC_GTEST_PROP(ProposeLaws, QuickLookRulesOutNoCommand, ()) {
  const World world(*rc::gen::arbitrary<uint64_t>());
  const EvictionLimits limits(world.cluster.budgets, world.cluster.all_pods);
  const Pass pass{world.cluster, kNow, world.options, examine(world.cluster, limits, kNow)};
  Simulation simulation(world.cluster, pass.nodes, limits, kNow);
  const QuickLook quick_look(world.cluster, pass.nodes, world.options);
  for (const size_t i : in_order_of_gain(pass.nodes, false)) {
    const Attempt attempt =
        consolidate(pass, simulation, std::span(&i, 1), Command::Method::kSingleNode);
    if (!attempt.command) continue;
    RC_ASSERT(quick_look.why_hopeless(i) == "");
    RC_ASSERT(quick_look.least_price(i) <= attempt.command->usd_per_hour_after);
  }
}

// And that of multi-node consolidation; in clusters as small as these it seldom says no.
TEST(ProposeLaws, QuickLookTogetherRulesOutNoCommand) {
  int hopeless = 0;
  for (uint64_t seed = 0; seed < 20000; seed += 2) {
    const World world(seed);
    const EvictionLimits limits(world.cluster.budgets, world.cluster.all_pods);
    const Pass pass{world.cluster, kNow, world.options, examine(world.cluster, limits, kNow)};
    Simulation simulation(world.cluster, pass.nodes, limits, kNow);
    const QuickLook quick_look(world.cluster, pass.nodes, world.options);
    const std::vector<size_t> order = in_order_of_gain(pass.nodes, false);
    for (size_t count = 2; count <= order.size(); ++count) {
      const std::span prefix(order.data(), count);
      if (!quick_look.hopeless_together(prefix)) continue;
      ++hopeless;
      const Attempt attempt = consolidate(pass, simulation, prefix, Command::Method::kMultiNode);
      EXPECT_FALSE(attempt.command) << "seed " << seed << ": " << attempt.command->why;
    }
  }
  EXPECT_GE(hopeless, 5);
}

RC_GTEST_PROP(ProposeLaws, EveryNodeGoesOrHasAReason, ()) {
  const World world(*rc::gen::arbitrary<uint64_t>());
  RC_ASSERT(world.proposal.commands.size() <= 1u);
  std::multiset<std::string> left;
  for (const Left& node : world.proposal.left) {
    RC_ASSERT(!node.reason.empty());
    left.insert(node.node);
  }
  for (const Candidate& node : world.cluster.nodes) {
    RC_ASSERT(left.count(node.node) == (world.goes(node) ? 0u : 1u));
  }
  RC_ASSERT(left.size() + (world.acts() ? world.command().claims.size() : 0) ==
            world.cluster.nodes.size());
}

std::string written_out(const Proposal& proposal) {
  std::string text = summary(proposal) + "\n";
  for (const Command& command : proposal.commands) {
    text += fmt::format("{} {} {}\n", command.usd_per_hour_before, command.usd_per_hour_after,
                        command.why);
    for (const scheduling::NewClaim& claim : command.replacements) {
      text += fmt::format("{} {} {}\n", claim.pool, claim.requirements.to_string(),
                          fmt::join(claim.pods, " "));
    }
  }
  for (const Left& left : proposal.left) text += left.node + ": " + left.reason + "\n";
  return text;
}

template <typename T>
void shuffle(std::vector<T>& values, Rng& rng) {
  for (size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[rng.below(i)]);
}

RC_GTEST_PROP(ProposeLaws, OrderOfInputChangesNothing, ()) {
  World world(*rc::gen::arbitrary<uint64_t>());
  Rng rng(*rc::gen::arbitrary<uint64_t>(), "shuffle");
  Cluster& cluster = world.cluster;
  shuffle(cluster.nodes, rng);
  for (Candidate& node : cluster.nodes) shuffle(node.pods, rng);
  shuffle(cluster.scheduling.nodes, rng);
  shuffle(cluster.scheduling.pods, rng);
  shuffle(cluster.scheduling.pools, rng);
  shuffle(cluster.budgets, rng);
  shuffle(cluster.all_pods, rng);
  RC_ASSERT(written_out(propose(cluster, kNow, world.options)) == written_out(world.proposal));
}

}  // namespace
}  // namespace windlass::disruption
