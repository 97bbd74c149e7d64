#include "scheduling/cost_market.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "base/assert.h"
#include "scheduling/cost_price.h"

namespace windlass::scheduling {
namespace {

class MarketMaker {
 public:
  MarketMaker(Search& search, std::vector<Demand> demands, Reading reading)
      : search_(search), reading_(reading) {
    market_.demands = std::move(demands);
  }

  Market run() {
    for (Demand& demand : market_.demands) settle(demand);
    for (uint32_t pool = 0; pool < search_.templates.size(); ++pool) add_pool(pool);
    if (reading_ == Reading::kAtTheLeast) add_nodes();
    std::ranges::stable_sort(market_.bins, {}, &Bin::usd_per_hour);
    const bool odds = std::ranges::any_of(market_.bins, [](const Bin& bin) {
      return bin.offering != nullptr && bin.offering->odds < 1;
    });
    if (odds) market_.offers = market_.bins;
    market_.labels_may_clash = labels_may_clash();
    drop_pointless();
    return std::move(market_);
  }

 private:
  void settle(Demand& demand);
  void add_pool(uint32_t pool);
  void mark(uint32_t pool, uint32_t demand, uint32_t asks);
  void add_nodes();
  void drop_pointless();
  bool labels_may_clash() const;
  int32_t state_for(uint32_t pool, const Variant& variant, uint32_t asks);
  uint32_t asks_of(const Demand& demand, const Variant& variant);
  const std::vector<Variant>& variants_of(const Demand& demand) const {
    return search_.forms[search_.kinds[demand.kind].form].variants;
  }
  TypeSet no_demand() const { return {market_.demands.size(), false}; }

