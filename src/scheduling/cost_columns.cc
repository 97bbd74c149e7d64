#include "scheduling/cost_columns.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "scheduling/cost_knapsack.h"
#include "scheduling/cost_simplex.h"

namespace windlass::scheduling {
namespace {

constexpr int kMaxRounds = 200;
constexpr int kMaxPivotsPerRound = 5'000;
// Rows for bins of limited supply; the bound counts those beyond as it does the others.
constexpr size_t kMaxSupplyRows = 100;
// A filling must be worth so much more than its bin costs to become a column.
constexpr double kMargin = 1e-7;
constexpr uint32_t kNoRow = std::numeric_limits<uint32_t>::max();

class Generation {
 public:
  Generation(const Market& market, const std::vector<int32_t>& wanted)
      : market_(market),
        wanted_(wanted),
        row_of_demand_(market.demands.size(), kNoRow),
        row_of_bin_(market.bins.size(), kNoRow) {}

  Covering run(const std::vector<Column>& known);

 private:
  [[nodiscard]] std::optional<Column> alone(uint32_t demand) const;
  std::vector<double> rows();
  [[nodiscard]] Simplex::Entries entries(const Column& column) const;
  bool add_columns(Simplex& lp);
  void read_values(const Simplex& lp);

  const Market& market_;
  std::vector<int32_t> wanted_;  // 0 for demands that are left out
  std::vector<uint32_t> row_of_demand_;
  std::vector<uint32_t> row_of_bin_;
  std::vector<Column> starts_;  // by row of a demand
  std::vector<Column> added_;
  std::vector<double> values_;
  std::vector<double> scarcity_;  // by bin: USD per hour that one more of it would save
};

// As many pods of one demand as the bin with the least price a pod takes.
std::optional<Column> Generation::alone(uint32_t demand) const {
  std::optional<Column> best;
  double least = std::numeric_limits<double>::infinity();
  const std::vector<double> one(market_.demands.size(), 1.0);
  std::vector<int32_t> only(market_.demands.size(), 0);
  only[demand] = wanted_[demand];
  for (size_t b = 0; b < market_.bins.size(); ++b) {
    const Bin& bin = market_.bins[b];
    if (bin.supply != kEndless || !bin.takes.has(demand)) continue;
    Filling filling = best_filling(market_, bin, one, only, 0).filling;
    if (filling.empty() || bin.usd_per_hour / filling.front().second >= least) continue;
    least = bin.usd_per_hour / filling.front().second;
    best = Column{std::move(filling), b, bin.usd_per_hour};
  }
  return best;
}

// The right-hand side: pods wanted, then bins not to be exceeded.
std::vector<double> Generation::rows() {
  std::vector<double> b;
  for (uint32_t d = 0; d < wanted_.size(); ++d) {
    std::optional<Column> start = wanted_[d] > 0 ? alone(d) : std::nullopt;
    if (!start) {
      wanted_[d] = 0;
      continue;
    }
    row_of_demand_[d] = static_cast<uint32_t>(b.size());
    b.push_back(wanted_[d]);
    starts_.push_back(std::move(*start));
  }
  for (size_t bin = 0; bin < market_.bins.size(); ++bin) {
    if (market_.bins[bin].supply == kEndless || b.size() == starts_.size() + kMaxSupplyRows)
      continue;
    row_of_bin_[bin] = static_cast<uint32_t>(b.size());
    b.push_back(-market_.bins[bin].supply);
  }
  return b;
}

Simplex::Entries Generation::entries(const Column& column) const {
  Simplex::Entries out;
  for (const auto& [demand, count] : column.filling) {
    if (row_of_demand_[demand] != kNoRow) out.emplace_back(row_of_demand_[demand], count);
  }
  if (row_of_bin_[column.bin] != kNoRow) out.emplace_back(row_of_bin_[column.bin], -1.0);
  return out;
}

void Generation::read_values(const Simplex& lp) {
  values_.assign(wanted_.size(), 0);
  for (size_t d = 0; d < wanted_.size(); ++d) {
    if (row_of_demand_[d] != kNoRow) values_[d] = std::max(0.0, lp.values()[row_of_demand_[d]]);
  }
  scarcity_.assign(market_.bins.size(), 0);
  for (size_t b = 0; b < scarcity_.size(); ++b) {
    if (row_of_bin_[b] != kNoRow) scarcity_[b] = std::max(0.0, lp.values()[row_of_bin_[b]]);
  }
}

// The best filling of each bin that is worth more than the bin costs.
bool Generation::add_columns(Simplex& lp) {
  const size_t before = added_.size();
  for (size_t b = 0; b < market_.bins.size(); ++b) {
    const Bin& bin = market_.bins[b];
    if (bin.supply != kEndless && row_of_bin_[b] == kNoRow) continue;
    const double price = bin.usd_per_hour + scarcity_[b];
    BestFilling best =
        best_filling(market_, bin, values_, wanted_, price * (1 + kMargin) + kMargin * 1e-3);
    if (best.filling.empty()) continue;
    Column column{std::move(best.filling), b, bin.usd_per_hour};
    lp.add(entries(column), column.usd_per_hour);
    added_.push_back(std::move(column));
  }
  return added_.size() > before;
}

Covering Generation::run(const std::vector<Column>& known) {
  Simplex lp(rows());
  for (uint32_t row = 0; row < starts_.size(); ++row) {
    lp.start(row, starts_[row].filling.front().second, starts_[row].usd_per_hour);
  }
  for (const uint32_t row : row_of_bin_) {
    if (row != kNoRow) lp.start(row, -1, 0);
  }
  for (const Column& column : known) {
    lp.add(entries(column), column.usd_per_hour);
    added_.push_back(column);
  }
  for (int round = 0; round < kMaxRounds; ++round) {
    lp.optimise(kMaxPivotsPerRound);
    read_values(lp);
    if (!add_columns(lp)) break;
  }
  Covering out;
  out.values = std::move(values_);
  const std::vector<double> amounts = lp.amounts();
  size_t supply_rows = 0;
  for (const uint32_t row : row_of_bin_) supply_rows += row != kNoRow ? 1 : 0;
  for (size_t i = 0; i < starts_.size(); ++i) {
    out.columns.push_back(std::move(starts_[i]));
    out.amounts.push_back(amounts[i]);
  }
  for (size_t i = 0; i < added_.size(); ++i) {
    const size_t at = out.columns.size() + supply_rows;
    out.columns.push_back(std::move(added_[i]));
    out.amounts.push_back(at < amounts.size() ? amounts[at] : 0);
  }
  return out;
}

}  // namespace

Covering cover(const Market& market, const std::vector<int32_t>& wanted,
               const std::vector<Column>& known) {
  return Generation(market, wanted).run(known);
}

}  // namespace windlass::scheduling
