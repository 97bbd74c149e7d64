#include "scheduling/solve.h"

#include <algorithm>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "scheduling/constraints.h"
#include "scheduling/explain.h"
#include "scheduling/search.h"

namespace windlass::scheduling {
namespace {

class Solve {
 public:
  explicit Solve(const Problem& problem) : search_(problem) {}
  Plan run();

 private:
  enum class Found : uint8_t { kYes, kNo, kReserved };

  bool place(uint32_t pod);
  bool place_on_node(uint32_t pod, size_t step);
  bool place_on_claim(uint32_t pod, size_t step);
  Found place_on_new_claim(uint32_t pod, size_t step);
  void join(OpenClaim& claim, uint32_t pod, ClaimTrial trial);

  PodKind& kind_of(uint32_t pod) { return search_.kinds[search_.queue[pod].kind]; }
  PodForm& form_of(uint32_t pod) { return search_.forms[kind_of(pod).form]; }

  std::vector<uint32_t> run_queue();
  void give_up(std::vector<uint32_t> pods);
  void finish_claim(const OpenClaim& claim);
  void relax_min_values(NewClaim& claim) const;

  Search search_;
  Plan plan_;
  std::vector<std::pair<uint32_t, Unschedulable>> unplaced_;
};

bool Solve::place(uint32_t pod) {
  PodForm& form = form_of(pod);
  if (!form.rejected.empty()) return false;
  for (size_t step = 0; step < form.variants.size(); ++step) {
    const Variant& variant = form.variants[step];
    if (!variant.wishes.contradiction.empty()) continue;
    ++search_.attempt;
    if (place_on_node(pod, step)) return true;
    if (!variant.takes_new_claims) continue;
    if (place_on_claim(pod, step)) return true;
    const Found found = place_on_new_claim(pod, step);
    if (found == Found::kYes) return true;
    // It waits for its reservation; nothing is given up for it (karpenter.md 2.5).
    if (found == Found::kReserved) return false;
  }
  return false;
}

bool Solve::place_on_node(uint32_t pod, size_t step) {
  PodKind& kind = kind_of(pod);
  PodForm& form = form_of(pod);
  Variant& variant = form.variants[step];
  const size_t end = search_.nodes.size();
  const auto next = [&](size_t from) {
    return IndexSet::next_in_neither(variant.nodes_out, kind.nodes_full[step], from, end);
  };
  for (size_t i = next(0); i != IndexSet::kNone; i = next(i + 1)) {
    const Verdict verdict = try_node(search_, {kind, form, variant}, i);
    if (verdict == Verdict::kNever) variant.nodes_out.add(i);
    if (verdict == Verdict::kFull) kind.nodes_full[step].add(i);
    if (verdict != Verdict::kFits) continue;
    NodePlace& node = search_.nodes[i];
    take_from(node.free, kind.amounts);
    node.ports.insert(node.ports.end(), form.ports.begin(), form.ports.end());
    for (const auto& [driver, volume] : form.volumes.attachments) {
      node.attached[driver].insert(volume);
    }
    count_on_node(search_, form, i);
    plan_.placements.push_back({search_.queue[pod].pod->meta.key(), node.node->name});
    return true;
  }
  return false;
}

void Solve::join(OpenClaim& claim, uint32_t pod, ClaimTrial trial) {
  const PodForm& form = form_of(pod);
  claim.state = trial.state;
  claim.first_type = trial.first_type;
  if (const TypeSet* clashes = port_clashes(form, claim.template_index)) claim.allowed -= *clashes;
  add_to(claim.requests, kind_of(pod).amounts);
  claim.ports.insert(claim.ports.end(), form.ports.begin(), form.ports.end());
  search_.reservations.exchange(claim.held, std::move(trial.held));
  claim.pods.push_back(pod);
  count_on_claim(search_, form, claim);
}

bool Solve::place_on_claim(uint32_t pod, size_t step) {
  PodKind& kind = kind_of(pod);
  PodForm& form = form_of(pod);
  Variant& variant = form.variants[step];
  ClaimOrder& order = search_.order_of_group[form.claim_group];
  ClaimTrial trial;
  const uint32_t id =
      order.first(variant.claims_out, kind.claims_full[step], [&](uint32_t candidate) {
        const OpenClaim& claim = search_.claims[candidate];
        const Verdict verdict = try_claim(search_, {kind, form, variant}, claim, trial);
        if (verdict == Verdict::kNever) variant.claims_out.add(candidate);
        if (verdict == Verdict::kFull) kind.claims_full[step].add(candidate);
        return verdict == Verdict::kFits;
      });
  if (id == ClaimOrder::kNone) return false;
  order.grew(id, search_.claims[id].pods.size());
  join(search_.claims[id], pod, std::move(trial));
  return true;
}

Solve::Found Solve::place_on_new_claim(uint32_t pod, size_t step) {
  PodKind& kind = kind_of(pod);
  PodForm& form = form_of(pod);
  Variant& variant = form.variants[step];
  const size_t count = search_.templates.size();
  variant.templates_out.resize(count, false);
  kind.templates_full.resize(form.variants.size() * count, false);
  for (uint32_t t = 0; t < count; ++t) {
    if (variant.templates_out[t] || kind.templates_full[step * count + t]) continue;
    ClaimTemplate& made_from = search_.templates[t];
    OpenClaim claim;
    claim.id = static_cast<uint32_t>(search_.claims.size());
    claim.template_index = t;
    claim.allowed = made_from.within_limits();
    claim.requests.resize(search_.columns.size(), 0);
    ClaimTrial trial;
    const Verdict verdict = try_claim(search_, {kind, form, variant}, claim, trial);
    if (verdict == Verdict::kNever) variant.templates_out[t] = true;
    if (verdict == Verdict::kFull) kind.templates_full[step * count + t] = true;
    if (verdict == Verdict::kReserved) return Found::kReserved;
    if (verdict != Verdict::kFits) continue;
    join(claim, pod, std::move(trial));
    // Only the first pod's types are charged, as in Karpenter; later pods leave fewer.
    if (made_from.limited()) made_from.charge(fitting_types(search_, claim));
    search_.order_of_group[form.claim_group].opened(claim.id);
    search_.claims.push_back(std::move(claim));
    return Found::kYes;
  }
  return Found::kNo;
}

// Places what can be placed and returns the rest. A pod that fails goes to the back: a place may
// come up that suits it. The end is when a pod comes round again and nothing has been placed since.
std::vector<uint32_t> Solve::run_queue() {
  std::vector<uint32_t> waiting(search_.queue.size());
  for (uint32_t pod = 0; pod < waiting.size(); ++pod) waiting[pod] = pod;
  std::vector<size_t> length_when_pushed(waiting.size(), 0);
  size_t head = 0;
  while (head < waiting.size()) {
    const uint32_t pod = waiting[head];
    if (length_when_pushed[pod] == waiting.size() - head) break;
    ++head;
    if (place(pod)) continue;
    waiting.push_back(pod);
    length_when_pushed[pod] = waiting.size() - head;
  }
  waiting.erase(waiting.begin(), waiting.begin() + static_cast<ptrdiff_t>(head));
  return waiting;
}

void Solve::give_up(std::vector<uint32_t> pods) {
  std::vector<std::optional<std::vector<std::string>>> reasons(search_.kinds.size());
  for (const uint32_t pod : pods) {
    const QueuedPod& queued = search_.queue[pod];
    auto& why = reasons[queued.kind];
    if (!why) why = explain(search_, search_.kinds[queued.kind]);
    unplaced_.push_back({pod, {queued.pod->meta.key(), *why}});
  }
}

// Says how many values are left where fewer than asked for are.
void Solve::relax_min_values(NewClaim& claim) const {
  api::Requirements relaxed;
  for (const auto& [key, requirement] : claim.requirements) {
    std::set<std::string_view> values;
    const size_t named = std::min(claim.types.size(), kMaxTypesPerClaim);
    for (size_t i = 0; i < named && requirement.min_values(); ++i) {
      const auto& own = claim.types[i]->requirements.get(key).values();
      values.insert(own.begin(), own.end());
    }
    const auto left = static_cast<int>(values.size());
    const bool too_few = left < requirement.min_values().value_or(0);
    claim.min_values_relaxed |= too_few;
    relaxed.add(key, too_few ? requirement.with_min_values(left) : requirement);
  }
  claim.requirements = std::move(relaxed);
}

void Solve::finish_claim(const OpenClaim& open) {
  ClaimTemplate& made_from = search_.templates[open.template_index];
  TypeSet types = fitting_types(search_, open);
  int32_t state = open.state;
  if (!open.held.empty()) {
    state = made_from.advance(state, search_.interned.intern(reserved_as(open.held)));
    WL_ASSERT(state != kNoState);
    types &= made_from.state(state).types;
  }
  NewClaim out;
  out.pool = made_from.pool().meta.name;
  out.types.reserve(types.count());
  TypeSet named(made_from.catalog().types.size(), false);  // those that the NodeClaim will name
  for (const auto& [usd_per_hour, type] : made_from.by_price(state)) {
    if (!types.has(type)) continue;
    if (out.types.empty()) out.usd_per_hour = usd_per_hour;
    if (out.types.size() < kMaxTypesPerClaim) named.add(type);
    out.types.push_back(&made_from.type(type));
  }
  const bool counts_values = made_from.state(state).has_min_values;
  if (counts_values && !search_.settings.best_effort_min_values) {
    const std::string too_few =
        why_too_few_values(made_from.requirements(state), made_from.catalog(), named);
    for (const uint32_t pod : open.pods) {
      if (too_few.empty()) break;
      const std::string why = fmt::format("pool {}: {} among the {} cheapest types", out.pool,
                                          too_few, kMaxTypesPerClaim);
      unplaced_.push_back({pod, {search_.queue[pod].pod->meta.key(), {why}}});
    }
    if (!too_few.empty()) return;
  }
  out.requirements = launch_requirements(made_from.requirements(state));
  if (counts_values && search_.settings.best_effort_min_values) relax_min_values(out);
  out.pods.reserve(open.pods.size());
  for (const uint32_t pod : open.pods) out.pods.push_back(search_.queue[pod].pod->meta.key());
  Amounts requests = open.requests;
  add_to(requests, made_from.least_daemons(types));
  out.requests = search_.columns.list(requests);
  plan_.claims.push_back(std::move(out));
}

Plan Solve::run() {
  give_up(run_queue());
  for (const OpenClaim& claim : search_.claims) finish_claim(claim);
  std::ranges::sort(unplaced_, {}, [](const auto& entry) { return entry.first; });
  for (auto& [pod, unschedulable] : unplaced_) {
    plan_.unschedulable.push_back(std::move(unschedulable));
  }
  return std::move(plan_);
}

}  // namespace

Plan solve(const Problem& problem) { return Solve(problem).run(); }

}  // namespace windlass::scheduling
