#include "sim/prometheus/range.h"

#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>

#include "sim/prometheus/evaluation.h"
#include "sim/prometheus/lexer.h"

namespace windlass::sim::prometheus {
namespace {

constexpr int64_t kNsPerMs = 1'000'000;
constexpr int64_t kStepsBetweenLooks = 64;  // at the clock

// Two elements are one series exactly if they share this.
void identity_of(const Element& element, std::string& key) {
  key.assign(label_value(element, kMetricName));
  key.push_back('\0');
  append_key(element, LabelSubset{}, key);
}

// Puts the elements of each step to the series they belong to.
class Collector {
 public:
  Status add(const Operand& operand, int64_t t_ms) {
    if (operand.is_scalar) {
      if (matrix_.empty()) matrix_.emplace_back();
      matrix_[0].points.push_back({t_ms, operand.scalar});
      ++points_;
      return {};
    }
    for (const Element& element : operand.vector.elements) {
      identity_of(element, key_);
      const auto [at, added] = index_.try_emplace(key_, matrix_.size());
      if (added) matrix_.push_back({labels_of(element), {}});
      std::vector<Sample>& points = matrix_[at->second].points;
      if (!points.empty() && points.back().t_ms == t_ms) {
        return Error(fmt::format("vector cannot contain metrics with the same labelset: {}",
                                 to_string(labels_of(element))));
      }
      points.push_back({t_ms, element.value});
    }
    points_ += operand.vector.elements.size();
    return {};
  }

  [[nodiscard]] size_t points() const { return points_; }
  Matrix take() {
    std::ranges::sort(matrix_, {}, &MatrixSeries::labels);
    return std::move(matrix_);
  }

 private:
  Matrix matrix_;
  std::unordered_map<std::string, size_t> index_;
  std::string key_;
  size_t points_ = 0;
};

}  // namespace

Result<Matrix> evaluate_range(const Query& query, const Store& store, const RangeOptions& options) {
  WL_ASSERT(query != nullptr && query->type != ValueType::kRange);
  const int64_t start = options.start.ns / kNsPerMs;
  const int64_t end = options.end.ns / kNsPerMs;
  const int64_t step = options.step.ns / kNsPerMs;
  WL_ASSERT(step > 0 && end >= start);
  Evaluation evaluation(store, start);
  Collector collector;
  // Counted, because start + n * step may pass the end of int64.
  const int64_t last = (end - start) / step;
  for (int64_t i = 0; i <= last; ++i) {
    if (i % kStepsBetweenLooks == 0 && options.enough && options.enough()) {
      return Error("query timed out in expression evaluation");
    }
    const int64_t t_ms = start + i * step;
    evaluation.move_to(t_ms);
    const auto operand = evaluation.evaluate(*query);
    if (!operand) return operand.error();
    if (const Status added = collector.add(*operand, t_ms); !added) return added.error();
    if (collector.points() > options.points_max) {
      return Error("query processing would load too many samples into memory in query execution");
    }
  }
  return collector.take();
}

bool is_range(const Query& query) { return query->type == ValueType::kRange; }

Result<Matrix> evaluate_samples(const Query& query, const Store& store, Instant at) {
  WL_ASSERT(is_range(query));
  Evaluation evaluation(store, at.ns / kNsPerMs);
  Matrix out;
  // A range is always a selector's: the subset has no subqueries.
  evaluation.for_each_window(
      std::get<Selector>(query->node), [&](const Labels& labels, const Window& window) {
        out.push_back({labels, {window.samples.begin(), window.samples.end()}});
      });
  std::ranges::sort(out, {}, &MatrixSeries::labels);
  return out;
}

std::optional<std::string> parse_string_query(std::string_view text) {
  if (text.size() > kQueryBytesMax) return std::nullopt;
  const auto tokens = tokenize(text);
  if (!tokens || tokens->size() != 2 || tokens->front().kind != TokenKind::kString) {
    return std::nullopt;
  }
  return string_value(tokens->front().text);
}

Result<std::vector<const Series*>> select_series(const Query& query, const Store& store,
                                                 Instant from, Instant to) {
  const auto* selector = std::get_if<Selector>(&query->node);
  if (selector == nullptr || query->type != ValueType::kVector) {
    return Error("not a series selector (accepted: name{label=\"value\"})");
  }
  std::vector<const Series*> out;
  const auto fits = [&](const Series& series) {
    const auto first =
        std::ranges::lower_bound(series.samples, from.ns / kNsPerMs, {}, &Sample::t_ms);
    if (first == series.samples.end() || first->t_ms > to.ns / kNsPerMs) return false;
    return std::ranges::all_of(selector->matchers, [&](const Matcher& matcher) {
      const auto at = series.labels.find(matcher.label);
      return matcher.matches(at == series.labels.end() ? std::string_view() : at->second);
    });
  };
  if (selector->name.empty()) {
    for (const Series& series : store.all()) {
      if (fits(series)) out.push_back(&series);
    }
  } else {
    for (const SeriesId id : store.named(selector->name)) {
      if (fits(store.all()[id])) out.push_back(&store.all()[id]);
    }
  }
  return out;
}

}  // namespace windlass::sim::prometheus
