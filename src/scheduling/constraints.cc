#include "scheduling/constraints.h"

#include <algorithm>
#include <array>

#include "scheduling/topology_rules.h"

namespace windlass::scheduling {
namespace {

Verdict verdict_of(TopologyAnswer answer) {
  switch (answer) {
    case TopologyAnswer::kYes:
      return Verdict::kFits;
    case TopologyAnswer::kNotNow:
      return Verdict::kNotNow;
    case TopologyAnswer::kNever:
      break;
  }
  return Verdict::kNever;
}

// ---- On a node that is there.

Verdict node_size(const Search& search, const Asking& asking, size_t i) {
  const NodePlace& node = search.nodes[i];
  const bool room = !node.overdrawn && fits(asking.kind.amounts, node.free);
  return room ? Verdict::kFits : Verdict::kFull;
}

Verdict node_taints(const Search& search, const Asking& asking, size_t i) {
  const auto& tolerations = asking.variant.wishes.tolerations;
  const auto* taint = api::first_untolerated(search.nodes[i].node->taints, tolerations, true);
  return taint == nullptr ? Verdict::kFits : Verdict::kNever;
}

Verdict node_labels(const Search& search, const Asking& asking, size_t i) {
  const auto* unmet = unmet_label(*search.nodes[i].node, asking.variant.wishes.requirements);
  return unmet == nullptr ? Verdict::kFits : Verdict::kNever;
}

Verdict node_ports(const Search& search, const Asking& asking, size_t i) {
  const auto* taken = first_taken(asking.form.ports, search.nodes[i].ports);
  return taken == nullptr ? Verdict::kFits : Verdict::kNever;
}

Verdict node_volumes(const Search& search, const Asking& asking, size_t i) {
  const VolumeNeeds& needs = asking.form.volumes;
  const NodePlace& place = search.nodes[i];
  const bool reached = needs.alternatives.empty() ||
                       std::ranges::any_of(needs.alternatives, [&](const api::Requirements& one) {
                         return unmet_label(*place.node, one) == nullptr;
                       });
  if (!reached) return Verdict::kNever;
  for (const auto& [driver, limit] : place.node->attach_limits) {
    const auto there = place.attached.find(driver);
    int64_t count = there == place.attached.end() ? 0 : std::ssize(there->second);
    bool adds = false;
    for (const auto& [of, volume] : needs.attachments) {
      const bool more =
          of == driver && (there == place.attached.end() || !there->second.contains(volume));
      adds |= more;
      count += more ? 1 : 0;
    }
    if (adds && count > limit) return Verdict::kNever;
  }
  return Verdict::kFits;
}

Verdict node_topology(const Search& search, const Asking& asking, size_t i) {
  return verdict_of(on_node(search, asking.variant, i));
}

using NodeFamily = Verdict (*)(const Search&, const Asking&, size_t);
// What is refused for good comes first, then by cost; all must grant.
constexpr std::array<NodeFamily, 6> kNodeFamilies{node_size,  node_taints,  node_labels,
                                                  node_ports, node_volumes, node_topology};

// ---- On a claim of this solve. Startup taints are not looked at: they go before the node is
// ready.

bool tolerates(const Search& search, const Asking& asking, const OpenClaim& claim) {
  const api::NodePool& pool = search.templates[claim.template_index].pool();
  return api::first_untolerated(pool.taints, asking.variant.wishes.tolerations, true) == nullptr;
}

const StatePath& path_of(Search& search, const Asking& asking, uint32_t template_index,
                         int32_t from) {
  std::vector<StatePath>& paths = search.paths[template_index];
  if (static_cast<size_t>(from) >= paths.size()) paths.resize(static_cast<size_t>(from) + 1);
  StatePath& path = paths[static_cast<size_t>(from)];
  if (path.attempt == search.attempt) return path;
  path.attempt = search.attempt;
  path.ends.clear();
  ClaimTemplate& made_from = search.templates[template_index];
  path.base = made_from.advance(from, asking.variant.asks);
  if (path.base == kNoState) return path;
  if (asking.form.volume_asks.empty()) {
    continue_in_domains(search, asking.variant, template_index, path.base, path.ends);
  }
  for (const uint32_t alternative : asking.form.volume_asks) {
    const int32_t reached = made_from.advance(path.base, alternative);
    if (reached == kNoState) continue;
    continue_in_domains(search, asking.variant, template_index, reached, path.ends);
  }
  return path;
}

// A claim as it would be with the pod.
class Joined {
 public:
  Joined(Search& search, const Asking& asking, const OpenClaim& claim)
      : search_(search),
        made_from_(search.templates[claim.template_index]),
        asking_(asking),
        claim_(claim),
        clashes_(port_clashes(asking.form, claim.template_index)) {}

