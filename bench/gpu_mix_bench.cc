// What the objective `cost` is worth: 1,000 random sets of 1 to 30 GPU pods over the EC2 catalogue
// (GPUs 1/2/4/8, GPU names or memory, cpu, memory; half of the sets with replicas, half of the
// pools with spot), each planned by stock and by cost, against the lower bound and, where all
// fillings of one node can be listed, against the optimum that CBC finds. The list is made from the
// catalogue directly, so it checks the plan and the bound as well. Exit code 1 if a law is broken.
// usage: gpu_mix_bench [SETS [SEED]]
#include <algorithm>
#include <array>
#include <chrono>
#include <coin/Cbc_C_Interface.h>
#include <cstdlib>
#include <deque>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/rng.h"
#include "catalog/labels.h"
#include "scheduling/cost_plan.h"
#include "scheduling/cost_price.h"

namespace windlass {
namespace {

constexpr int64_t kGibMilli = int64_t{1024} * 1024 * 1024 * 1000;
constexpr size_t kMaxFillings = 10'000;

// ---- Random sets.

template <typename T, size_t N>
const T& pick(Rng& rng, const std::array<T, N>& choices) {
  return choices[rng.below(N)];
}

api::Pod gpu_pod(Rng& rng) {
  static const std::array<int64_t, 10> kGpus{1, 1, 1, 1, 1, 2, 2, 4, 4, 8};
  static const std::array<std::string, 7> kNames{"t4",   "l4",   "a10g", "l40s",
                                                 "v100", "a100", "h100"};
  static const std::array<std::string, 4> kMemoryMib{"16000", "24000", "40000", "80000"};
  const int64_t gpus = pick(rng, kGpus);
  api::Pod pod;
  api::Container container;
  container.requests = {
      {"cpu", gpus * 500 * (1 + static_cast<int64_t>(rng.below(16)))},
      {"memory", gpus * 2 * kGibMilli * (1 + static_cast<int64_t>(rng.below(24)))},
      {std::string(api::kNvidiaGpu), gpus * 1000}};
  pod.spec.containers.push_back(std::move(container));
  api::NodeSelectorTerm term;
  const uint64_t wish = rng.below(10);
  if (wish < 3) {
    std::vector<std::string> names{pick(rng, kNames), pick(rng, kNames)};
    term.match_expressions.push_back(
        {std::string(catalog::kGpuNameLabel), api::Operator::kIn, names, {}});
  } else if (wish < 7) {
    term.match_expressions.push_back(
        {std::string(catalog::kGpuMemoryLabel), api::Operator::kGte, {pick(rng, kMemoryMib)}, {}});
  }
  if (!term.match_expressions.empty()) pod.spec.required_node_terms.push_back(std::move(term));
  return pod;
}

struct Set {
  std::deque<api::Pod> pods;
  api::NodePool pool;
  scheduling::Problem problem;
};

void fill(Set& set, Rng& rng, const catalog::Catalog& catalog) {
  const auto size = 1 + rng.below(30);
  const bool replicas = rng.below(2) == 0;
  set.pool.meta.name = "gpu";
  set.pool.requirements.push_back(
      {std::string(catalog::kGpuCountLabel), api::Operator::kGte, {"1"}, {}});
  if (rng.below(2) == 0) {
    set.pool.requirements.push_back({std::string(api::kCapacityTypeLabel),
                                     api::Operator::kIn,
                                     {std::string(api::kOnDemand)},
                                     {}});
  }
  while (set.pods.size() < size) {
    const api::Pod pod = gpu_pod(rng);
    const uint64_t copies = replicas ? 1 + rng.below(8) : 1;
    for (uint64_t i = 0; i < copies && set.pods.size() < size; ++i) {
      set.pods.push_back(pod);
      auto& meta = set.pods.back().meta;
      meta.namespace_name = "default";
      meta.name = fmt::format("pod-{:02}", set.pods.size());
      meta.uid = meta.name;
    }
  }
  for (const api::Pod& pod : set.pods) set.problem.pods.push_back(&pod);
  set.problem.pools.push_back({&set.pool, &catalog, {}});
}

// ---- The optimum, independently: every filling of one node, and CBC to pick some.

struct Shop {
  const catalog::InstanceType* type = nullptr;
  double usd_per_hour = 0;
};

class Listing {
 public:
  // Pods that no type takes are left out.
  Listing(const Set& set, const catalog::Catalog& catalog) {
    const api::Requirements pool = api::Requirements::from_specs(set.pool.requirements);
    for (const catalog::InstanceType& type : catalog.types) {
      if (!type.requirements.intersects(pool)) continue;
      const catalog::Offering* offering = type.cheapest(pool);
      if (offering != nullptr) shops_.push_back({&type, offering->usd_per_hour});
    }
    for (const api::Pod& pod : set.pods) {
      const api::Requirements asked = api::pod_requirements(pod.spec, false);
      std::vector<bool> takes;
      for (const Shop& shop : shops_) takes.push_back(shop.type->requirements.intersects(asked));
      const auto same = std::ranges::find_if(kinds_, [&](const Kind& kind) {
        return kind.takes == takes && kind.requests == api::pod_requests(pod.spec);
      });
      if (same != kinds_.end()) {
        ++same->count;
      } else {
        kinds_.push_back({std::move(takes), api::pod_requests(pod.spec), 1});
      }
    }
    std::vector<int> none(kinds_.size(), 0);
    std::erase_if(kinds_, [&](const Kind& kind) { return price({kind}, {1}) == kNever; });
  }

