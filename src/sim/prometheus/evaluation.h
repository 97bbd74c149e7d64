// One evaluation at one instant, or at rising instants one after the other, private to this
// directory. Label sets are not copied on the way: an Element points at the labels of its series,
// or at a set made here and kept until the end, and only what the query returns is copied out. That
// is most of the difference between microseconds and milliseconds.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "sim/prometheus/ast.h"

namespace windlass::sim::prometheus {

struct Element {
  const Labels* labels;
  bool nameless;  // the metric name counts as gone, although *labels may still hold it
  double value;
};

struct Vector {
  std::vector<Element> elements;
  // No two elements are equal when the metric name is left away. Known of most vectors by how they
  // came about; where it is false, dropping names has to look.
  bool unique_without_name = true;
};

// What an expression comes to. Not a std::variant: g++ 12 warns of uninitialized members when it
// moves a variant of a double and a vector.
struct Operand {
  explicit Operand(double value) : is_scalar(true), scalar(value) {}
  explicit Operand(Vector value) : is_scalar(false), vector(std::move(value)) {}

  bool is_scalar;
  double scalar = 0;
  Vector vector;
};

// The samples of one series in a window closed at both ends; stale markers are left out.
struct Window {
  std::span<const Sample> samples;  // not empty
  int64_t start_ms, end_ms;
};

class Evaluation {
 public:
  Evaluation(const Store& store, int64_t at_ms) : store_(store), at_ms_(at_ms) {}

  Result<Operand> evaluate(const Expression& expression);
  // The same where the parser has seen to the type.
  Result<double> scalar(const Query& query);
  Result<Vector> vector(const Query& query);

  // Calls visit(const Labels&, const Window&) for every series that has samples in the range.
  template <typename Visit>
  void for_each_window(const Selector& selector, Visit visit) {
    Window window{{}, at_ms_ - selector.offset_ms - selector.range_ms, at_ms_ - selector.offset_ms};
    for (const Series* series : matching(selector, window.start_ms)) {
      window.samples = samples_between(*series, window.start_ms, window.end_ms);
      if (!window.samples.empty()) visit(series->labels, window);
    }
  }

  // Labels that live as long as this evaluation.
  const Labels* keep(Labels labels);
  [[nodiscard]] int64_t at_ms() const { return at_ms_; }
  // To a later instant; what former results point at is gone.
  void move_to(int64_t at_ms) {
    at_ms_ = at_ms;
    made_.clear();
  }

 private:
  Result<Operand> negate(const Negation& negation);
  Vector select(const Selector& selector);
  // The series the matchers select, leaving out those without a sample at or after `since_ms`.
  // Looked up once for each selector: instants only rise, so what had ended before the first one
  // has ended for all.
  const std::vector<const Series*>& matching(const Selector& selector, int64_t since_ms);
  std::span<const Sample> samples_between(const Series& series, int64_t start_ms, int64_t end_ms);

  const Store& store_;
  int64_t at_ms_;
  std::deque<Labels> made_;
  // Looked into by address, never walked.
  std::unordered_map<const Selector*, std::vector<const Series*>> selected_;
  std::vector<Sample> window_samples_;  // reused from series to series
};

// aggregation.cc, binary_operation.cc
Result<Operand> aggregate(Evaluation& evaluation, const Aggregation& aggregation);
Result<Operand> operate(Evaluation& evaluation, const Binary& binary);

// label_subset.cc
// The value of a label, "" if there is none.
std::string_view label_value(const Element& element, std::string_view name);
// Appends a key that two elements share exactly if they agree on the subset.
void append_key(const Element& element, const LabelSubset& subset, std::string& key);
// The labels of the element that are in the subset.
Labels reduce(const Element& element, const LabelSubset& subset);
// Error if two elements have equal labels.
Status check_unique(const Vector& vector);
// Lets the metric names go. Error if that makes two elements equal.
Result<Vector> without_names(Vector vector);
// {a="b", c="d"}, as Prometheus prints a series: name{...}.
std::string to_string(const Labels& labels);
// The element's labels without what it has dropped.
Labels labels_of(const Element& element);

// histogram_quantile.cc
// The q-quantile by linear interpolation between ranks, NaN first in order; NaN of no values or of
// NaN, -Inf for q < 0, +Inf for q > 1. Reorders `values`.
double quantile(double q, std::vector<double>& values);

}  // namespace windlass::sim::prometheus
