#include "scheduling/cost_search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "scheduling/cost_exact.h"

namespace windlass::scheduling {
namespace {

// (part, whole) pairs of one exact split: 13 pods that differ, 100 and 30 of two kinds.
constexpr int64_t kExactWork = 1'600'000;
// The same while claims are taken apart, for one try and for all of them.
constexpr int64_t kTryWork = 180'000;
constexpr int64_t kAllTriesWork = 12'000'000;
// Claims taken apart are picked from so many that waste most.
constexpr size_t kMaxWasteful = 40;
constexpr double kWholeEnough = 1 - 1e-4;
constexpr double kMostlyWhole = 0.7;

struct Claim {
  Filling filling;
  double usd_per_hour = 0;
  bool fixed = false;  // in a bin of limited supply: stays as it is
};
using Claims = std::vector<Claim>;

double sum_of(const Claims& claims) {
  double sum = 0;
  for (const Claim& claim : claims) sum += claim.usd_per_hour;
  return sum;
}

Filling together(const std::vector<const Filling*>& fillings) {
  std::map<uint32_t, int32_t> count;
  for (const Filling* filling : fillings) {
    for (const auto& [demand, n] : *filling) count[demand] += n;
  }
  return {count.begin(), count.end()};
}

// Whether the relaxation buys anything of limited supply, which exact splits do not know.
bool uses_supply(const Market& market, const Covering& relaxation) {
  for (size_t i = 0; i < relaxation.columns.size(); ++i) {
    const bool limited = market.bins[relaxation.columns[i].bin].supply != kEndless;
    if (limited && relaxation.amounts[i] > 1e-4) return true;
  }
  return false;
}

class FillingSearch {
 public:
  FillingSearch(Search& search, const Market& market)
      : search_(search), market_(market), work_left_(kAllTriesWork) {}

  Claims round(const Covering& relaxation);
  Claims priced(const std::vector<Filling>& fillings);
  void improve(Claims& claims, const std::vector<double>& values);

 private:
  void take(Claims& claims, std::vector<int32_t>& left, const Column& column);
  bool take_whole(Claims& claims, std::vector<int32_t>& left, const Covering& relaxation);
  bool try_apart(Claims& claims, const std::vector<size_t>& picked);
  bool improve_once(Claims& claims, const std::vector<double>& values, size_t at_a_time);
  Claim claim_of(Filling filling);
  Claims split(const Filling& pods);