  // USD per hour; nothing if there are too many fillings, or CBC gives up.
  std::optional<double> optimum() {
    std::vector<int> counts(kinds_.size(), 0);
    if (!list(0, counts)) return std::nullopt;
    return solve_cover();
  }

 private:
  static constexpr double kNever = std::numeric_limits<double>::infinity();
  struct Kind {
    std::vector<bool> takes;  // by shop
    api::ResourceList requests;
    int count = 0;
  };

  double price(const std::vector<Kind>& kinds, const std::vector<int>& counts) const {
    api::ResourceList total;
    for (size_t k = 0; k < kinds.size(); ++k) {
      for (int i = 0; i < counts[k]; ++i) total += kinds[k].requests;
    }
    double least = kNever;
    for (size_t s = 0; s < shops_.size(); ++s) {
      if (shops_[s].usd_per_hour >= least) continue;
      bool taken = total.fits(shops_[s].type->allocatable);
      for (size_t k = 0; k < kinds.size() && taken; ++k) {
        taken = counts[k] == 0 || kinds[k].takes[s];
      }
      if (taken) least = shops_[s].usd_per_hour;
    }
    return least;
  }

  // All fillings that extend `counts` by kinds from `from` on.
  bool list(size_t from, std::vector<int>& counts) {
    for (size_t k = from; k < kinds_.size(); ++k) {
      if (counts[k] == kinds_[k].count) continue;
      ++counts[k];
      const double usd_per_hour = price(kinds_, counts);
      if (usd_per_hour != kNever) {
        fillings_.emplace_back(counts, usd_per_hour);
        if (fillings_.size() > kMaxFillings || !list(k, counts)) return false;
      }
      --counts[k];
    }
    return true;
  }

  std::optional<double> solve_cover() const {
    std::vector<int> starts{0};
    std::vector<int> rows;
    std::vector<double> entries;
    std::vector<double> cost;
    for (const auto& [counts, usd_per_hour] : fillings_) {
      for (size_t k = 0; k < counts.size(); ++k) {
        if (counts[k] == 0) continue;
        rows.push_back(static_cast<int>(k));
        entries.push_back(counts[k]);
      }
      starts.push_back(static_cast<int>(rows.size()));
      cost.push_back(usd_per_hour);
    }
    if (kinds_.empty()) return 0;
    const auto columns = static_cast<int>(cost.size());
    std::vector<double> wanted;
    for (const Kind& kind : kinds_) wanted.push_back(kind.count);
    const std::vector<double> endless(wanted.size(), std::numeric_limits<double>::max());
    const std::vector<double> zero(cost.size(), 0);
    const std::vector<double> most(cost.size(), 30);
    Cbc_Model* model = Cbc_newModel();
    Cbc_setParameter(model, "logLevel", "0");
    Cbc_setParameter(model, "maxNodes", "2000");
    Cbc_loadProblem(model, columns, static_cast<int>(wanted.size()), starts.data(), rows.data(),
                    entries.data(), zero.data(), most.data(), cost.data(), wanted.data(),
                    endless.data());
    for (int column = 0; column < columns; ++column) Cbc_setInteger(model, column);
    Cbc_solve(model);
    std::optional<double> optimum;
    if (Cbc_isProvenOptimal(model) != 0) optimum = Cbc_getObjValue(model);
    Cbc_deleteModel(model);
    return optimum;
  }

