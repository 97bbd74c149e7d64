// Quantiles: of a list of values, and of a conventional histogram's buckets.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <unordered_map>

#include "sim/prometheus/functions.h"

namespace windlass::sim::prometheus {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Bucket {
  double upper_bound;
  double count;  // cumulative
};

struct Histogram {
  const Element* first;
  std::vector<Bucket> buckets;
};

// What an out-of-range q gives, whatever the data.
std::optional<double> quantile_outside(double q) {
  if (std::isnan(q)) return kNaN;
  if (q < 0) return -kInfinity;
  if (q > 1) return kInfinity;
  return std::nullopt;
}

// The value of an `le` label: "0.5", "1e3", "+Inf". Anything else makes the series no bucket.
std::optional<double> upper_bound(std::string_view le) {
  if (le.starts_with('+')) le.remove_prefix(1);
  double value = 0;
  const char* end = le.data() + le.size();
  const auto [at, code] = std::from_chars(le.data(), end, value);
  if (code != std::errc() || at != end || std::isnan(value)) return std::nullopt;
  return value;
}

// Buckets of one bound become one, as when several sources write 1 and 1.0; then the counts are
// made to rise, because series scraped apart need not.
void tidy(std::vector<Bucket>& buckets) {
  std::ranges::stable_sort(buckets, {}, &Bucket::upper_bound);
  size_t last = 0;
  for (size_t i = 1; i < buckets.size(); ++i) {
    if (buckets[i].upper_bound == buckets[last].upper_bound) {
      buckets[last].count += buckets[i].count;
    } else {
      buckets[++last] = buckets[i];
    }
  }
  buckets.resize(last + 1);
  double top = buckets[0].count;
  for (Bucket& bucket : buckets) {
    if (bucket.count > top) top = bucket.count;
    if (bucket.count < top) bucket.count = top;
  }
}

// By linear interpolation within the bucket that holds the rank. (bucketQuantile in Prometheus'
// promql/quantile.)
double bucket_quantile(double q, std::vector<Bucket>& buckets) {
  if (const auto outside = quantile_outside(q)) return *outside;
  tidy(buckets);
  if (buckets.back().upper_bound != kInfinity || buckets.size() < 2) return kNaN;
  const double observations = buckets.back().count;
  if (observations == 0) return kNaN;
  double rank = q * observations;
  // Written out, because with NaN counts the order of the probes decides.
  size_t low = 0;
  size_t high = buckets.size() - 1;
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (buckets[middle].count >= rank) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  // Nothing is known of the last bucket but where it begins.
  if (low == buckets.size() - 1) return buckets[low - 1].upper_bound;
  if (low == 0 && buckets[0].upper_bound <= 0) return buckets[0].upper_bound;
  const double end = buckets[low].upper_bound;
  const double start = low > 0 ? buckets[low - 1].upper_bound : 0;
  const double below = low > 0 ? buckets[low - 1].count : 0;
  rank -= below;
  return start + (end - start) * (rank / (buckets[low].count - below));
}

}  // namespace

double quantile(double q, std::vector<double>& values) {
  if (values.empty() || std::isnan(q)) return kNaN;
  if (const auto outside = quantile_outside(q)) return *outside;
  std::ranges::sort(values, [](double a, double b) {
    if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && !std::isnan(b);
    return a < b;
  });
  const double rank = q * static_cast<double>(values.size() - 1);
  const double below = std::floor(rank);
  const auto lower = static_cast<size_t>(below);
  const size_t upper = std::min(values.size() - 1, lower + 1);
  const double weight = rank - below;
  return values[lower] * (1 - weight) + values[upper] * weight;
}

Result<Operand> apply_histogram_quantile(Evaluation& evaluation, const Call& call) {
  const auto q = evaluation.scalar(call.arguments[0]);
  if (!q) return q.error();
  const auto operand = evaluation.vector(call.arguments[1]);
  if (!operand) return operand.error();
  // What tells histograms apart: all labels but the bucket's bound.
  static const LabelSubset kHistogramLabels{.listed_only = false, .names = {"le"}};
  std::vector<Histogram> histograms;  // in order of first appearance
  std::unordered_map<std::string, size_t> histogram_of;
  std::string key;
  for (const Element& element : operand->elements) {
    const auto bound = upper_bound(label_value(element, "le"));
    if (!bound) continue;
    // Buckets of two metrics are two histograms, even if the names are dropped afterwards.
    key = label_value(element, kMetricName);
    key.push_back('\0');
    append_key(element, kHistogramLabels, key);
    const auto [at, added] = histogram_of.try_emplace(key, histograms.size());
    if (added) histograms.push_back({&element, {}});
    histograms[at->second].buckets.push_back({*bound, element.value});
  }
  Vector out;
  for (Histogram& histogram : histograms) {
    const Labels* labels = evaluation.keep(reduce(*histogram.first, kHistogramLabels));
    out.elements.push_back({labels, true, bucket_quantile(*q, histogram.buckets)});
  }
  if (const Status unique = check_unique(out); !unique) return unique.error();
  return Operand(std::move(out));
}

}  // namespace windlass::sim::prometheus
