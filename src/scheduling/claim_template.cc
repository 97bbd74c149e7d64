#include "scheduling/claim_template.h"

#include <algorithm>
#include <limits>
#include <set>

#include <fmt/format.h>

#include "scheduling/relaxation.h"

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

// Types of the template on which a daemon would run. Its preferences play no part, and it tolerates
// PreferNoSchedule (karpenter.md 2.8).
TypeSet types_with_daemon(const api::PodSpec& daemon, const api::NodePool& pool,
                          const api::Requirements& base, TypeTable& table) {
  TypeSet types(table.size(), false);
  if (api::first_untolerated(pool.taints, daemon.tolerations, false) != nullptr) return types;
  api::PodSpec term = daemon;
  do {
    const api::Requirements asked = api::pod_requirements(term, false);
    if (base.why_incompatible(asked, true).empty()) types |= table.matching(asked);
    if (!term.required_node_terms.empty()) {
      term.required_node_terms.erase(term.required_node_terms.begin());
    }
  } while (!term.required_node_terms.empty());
  return types;
}

}  // namespace

std::string node_class_label(const api::NodeClassRef& node_class) {
  std::string kind = node_class.kind;
  for (char& c : kind) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return node_class.group + "/" + kind;
}

ClaimTemplate::ClaimTemplate(const Pool& pool, TypeTable& table, const Problem& problem,
                             const ResourceColumns& columns, InternedRequirements& interned)
    : pool_(&pool), table_(&table), interned_(&interned), columns_(columns.size()) {
  add_state(template_requirements(*pool.pool));
  measure_room(problem, columns);
  for (const auto& [name, limit] : pool.pool->limits) {
    remaining_.set(name, limit);
    remaining_ -= api::ResourceList{{name, pool.used.milli(name)}};
  }
  apply_limits();
}

void ClaimTemplate::measure_room(const Problem& problem, const ResourceColumns& columns) {
  room_.reserve(table_->size() * columns_);
  for (size_t i = 0; i < table_->size(); ++i) {
    const AmountsView row = table_->allocatable(i);
    room_.insert(room_.end(), row.begin(), row.end());
  }
  for (const api::DaemonSet* daemon_set : problem.daemon_sets) {
    const api::PodSpec& daemon = daemon_set->pod_template.spec;
    const TypeSet types = types_with_daemon(daemon, pool(), requirements(kInitial), *table_);
    const Amounts taken = columns.row(api::pod_requests(daemon));
    for (size_t i = types.next(0); i != TypeSet::kNone; i = types.next(i + 1)) {
      for (size_t c = 0; c < columns_; ++c) {
        int64_t& left = room_[i * columns_ + c];
        if (__builtin_sub_overflow(left, taken[c], &left)) {
          left = std::numeric_limits<int64_t>::min();
        }
      }
    }
  }
}

int32_t ClaimTemplate::add_state(api::Requirements requirements) {
  const uint32_t id = interned_->intern(std::move(requirements));
  const auto next = static_cast<int32_t>(states_.size());
  const auto [at, is_new] = state_of_.try_emplace(id, next);
  if (!is_new) return at->second;
  const api::Requirements& kept = (*interned_)[id];
  ClaimState state;
  state.requirements = id;
  state.types = table_->matching(kept) & table_->offered(kept);
  state.has_min_values = std::ranges::any_of(
      kept, [](const auto& entry) { return entry.second.min_values().has_value(); });
  states_.push_back(std::move(state));
  return next;
}

int32_t ClaimTemplate::advance(int32_t from, uint32_t asks) {
  const auto known = states_[from].next.find(asks);
  if (known != states_[from].next.end()) return known->second;
  int32_t to = kNoState;
  const api::Requirements& asked = (*interned_)[asks];
  if (requirements(from).why_incompatible(asked, true).empty()) {
    api::Requirements both = requirements(from);
    both.add(asked);
    to = add_state(std::move(both));
    if (!states_[to].types.any()) to = kNoState;
  }
  states_[from].next.emplace(asks, to);
  return to;
}

const std::vector<std::pair<double, uint32_t>>& ClaimTemplate::by_price(int32_t id) {
  ClaimState& state = states_[id];
  if (!state.by_price.empty()) return state.by_price;
  const TypeSet& types = state.types;
  for (size_t i = types.next(0); i != TypeSet::kNone; i = types.next(i + 1)) {
    const catalog::Offering* offering = table_->type(i).cheapest(requirements(id));
    WL_ASSERT(offering != nullptr);
    state.by_price.emplace_back(offering->usd_per_hour, static_cast<uint32_t>(i));
  }
  std::ranges::sort(state.by_price, [this](const auto& a, const auto& b) {
    if (a.first != b.first) return a.first < b.first;
    return table_->type(a.second).name < table_->type(b.second).name;
  });
  return state.by_price;
}

Amounts ClaimTemplate::least_daemons(const TypeSet& types) const {
  Amounts least;
  for (size_t i = types.next(0); i != TypeSet::kNone; i = types.next(i + 1)) {
    Amounts taken(columns_);
    for (size_t c = 0; c < columns_; ++c) taken[c] = table_->allocatable(i)[c] - room(i)[c];
    if (least.empty()) least = taken;
    for (size_t c = 0; c < columns_; ++c) least[c] = std::min(least[c], taken[c]);
  }
  least.resize(columns_, 0);
  return least;
}

void ClaimTemplate::apply_limits() {
  within_limits_ = TypeSet(table_->size(), true);
  for (const auto& [name, left] : remaining_) {
    for (size_t i = 0; i < table_->size(); ++i) {
      const int64_t size = name == kNodes ? 1000 : table_->type(i).capacity.milli(name);
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
      most = std::max(most, table_->type(i).capacity.milli(name));
    }
    largest.set(name, most);
  }
  remaining_ -= largest;
  apply_limits();
}

std::string why_too_few_values(const api::Requirements& requirements, const TypeTable& table,
                               const TypeSet& types) {
  for (const auto& [key, requirement] : requirements) {
    if (!requirement.min_values()) continue;
    std::set<std::string_view> values;
    for (size_t i = types.next(0); i != TypeSet::kNone; i = types.next(i + 1)) {
      const auto& own = table.type(i).requirements.get(key).values();
      values.insert(own.begin(), own.end());
    }
    const int asked = *requirement.min_values();
    if (static_cast<int64_t>(values.size()) >= asked) continue;
    return fmt::format("minValues {} of {} cannot be met ({} left)", asked, key, values.size());
  }
  return {};
}

}  // namespace windlass::scheduling
