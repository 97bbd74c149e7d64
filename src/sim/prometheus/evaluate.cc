#include <algorithm>
#include <type_traits>

#include "sim/prometheus/evaluation.h"
#include "sim/prometheus/functions.h"

namespace windlass::sim::prometheus {
namespace {

// How old the last sample may be for an instant query to see it: --query.lookback-delta.
constexpr int64_t kLookbackMs = 5 * 60 * 1000;
constexpr int64_t kNsPerMs = 1'000'000;

bool before(int64_t t_ms, const Sample& sample) { return t_ms < sample.t_ms; }

bool matches_all(const std::vector<Matcher>& matchers, const Labels& labels) {
  return std::ranges::all_of(matchers, [&](const Matcher& matcher) {
    const auto at = labels.find(matcher.label);
    return matcher.matches(at == labels.end() ? std::string_view() : at->second);
  });
}

// The last sample at or before t_ms, or null.
const Sample* last_until(const std::deque<Sample>& samples, int64_t t_ms) {
  if (samples.empty()) return nullptr;
  if (samples.back().t_ms <= t_ms) return &samples.back();  // nearly always: queries ask about now
  const auto after = std::upper_bound(samples.begin(), samples.end(), t_ms, before);
  return after == samples.begin() ? nullptr : &*std::prev(after);
}

// The one place where labels are copied.
Value copied_out(const Operand& operand) {
  InstantVector out;
  out.reserve(operand.vector.elements.size());
  for (const Element& e : operand.vector.elements) out.push_back({labels_of(e), e.value});
  std::ranges::sort(out, {}, &VectorElement::labels);
  Value value = std::move(out);
  if (operand.is_scalar) value = operand.scalar;
  return value;
}

}  // namespace

Result<Value> evaluate(const Query& query, const Store& store, Instant at) {
  WL_ASSERT(query != nullptr);
  Evaluation evaluation(store, at.ns / kNsPerMs);
  const auto operand = evaluation.evaluate(*query);
  if (!operand) return operand.error();
  return copied_out(*operand);
}

Result<Operand> Evaluation::evaluate(const Expression& expression) {
  return std::visit(
      [&](const auto& node) -> Result<Operand> {
        using Node = std::decay_t<decltype(node)>;
        if constexpr (std::is_same_v<Node, Number>) return Operand(node.value);
        if constexpr (std::is_same_v<Node, Selector>) return Operand(select(node));
        if constexpr (std::is_same_v<Node, Negation>) return negate(node);
        if constexpr (std::is_same_v<Node, Call>) return node.function->apply(*this, node);
        if constexpr (std::is_same_v<Node, Aggregation>) return aggregate(*this, node);
        if constexpr (std::is_same_v<Node, Binary>) return operate(*this, node);
      },
      expression.node);
}

Result<double> Evaluation::scalar(const Query& query) {
  auto operand = evaluate(*query);
  if (!operand) return operand.error();
  WL_ASSERT(operand->is_scalar);
  return operand->scalar;
}

Result<Vector> Evaluation::vector(const Query& query) {
  auto operand = evaluate(*query);
  if (!operand) return operand.error();
  WL_ASSERT(!operand->is_scalar);
  return std::move(operand->vector);
}

// As for all arithmetic, what is negated is no longer the metric: the name goes.
Result<Operand> Evaluation::negate(const Negation& negation) {
  auto operand = evaluate(*negation.operand);
  if (!operand) return operand;
  if (operand->is_scalar) return Operand(-operand->scalar);
  auto vector = without_names(std::move(operand->vector));
  if (!vector) return vector.error();
  for (Element& element : vector->elements) element.value = -element.value;
  return Operand(std::move(*vector));
}

Vector Evaluation::select(const Selector& selector) {
  const int64_t t_ms = at_ms_ - selector.offset_ms;
  const int64_t oldest_ms = t_ms - kLookbackMs;
  Vector out;
  out.unique_without_name = !selector.name.empty();
  for (const Series* series : matching(selector, oldest_ms)) {
    const Sample* sample = last_until(series->samples, t_ms);
    if (sample == nullptr || sample->t_ms < oldest_ms || is_stale(sample->value)) continue;
    out.elements.push_back({&series->labels, false, sample->value});
  }
  return out;
}

// In the order the series were made, which is the same in every run; results are sorted at the end.
const std::vector<const Series*>& Evaluation::matching(const Selector& selector, int64_t since_ms) {
  const auto [at, first] = selected_.try_emplace(&selector);
  std::vector<const Series*>& out = at->second;
  if (!first) return out;
  const auto consider = [&](const Series& series) {
    // Series of vanished pods pile up over a long run; their last sample is the cheapest way out.
    if (series.samples.empty() || series.samples.back().t_ms < since_ms) return;
    if (matches_all(selector.matchers, series.labels)) out.push_back(&series);
  };
  if (selector.name.empty()) {
    for (const Series& series : store_.all()) consider(series);
  } else {
    for (const SeriesId id : store_.named(selector.name)) consider(store_.all()[id]);
  }
  return out;
}

// Copied into one buffer, because a deque is no contiguous span and markers have to go.
std::span<const Sample> Evaluation::samples_between(const Series& series, int64_t start_ms,
                                                    int64_t end_ms) {
  window_samples_.clear();
  const auto& samples = series.samples;
  const auto first = std::lower_bound(samples.begin(), samples.end(), start_ms,
                                      [](const Sample& s, int64_t t_ms) { return s.t_ms < t_ms; });
  for (auto at = first; at != samples.end() && at->t_ms <= end_ms; ++at) {
    if (!is_stale(at->value)) window_samples_.push_back(*at);
  }
  return window_samples_;
}

const Labels* Evaluation::keep(Labels labels) {
  made_.push_back(std::move(labels));
  return &made_.back();
}

}  // namespace windlass::sim::prometheus
