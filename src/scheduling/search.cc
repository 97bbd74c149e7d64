#include "scheduling/search.h"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

namespace windlass::scheduling {
namespace {

// Why a pool makes no claims on demand, or empty.
std::string why_idle(const api::NodePool& pool) {
  if (pool.replicas)
    return fmt::format("pool {}: static ({} replicas)", pool.meta.name, *pool.replicas);
  if (pool.meta.deleted) return fmt::format("pool {}: is being deleted", pool.meta.name);
  const api::Condition* ready = api::find_condition(pool.conditions, "Ready");
  if (ready != nullptr && ready->status == "False") {
    return fmt::format("pool {}: not ready: {}", pool.meta.name,
                       ready->message.empty() ? ready->reason : ready->message);
  }
  return {};
}

bool has_soft_taint(const Problem& problem) {
  return std::ranges::any_of(problem.pools, [](const Pool& pool) {
    return std::ranges::any_of(pool.pool->taints, [](const api::Taint& taint) {
      return taint.effect == "PreferNoSchedule";
    });
  });
}

// As on a template, but every label asked for must be there.
bool runs_on(const Daemon& daemon, const ExistingNode& node) {
  return daemon.tolerates(node.taints) &&
         std::ranges::any_of(daemon.alternatives, [&](const api::Requirements& asked) {
           return unmet_label(node, asked) == nullptr;
         });
}

}  // namespace

const std::string* label_of(const ExistingNode& node, std::string_view key) {
  const auto label = node.labels.find(key);
  if (label != node.labels.end()) return &label->second;
  return key == api::kHostnameLabel ? &node.name : nullptr;
}

const std::string* unmet_label(const ExistingNode& node, const api::Requirements& asked) {
  for (const auto& [key, requirement] : asked) {
    const std::string* value = label_of(node, key);
    const api::Operator op = requirement.op();
    const bool may_be_absent = op == api::Operator::kNotIn || op == api::Operator::kDoesNotExist;
    const bool met = value == nullptr ? may_be_absent : requirement.has(*value);
    if (!met) return &key;
  }
  return nullptr;
}

Search::Search(const Problem& problem) : settings(problem.settings) {
  const VolumeIndex volumes(problem.surroundings);
  PodKinds grouped = group_pods(problem, volumes);
  forms = std::move(grouped.forms);
  kinds = std::move(grouped.kinds);
  for (const PodKind& kind : kinds) columns.learn(kind.requests);
  const std::vector<Daemon> daemons = daemons_of(problem);
  for (const Daemon& daemon : daemons) columns.learn(daemon.requests);
  add_templates(problem, daemons);
  add_nodes(problem, daemons, volumes);
  add_variants(problem, daemons);
  add_pods(problem, grouped.of_pod);
  prepare_topology(*this, problem);
  paths.resize(templates.size());
}

void Search::add_templates(const Problem& problem, const std::vector<Daemon>& daemons) {
  std::vector<const Pool*> order;
  for (const Pool& pool : problem.pools) {
    WL_ASSERT(pool.pool != nullptr && pool.types != nullptr);
    order.push_back(&pool);
  }
  // Equal weights: the later name first, as in Karpenter.
  std::ranges::sort(order, [](const Pool* a, const Pool* b) {
    return std::tie(a->pool->weight, a->pool->meta.name) >
           std::tie(b->pool->weight, b->pool->meta.name);
  });
  for (const Pool* pool : order) {
    if (std::string idle = why_idle(*pool->pool); !idle.empty()) {
      idle_pools.push_back(std::move(idle));
      continue;
    }
    templates.emplace_back(*pool, daemons, columns, interned);
    if (templates.back().reserves()) reservations.learn(*pool->types);
  }
}

void Search::add_nodes(const Problem& problem, const std::vector<Daemon>& daemons,
                       const VolumeIndex& volumes) {
  const bool ports_matter =
      std::ranges::any_of(forms, [](const PodForm& form) { return !form.ports.empty(); });
  for (const ExistingNode& node : problem.nodes) {
    NodePlace place{&node, columns.row(node.available), overdrawn(node.available), {}, {}};
    api::ResourceList daemons_to_come;
    for (const Daemon& daemon : daemons) {
      if (!runs_on(daemon, node)) continue;
      daemons_to_come += daemon.requests;
      place.ports.insert(place.ports.end(), daemon.ports.begin(), daemon.ports.end());
    }
    daemons_to_come -= node.daemons_running;
    for (const api::Pod* pod : node.pods) {
      if (ports_matter) {
        const HostPorts taken = host_ports(pod->spec);
        place.ports.insert(place.ports.end(), taken.begin(), taken.end());
      }
      if (node.attach_limits.empty() || pod->spec.volumes.empty()) continue;
      for (auto& [driver, volume] : volumes.attachments_of(*pod)) {
        place.attached[driver].insert(std::move(volume));
      }
    }
    Amounts reserved = columns.row(daemons_to_come);
    for (int64_t& amount : reserved) amount = std::max<int64_t>(amount, 0);
    take_from(place.free, reserved);
    nodes.push_back(std::move(place));
  }
  std::ranges::sort(nodes, [](const NodePlace& a, const NodePlace& b) {
    if (a.node->initialized != b.node->initialized) return a.node->initialized;
    return a.node->name < b.node->name;
  });
}

void Search::add_variants(const Problem& problem, const std::vector<Daemon>& daemons) {
  const RelaxationOptions options{has_soft_taint(problem), settings.ignore_preferences};
  for (PodForm& form : forms) {
    for (Wishes& wishes : relaxation_steps(form.example->spec, options)) {
      Variant variant;
      api::Requirements asked = wishes.requirements;
      if (form.claim_extra != nullptr) {
        variant.takes_new_claims = asked.intersects(*form.claim_extra);
        asked.add(*form.claim_extra);
      }
      variant.asks = interned.intern(std::move(asked));
      variant.wishes = std::move(wishes);
      form.variants.push_back(std::move(variant));
    }
    for (const api::Requirements& alternative : form.volumes.alternatives) {
      form.volume_asks.push_back(interned.intern(alternative));
    }
    if (form.ports.empty()) continue;
    for (const ClaimTemplate& made_from : templates) {
      form.port_clashes.push_back(made_from.types_with_port(daemons, form.ports));
    }
  }
  for (PodKind& kind : kinds) {
    kind.amounts = columns.row(kind.requests);
    kind.nodes_full.resize(forms[kind.form].variants.size());
    kind.claims_full.resize(forms[kind.form].variants.size());
  }
}

void Search::add_pods(const Problem& problem, const std::vector<uint32_t>& kind_of_pod) {
  // Karpenter's order: cpu, memory, age, uid. Names last, for pods made without a uid.
  std::vector<std::pair<int64_t, int64_t>> size_of_kind;
  for (const PodKind& kind : kinds) {
    size_of_kind.emplace_back(kind.requests.milli(api::kCpu), kind.requests.milli(api::kMemory));
  }
  for (size_t i = 0; i < problem.pods.size(); ++i) {
    queue.push_back({problem.pods[i], kind_of_pod[i]});
  }
  std::ranges::sort(queue, [&](const QueuedPod& a, const QueuedPod& b) {
    if (size_of_kind[a.kind] != size_of_kind[b.kind]) {
      return size_of_kind[a.kind] > size_of_kind[b.kind];
    }
    const auto& x = a.pod->meta;
    const auto& y = b.pod->meta;
    return std::tie(x.created, x.uid, x.namespace_name, x.name) <
           std::tie(y.created, y.uid, y.namespace_name, y.name);
  });
}

TypeSet fitting_types(const Search& search, const OpenClaim& claim) {
  const ClaimTemplate& made_from = search.templates[claim.template_index];
  const TypeSet& types = made_from.state(claim.state).types;
  TypeSet out(made_from.catalog().types.size(), false);
  for (size_t i = types.next_in_both(claim.allowed, claim.first_type); i != TypeSet::kNone;
       i = types.next_in_both(claim.allowed, i + 1)) {
    if (fits(claim.requests, made_from.room(i))) out.add(i);
  }
  return out;
}

}  // namespace windlass::scheduling
