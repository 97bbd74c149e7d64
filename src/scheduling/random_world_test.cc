// Random small worlds for this room's laws.
#include "scheduling/random_world.h"

#include <rapidcheck.h>

namespace windlass::scheduling::test {
namespace {

template <typename T>
T one_of(std::vector<T> choices) {
  return *rc::gen::elementOf(std::move(choices));
}
bool one_in(int n) { return *rc::gen::inRange(0, n) == 0; }
int up_to(int n) { return *rc::gen::inRange(0, n + 1); }

// ---- Random worlds.

const std::string kZone(api::kZoneLabel);
const std::string kCapacityType(api::kCapacityTypeLabel);
const std::string kHost(api::kHostnameLabel);

// Custom labels are asked for with In only: what else pods may say of labels that no pool defines
// depends on who is asked first.
api::RequirementSpec a_wish() {
  using api::Operator;
  return one_of<api::RequirementSpec>({
      {kZone, Operator::kIn, {"a"}, {}},
      {kZone, Operator::kIn, {"b", "c"}, {}},
      {kZone, Operator::kNotIn, {"a"}, {}},
      {kCapacityType, Operator::kIn, {"spot"}, {}},
      {kCapacityType, Operator::kNotIn, {"spot"}, {}},
      {kGpuCount, Operator::kExists, {}, {}},
      {kGpuCount, Operator::kDoesNotExist, {}, {}},
      {kGpuCount, Operator::kGt, {"1"}, {}},
      {kGpuCount, Operator::kLte, {"4"}, {}},
      {"team", Operator::kIn, {"ads"}, {}},
      {"team", Operator::kIn, {"ads", "search"}, {}},
  });
}

std::vector<api::Taint> some_taints() {
  std::vector<api::Taint> out;
  if (one_in(4)) out.push_back({"gpu", "true", "NoSchedule"});
  if (one_in(5)) out.push_back({"soft", "", "PreferNoSchedule"});
  return out;
}

std::vector<api::RequirementSpec> some_wishes(int at_most) {
  std::vector<api::RequirementSpec> out(static_cast<size_t>(up_to(at_most)));
  for (auto& wish : out) wish = a_wish();
  return out;
}

catalog::Catalog a_catalog() {
  catalog::Catalog out;
  const int count = 1 + up_to(4);
  for (int i = 0; i < count; ++i) {
    std::vector<catalog::Offering> offerings;
    for (const char* zone : {"a", "b", "c"}) {
      for (const char* capacity_type : {"on-demand", "spot"}) {
        if (one_in(3)) continue;
        offerings.push_back({zone, capacity_type, 0.1 * (1 + up_to(5)), !one_in(4)});
      }
    }
    out.types.push_back(instance_type("t" + std::to_string(i), one_of<int64_t>({1, 2, 4, 8}),
                                      one_of<int64_t>({0, 0, 1, 2, 4}), std::move(offerings)));
  }
  return out;
}

void add_pool(World& world, int number) {
  api::NodePool& pool = world.add(node_pool("pool-" + std::to_string(number)));
  pool.weight = one_of<int32_t>({0, 0, 10});
  pool.requirements = some_wishes(2);
  if (one_in(2)) pool.labels["team"] = one_of<std::string>({"ads", "search"});
  pool.taints = some_taints();
  if (one_in(2)) pool.limits.set("cpu", 1000 * up_to(20));
  if (one_in(4)) pool.limits.set(api::kNvidiaGpu, 1000 * up_to(6));
  if (one_in(4)) pool.limits.set("nodes", 1000 * up_to(3));
  if (one_in(5)) {
    pool.requirements.push_back(
        {std::string(api::kInstanceTypeLabel), api::Operator::kExists, {}, 2});
  }
  world.problem.pools.back().used = resources(up_to(4), 0);
}

void add_node(World& world, int number) {
  ExistingNode& there =
      world.add(node("node-" + std::to_string(up_to(3)) + "-" + std::to_string(number),
                     resources(up_to(6) - 1, up_to(8), up_to(2))));
  there.initialized = !one_in(3);
  if (!one_in(3)) there.labels.own()[kZone] = one_of<std::string>({"a", "b"});
  if (one_in(2)) there.labels.own()["team"] = one_of<std::string>({"ads", "search"});
  there.taints = some_taints();
  if (one_in(3)) there.daemons_running = resources(up_to(1), 1);
}

api::PodSpec some_constraints() {
  api::PodSpec spec;
  if (one_in(4)) spec.node_selector[kZone] = one_of<std::string>({"a", "b", "d"});
  if (one_in(6)) spec.node_selector["team"] = "search";
  if (one_in(3)) {
    spec.required_node_terms.resize(1 + static_cast<size_t>(up_to(1)));
    for (auto& term : spec.required_node_terms) term.match_expressions = some_wishes(2);
  }
  if (one_in(4)) {
    spec.preferred_node_terms.resize(1 + static_cast<size_t>(up_to(1)));
    for (auto& preferred : spec.preferred_node_terms) {
      preferred.weight = up_to(2);
      preferred.term.match_expressions = {a_wish()};
    }
  }
  if (one_in(2)) spec.tolerations.push_back(tolerate("gpu"));
  return spec;
}

void add_pods(World& world) {
  const int kinds = 1 + up_to(4);
  for (int kind = 0; kind < kinds; ++kind) {
    const api::PodSpec constraints = some_constraints();
    const api::ResourceList size = resources(up_to(4), up_to(4), one_in(4) ? up_to(4) : 0);
    const int count = 1 + up_to(5);
    for (int i = 0; i < count; ++i) {
      const std::string name = "p" + std::to_string(kind) + "-" + std::to_string(i);
      api::Pod& made = world.add(pod(name, size));
      const std::vector<api::Container> containers = made.spec.containers;
      made.spec = constraints;
      made.spec.containers = containers;
      made.meta.created = Instant{up_to(2)};
      if (one_in(10)) {
        world.problem.claim_requirements[made.meta.key()] =
            api::Requirements::from_specs({a_wish()});
      }
    }
  }
}

}  // namespace

std::unique_ptr<World> a_world() {
  auto world = std::make_unique<World>();
  world->catalog() = a_catalog();
  const int pools = up_to(3);
  for (int i = 0; i < pools; ++i) add_pool(*world, i);
  const int nodes = up_to(4);
  for (int i = 0; i < nodes; ++i) add_node(*world, i);
  if (one_in(2)) world->add_daemon("agent", resources(up_to(1), 1));
  if (one_in(3)) {
    api::PodSpec& spec = world->add_daemon("gpu-agent", resources(1, 1));
    spec.required_node_terms = {{{a_wish()}}, {{a_wish()}}};
    spec.tolerations = {tolerate("gpu")};
  }
  add_pods(*world);
  return world;
}

// ---- Worlds in which pods look at each other, at ports, at volumes and at reservations.

namespace {

const std::vector<std::string> kApps{"a", "b", "c"};

api::LabelSelector selecting(const std::string& app) {
  api::LabelSelector out;
  if (one_in(3)) {
    out.match_expressions = {{"app", api::LabelSelectorTerm::Op::kIn, {app}}};
  } else {
    out.match_labels = {{"app", app}};
  }
  return out;
}

api::PodAffinityTerm a_term() {
  api::PodAffinityTerm term;
  term.topology_key = one_of<std::string>({kZone, kHost, kHost, "rack"});
  term.selector = selecting(one_of(kApps));
  if (one_in(5)) term.namespaces = {"other"};
  if (one_in(5)) {
    term.namespace_selector.emplace();
    if (one_in(2)) term.namespace_selector->match_labels = {{"env", "test"}};
  }
  if (one_in(6)) term.match_label_keys = {"rev"};
  if (one_in(8)) term.mismatch_label_keys = {"rev"};
  return term;
}

void add_terms(api::PodAffinity& affinity, int rarity) {
  if (one_in(rarity)) affinity.required.push_back(a_term());
  if (one_in(rarity * 2)) affinity.required.push_back(a_term());
  if (one_in(rarity)) affinity.preferred.push_back({1 + up_to(3), a_term()});
}

api::TopologySpreadConstraint a_spread(const std::string& app) {
  api::TopologySpreadConstraint out;
  out.topology_key = one_of<std::string>({kZone, kZone, kHost, kCapacityType, "rack"});
  out.max_skew = 1 + up_to(1);
  out.selector = selecting(one_in(4) ? one_of(kApps) : app);
  out.schedule_anyway = one_in(4);
  if (one_in(4)) out.min_domains = 1 + up_to(3);
  out.honor_node_affinity = !one_in(4);
  out.honor_node_taints = one_in(4);
  if (one_in(5)) out.match_label_keys = {"rev"};
  return out;
}

void make_social(api::Pod& pod) {
  const std::string app = one_of(kApps);
  pod.meta.namespace_name = one_in(5) ? "other" : "default";
  pod.meta.labels = {{"app", app}};
  if (one_in(2)) pod.meta.labels["rev"] = one_of<std::string>({"1", "2"});
  if (one_in(3)) pod.spec.topology_spread.push_back(a_spread(app));
  if (one_in(6)) pod.spec.topology_spread.push_back(a_spread(app));
  add_terms(pod.spec.affinity, 6);
  add_terms(pod.spec.anti_affinity, 4);
  if (one_in(6)) {
    api::HostPort port{"0.0.0.0", 80 + up_to(1), "TCP"};
    if (one_in(2)) port.ip = one_of<std::string>({"10.0.0.1", "10.0.0.2", "::"});
    pod.spec.containers[0].host_ports = {port};
  }
}

// The type's requirements with one more capacity type on offer.
api::Requirements with_capacity_type(const api::Requirements& of, const std::string& more) {
  api::Requirements out;
  for (const auto& [key, requirement] : of) {
    if (key != kCapacityType) {
      out.add(key, requirement);
      continue;
    }
    std::vector<std::string> values(requirement.values().begin(), requirement.values().end());
    values.push_back(more);
    out.add(key, {api::Operator::kIn, values});
  }
  return out;
}

void add_storage(World& world) {
  world.add_class("local-zone", {{{{kZone, api::Operator::kIn, {"a"}, {}}}},
                                 {{{kZone, api::Operator::kIn, {"b"}, {}}}}});
  world.add_class("anywhere", {});
  world.add_volume("pv-a", {{{{"topology.ebs.csi.aws.com/zone", api::Operator::kIn, {"a"}, {}}}}});
  world.add_volume("pv-ab", {{{{kZone, api::Operator::kIn, {"a", "b"}, {}}}}});
  for (const char* space : {"default", "other"}) {
    world.add_claim(space, "bound-a", "", "pv-a");
    world.add_claim(space, "bound-ab", "", "pv-ab");
    world.add_claim(space, "unbound", "local-zone", "");
    world.add_claim(space, "free", "anywhere", "");
    world.add_claim(space, "lost", "nowhere", "");
  }
}

}  // namespace

std::unique_ptr<World> a_social_world() {
  auto world = a_world();
  world->problem.claim_requirements.clear();
  world->add_namespace("default", {{"env", "prod"}});
  world->add_namespace("other", {{"env", "test"}});
  if (one_in(3)) add_storage(*world);
  const bool storage = !world->problem.surroundings.claims.empty();
  // Pods of one kind stay alike: they copy from the first of them.
  std::map<std::string, api::Pod> like;
  for (api::Pod& made : world->pods()) {
    const std::string kind = made.meta.name.substr(0, made.meta.name.find('-'));
    const auto [at, is_new] = like.try_emplace(kind, made);
    if (is_new) {
      make_social(at->second);
      if (storage && one_in(3)) {
        at->second.spec.volumes = {
            {"v", one_of<std::string>({"bound-a", "bound-ab", "unbound", "free", "lost"}), false,
             ""}};
      }
      at->second.spec.has_resource_claims = one_in(20);
    }
    made.meta.namespace_name = at->second.meta.namespace_name;
    made.meta.labels = at->second.meta.labels;
    made.spec = at->second.spec;
    if (one_in(12)) world->problem.claim_groups[made.meta.key()] = up_to(1);
  }
  int there = 0;
  for (ExistingNode& node : world->problem.nodes) {
    if (one_in(2)) node.labels.own()["rack"] = one_of<std::string>({"r1", "r2"});
    if (one_in(3)) node.attach_limits["ebs.csi.aws.com"] = up_to(2);
    const int count = up_to(2);
    for (int i = 0; i < count; ++i) {
      api::Pod running = pod("there-" + std::to_string(there++), resources(0, 0));
      make_social(running);
      // What is there was placed by others, perhaps against every rule.
      running.spec.node_name = node.name;
      node.pods.push_back(&world->keep(std::move(running)));
    }
  }
  if (one_in(3)) {
    for (catalog::InstanceType& type : world->catalog().types) {
      if (one_in(2)) continue;
      catalog::Offering reserved{"a", std::string(api::kReserved), 1e-7, true};
      reserved.reservation_id = one_of<std::string>({"cr-1", "cr-2"});
      reserved.reservation_left = up_to(2);
      type.offerings.push_back(reserved);
      type.requirements = with_capacity_type(type.requirements, std::string(api::kReserved));
    }
    world->problem.settings.strict_reservations = one_in(2);
  }
  world->problem.settings.ignore_preferences = one_in(4);
  world->problem.settings.best_effort_min_values = one_in(4);
  return world;
}

}  // namespace windlass::scheduling::test
