#include "scheduling/cost_knapsack.h"

#include <algorithm>
#include <cmath>

namespace windlass::scheduling {
namespace {

// Steps of one search; beyond it the answer is a good filling and an upper bound.
constexpr int kMaxSteps = 20'000;
constexpr int kWeightRounds = 12;

struct Item {
  uint32_t demand = 0;
  double value = 0;
  int32_t at_most = 0;
  double weight = 0;  // share of the bin, resources weighed together
  double worth = 0;   // value by weight
};

class Knapsack {
 public:
  Knapsack(const Market& market, const Bin& bin, const std::vector<double>& values,
           const std::vector<int32_t>& at_most, double worth_more_than)
      : market_(market), bin_(bin), best_value_(worth_more_than) {
    for (uint32_t d = 0; d < market.demands.size(); ++d) {
      if (values[d] <= 0 || at_most[d] <= 0 || !bin.takes.has(d)) continue;
      items_.push_back({d, values[d], std::min(at_most[d], most_that_fit(d))});
    }
  }

  BestFilling run();

 private:
  [[nodiscard]] const Amounts& size(const Item& item) const {
    return market_.demands[item.demand].amounts;
  }
  [[nodiscard]] int32_t most_that_fit(uint32_t demand) const;
  [[nodiscard]] double share(const Item& item, size_t column) const {
    const int64_t room = bin_.room[column];
    return room <= 0 ? 0 : static_cast<double>(size(item)[column]) / static_cast<double>(room);
  }
  void weigh();
  double set_weights(const std::vector<double>& by_column);
  [[nodiscard]] double bound(size_t from, double room) const;
  void search(size_t from, double value, double room);

  const Market& market_;
  const Bin& bin_;
  double best_value_;
  std::vector<Item> items_;  // best worth first
  Amounts left_;
  std::vector<int32_t> taken_;  // by item
  std::vector<int32_t> best_;   // likewise; empty: none found
  int steps_ = 0;
  double given_up_ = 0;  // the best bound of what was not looked at
};

int32_t Knapsack::most_that_fit(uint32_t demand) const {
  const Amounts& amounts = market_.demands[demand].amounts;
  int64_t most = market_.demands[demand].most_per_node;
  for (size_t c = 0; c < amounts.size(); ++c) {
    if (amounts[c] > 0) most = std::min(most, bin_.room[c] / amounts[c]);
  }
  return static_cast<int32_t>(most);
}

// What the items from `from` on are worth at best in a share `room` of the bin, if pods could be
// cut (Dantzig's bound).
double Knapsack::bound(size_t from, double room) const {
  double value = 0;
  for (size_t i = from; i < items_.size(); ++i) {
    const Item& item = items_[i];
    const double all = item.weight * item.at_most;
    if (all > room) return value + std::max(room, 0.0) * item.worth;
    room -= all;
    value += item.value * item.at_most;
  }
  return value;
}

double Knapsack::set_weights(const std::vector<double>& by_column) {
  for (Item& item : items_) {
    item.weight = 0;
    for (size_t c = 0; c < by_column.size(); ++c) item.weight += by_column[c] * share(item, c);
    // A pod without size in what counts is worth more than anything by weight.
    item.worth = item.value / std::max(item.weight, 1e-12);
  }
  std::ranges::stable_sort(items_, std::greater<>(), &Item::worth);
  return bound(0, 1);
}

// Any weights of the resources that sum to 1 make a valid bound: a filling that is within the room
// in each is within it in the mean. A few steps towards the resource that the cut solution uses
// most find weights with a sharp one.
void Knapsack::weigh() {
  const size_t columns = bin_.room.size();
  std::vector<double> weights(columns, 1.0 / static_cast<double>(columns));
  std::vector<double> best_weights = weights;
  double least = std::numeric_limits<double>::infinity();
  for (int round = 0; round < kWeightRounds; ++round) {
    const double value = set_weights(weights);
    if (value < least) {
      least = value;
      best_weights = weights;
    }
    if (value <= best_value_) break;
    std::vector<double> used(columns, 0);
    double room = 1;
    for (const Item& item : items_) {
      const double all = item.weight * item.at_most;
      const double part = all > room ? room / std::max(all, 1e-12) : 1;
      for (size_t c = 0; c < columns; ++c) used[c] += part * item.at_most * share(item, c);
      room -= all;
      if (room <= 0) break;
    }
    const double pace = 4.0 / (2 + round);
    double sum = 0;
    for (size_t c = 0; c < columns; ++c) {
      weights[c] *= std::exp(pace * std::clamp(used[c] - 1, -2.0, 2.0));
      sum += weights[c];
    }
    for (double& weight : weights) weight /= sum;
  }
  set_weights(best_weights);
}

void Knapsack::search(size_t from, double value, double room) {
  if (value > best_value_) {
    best_value_ = value;
    best_ = taken_;
  }
  if (from == items_.size()) return;
  const double reachable = value + bound(from, room);
  if (reachable <= best_value_ * (1 + 1e-12)) return;
  if (++steps_ > kMaxSteps) {
    given_up_ = std::max(given_up_, reachable);
    return;
  }
  const Item& item = items_[from];
  const Amounts& amounts = size(item);
  int32_t most = item.at_most;
  for (size_t c = 0; c < amounts.size(); ++c) {
    if (amounts[c] > 0) most = static_cast<int32_t>(std::min<int64_t>(most, left_[c] / amounts[c]));
  }
  for (size_t c = 0; c < amounts.size(); ++c) left_[c] -= most * amounts[c];
  for (int32_t count = most; count >= 0; --count) {
    taken_[from] = count;
    search(from + 1, value + count * item.value, room - count * item.weight);
    if (count > 0) add_to(left_, amounts);
  }
}

BestFilling Knapsack::run() {
  std::erase_if(items_, [](const Item& item) { return item.at_most <= 0; });
  BestFilling out;
  double everything = 0;
  for (const Item& item : items_) everything += item.value * item.at_most;
  out.upper = everything;
  if (everything <= best_value_) return out;
  weigh();
  out.upper = bound(0, 1);
  left_ = bin_.room;
  taken_.assign(items_.size(), 0);
  search(0, 0, 1);
  if (given_up_ == 0) {
    out.upper = std::min(out.upper, best_value_);
  } else {
    out.upper = std::min(out.upper, std::max(best_value_, given_up_));
  }
  if (best_.empty()) return out;
  out.value = best_value_;
  for (size_t i = 0; i < items_.size(); ++i) {
    if (best_[i] > 0) out.filling.emplace_back(items_[i].demand, best_[i]);
  }
  std::ranges::sort(out.filling);
  return out;
}

}  // namespace

BestFilling best_filling(const Market& market, const Bin& bin, const std::vector<double>& values,
                         const std::vector<int32_t>& at_most, double worth_more_than) {
  return Knapsack(market, bin, values, at_most, worth_more_than).run();
}

}  // namespace windlass::scheduling
