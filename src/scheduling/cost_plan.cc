#include "scheduling/cost_plan.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "scheduling/cost_demands.h"
#include "scheduling/cost_price.h"
#include "scheduling/cost_search.h"
#include "scheduling/lower_bound.h"

namespace windlass::scheduling {
namespace {

class CostSolve {
 public:
  explicit CostSolve(const Problem& problem)
      : problem_(problem), stock_(solve(problem)), search_(problem) {
    for (uint32_t pod = 0; pod < search_.queue.size(); ++pod) {
      place_of_[search_.queue[pod].pod->meta.key()] = pod;
    }
  }

  CostPlan run();

 private:
  std::vector<Demand> demands_on_claims();
  std::vector<std::vector<Filling>> stock_fillings(const Market& market);
  Plan realise(const Market& market, const Fillings& found, bool name_types);
  void consider(Plan plan);
  [[nodiscard]] std::string why() const;

  Problem problem_;
  Plan stock_;
  Search search_;
  std::map<std::string, uint32_t, std::less<>> place_of_;  // in the queue, by pod
  CostPlan best_;
};

// The pods that stock buys nodes for, in the domains of topology that it settled.
std::vector<Demand> CostSolve::demands_on_claims() {
  std::vector<uint32_t> pods;
  std::vector<api::Requirements> pins(search_.queue.size());
  for (const NewClaim& claim : stock_.claims) {
    for (const std::string& key : claim.pods) {
      const uint32_t pod = place_of_.at(key);
      pods.push_back(pod);
      pins[pod] = pins_of(*search_.queue[pod].pod, claim);
    }
  }
  std::ranges::sort(pods);
  return demands_of(search_, pods, pins, PerNode::kAsTried);
}

// What stock buys, to improve on.
std::vector<std::vector<Filling>> CostSolve::stock_fillings(const Market& market) {
  std::vector<uint32_t> demand_of(search_.queue.size(), 0);
  for (uint32_t d = 0; d < market.demands.size(); ++d) {
    for (const uint32_t pod : market.demands[d].pods) demand_of[pod] = d;
  }
  std::vector<Filling> fillings;
  for (const NewClaim& claim : stock_.claims) {
    std::map<uint32_t, int32_t> count;
    for (const std::string& key : claim.pods) ++count[demand_of[place_of_.at(key)]];
    fillings.emplace_back(count.begin(), count.end());
  }
  return {std::move(fillings)};
}

// Lets solve() make a plan in which pods share claims as the fillings say.
Plan CostSolve::realise(const Market& market, const Fillings& found, bool name_types) {
  Problem problem = problem_;
  std::vector<size_t> next(market.demands.size(), 0);  // pods given out, by demand
  int32_t group = 0;
  for (const Filling& filling : found.fillings) {
    const Offer offer = cheapest_offer(search_, market, filling, total_of(market, filling));
    api::Requirements extra;
    if (offer.bin != Offer::kNoBin) {
      const ClaimTemplate& made_from = search_.templates[offer.pool];
      if (search_.templates.size() > 1) {
        extra.add(api::kNodePoolLabel, {api::Operator::kIn, {made_from.pool().meta.name}});
      }
      if (name_types) {
        const std::string& name = made_from.type(market.bins[offer.bin].type).name;
        extra.add(api::kInstanceTypeLabel, {api::Operator::kIn, {name}});
      }
    }
    for (const auto& [demand, count] : filling) {
      const Demand& wanted = market.demands[demand];
      for (int32_t i = 0; i < count; ++i) {
        const uint32_t pod = wanted.pods[next[demand]++];
        const std::string key = search_.queue[pod].pod->meta.key();
        problem.claim_groups[key] = group;
        api::Requirements asked = extra;
        asked.add(wanted.pins);
        if (asked.size() > 0) problem.claim_requirements[key].add(asked);
      }
    }
    ++group;
  }
  return solve(problem);
}

// Never fewer pods than stock and never dearer; then the most pods, then the cheapest.
void CostSolve::consider(Plan plan) {
  const double price = expected_price(plan);
  if (price > best_.stock_usd_per_hour) return;
  const size_t left = plan.unschedulable.size();
  const size_t best_left = best_.plan.unschedulable.size();
  if (left > best_left || (left == best_left && price >= best_.usd_per_hour)) return;
  best_.plan = std::move(plan);
  best_.usd_per_hour = price;
}

std::string CostSolve::why() const {
  const double price = best_.usd_per_hour;
  const double bound = best_.lower_bound_usd_per_hour;
  std::string text = fmt::format("{} new claims at {:.4f} USD/h", best_.plan.claims.size(), price);
  if (price < best_.stock_usd_per_hour) {
    text += fmt::format(", stock {} at {:.4f}", stock_.claims.size(), best_.stock_usd_per_hour);
  } else {
    text += ": nothing cheaper than stock's plan was found";
  }
  if (bound <= 0) return text;
  return text +
         fmt::format("; no plan is under {:.4f} ({:.1f} % less)", bound, 100 * (1 - bound / price));
}

CostPlan CostSolve::run() {
  best_.plan = stock_;
  best_.stock_usd_per_hour = best_.usd_per_hour = expected_price(stock_);
  std::vector<Demand> demands = demands_on_claims();
  if (!demands.empty() && demands.size() <= kTooManyDemands) {
    const Market market = make_market(search_, std::move(demands), Reading::kAsTried);
    std::vector<int32_t> wanted;
    for (const Demand& demand : market.demands) wanted.push_back(demand.count());
    const Covering relaxation = cover(market, wanted);
    const Fillings found = find_fillings(search_, market, relaxation, stock_fillings(market));
    consider(realise(market, found, false));
    const bool limited =
        std::ranges::any_of(search_.templates, [](const auto& pool) { return pool.limited(); });
    // A claim that names one type takes no more of a pool's limits than it will use.
    if (limited) consider(realise(market, found, true));
  }
  best_.lower_bound_usd_per_hour = lower_bound(problem_, best_.plan);
  best_.why = why();
  return std::move(best_);
}

}  // namespace

CostPlan solve_for_cost(const Problem& problem) {
  Problem own = problem;
  own.claim_groups.clear();
  return CostSolve(own).run();
}

}  // namespace windlass::scheduling
