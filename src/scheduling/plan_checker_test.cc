#include "scheduling/plan_checker.h"

#include <algorithm>
#include <map>
#include <set>

namespace windlass::scheduling::test {
namespace {

using Broken = std::vector<std::string>;

const std::string kZone(api::kZoneLabel);
const std::string kCapacityType(api::kCapacityTypeLabel);

// A requirement against one label value (nullptr: no such label).
bool value_meets(const api::RequirementSpec& wish, const std::string* value) {
  using api::Operator;
  const bool listed =
      value != nullptr && std::ranges::find(wish.values, *value) != wish.values.end();
  switch (wish.op) {
    case Operator::kIn:
      return listed;
    case Operator::kNotIn:
      return !listed;
    case Operator::kExists:
      return value != nullptr;
    case Operator::kDoesNotExist:
      return value == nullptr;
    case Operator::kGt:
      return value != nullptr && std::stoll(*value) > std::stoll(wish.values[0]);
    case Operator::kLt:
      return value != nullptr && std::stoll(*value) < std::stoll(wish.values[0]);
    case Operator::kGte:
      return value != nullptr && std::stoll(*value) >= std::stoll(wish.values[0]);
    case Operator::kLte:
      return value != nullptr && std::stoll(*value) <= std::stoll(wish.values[0]);
  }
  return false;
}

// The offerings a claim may be launched as, of one type.
std::vector<const catalog::Offering*> offerings_of(const NewClaim& claim,
                                                   const catalog::InstanceType& type) {
  std::vector<const catalog::Offering*> out;
  for (const catalog::Offering& offering : type.offerings) {
    const bool reserved = offering.capacity_type == api::kReserved;
    const auto& id = claim.requirements.get(api::kReservationIdLabel);
    const bool allowed =
        offering.available && claim.requirements.get(kZone).has(offering.zone) &&
        claim.requirements.get(kCapacityType).has(offering.capacity_type) &&
        (!reserved || (offering.reservation_left > 0 && id.has(offering.reservation_id)));
    if (allowed) out.push_back(&offering);
  }
  return out;
}

// The labels a node of the claim would carry if launched as this offering of this type.
api::StringMap labels_of(const NewClaim& claim, const catalog::InstanceType& type,
                         const catalog::Offering& offering) {
  api::StringMap labels = claim.requirements.labels();
  for (const auto& [key, value] : type.requirements.labels()) labels[key] = value;
  labels[kZone] = offering.zone;
  labels[kCapacityType] = offering.capacity_type;
  // A custom label left open is given some allowed value at launch.
  for (const auto& [key, requirement] : claim.requirements) {
    const bool open = !requirement.complement() && !requirement.empty();
    if (open && !labels.contains(key)) labels.emplace(key, *requirement.values().begin());
  }
  return labels;
}

void check_everyone_is_somewhere(const Problem& problem, const Plan& plan, Broken& broken) {
  std::map<std::string, int> seen;
  for (const auto& claim : plan.claims) {
    for (const auto& key : claim.pods) ++seen[key];
  }
  for (const auto& placement : plan.placements) ++seen[placement.pod];
  for (const auto& left : plan.unschedulable) {
    ++seen[left.pod];
    if (left.reasons.empty()) broken.push_back(left.pod + " is unschedulable without a reason");
    for (const std::string& reason : left.reasons) {
      if (reason.ends_with(": ")) broken.push_back(left.pod + " has half a reason: " + reason);
    }
  }
  if (seen.size() != problem.pods.size()) broken.emplace_back("pods are lost or made up");
  for (const auto& [key, times] : seen) {
    if (times != 1) broken.push_back(key + " is placed more than once");
  }
}

void check_nodes(const Problem& problem, const Plan& plan, Broken& broken) {
  for (const ExistingNode& there : problem.nodes) {
    api::ResourceList requests;
    for (const auto& placement : plan.placements) {
      if (placement.node != there.name) continue;
      requests += api::pod_requests(pod_named(problem, placement.pod)->spec);
    }
    if (!requests.empty() && !requests.fits(there.available)) {
      broken.push_back("node " + there.name + " is too full");
    }
  }
}

void check_claim(const Problem& problem, const NewClaim& claim, Broken& broken) {
  const std::string name = "claim of " + claim.pool;
  if (claim.types.empty() || claim.pods.empty()) broken.push_back(name + " is empty");
  api::ResourceList requests;
  std::set<std::optional<int32_t>> groups;
  for (const auto& key : claim.pods) {
    requests += api::pod_requests(pod_named(problem, key)->spec);
    const auto group = problem.claim_groups.find(key);
    groups.insert(group == problem.claim_groups.end() ? std::nullopt
                                                      : std::optional(group->second));
  }
  if (groups.size() > 1) broken.push_back(name + " mixes claim groups");
  double cheapest_before = 0;
  for (const catalog::InstanceType* type : claim.types) {
    if (!requests.fits(type->allocatable) || !claim.requests.fits(type->allocatable)) {
      broken.push_back(name + ": type " + type->name + " is too small");
    }
    double cheapest = 1e9;
    for (const catalog::Offering* offering : offerings_of(claim, *type)) {
      cheapest = std::min(cheapest, offering->usd_per_hour);
    }
    if (cheapest == 1e9) broken.push_back(name + ": type " + type->name + " cannot be had");
    if (cheapest < cheapest_before) broken.push_back(name + ": types are not by price");
    cheapest_before = cheapest;
    if (type == claim.types.front() && claim.usd_per_hour != cheapest) {
      broken.push_back(name + ": the price is not the cheapest type's");
    }
  }
}

void check_min_values(const Problem& problem, const NewClaim& claim, Broken& broken) {
  for (const auto& [key, requirement] : claim.requirements) {
    std::set<std::string> values;
    for (const auto* type : claim.types) {
      const auto& own = type->requirements.get(key).values();
      values.insert(own.begin(), own.end());
    }
    if (static_cast<int>(values.size()) >= requirement.min_values().value_or(0)) continue;
    broken.push_back("claim of " + claim.pool + ": too few values of " + key);
  }
  if (claim.min_values_relaxed && !problem.settings.best_effort_min_values) {
    broken.push_back("claim of " + claim.pool + ": minValues given up in strict mode");
  }
}

void check_limits(const Problem& problem, const Plan& plan, Broken& broken) {
  for (const Pool& pool : problem.pools) {
    api::ResourceList used = pool.used;
    bool grew = false;
    for (const NewClaim& claim : plan.claims) {
      if (claim.pool != pool.pool->meta.name) continue;
      api::ResourceList largest{{"nodes", 1000}};
      for (const auto* type : claim.types) largest.raise_to(type->capacity);
      used += largest;
      grew = true;
    }
    for (const auto& [name, limit] : pool.pool->limits) {
      if (grew && used.milli(name) > limit) broken.push_back("limit " + name + " is exceeded");
    }
  }
}

void check_reservations(const Problem& problem, const Plan& plan, Broken& broken) {
  std::map<std::string, int32_t> held;
  for (const NewClaim& claim : plan.claims) {
    const auto& ids = claim.requirements.get(api::kReservationIdLabel);
    const bool reserved = claim.requirements.get(kCapacityType) ==
                          api::Requirement(api::Operator::kIn, {std::string(api::kReserved)});
    for (const std::string& id : ids.values()) held[id] += reserved ? 1 : 0;
    // A claim that could take a reservation must hold it, unless it was told to go without.
    if (reserved) continue;
    for (const auto* type : claim.types) {
      for (const catalog::Offering* offering : offerings_of(claim, *type)) {
        const bool counted =
            offering->capacity_type == api::kReserved && offering->reservation_left > 0;
        if (counted) broken.push_back("claim of " + claim.pool + " may take what it does not hold");
      }
    }
  }
  for (const Pool& pool : problem.pools) {
    for (const catalog::InstanceType& type : pool.types->types) {
      for (const catalog::Offering& offering : type.offerings) {
        if (offering.capacity_type != api::kReserved) continue;
        if (held[offering.reservation_id] > offering.reservation_left) {
          broken.push_back("reservation " + offering.reservation_id + " is counted on twice");
        }
      }
    }
  }
}

bool clash(const api::HostPort& a, const api::HostPort& b) {
  const auto all = [](const api::HostPort& p) { return p.ip == "0.0.0.0" || p.ip == "::"; };
  return a.port == b.port && a.protocol == b.protocol && (a.ip == b.ip || all(a) || all(b));
}

void check_ports(const Spot& spot, Broken& broken) {
  for (const api::Pod* pod : spot.put) {
    std::vector<const api::Pod*> others = spot.there;
    others.insert(others.end(), spot.put.begin(), spot.put.end());
    for (const api::Pod* other : others) {
      if (other == pod) continue;
      for (const api::HostPort& mine : pod->spec.containers[0].host_ports) {
        for (const api::HostPort& theirs : other->spec.containers[0].host_ports) {
          if (clash(mine, theirs)) broken.push_back(spot.name + ": host ports clash");
        }
      }
    }
  }
}

const api::PersistentVolumeClaim* claim_of(const Problem& problem, const api::Pod& pod,
                                           const api::PodVolume& volume) {
  for (const auto* claim : problem.surroundings.claims) {
    const bool same =
        claim->meta.namespace_name == pod.meta.namespace_name && claim->meta.name == volume.claim;
    if (same) return claim;
  }
  return nullptr;
}

// The claim exists and can be bound; its volume or class lets the node in.
bool volume_reaches(const Problem& problem, const api::PersistentVolumeClaim& claim,
                    const api::StringMap& labels) {
  const std::vector<api::NodeSelectorTerm>* terms = nullptr;
  for (const auto* volume : problem.surroundings.volumes) {
    if (volume->meta.name == claim.volume) terms = &volume->node_terms;
  }
  for (const auto* one : problem.surroundings.classes) {
    if (claim.volume.empty() && one->meta.name == claim.storage_class) terms = &one->allowed_terms;
  }
  if (terms == nullptr) return false;
  api::StringMap also = labels;
  if (labels.contains(kZone)) also["topology.ebs.csi.aws.com/zone"] = labels.at(kZone);
  return terms->empty() || std::ranges::any_of(*terms, [&](const api::NodeSelectorTerm& term) {
           return term_accepts(term, also);
         });
}

void check_volumes(const Problem& problem, const Spot& spot, Broken& broken) {
  std::set<std::string> attached;
  bool more = false;
  for (const api::Pod* pod : spot.there) {
    for (const auto& volume : pod->spec.volumes)
      attached.insert(pod->meta.namespace_name + volume.claim);
  }
  for (const api::Pod* pod : spot.put) {
    for (const api::PodVolume& volume : pod->spec.volumes) {
      const auto* claim = claim_of(problem, *pod, volume);
      for (const api::StringMap& labels : spot.labels) {
        if (claim != nullptr && volume_reaches(problem, *claim, labels)) continue;
        broken.push_back(spot.name + " cannot reach volume " + volume.claim);
      }
      more |= attached.insert(pod->meta.namespace_name + volume.claim).second;
    }
  }
  for (const auto& [driver, limit] : spot.attach_limits) {
    if (more && std::ssize(attached) > limit) broken.push_back(spot.name + " attaches too much");
  }
}

}  // namespace

const api::Pod* pod_named(const Problem& problem, const std::string& key) {
  const auto at =
      std::ranges::find_if(problem.pods, [&](const auto* pod) { return pod->meta.key() == key; });
  WL_ASSERT(at != problem.pods.end());
  return *at;
}

bool term_accepts(const api::NodeSelectorTerm& term, const api::StringMap& labels) {
  return std::ranges::all_of(term.match_expressions, [&](const auto& wish) {
    const auto at = labels.find(wish.key);
    return value_meets(wish, at == labels.end() ? nullptr : &at->second);
  });
}

bool kube_accepts(const api::PodSpec& spec, const api::StringMap& labels,
                  const std::vector<api::Taint>& taints) {
  if (api::first_untolerated(taints, spec.tolerations, false) != nullptr) return false;
  for (const auto& [key, wanted] : spec.node_selector) {
    const auto at = labels.find(key);
    if (at == labels.end() || at->second != wanted) return false;
  }
  if (spec.required_node_terms.empty()) return true;
  return std::ranges::any_of(spec.required_node_terms, [&](const api::NodeSelectorTerm& term) {
    return term_accepts(term, labels);
  });
}

std::set<std::string> Spot::values(const std::string& key) const {
  std::set<std::string> out;
  for (const api::StringMap& one : labels) {
    if (const auto at = one.find(key); at != one.end()) out.insert(at->second);
  }
  return out;
}

std::vector<Spot> spots_of(const Problem& problem, const Plan& plan) {
  std::vector<Spot> out;
  for (const ExistingNode& node : problem.nodes) {
    Spot spot{"node " + node.name, {node.labels}, node.taints, node.pods, {}, node.attach_limits};
    for (const Placement& placement : plan.placements) {
      if (placement.node == node.name) spot.put.push_back(pod_named(problem, placement.pod));
    }
    out.push_back(std::move(spot));
  }
  for (size_t i = 0; i < plan.claims.size(); ++i) {
    const NewClaim& claim = plan.claims[i];
    Spot spot{"claim " + std::to_string(i), {}, {}, {}, {}, {}};
    for (const Pool& pool : problem.pools) {
      if (pool.pool->meta.name == claim.pool) spot.taints = pool.pool->taints;
    }
    for (const auto* type : claim.types) {
      for (const catalog::Offering* offering : offerings_of(claim, *type)) {
        spot.labels.push_back(labels_of(claim, *type, *offering));
        spot.labels.back()[std::string(api::kHostnameLabel)] = spot.name;
      }
    }
    for (const std::string& key : claim.pods) spot.put.push_back(pod_named(problem, key));
    out.push_back(std::move(spot));
  }
  return out;
}

std::vector<std::string> broken_rules(const Problem& problem, const Plan& plan) {
  Broken broken;
  check_everyone_is_somewhere(problem, plan, broken);
  check_nodes(problem, plan, broken);
  check_limits(problem, plan, broken);
  check_reservations(problem, plan, broken);
  for (const NewClaim& claim : plan.claims) {
    check_claim(problem, claim, broken);
    check_min_values(problem, claim, broken);
  }
  const std::vector<Spot> spots = spots_of(problem, plan);
  for (const Spot& spot : spots) {
    for (const api::Pod* pod : spot.put) {
      if (pod->spec.has_resource_claims) broken.push_back("a pod with resource claims is placed");
      for (const api::StringMap& labels : spot.labels) {
        if (kube_accepts(pod->spec, labels, spot.taints)) continue;
        broken.push_back(spot.name + " does not suit " + pod->meta.key());
      }
    }
    check_ports(spot, broken);
    check_volumes(problem, spot, broken);
  }
  check_topology(problem, spots, broken);
  return broken;
}

}  // namespace windlass::scheduling::test
