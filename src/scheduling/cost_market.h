// A problem as a purchase: what is to be packed (demands: pods that are alike), into what (bins: a
// node of one type of one pool at one price). What pods say to each other (topology, ports) is not
// here, nor are limits: the cost objective finds fillings in this smaller world and has solve()
// make a plan of them; the lower bound holds because the market only leaves constraints out.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "scheduling/search.h"

namespace windlass::scheduling {

struct Demand {
  uint32_t kind = 0;           // in Search::kinds
  api::Requirements pins;      // topology domains that are settled already
  std::vector<uint32_t> pods;  // places in Search::queue
  Amounts amounts;             // of one pod
  int32_t most_per_node = std::numeric_limits<int32_t>::max();
  // What the search goes by; a bound takes any of the kind's variants.
  size_t variant = 0;
  uint32_t asks = 0;  // interned: the variant's and the pins

  [[nodiscard]] int32_t count() const { return static_cast<int32_t>(pods.size()); }
};

inline constexpr int32_t kEndless = std::numeric_limits<int32_t>::max();

struct Bin {
  static constexpr uint32_t kNode = std::numeric_limits<uint32_t>::max();

  uint32_t pool = kNode;  // in Search::templates; kNode: a node that exists
  uint32_t type = 0;      // in the pool's catalogue
  const catalog::Offering* offering = nullptr;
  Amounts room;
  double usd_per_hour = 0;
  int32_t supply = kEndless;  // nodes that exist, instances left in a reservation
  TypeSet takes;              // the demands whose pods may go in, one at least
};

// (demand, how many), by demand, none with 0.
using Filling = std::vector<std::pair<uint32_t, int32_t>>;

struct Market {
  std::vector<Demand> demands;
  std::vector<Bin> bins;    // cheapest first, none that another one makes pointless
  std::vector<Bin> offers;  // all of them, where odds are stated; else empty
  // Pods that may go into a bin each alone may still contradict each other: some ask for a label
  // that is not settled by type, zone and capacity type.
  bool labels_may_clash = false;
};

enum class Reading : uint8_t {
  kAsTried,     // the first step of relaxation that finds any new claim, as solve() tries them
  kAtTheLeast,  // any step, on nodes that exist too: for bounds
};

// Demands with pods to a market. `demands` come as demands_of() makes them.
Market make_market(Search& search, std::vector<Demand> demands, Reading reading);

// USD per hour of the cheapest new claim that takes the filling alone, expected (cost_price.h);
// infinity if none does. Bins of limited supply play no part. `bin` is where it was found.
struct Offer {
  static constexpr size_t kNoBin = std::numeric_limits<size_t>::max();
  double usd_per_hour = std::numeric_limits<double>::infinity();
  size_t bin = kNoBin;  // in Market::bins
  uint32_t pool = Bin::kNode;
};
// `from`: bins before it are known not to take the filling (a larger filling costs no less).
Offer cheapest_offer(Search& search, const Market& market, const Filling& filling,
                     const Amounts& total, size_t from = 0);
Amounts total_of(const Market& market, const Filling& filling);

}  // namespace windlass::scheduling
