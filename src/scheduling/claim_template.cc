#include "scheduling/claim_template.h"

#include <algorithm>
#include <limits>
#include <set>

#include <fmt/format.h>

#include "scheduling/type_filter.h"

namespace windlass::scheduling {
namespace {

constexpr std::string_view kNodes = "nodes";  // the limit that counts nodes

// No node of the future has a name yet: whoever asks for one finds none among new claims.
constexpr std::string_view kHostnameToCome = "(new)";

api::Requirement only(std::string_view value) { return {api::Operator::kIn, {std::string(value)}}; }

api::Requirements template_requirements(const api::NodePool& pool) {
  api::Requirements out = api::Requirements::from_specs(pool.requirements);
  out.add(api::Requirements::from_labels(pool.labels));
  out.add(api::kNodePoolLabel, only(pool.meta.name));
  if (!pool.node_class.kind.empty()) {
    out.add(node_class_label(pool.node_class), only(pool.node_class.name));
  }
  out.add(api::kRegisteredLabel, only("true"));
  out.add(api::kInitializedLabel, only("true"));
  out.add(api::kHostnameLabel, only(kHostnameToCome));
  return out;
}

// The template's types on which a daemon would run.
TypeSet types_with_daemon(const Daemon& daemon, const ClaimTemplate& made_from) {
  const ClaimState& initial = made_from.state(ClaimTemplate::kInitial);
  const api::Requirements& base = made_from.requirements(ClaimTemplate::kInitial);
  TypeSet out(made_from.catalog().types.size(), false);
  if (!daemon.tolerates(made_from.pool().taints)) return out;
  for (const api::Requirements& asked : daemon.alternatives) {
    if (!base.why_incompatible(asked, true).empty()) continue;
    TypeSet types = initial.types;
    keep_matching(made_from.catalog(), asked, types);
    out |= types;
  }
  return out;
}

}  // namespace

std::string node_class_label(const api::NodeClassRef& node_class) {
  std::string kind = node_class.kind;
  for (char& c : kind) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return node_class.group + "/" + kind;
}

api::Requirements launch_requirements(const api::Requirements& requirements) {
  api::Requirements out;
  for (const auto& [key, requirement] : requirements) {
    const bool internal =
        key == api::kHostnameLabel || key == api::kRegisteredLabel || key == api::kInitializedLabel;
    if (!internal) out.add(key, requirement);
  }
  return out;
}

ClaimTemplate::ClaimTemplate(const Pool& pool, const std::vector<Daemon>& daemons,
                             const ResourceColumns& columns, InternedRequirements& interned)
    : pool_(&pool), interned_(&interned), columns_(columns.size()) {
  api::Requirements base = template_requirements(*pool.pool);
  TypeSet types = usable_types(catalog());
  keep_matching(catalog(), base, types);
  keep_offered(catalog(), base, types);
  add_state(std::move(base), std::move(types));
  measure_room(daemons, columns);
  const TypeSet& admitted = states_[kInitial].types;
  for (size_t i = admitted.next(0); i != TypeSet::kNone; i = admitted.next(i + 1)) {
    reserves_ |= std::ranges::any_of(type(i).offerings, [](const catalog::Offering& offering) {
      return offering.capacity_type == api::kReserved;
    });
  }
  for (const auto& [name, limit] : pool.pool->limits) {
    remaining_.set(name, limit);
    remaining_ -= api::ResourceList{{name, pool.used.milli(name)}};
  }
  apply_limits();
}

void ClaimTemplate::measure_room(const std::vector<Daemon>& daemons,
                                 const ResourceColumns& columns) {
  const TypeSet& types = states_[kInitial].types;
  const size_t size = catalog().types.size() * columns_;
  room_.resize(size, 0);
  if (!daemons.empty()) daemons_.resize(size, 0);
  for (const Daemon& daemon : daemons) {
    const TypeSet running = types_with_daemon(daemon, *this);
    const Amounts taken = columns.row(daemon.requests);
    for (size_t i = running.next(0); i != TypeSet::kNone; i = running.next(i + 1)) {
      add_to({daemons_.data() + i * columns_, columns_}, taken);
    }
  }
  for (size_t i = types.next(0); i != TypeSet::kNone; i = types.next(i + 1)) {
    const std::span<int64_t> row{room_.data() + i * columns_, columns_};
    std::ranges::copy(columns.row(type(i).allocatable), row.begin());
    if (!daemons_.empty()) take_from(row, {daemons_.data() + i * columns_, columns_});
  }
}

int32_t ClaimTemplate::add_state(api::Requirements requirements, TypeSet types) {
  const uint32_t id = interned_->intern(std::move(requirements));
  const auto next = static_cast<int32_t>(states_.size());
  const auto [at, is_new] = state_of_.try_emplace(id, next);
  if (!is_new) return at->second;
  ClaimState state;
  state.requirements = id;
  state.types = std::move(types);
  state.has_min_values = std::ranges::any_of(
      (*interned_)[id], [](const auto& entry) { return entry.second.min_values().has_value(); });
  states_.push_back(std::move(state));
  return next;
}

int32_t ClaimTemplate::advance(int32_t from, uint32_t asks) {
  const auto known = states_[from].next.find(asks);
  if (known != states_[from].next.end()) return known->second;
  int32_t to = kNoState;
  const api::Requirements& before = requirements(from);
  const api::Requirements& asked = (*interned_)[asks];
  if (before.why_incompatible(asked, true).empty()) {
    api::Requirements both = before;
    both.add(asked);
    // Types met what was required before, so only what has changed is looked at.
    TypeSet types = states_[from].types;
    for (const auto& [key, unused] : asked) {
      if (before.has(key) && before.get(key) == both.get(key)) continue;
      keep_matching(catalog(), key, both.get(key), types);
    }
    keep_offered(catalog(), both, types);
    if (types.any()) to = add_state(std::move(both), std::move(types));
  }
  states_[from].next.emplace(asks, to);
  return to;
}

const std::vector<std::pair<double, uint32_t>>& ClaimTemplate::by_price(int32_t id) {
  ClaimState& state = states_[id];
  if (!state.by_price.empty()) return state.by_price;
  const TypeSet& types = state.types;
  const OfferingFilter filter(requirements(id));
  for (size_t i = types.next(0); i != TypeSet::kNone; i = types.next(i + 1)) {
    const catalog::Offering* offering = filter.cheapest(type(i));
    WL_ASSERT(offering != nullptr);
    state.by_price.emplace_back(offering->usd_per_hour, static_cast<uint32_t>(i));
  }
  std::ranges::sort(state.by_price, [this](const auto& a, const auto& b) {
    if (a.first != b.first) return a.first < b.first;
    return type(a.second).name < type(b.second).name;
  });
  return state.by_price;
}

TypeSet ClaimTemplate::types_with_port(const std::vector<Daemon>& daemons,
                                       const HostPorts& ports) const {
  TypeSet out(catalog().types.size(), false);
  for (const Daemon& daemon : daemons) {
    if (first_taken(ports, daemon.ports) != nullptr) out |= types_with_daemon(daemon, *this);
  }
  return out;
}

Amounts ClaimTemplate::least_daemons(const TypeSet& types) const {
  if (daemons_.empty() || !types.any()) return Amounts(columns_, 0);
  Amounts least(columns_, std::numeric_limits<int64_t>::max());
  for (size_t i = types.next(0); i != TypeSet::kNone; i = types.next(i + 1)) {
    for (size_t c = 0; c < columns_; ++c) {
      least[c] = std::min(least[c], daemons_[i * columns_ + c]);
    }
  }
  return least;
}

void ClaimTemplate::apply_limits() {
  within_limits_ = states_[kInitial].types;
  for (const auto& [name, left] : remaining_) {
    for (size_t i = within_limits_.next(0); i != TypeSet::kNone; i = within_limits_.next(i + 1)) {
      const int64_t size = name == kNodes ? 1000 : type(i).capacity.milli(name);
      if (size > left) within_limits_.remove(i);
    }
  }
}

void ClaimTemplate::charge(const TypeSet& types) {
  if (!limited()) return;
  api::ResourceList largest;
  for (const auto& [name, left] : remaining_) {
    int64_t most = name == kNodes ? 1000 : 0;
    for (size_t i = types.next(0); i != TypeSet::kNone; i = types.next(i + 1)) {
      most = std::max(most, type(i).capacity.milli(name));
    }
    largest.set(name, most);
  }
  remaining_ -= largest;
  apply_limits();
}

std::string why_too_few_values(const api::Requirements& requirements,
                               const catalog::Catalog& catalog, const TypeSet& types) {
  for (const auto& [key, requirement] : requirements) {
    if (!requirement.min_values()) continue;
    std::set<std::string_view> values;
    for (size_t i = types.next(0); i != TypeSet::kNone; i = types.next(i + 1)) {
      const auto& own = catalog.types[i].requirements.get(key).values();
      values.insert(own.begin(), own.end());
    }
    const int asked = *requirement.min_values();
    if (static_cast<int64_t>(values.size()) >= asked) continue;
    return fmt::format("minValues {} of {} cannot be met ({} left)", asked, key, values.size());
  }
  return {};
}

}  // namespace windlass::scheduling