  std::vector<Shop> shops_;
  std::vector<Kind> kinds_;
  std::vector<std::pair<std::vector<int>, double>> fillings_;
};

// ---- The table.

struct Row {
  int sets = 0;
  int pods = 0;
  double stock = 0;
  double cost = 0;
  double bound = 0;
  double gap = 0;  // sum over sets
  double worst_gap = 0;
  int exact_sets = 0;
  double exact_gap = 0;
  int cheaper = 0;  // sets where cost beats stock
  std::vector<double> ms;
};

double milliseconds(std::chrono::steady_clock::time_point since) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - since)
      .count();
}

void print(const std::string& name, Row& row) {
  std::ranges::sort(row.ms);
  const double sets = std::max(1, row.sets);
  fmt::print(
      "{:<12} {:>5} {:>6} {:>10.2f} {:>10.2f} {:>10.2f} {:>7.1f}% {:>6} {:>7.3f}% {:>7.2f}% "
      "{:>6} {:>7.3f}% {:>7.1f} {:>7.1f}\n",
      name, row.sets, row.pods, row.stock, row.cost, row.bound,
      row.stock > 0 ? 100 * (1 - row.cost / row.stock) : 0, row.cheaper, 100 * row.gap / sets,
      100 * row.worst_gap, row.exact_sets,
      row.exact_sets > 0 ? 100 * row.exact_gap / row.exact_sets : 0, row.ms[row.ms.size() / 2],
      row.ms.back());
}

// One set; what it broke, or nothing.
std::string run_set(uint64_t seed, int number, const catalog::Catalog& catalog,
                    std::map<std::string, Row>& rows) {
  Rng rng(seed, fmt::format("set {}", number));
  Set set;
  fill(set, rng, catalog);
  const auto start = std::chrono::steady_clock::now();
  const scheduling::CostPlan planned = scheduling::solve_for_cost(set.problem);
  const double ms = milliseconds(start);
  const scheduling::Plan stock = scheduling::solve(set.problem);
  const double stock_price = scheduling::expected_price(stock);
  const double bound = planned.lower_bound_usd_per_hour;
  const std::optional<double> optimum = Listing(set, catalog).optimum();
  const size_t pods = set.pods.size();
  for (const auto& name : {std::string(pods <= 10   ? "1-10 pods"
                                       : pods <= 20 ? "11-20 pods"
                                                    : "21-30 pods"),
                           std::string("total")}) {
    Row& row = rows[name];
    ++row.sets;
    row.pods += static_cast<int>(pods);
    row.stock += stock_price;
    row.cost += planned.usd_per_hour;
    row.bound += bound;
    row.cheaper += planned.usd_per_hour < stock_price * (1 - 1e-9) ? 1 : 0;
    const double gap = bound > 0 ? planned.usd_per_hour / bound - 1 : 0;
    row.gap += gap;
    row.worst_gap = std::max(row.worst_gap, gap);
    row.ms.push_back(ms);
    if (!optimum) continue;
    ++row.exact_sets;
    row.exact_gap += *optimum > 0 ? planned.usd_per_hour / *optimum - 1 : 0;
  }
  if (planned.usd_per_hour > stock_price) return "costs more than stock";
  if (planned.plan.unschedulable.size() > stock.unschedulable.size()) return "places fewer pods";
  if (bound > planned.usd_per_hour) return "is below the lower bound";
  if (optimum && planned.usd_per_hour < *optimum * (1 - 1e-6)) return "is below the optimum";
  if (optimum && bound > *optimum * (1 + 1e-6)) return "bound is above the optimum";
  return {};
}

int run(int sets, uint64_t seed) {
  const catalog::Catalog catalog = catalog::built_in({});
  std::map<std::string, Row> rows;
  int broken = 0;
  for (int number = 0; number < sets; ++number) {
    const std::string what = run_set(seed, number, catalog, rows);
    if (what.empty()) continue;
    ++broken;
    fmt::print("set {} (seed {}): {}\n", number, seed, what);
  }
  fmt::print(
      "{:<12} {:>5} {:>6} {:>10} {:>10} {:>10} {:>8} {:>6} {:>8} {:>8} {:>6} {:>8} {:>7} {:>7}\n",
      "USD/h", "sets", "pods", "stock", "cost", "bound", "saved", "wins", "to bound", "worst",
      "by CBC", "to best", "ms", "ms max");
  for (auto& [name, row] : rows) print(name, row);
  fmt::print("laws broken: {}\n", broken);
  return broken == 0 ? 0 : 1;
}

}  // namespace
}  // namespace windlass

int main(int argc, char** argv) {
  const int sets = argc > 1 ? std::atoi(argv[1]) : 1000;
  const uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
  return windlass::run(sets, seed);
}
