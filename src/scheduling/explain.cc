#include "scheduling/explain.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "base/text.h"
#include "scheduling/constraints.h"
#include "scheduling/topology_rules.h"
#include "scheduling/type_filter.h"

namespace windlass::scheduling {
namespace {

std::string amounts_text(const ResourceColumns& columns, const Amounts& amounts) {
  return api::to_string(columns.list(amounts));
}

// No type meets the requirements: names the key after which none is left, or the offerings.
std::string why_no_type_matches(const ClaimTemplate& made_from, const api::Requirements& wanted) {
  const catalog::Catalog& catalog = made_from.catalog();
  TypeSet types = usable_types(catalog);
  if (!types.any()) return "the node class knows no instance type";
  for (const auto& [key, requirement] : wanted) {
    keep_matching(catalog, key, requirement, types);
    if (types.any()) continue;
    TypeSet alone = usable_types(catalog);
    keep_matching(catalog, key, requirement, alone);
    return fmt::format("no instance type with {} {}{}", key, requirement.to_string(),
                       alone.any() ? " meets the other requirements" : "");
  }
  const std::string& first = made_from.type(types.next(0)).name;
  std::string of;
  for (const std::string_view key : {api::kZoneLabel, api::kCapacityTypeLabel}) {
    if (wanted.has(key)) of += fmt::format(", {} {}", key, wanted.get(key).to_string());
  }
  const size_t count = types.count();
  return fmt::format("no available offering of {}{}{}", first,
                     count > 1 ? fmt::format(" or {} other types", count - 1) : "", of);
}

// Types match but none is large enough: names every resource that alone is too much.
std::string why_none_is_large_enough(const ClaimTemplate& made_from, const ResourceColumns& columns,
                                     const PodKind& kind, const TypeSet& types) {
  std::vector<std::string> parts;
  for (size_t c = 0; c < columns.size(); ++c) {
    int64_t largest = std::numeric_limits<int64_t>::min();
    for (size_t i = types.next(0); i != TypeSet::kNone; i = types.next(i + 1)) {
      largest = std::max(largest, made_from.room(i)[c]);
    }
    if (kind.amounts[c] <= largest) continue;
    const std::string& name = columns.name(c);
    parts.push_back(fmt::format("{} {} (largest has {})", name, amount_text(name, kind.amounts[c]),
                                amount_text(name, largest)));
  }
  if (parts.empty()) {
    return fmt::format("no instance type fits all of {} at once",
                       amounts_text(columns, kind.amounts));
  }
  return "no instance type fits " + join(parts, ", ");
}

// Types are large enough but the limits leave none of them.
std::string why_over_limits(const ClaimTemplate& made_from, const TypeSet& types) {
  std::vector<std::string> decisive;
  std::vector<std::string> all;
  for (const auto& [name, left] : made_from.remaining()) {
    const int64_t limit = made_from.pool().limits.milli(name);
    std::string text = fmt::format("{} {} would be exceeded (used {})", name,
                                   amount_text(name, limit), amount_text(name, limit - left));
    bool none_within = true;
    for (size_t i = types.next(0); i != TypeSet::kNone && none_within; i = types.next(i + 1)) {
      const int64_t size = name == "nodes" ? 1000 : made_from.type(i).capacity.milli(name);
      none_within = size > left;
    }
    if (none_within) decisive.push_back(text);
    all.push_back(std::move(text));
  }
  return "limits " + join(decisive.empty() ? all : decisive, ", ");
}

// Volumes and daemons' ports leave none of the types that suit otherwise.
std::string why_not_reached(Search& search, uint32_t template_index, const PodForm& form,
                            int32_t state) {
  ClaimTemplate& made_from = search.templates[template_index];
  std::string volumes;
  bool reached = form.volume_asks.empty();
  for (size_t i = 0; i < form.volume_asks.size(); ++i) {
    reached |= made_from.advance(state, form.volume_asks[i]) != kNoState;
    volumes += (i == 0 ? "" : " or ") + form.volumes.alternatives[i].to_string();
  }
  if (!reached) return fmt::format("its volumes can be reached from {} only", volumes);
  const TypeSet* clashes = port_clashes(form, template_index);
  TypeSet left = made_from.state(state).types;
  if (clashes != nullptr) left -= *clashes;
  if (left.any()) return {};
  return fmt::format("daemons take host port {}", to_string(form.ports.front()));
}

// Reservations that the pod's types could take and other claims hold.
std::string why_reserved(const Search& search, const ClaimTemplate& made_from, int32_t state,
                         const TypeSet& types) {
  if (!made_from.reserves() || !search.settings.strict_reservations) return {};
  const Reservations::Look look =
      search.reservations.look(made_from.catalog(), types, made_from.requirements(state), {});
  if (look.all.empty() || !look.holdable.empty()) return {};
  return fmt::format("reserved capacity {} is held by other new claims: the pod waits for it",
                     join(look.all, ", "));
}

// One sentence a constraint family that refuses; the first two that do not name the pod's size
// stand alone, for nothing can be said of types then.
std::vector<std::string> why_not_from(Search& search, uint32_t template_index, const PodKind& kind,
                                      const Variant& variant) {
  if (!variant.takes_new_claims) return {"what the policy asks of new claims excludes this pod"};
  const PodForm& form = search.forms[kind.form];
  ClaimTemplate& made_from = search.templates[template_index];
  std::vector<std::string> out;
  const auto* taint =
      api::first_untolerated(made_from.pool().taints, variant.wishes.tolerations, true);
  if (taint != nullptr) out.push_back(fmt::format("taint {} is not tolerated", to_string(*taint)));

  const api::Requirements& asked = search.interned[variant.asks];
  const api::Requirements& base = made_from.requirements(ClaimTemplate::kInitial);
  if (std::string why = base.why_incompatible(asked, true); !why.empty()) {
    out.push_back(std::move(why));
    return out;
  }
  const int32_t id = made_from.advance(ClaimTemplate::kInitial, variant.asks);
  if (id == kNoState) {
    api::Requirements both = base;
    both.add(asked);
    out.push_back(why_no_type_matches(made_from, both));
    return out;
  }
  if (std::string why = why_not_reached(search, template_index, form, id); !why.empty()) {
    out.push_back(std::move(why));
  }
  OpenClaim alone;
  alone.state = id;
  alone.requests = kind.amounts;
  alone.template_index = template_index;
  alone.allowed = TypeSet(made_from.catalog().types.size(), true);
  const TypeSet large_enough = fitting_types(search, alone);
  const TypeSet within = large_enough & made_from.within_limits();
  if (!large_enough.any()) {
    out.push_back(
        why_none_is_large_enough(made_from, search.columns, kind, made_from.state(id).types));
  } else if (!within.any()) {
    out.push_back(why_over_limits(made_from, large_enough));
  } else if (std::string few =
                 why_too_few_values(made_from.requirements(id), made_from.catalog(), within);
             !few.empty() && !search.settings.best_effort_min_values) {
    out.push_back(std::move(few));
  } else if (std::string held = why_reserved(search, made_from, id, within); !held.empty()) {
    out.push_back(std::move(held));
  }
  // Only when all else is granted are the counts to blame.
  return out.empty() ? topology_texts(search, variant) : out;
}

// What the first constraint family that refuses says of a node.
std::string why_not_on(const Search& search, const Asking& asking, size_t i) {
  const NodePlace& place = search.nodes[i];
  const Wishes& wishes = asking.variant.wishes;
  const auto* taint = api::first_untolerated(place.node->taints, wishes.tolerations, true);
  if (taint != nullptr) return fmt::format("taint {} is not tolerated", to_string(*taint));
  if (const std::string* label = unmet_label(*place.node, wishes.requirements)) {
    return fmt::format("label {} is not {}", *label, wishes.requirements.get(*label).to_string());
  }
  std::string short_of;
  for (size_t c = 0; c < search.columns.size(); ++c) {
    if (asking.kind.amounts[c] <= place.free[c]) continue;
    short_of += (short_of.empty() ? "" : ", ") + search.columns.name(c);
  }
  if (!short_of.empty()) return "too little " + short_of;
  if (place.overdrawn) return "overcommitted";
  if (const auto* port = first_taken(asking.form.ports, place.ports)) {
    return fmt::format("host port {} is taken", to_string(*port));
  }
  std::string topology = why_not_on_node(search, asking.variant, i);
  return topology.empty() ? "its volumes cannot be attached" : topology;
}

// One line for all nodes: how many fail for which first reason.
std::string why_no_node(const Search& search, const Asking& asking) {
  std::map<std::string, size_t> reasons;
  for (size_t i = 0; i < search.nodes.size(); ++i) ++reasons[why_not_on(search, asking, i)];
  std::vector<std::string> parts;
  for (const auto& [reason, count] : reasons) {
    parts.push_back(fmt::format("{}: {}", count, reason));
  }
  return fmt::format("existing nodes: none of {} ({})", search.nodes.size(), join(parts, "; "));
}

}  // namespace

std::vector<std::string> explain(Search& search, const PodKind& kind) {
  const PodForm& form = search.forms[kind.form];
  if (!form.rejected.empty()) return {form.rejected};
  const Variant& variant = form.variants.back();
  if (!variant.wishes.contradiction.empty()) {
    return {
        fmt::format("label {}: what is asked of it excludes itself", variant.wishes.contradiction)};
  }
  std::vector<std::string> reasons;
  for (uint32_t t = 0; t < search.templates.size(); ++t) {
    const std::string& pool = search.templates[t].pool().meta.name;
    for (const std::string& why : why_not_from(search, t, kind, variant)) {
      reasons.push_back(fmt::format("pool {}: {}", pool, why));
    }
  }
  reasons.insert(reasons.end(), search.idle_pools.begin(), search.idle_pools.end());
  if (reasons.empty()) reasons.emplace_back("there is no node pool");
  if (!search.nodes.empty()) reasons.push_back(why_no_node(search, {kind, form, variant}));
  return reasons;
}

}  // namespace windlass::scheduling
