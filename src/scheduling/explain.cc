#include "scheduling/explain.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "base/text.h"
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

std::string why_not_from(Search& search, uint32_t template_index, const PodKind& kind,
                         const Variant& variant) {
  if (!variant.takes_new_claims) return "what the policy asks of new claims excludes this pod";
  ClaimTemplate& made_from = search.templates[template_index];
  const auto* taint =
      api::first_untolerated(made_from.pool().taints, variant.wishes.tolerations, true);
  if (taint != nullptr) return fmt::format("taint {} is not tolerated", api::to_string(*taint));

  const api::Requirements& asked = search.interned[variant.asks];
  const api::Requirements& base = made_from.requirements(ClaimTemplate::kInitial);
  if (std::string why = base.why_incompatible(asked, true); !why.empty()) return why;

  const int32_t id = made_from.advance(ClaimTemplate::kInitial, variant.asks);
  if (id == kNoState) {
    api::Requirements both = base;
    both.add(asked);
    return why_no_type_matches(made_from, both);
  }
  OpenClaim alone;
  alone.state = id;
  alone.requests = kind.amounts;
  alone.template_index = template_index;
  alone.allowed = TypeSet(made_from.catalog().types.size(), true);
  const TypeSet large_enough = fitting_types(search, alone);
  if (!large_enough.any()) {
    return why_none_is_large_enough(made_from, search.columns, kind, made_from.state(id).types);
  }
  const TypeSet within = large_enough & made_from.within_limits();
  if (!within.any()) return why_over_limits(made_from, large_enough);
  std::string too_few = why_too_few_values(made_from.requirements(id), made_from.catalog(), within);
  return too_few.empty() ? spread_text(search, variant) : too_few;
}

// One line for all nodes: how many fail for which first reason.
std::string why_no_node(Search& search, const PodKind& kind, const Variant& variant) {
  std::map<std::string, size_t> reasons;
  for (const NodePlace& place : search.nodes) {
    const auto* taint =
        api::first_untolerated(place.node->taints, variant.wishes.tolerations, true);
    if (taint != nullptr) {
      ++reasons[fmt::format("taint {} is not tolerated", api::to_string(*taint))];
      continue;
    }
    const std::string* label = unmet_label(*place.node, variant.wishes.requirements);
    if (label != nullptr) {
      ++reasons[fmt::format("label {} is not {}", *label,
                            variant.wishes.requirements.get(*label).to_string())];
      continue;
    }
    std::string short_of;
    for (size_t c = 0; c < search.columns.size(); ++c) {
      if (kind.amounts[c] <= place.free[c]) continue;
      short_of += (short_of.empty() ? "" : ", ") + search.columns.name(c);
    }
    if (!short_of.empty()) {
      ++reasons["too little " + short_of];
    } else if (place.overdrawn) {
      ++reasons["overcommitted"];
    } else {
      ++reasons["topology spread"];
    }
  }
  std::vector<std::string> parts;
  for (const auto& [reason, count] : reasons) {
    parts.push_back(fmt::format("{}: {}", count, reason));
  }
  return fmt::format("existing nodes: none of {} ({})", search.nodes.size(), join(parts, "; "));
}

}  // namespace

std::vector<std::string> explain(Search& search, const PodKind& kind) {
  const Variant& variant = kind.variants.back();
  if (!variant.wishes.contradiction.empty()) {
    return {
        fmt::format("label {}: what is asked of it excludes itself", variant.wishes.contradiction)};
  }
  std::vector<std::string> reasons;
  for (uint32_t t = 0; t < search.templates.size(); ++t) {
    reasons.push_back(fmt::format("pool {}: {}", search.templates[t].pool().meta.name,
                                  why_not_from(search, t, kind, variant)));
  }
  reasons.insert(reasons.end(), search.idle_pools.begin(), search.idle_pools.end());
  if (reasons.empty()) reasons.emplace_back("there is no node pool");
  if (!search.nodes.empty()) reasons.push_back(why_no_node(search, kind, variant));
  return reasons;
}

}  // namespace windlass::scheduling
