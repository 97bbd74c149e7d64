#include "scheduling/cost_exact.h"

#include <limits>

#include "base/assert.h"

namespace windlass::scheduling {
namespace {

constexpr double kImpossible = std::numeric_limits<double>::infinity();

// Multisets of the pods as numbers of mixed radix: digit i counts pods of the i-th demand.
class Splitting {
 public:
  Splitting(Search& search, const Market& market, const Filling& pods)
      : search_(search), market_(market), pods_(pods) {
    for (const auto& [demand, count] : pods_) {
      radix_.push_back(size_);
      size_ *= static_cast<size_t>(count) + 1;
    }
  }

  Split run();

 private:
  [[nodiscard]] int32_t digit(size_t number, size_t i) const {
    return static_cast<int32_t>(number / radix_[i] % (static_cast<size_t>(pods_[i].second) + 1));
  }
  [[nodiscard]] Filling filling(size_t number) const;
  void price_all();
  void best_part(size_t whole);

  Search& search_;
  const Market& market_;
  const Filling& pods_;
  std::vector<size_t> radix_;
  size_t size_ = 1;
  std::vector<Offer> alone_;   // by multiset: as one claim
  std::vector<double> least_;  // by multiset: split at best
  std::vector<size_t> part_;   // by multiset: one claim of that split
};

Filling Splitting::filling(size_t number) const {
  Filling out;
  for (size_t i = 0; i < pods_.size(); ++i) {
    if (const int32_t count = digit(number, i); count > 0) out.emplace_back(pods_[i].first, count);
  }
  return out;
}

void Splitting::price_all() {
  alone_.resize(size_);
  std::vector<Amounts> total(size_);
  total[0] = total_of(market_, {});
  for (size_t number = 1; number < size_; ++number) {
    size_t lowest = 0;
    while (digit(number, lowest) == 0) ++lowest;
    const size_t smaller = number - radix_[lowest];
    total[number] = total[smaller];
    add_to(total[number], market_.demands[pods_[lowest].first].amounts);
    // What did not take the smaller one does not take this one either.
    const size_t from = smaller == 0 ? 0 : alone_[smaller].bin;
    if (from == Offer::kNoBin) continue;
    alone_[number] = cheapest_offer(search_, market_, filling(number), total[number], from);
  }
}

// Tries every part that holds a pod of the highest demand in `whole`: some claim must.
void Splitting::best_part(size_t whole) {
  size_t highest = pods_.size() - 1;
  while (digit(whole, highest) == 0) --highest;
  std::vector<int32_t> most(highest + 1);
  for (size_t i = 0; i <= highest; ++i) most[i] = digit(whole, i);
  std::vector<int32_t> count(highest + 1, 0);
  count[highest] = 1;
  size_t part = radix_[highest];
  while (true) {
    const double price = alone_[part].usd_per_hour + least_[whole - part];
    if (price < least_[whole]) {
      least_[whole] = price;
      part_[whole] = part;
    }
    size_t i = 0;
    while (i <= highest && count[i] == most[i]) {
      part -= static_cast<size_t>(count[i]) * radix_[i];
      count[i] = 0;
      ++i;
    }
    if (i > highest) break;
    ++count[i];
    part += radix_[i];
  }
}

Split Splitting::run() {
  price_all();
  least_.assign(size_, kImpossible);
  part_.assign(size_, 0);
  least_[0] = 0;
  for (size_t whole = 1; whole < size_; ++whole) best_part(whole);
  Split out;
  out.usd_per_hour = least_[size_ - 1];
  if (out.usd_per_hour == kImpossible) return out;
  for (size_t left = size_ - 1; left != 0; left -= part_[left]) {
    out.fillings.push_back(filling(part_[left]));
  }
  return out;
}

}  // namespace

int64_t work_of_split(const Filling& pods) {
  int64_t work = 1;
  for (const auto& [demand, count] : pods) {
    const int64_t pairs = (int64_t{count} + 1) * (int64_t{count} + 2) / 2;
    if (__builtin_mul_overflow(work, pairs, &work)) return std::numeric_limits<int64_t>::max();
  }
  return work;
}

Split cheapest_split(Search& search, const Market& market, const Filling& pods) {
  return Splitting(search, market, pods).run();
}

}  // namespace windlass::scheduling
