#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "sim/prometheus/evaluation.h"

namespace windlass::sim::prometheus {
namespace {

struct Group {
  const Element* first;
  double value = 0;
  int64_t count = 0;
  std::vector<double> values;  // of the quantile only
};

// The running mean as Prometheus computes it: divided before it is added, so that large values do
// not overflow; once infinite it stays so unless the other infinity or NaN comes.
void add_to_mean(Group& group, double value) {
  if (std::isinf(group.value)) {
    if (std::isfinite(value)) return;
    if (std::isinf(value) && (group.value > 0) == (value > 0)) return;
  }
  const auto n = static_cast<double>(group.count);
  group.value += value / n - group.value / n;
}

void add(Group& group, Aggregator aggregator, double value) {
  ++group.count;
  switch (aggregator) {
    case Aggregator::kSum:
      group.value += value;
      break;
    case Aggregator::kAvg:
      add_to_mean(group, value);
      break;
    case Aggregator::kMin:  // NaN yields to any number
      if (group.count == 1 || value < group.value || std::isnan(group.value)) group.value = value;
      break;
    case Aggregator::kMax:
      if (group.count == 1 || value > group.value || std::isnan(group.value)) group.value = value;
      break;
    case Aggregator::kCount:
      group.value = static_cast<double>(group.count);
      break;
    case Aggregator::kQuantile:
      group.values.push_back(value);
      break;
  }
}

}  // namespace

// Groups stand in order of their first element, never in the hash table's.
Result<Operand> aggregate(Evaluation& evaluation, const Aggregation& aggregation) {
  const auto operand = evaluation.vector(aggregation.operand);
  if (!operand) return operand.error();
  double q = 0;
  if (aggregation.parameter != nullptr) {
    const auto parameter = evaluation.scalar(aggregation.parameter);
    if (!parameter) return parameter.error();
    q = *parameter;
  }
  const LabelSubset& grouping = aggregation.grouping;
  std::vector<Group> groups;  // in order of first appearance
  std::unordered_map<std::string, size_t> group_of;
  std::string key;
  for (const Element& element : operand->elements) {
    key.clear();
    append_key(element, grouping, key);
    const auto [at, added] = group_of.try_emplace(key, groups.size());
    if (added) groups.push_back({.first = &element, .values = {}});
    add(groups[at->second], aggregation.aggregator, element.value);
  }
  Vector out;
  // by (__name__) is the one way for a result to keep names.
  out.unique_without_name =
      !grouping.listed_only || !std::ranges::binary_search(grouping.names, kMetricName);
  for (Group& group : groups) {
    const bool ranked = aggregation.aggregator == Aggregator::kQuantile;
    const double value = ranked ? quantile(q, group.values) : group.value;
    out.elements.push_back({evaluation.keep(reduce(*group.first, grouping)), false, value});
  }
  return Operand(std::move(out));
}

}  // namespace windlass::sim::prometheus
