#include "scheduling/lower_bound.h"

#include <algorithm>
#include <limits>
#include <set>

#include "scheduling/cost_demands.h"
#include "scheduling/cost_knapsack.h"

namespace windlass::scheduling {
namespace {

// What rounding of sums may take.
constexpr double kRounding = 1 - 1e-9;

// The pods' values if each bin is worth what `scale` makes of it.
double bound_at(const Market& market, double worth, const std::vector<double>& upper,
                double scale) {
  double bound = scale * worth;
  for (size_t b = 0; b < market.bins.size(); ++b) {
    const Bin& bin = market.bins[b];
    if (bin.supply == kEndless) continue;
    bound -= bin.supply * std::max(0.0, scale * upper[b] - bin.usd_per_hour);
  }
  return bound;
}

}  // namespace

double lower_bound(const Market& market, const std::vector<double>& values) {
  std::vector<int32_t> counts;
  double worth = 0;
  for (size_t d = 0; d < market.demands.size(); ++d) {
    counts.push_back(market.demands[d].count());
    worth += counts[d] * values[d];
  }
  if (worth <= 0) return 0;
  std::vector<double> upper;
  double scale = std::numeric_limits<double>::infinity();
  for (const Bin& bin : market.bins) {
    const double price = bin.supply == kEndless ? bin.usd_per_hour : 0;
    upper.push_back(best_filling(market, bin, values, counts, price).upper);
    if (bin.supply == kEndless && upper.back() > 0) {
      scale = std::min(scale, bin.usd_per_hour / upper.back());
    }
  }
  if (scale == std::numeric_limits<double>::infinity()) return 0;
  return std::max(0.0, bound_at(market, worth, upper, scale)) * kRounding;
}

double lower_bound(const Problem& problem, const Plan& plan) {
  Search search(problem);
  std::set<std::string_view> left_out;
  for (const auto& left : plan.unschedulable) left_out.insert(left.pod);
  std::vector<uint32_t> pods;
  for (uint32_t pod = 0; pod < search.queue.size(); ++pod) {
    if (!left_out.contains(search.queue[pod].pod->meta.key())) pods.push_back(pod);
  }
  const Market market =
      make_market(search, demands_of(search, pods, {}, PerNode::kHard), Reading::kAtTheLeast);
  std::vector<int32_t> wanted;
  for (const Demand& demand : market.demands) wanted.push_back(demand.count());
  return lower_bound(market, cover(market, wanted).values);
}

}  // namespace windlass::scheduling
