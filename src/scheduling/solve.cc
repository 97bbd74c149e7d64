#include "scheduling/solve.h"

#include <algorithm>
#include <functional>
#include <optional>

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
  bool place(uint32_t pod);
  bool place_on_node(uint32_t pod, const PodKind& kind, Variant& variant);
  bool place_on_claim(uint32_t pod, const PodKind& kind, Variant& variant);
  bool place_on_new_claim(uint32_t pod, const PodKind& kind, Variant& variant);
  void join(OpenClaim& claim, uint32_t pod, const PodKind& kind, const ClaimTrial& trial);

  std::vector<uint32_t> run_queue();
  void give_up(std::vector<uint32_t> pods);
  void finish_claim(const OpenClaim& claim);

  Search search_;
  Plan plan_;
  std::vector<std::pair<size_t, uint32_t>> order_;  // scratch of place_on_claim
  std::vector<std::pair<uint32_t, Unschedulable>> unplaced_;
};

bool Solve::place(uint32_t pod) {
  PodKind& kind = search_.kinds[search_.queue[pod].kind];
  return std::ranges::any_of(kind.variants, [&](Variant& variant) {
    if (!variant.wishes.contradiction.empty()) return false;
    if (place_on_node(pod, kind, variant)) return true;
    return variant.takes_new_claims &&
           (place_on_claim(pod, kind, variant) || place_on_new_claim(pod, kind, variant));
  });
}

bool Solve::place_on_node(uint32_t pod, const PodKind& kind, Variant& variant) {
  for (size_t i = variant.next_node; i < search_.nodes.size(); ++i) {
    NodePlace& node = search_.nodes[i];
    const Verdict verdict = try_node(search_, kind, variant, node);
    if (verdict == Verdict::kFits) {
      take_from(node.free, kind.amounts);
      count_on_node(search_, kind, node);
      plan_.placements.push_back({search_.queue[pod].pod->meta.key(), node.node->name});
      return true;
    }
    if (verdict == Verdict::kNever && i == variant.next_node) ++variant.next_node;
  }
  return false;
}

void Solve::join(OpenClaim& claim, uint32_t pod, const PodKind& kind, const ClaimTrial& trial) {
  claim.state = trial.state;
  claim.first_type = trial.first_type;
  add_to(claim.requests, kind.amounts);
  claim.pods.push_back(pod);
  count_on_claim(search_, kind, claim);
}

// The claim with the fewest pods first; ties: the one opened first.
bool Solve::place_on_claim(uint32_t pod, const PodKind& kind, Variant& variant) {
  const std::vector<uint32_t>& of_group = search_.claims_of_group[kind.claim_group];
  variant.open_claims.insert(variant.open_claims.end(),
                             of_group.begin() + static_cast<ptrdiff_t>(variant.claims_seen),
                             of_group.end());
  variant.claims_seen = of_group.size();
  order_.clear();
  for (const uint32_t id : variant.open_claims) {
    order_.emplace_back(search_.claims[id].pods.size(), id);
  }
  // A heap, since nearly always one of the first few takes the pod.
  std::ranges::make_heap(order_, std::greater<>());
  while (!order_.empty()) {
    std::ranges::pop_heap(order_, std::greater<>());
    const uint32_t id = order_.back().second;
    order_.pop_back();
    ClaimTrial trial;
    const Verdict verdict = try_claim(search_, kind, variant, search_.claims[id], trial);
    if (verdict == Verdict::kFits) {
      join(search_.claims[id], pod, kind, trial);
      return true;
    }
    if (verdict == Verdict::kNever) std::erase(variant.open_claims, id);
  }
  return false;
}

bool Solve::place_on_new_claim(uint32_t pod, const PodKind& kind, Variant& variant) {
  variant.template_ruled_out.resize(search_.templates.size(), false);
  for (uint32_t t = 0; t < search_.templates.size(); ++t) {
    if (variant.template_ruled_out[t]) continue;
    ClaimTemplate& made_from = search_.templates[t];
    OpenClaim claim;
    claim.id = static_cast<uint32_t>(search_.claims.size());
    claim.template_index = t;
    claim.allowed = made_from.within_limits();
    claim.requests.resize(search_.columns.size(), 0);
    ClaimTrial trial;
    const Verdict verdict = try_claim(search_, kind, variant, claim, trial);
    if (verdict == Verdict::kNever) variant.template_ruled_out[t] = true;
    if (verdict != Verdict::kFits) continue;
    join(claim, pod, kind, trial);
    // Only the first pod's types are charged, as in Karpenter; later pods leave fewer.
    if (made_from.limited()) made_from.charge(fitting_types(search_, claim));
    search_.claims_of_group[kind.claim_group].push_back(claim.id);
    search_.claims.push_back(std::move(claim));
    return true;
  }
  return false;
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

void Solve::finish_claim(const OpenClaim& claim) {
  ClaimTemplate& made_from = search_.templates[claim.template_index];
  const TypeSet types = fitting_types(search_, claim);
  NewClaim out;
  out.pool = made_from.pool().meta.name;
  TypeSet named(made_from.catalog().types.size(), false);  // those that the NodeClaim will name
  for (const auto& [usd_per_hour, type] : made_from.by_price(claim.state)) {
    if (!types.has(type)) continue;
    if (out.types.empty()) out.usd_per_hour = usd_per_hour;
    if (out.types.size() < kMaxTypesPerClaim) named.add(type);
    out.types.push_back(&made_from.type(type));
  }
  const std::string too_few =
      why_too_few_values(made_from.requirements(claim.state), made_from.catalog(), named);
  if (!too_few.empty()) {
    for (const uint32_t pod : claim.pods) {
      const std::string why = fmt::format("pool {}: {} among the {} cheapest types", out.pool,
                                          too_few, kMaxTypesPerClaim);
      unplaced_.push_back({pod, {search_.queue[pod].pod->meta.key(), {why}}});
    }
    return;
  }
  for (const auto& [key, requirement] : made_from.requirements(claim.state)) {
    // A name nodes do not have yet, and two labels that say how far a node has come.
    const bool internal =
        key == api::kHostnameLabel || key == api::kRegisteredLabel || key == api::kInitializedLabel;
    if (!internal) out.requirements.add(key, requirement);
  }
  for (const uint32_t pod : claim.pods) out.pods.push_back(search_.queue[pod].pod->meta.key());
  Amounts requests = claim.requests;
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