  Search& search_;
  Market market_;  // a copy: what is left in reservations goes down
  int64_t work_left_;
  std::map<Filling, bool> known_best_;  // pods whose best split has been found no cheaper
};

Claim FillingSearch::claim_of(Filling filling) {
  const double price =
      cheapest_offer(search_, market_, filling, total_of(market_, filling)).usd_per_hour;
  return {std::move(filling), price};
}

Claims FillingSearch::priced(const std::vector<Filling>& fillings) {
  Claims out;
  for (const Filling& filling : fillings) out.push_back(claim_of(filling));
  return out;
}

Claims FillingSearch::split(const Filling& pods) {
  return priced(cheapest_split(search_, market_, pods).fillings);
}

// As much of the column as is still to be placed.
void FillingSearch::take(Claims& claims, std::vector<int32_t>& left, const Column& column) {
  Filling filling;
  for (const auto& [demand, count] : column.filling) {
    const int32_t some = std::min(count, left[demand]);
    if (some <= 0) continue;
    filling.emplace_back(demand, some);
    left[demand] -= some;
  }
  if (filling.empty()) return;
  Bin& bin = market_.bins[column.bin];
  if (bin.supply != kEndless && bin.supply > 0) {
    --bin.supply;
    claims.push_back({std::move(filling), column.usd_per_hour, true});
  } else {
    claims.push_back(claim_of(std::move(filling)));
  }
}

bool FillingSearch::take_whole(Claims& claims, std::vector<int32_t>& left,
                               const Covering& relaxation) {
  bool any = false;
  for (size_t i = 0; i < relaxation.columns.size(); ++i) {
    const auto copies = static_cast<int64_t>(std::floor(relaxation.amounts[i] + 1 - kWholeEnough));
    for (int64_t copy = 0; copy < copies; ++copy) take(claims, left, relaxation.columns[i]);
    any = any || copies > 0;
  }
  return any;
}

Claims FillingSearch::round(const Covering& relaxation) {
  Claims claims;
  std::vector<int32_t> left;
  for (uint32_t d = 0; d < market_.demands.size(); ++d) {
    const bool can = std::ranges::any_of(
        market_.bins, [d](const Bin& bin) { return bin.supply == kEndless && bin.takes.has(d); });
    left.push_back(can ? market_.demands[d].count() : 0);
  }
  Covering current = relaxation;
  while (true) {
    Filling pods;
    for (uint32_t d = 0; d < left.size(); ++d) {
      if (left[d] > 0) pods.emplace_back(d, left[d]);
    }
    if (pods.empty()) return claims;
    if (work_of_split(pods) <= kExactWork && !uses_supply(market_, current)) {
      for (Claim& claim : split(pods)) claims.push_back(std::move(claim));
      return claims;
    }
    if (!take_whole(claims, left, current)) {
      const auto most = std::ranges::max_element(current.amounts);
      const double least = std::min(*most, kMostlyWhole);
      for (size_t i = 0; i < current.columns.size(); ++i) {
        if (current.amounts[i] >= least) take(claims, left, current.columns[i]);
      }
    }
    std::erase_if(current.columns, [&](const Column& column) {
      return std::ranges::any_of(column.filling,
                                 [&](const auto& part) { return part.second > left[part.first]; });
    });
    current = cover(market_, left, current.columns);
  }
}

bool FillingSearch::try_apart(Claims& claims, const std::vector<size_t>& picked) {
  std::vector<const Filling*> fillings;
  double price = 0;
  for (const size_t i : picked) {
    fillings.push_back(&claims[i].filling);
    price += claims[i].usd_per_hour;
  }
  const Filling pods = together(fillings);
  const int64_t work = work_of_split(pods);
  if (work > kTryWork || work > work_left_ || known_best_.contains(pods)) return false;
  work_left_ -= work;
  const Split better = cheapest_split(search_, market_, pods);
  if (better.usd_per_hour >= price * (1 - 1e-9)) {
    known_best_[pods] = true;
    return false;
  }
  for (size_t i = picked.size(); i-- > 0;) {
    claims.erase(claims.begin() + static_cast<ptrdiff_t>(picked[i]));
  }
  for (Claim& claim : priced(better.fillings)) claims.push_back(std::move(claim));
  return true;
}

// Tries all sets of `at_a_time` claims among the most wasteful; true at the first that helps.
bool FillingSearch::improve_once(Claims& claims, const std::vector<double>& values,
                                 size_t at_a_time) {
  std::vector<std::pair<double, size_t>> waste;  // price less what the pods are worth
  for (size_t i = 0; i < claims.size(); ++i) {
    double worth = 0;
    for (const auto& [demand, count] : claims[i].filling) worth += count * values[demand];
    if (!claims[i].fixed) waste.emplace_back(worth - claims[i].usd_per_hour, i);
  }
  std::ranges::sort(waste);
  if (waste.size() > kMaxWasteful) waste.resize(kMaxWasteful);
  if (waste.size() < at_a_time) return false;
  std::vector<size_t> at(at_a_time);
  std::iota(at.begin(), at.end(), 0);
  while (true) {
    std::vector<size_t> picked;
    for (const size_t i : at) picked.push_back(waste[i].second);
    std::ranges::sort(picked);
    if (try_apart(claims, picked)) return true;
    size_t i = at_a_time;
    while (i > 0 && at[i - 1] == waste.size() - at_a_time + i - 1) --i;
    if (i == 0) return false;
    ++at[i - 1];
    for (; i < at_a_time; ++i) at[i] = at[i - 1] + 1;
  }
}

void FillingSearch::improve(Claims& claims, const std::vector<double>& values) {
  work_left_ = kAllTriesWork;
  size_t at_a_time = 1;
  while (at_a_time <= 4) {
    at_a_time = improve_once(claims, values, at_a_time) ? 1 : at_a_time + 1;
  }
}

}  // namespace

bool is_small(const Market& market) {
  Filling all;
  for (uint32_t d = 0; d < market.demands.size(); ++d) {
    all.emplace_back(d, market.demands[d].count());
  }
  return work_of_split(all) <= kExactWork;
}

Fillings find_fillings(Search& search, const Market& market, const Covering& relaxation,
                       const std::vector<std::vector<Filling>>& starts) {
  FillingSearch finder(search, market);
  Fillings out;
  out.exact = is_small(market) && !uses_supply(market, relaxation);
  Claims best = finder.round(relaxation);
  // What the relaxation costs: whoever is there need not look on.
  double least = 0;
  for (size_t d = 0; d < market.demands.size(); ++d) {
    least += market.demands[d].count() * relaxation.values[d];
  }
  const auto is_best = [&best, least] { return sum_of(best) <= least * (1 + 1e-6); };
  if (!out.exact) {
    if (!is_best()) finder.improve(best, relaxation.values);
    for (const auto& start : starts) {
      if (is_best()) break;
      Claims other = finder.priced(start);
      finder.improve(other, relaxation.values);
      if (sum_of(other) < sum_of(best)) best = std::move(other);
    }
  }
  out.usd_per_hour = sum_of(best);
  for (Claim& claim : best) out.fillings.push_back(std::move(claim.filling));
  return out;
}

}  // namespace windlass::scheduling