  // The first type, not before `from`, that takes all pods beside its daemons; kNone if none does.
  [[nodiscard]] size_t first_type(int32_t state, size_t from) const {
    const TypeSet& types = made_from_.state(state).types;
    size_t i = types.next_in_both(claim_.allowed, from);
    while (i != TypeSet::kNone && !takes(i)) i = types.next_in_both(claim_.allowed, i + 1);
    return i;
  }

  [[nodiscard]] bool enough_values(int32_t state, size_t from) const {
    if (!made_from_.state(state).has_min_values || search_.settings.best_effort_min_values) {
      return true;
    }
    return why_too_few_values(made_from_.requirements(state), made_from_.catalog(),
                              all_types(state, from))
        .empty();
  }

  // Holds what can be held. Strict: false if something could be taken and nothing can be held.
  // Fallback: goes on without reservations.
  [[nodiscard]] bool reserve(ClaimTrial& trial) const {
    if (!made_from_.reserves()) return true;
    Reservations::Look look =
        search_.reservations.look(made_from_.catalog(), all_types(trial.state, trial.first_type),
                                  made_from_.requirements(trial.state), claim_.held);
    trial.held = std::move(look.holdable);
    if (!trial.held.empty()) return true;
    if (search_.settings.strict_reservations) return look.all.empty() && claim_.held.empty();
    if (look.all.empty()) return true;
    trial.state = made_from_.advance(trial.state, search_.interned.intern(not_reserved()));
    if (trial.state == kNoState) return false;
    trial.first_type = first_type(trial.state, trial.first_type);
    return trial.first_type != TypeSet::kNone && enough_values(trial.state, trial.first_type);
  }

 private:
  [[nodiscard]] bool takes(size_t type) const {
    return sum_fits(claim_.requests, asking_.kind.amounts, made_from_.room(type)) &&
           (clashes_ == nullptr || !clashes_->has(type));
  }

  [[nodiscard]] TypeSet all_types(int32_t state, size_t from) const {
    TypeSet out(made_from_.catalog().types.size(), false);
    for (size_t i = first_type(state, from); i != TypeSet::kNone; i = first_type(state, i + 1)) {
      out.add(i);
    }
    return out;
  }

  Search& search_;
  ClaimTemplate& made_from_;
  const Asking& asking_;
  const OpenClaim& claim_;
  const TypeSet* clashes_;
};

}  // namespace

const TypeSet* port_clashes(const PodForm& form, uint32_t template_index) {
  return form.port_clashes.empty() ? nullptr : &form.port_clashes[template_index];
}

Verdict try_node(const Search& search, const Asking& asking, size_t node) {
  for (const NodeFamily family : kNodeFamilies) {
    const Verdict verdict = family(search, asking, node);
    if (verdict != Verdict::kFits) return verdict;
  }
  return Verdict::kFits;
}

Verdict try_claim(Search& search, const Asking& asking, const OpenClaim& claim, ClaimTrial& trial) {
  const Verdict host = verdict_of(on_host(search, asking.variant, claim.id));
  if (host != Verdict::kFits) return host;
  if (!tolerates(search, asking, claim)) return Verdict::kNever;
  if (first_taken(asking.form.ports, claim.ports) != nullptr) return Verdict::kNever;
  const StatePath& path = path_of(search, asking, claim.template_index, claim.state);
  if (path.base == kNoState) return Verdict::kNever;

  const Joined joined(search, asking, claim);
  const size_t first = joined.first_type(path.base, claim.first_type);
  // Before any domain is chosen: what does not fit here fits in none.
  if (first == TypeSet::kNone || !joined.enough_values(path.base, first)) return Verdict::kFull;
  Verdict verdict = Verdict::kNotNow;
  for (const int32_t end : path.ends) {
    trial = {end, end == path.base ? first : joined.first_type(end, first), {}};
    if (trial.first_type == TypeSet::kNone) continue;
    if (end != path.base && !joined.enough_values(end, trial.first_type)) continue;
    if (joined.reserve(trial)) return Verdict::kFits;
    verdict = Verdict::kReserved;
  }
  return verdict;
}

}  // namespace windlass::scheduling