  Search& search_;
  Reading reading_;
  Market market_;
  // Of the pool at hand: the bin of (type, place among its offerings), made when first wanted.
  std::map<std::pair<size_t, size_t>, size_t> bin_of_;
};

uint32_t MarketMaker::asks_of(const Demand& demand, const Variant& variant) {
  if (demand.pins.size() == 0) return variant.asks;
  api::Requirements asked = search_.interned[variant.asks];
  asked.add(demand.pins);
  return search_.interned.intern(std::move(asked));
}

// The state of a new claim with one such pod, or kNoState.
int32_t MarketMaker::state_for(uint32_t pool, const Variant& variant, uint32_t asks) {
  ClaimTemplate& made_from = search_.templates[pool];
  if (!variant.takes_new_claims || !variant.wishes.contradiction.empty()) return kNoState;
  const auto& tolerations = variant.wishes.tolerations;
  if (api::first_untolerated(made_from.pool().taints, tolerations, true) != nullptr) {
    return kNoState;
  }
  return made_from.advance(ClaimTemplate::kInitial, asks);
}

// Picks the variant: the first that any pool has a fitting type for.
void MarketMaker::settle(Demand& demand) {
  const std::vector<Variant>& variants = variants_of(demand);
  for (size_t v = 0; v < variants.size(); ++v) {
    const uint32_t asks = asks_of(demand, variants[v]);
    demand.variant = v;
    demand.asks = asks;
    for (uint32_t pool = 0; pool < search_.templates.size(); ++pool) {
      const int32_t state = state_for(pool, variants[v], asks);
      if (state == kNoState) continue;
      const ClaimTemplate& made_from = search_.templates[pool];
      const TypeSet types = made_from.state(state).types & made_from.within_limits();
      for (size_t i = types.next(0); i != TypeSet::kNone; i = types.next(i + 1)) {
        if (fits(demand.amounts, made_from.room(i))) return;
      }
    }
  }
}

void MarketMaker::add_pool(uint32_t pool) {
  bin_of_.clear();
  for (uint32_t d = 0; d < market_.demands.size(); ++d) {
    const Demand& demand = market_.demands[d];
    if (reading_ == Reading::kAsTried) {
      mark(pool, d, demand.asks);
      continue;
    }
    for (const Variant& variant : variants_of(demand)) {
      if (state_for(pool, variant, variant.asks) != kNoState) mark(pool, d, variant.asks);
    }
  }
}

// Enters the demand at all bins of the pool that these requirements admit.
void MarketMaker::mark(uint32_t pool, uint32_t d, uint32_t asks) {
  const Demand& demand = market_.demands[d];
  const Variant& variant = variants_of(demand)[demand.variant];
  ClaimTemplate& made_from = search_.templates[pool];
  const int32_t state = reading_ == Reading::kAsTried
                            ? state_for(pool, variant, asks)
                            : made_from.advance(ClaimTemplate::kInitial, asks);
  if (state == kNoState) return;
  const TypeSet types = made_from.state(state).types & made_from.within_limits();
  const api::Requirements& wanted = made_from.requirements(state);
  for (size_t i = types.next(0); i != TypeSet::kNone; i = types.next(i + 1)) {
    if (!fits(demand.amounts, made_from.room(i))) continue;
    const auto& offerings = made_from.type(i).offerings;
    for (size_t o = 0; o < offerings.size(); ++o) {
      if (!allows(wanted, offerings[o])) continue;
      const auto [at, is_new] = bin_of_.try_emplace({i, o}, market_.bins.size());
      if (is_new) {
        Bin bin;
        bin.pool = pool;
        bin.type = static_cast<uint32_t>(i);
        bin.offering = &offerings[o];
        bin.usd_per_hour = offerings[o].usd_per_hour;
        const AmountsView room = made_from.room(i);
        bin.room.assign(room.begin(), room.end());
        if (offerings[o].capacity_type == "reserved") bin.supply = offerings[o].reservation_left;
        bin.takes = no_demand();
        market_.bins.push_back(std::move(bin));
      }
      market_.bins[at->second].takes.add(d);
    }
  }
}

// Nodes with the same room for the same demands are one bin.
void MarketMaker::add_nodes() {
  std::map<std::pair<Amounts, std::vector<bool>>, int32_t> alike;
  for (const NodePlace& place : search_.nodes) {
    if (place.overdrawn) continue;
    std::vector<bool> takes(market_.demands.size(), false);
    bool any = false;
    for (size_t d = 0; d < takes.size(); ++d) {
      if (!fits(market_.demands[d].amounts, place.free)) continue;
      takes[d] = std::ranges::any_of(variants_of(market_.demands[d]), [&](const Variant& variant) {
        return api::first_untolerated(place.node->taints, variant.wishes.tolerations, true) ==
                   nullptr &&
               unmet_label(*place.node, variant.wishes.requirements) == nullptr;
      });
      any = any || takes[d];
    }
    if (any) ++alike[{place.free, takes}];
  }
  for (const auto& [place, count] : alike) {
    Bin bin;
    bin.room = place.first;
    bin.supply = count;
    bin.takes = no_demand();
    for (size_t d = 0; d < place.second.size(); ++d) {
      if (place.second[d]) bin.takes.add(d);
    }
    market_.bins.push_back(std::move(bin));
  }
}

// Drops a bin if one that costs no more has at least its room for at least its demands, without
// end. What is left of the EC2 catalogue for a batch of GPU pods is some dozens.
void MarketMaker::drop_pointless() {
  std::vector<Bin> kept;
  for (Bin& bin : market_.bins) {
    const bool pointless = std::ranges::any_of(kept, [&](const Bin& better) {
      // Where labels may clash, another pool's node is no substitute.
      if (market_.labels_may_clash && better.pool != bin.pool) return false;
      return better.supply == kEndless && fits(bin.room, better.room) &&
             (bin.takes & better.takes) == bin.takes;
    });
    if (!pointless) kept.push_back(std::move(bin));
  }
  market_.bins = std::move(kept);
}

bool MarketMaker::labels_may_clash() const {
  std::set<std::string> asked;
  for (const Demand& demand : market_.demands) {
    for (const auto& [key, requirement] : search_.interned[demand.asks]) asked.insert(key);
  }
  asked.erase(std::string(api::kZoneLabel));
  asked.erase(std::string(api::kCapacityTypeLabel));
  return std::ranges::any_of(market_.bins, [&](const Bin& bin) {
    if (bin.pool == Bin::kNode) return false;
    const ClaimTemplate& made_from = search_.templates[bin.pool];
    const api::Requirements& of_type = made_from.type(bin.type).requirements;
    const api::Requirements& of_pool = made_from.requirements(ClaimTemplate::kInitial);
    return std::ranges::any_of(asked, [&](const std::string& key) {
      const auto settled = [&key](const api::Requirements& known) {
        return known.has(key) && !known.get(key).complement() &&
               known.get(key).values().size() <= 1;
      };
      return !settled(of_type) && !settled(of_pool);
    });
  });
}

bool few_enough(const Market& market, const Filling& filling) {
  return std::ranges::all_of(filling, [&](const auto& part) {
    return part.second <= market.demands[part.first].most_per_node;
  });
}

bool all_allowed(const Bin& bin, const Filling& filling) {
  return std::ranges::all_of(filling, [&](const auto& part) { return bin.takes.has(part.first); });
}

// Whether one claim can be what all demands of the filling ask and still be the bin's type.
bool labels_agree(Search& search, const Market& market, const Filling& filling, const Bin& bin) {
  ClaimTemplate& made_from = search.templates[bin.pool];
  int32_t state = ClaimTemplate::kInitial;
  for (const auto& [demand, count] : filling) {
    state = made_from.advance(state, market.demands[demand].asks);
    if (state == kNoState) return false;
  }
  return made_from.state(state).types.has(bin.type) &&
         allows(made_from.requirements(state), *bin.offering);
}

// Over all offerings of each pool that take the filling, until one is certain.
Offer offer_with_odds(Search& search, const Market& market, const Filling& filling,
                      const Amounts& total, size_t bin) {
  Offer best{.bin = bin};
  for (uint32_t pool = 0; pool < search.templates.size(); ++pool) {
    std::vector<std::pair<double, double>> offers;
    for (const Bin& offered : market.offers) {
      if (offered.pool != pool || !fits(total, offered.room)) continue;
      if (!all_allowed(offered, filling)) continue;
      if (market.labels_may_clash && !labels_agree(search, market, filling, offered)) continue;
      offers.emplace_back(offered.usd_per_hour, offered.offering->odds);
      if (offered.offering->odds >= 1) break;
    }
    if (offers.empty()) continue;
    const double price = expected_price(std::move(offers));
    if (price < best.usd_per_hour) best = {price, bin, pool};
  }
  return best;
}

}  // namespace

Market make_market(Search& search, std::vector<Demand> demands, Reading reading) {
  return MarketMaker(search, std::move(demands), reading).run();
}

Amounts total_of(const Market& market, const Filling& filling) {
  Amounts total(market.demands.empty() ? 0 : market.demands.front().amounts.size(), 0);
  for (const auto& [demand, count] : filling) {
    for (int32_t i = 0; i < count; ++i) add_to(total, market.demands[demand].amounts);
  }
  return total;
}

Offer cheapest_offer(Search& search, const Market& market, const Filling& filling,
                     const Amounts& total, size_t from) {
  if (!few_enough(market, filling)) return {};
  for (size_t b = from; b < market.bins.size(); ++b) {
    const Bin& bin = market.bins[b];
    if (bin.supply != kEndless || !fits(total, bin.room) || !all_allowed(bin, filling)) continue;
    if (market.labels_may_clash && !labels_agree(search, market, filling, bin)) continue;
    if (market.offers.empty()) return {bin.usd_per_hour, b, bin.pool};
    return offer_with_odds(search, market, filling, total, b);
  }
  return {};
}

}  // namespace windlass::scheduling
