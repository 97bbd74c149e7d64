#include "live/signals/model_counts.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/format.h>

namespace windlass::live::signals {
namespace {

// As long as the joint policy looks back, and as the simulation's signals remember.
constexpr Duration kHistory = minutes(30);
// Older observations of lengths count a factor e less after this: short enough for a changed mix to
// show, long enough for a P95 that is not noise. The simulation's signals forget as fast.
constexpr double kMixMemorySeconds = 1000;
// With fewer recent requests than this, all that the servers have seen since their start says more.
constexpr double kEnoughForMix = 20;
// How long a pod that cannot be read counts as it was.
constexpr size_t kRoundsStale = 3;
// Of an exponential distribution, in means: stands in where only means are known.
constexpr double kP95OfMean = 2.9957322735539909;

// Where a sample's value goes. Several series of one name are summed.
enum class Part { kEnded, kArrived, kWaiting, kRunning, kInputTokens, kOutputTokens };
struct Name {
  std::string_view name;
  Part part;
};
// Requests that failed or were aborted have arrived, too.
constexpr Name kNames[] = {
    {"vllm:request_success_total", Part::kEnded},
    {"vllm:num_requests_running", Part::kRunning},
    {"vllm:num_requests_waiting", Part::kWaiting},
    {"vllm:num_requests_swapped", Part::kRunning},
    {"vllm:prompt_tokens_total", Part::kInputTokens},
    {"vllm:generation_tokens_total", Part::kOutputTokens},
    {"nv_inference_request_success", Part::kEnded},
    {"nv_inference_request_failure", Part::kEnded},
    {"nv_inference_pending_request_count", Part::kWaiting},
    {"tgi_request_count", Part::kArrived},
    {"tgi_queue_size", Part::kWaiting},
    {"tgi_batch_current_size", Part::kRunning},
};
struct HistogramName {
  std::string_view name;
  bool input;
};
constexpr HistogramName kHistograms[] = {
    {"vllm:request_prompt_tokens", true},
    {"vllm:request_generation_tokens", false},
    {"tgi_request_input_length", true},
    {"tgi_request_generated_tokens", false},
};

const std::string* label(const ExpositionSample& sample, std::string_view name) {
  for (const auto& [key, value] : sample.labels) {
    if (key == name) return &value;
  }
  return nullptr;
}

bool names_model(const ExpositionSample& sample, std::string_view model) {
  const std::string* name = label(sample, "model_name");
  if (name == nullptr) name = label(sample, "model");
  return name != nullptr && *name == model;
}

// nullopt: a sample of something else.
std::optional<Part> part_of(std::string_view name) {
  for (const Name& known : kNames) {
    if (known.name == name) return known.part;
  }
  // Exporters of OpenMetrics write _total behind every counter.
  if (name.ends_with("_total")) {
    name.remove_suffix(6);
    for (const Name& known : kNames) {
      if (known.name == name) return known.part;
    }
  }
  return std::nullopt;
}

void take_histogram(const ExpositionSample& sample, double value, PodReading& reading) {
  for (const HistogramName& known : kHistograms) {
    std::string_view rest = sample.name;
    if (!rest.starts_with(known.name)) continue;
    rest.remove_prefix(known.name.size());
    Histogram& histogram = known.input ? reading.input : reading.output;
    if (rest == "_sum") {
      histogram.sum += value;
    } else if (rest == "_count") {
      histogram.count += value;
    } else if (rest == "_bucket") {
      const std::string* le = label(sample, "le");
      const auto bound = le == nullptr ? std::nullopt : parse_sample_value(*le);
      if (bound && !std::isnan(*bound)) histogram.buckets[*bound] += value;
    }
  }
}

// Means alone: from the counters of tokens, where the histograms are not there.
void fill_from_totals(Histogram& histogram, double tokens, double requests) {
  if (histogram.count > 0 || requests <= 0) return;
  histogram.sum = tokens;
  histogram.count = requests;
}

// What was observed between two readings of one server's life.
Histogram increase(const Histogram& now, const Histogram& before) {
  Histogram out = now;
  out.add(before, -1);
  if (out.count < 0) return now;
  for (auto& [bound, count] : out.buckets) count = std::max(count, 0.0);
  out.sum = std::max(out.sum, 0.0);
  return out;
}

void fade(Histogram& histogram, double factor) {
  for (auto& [bound, count] : histogram.buckets) count *= factor;
  histogram.sum *= factor;
  histogram.count *= factor;
}

double p95_of(const Histogram& histogram) {
  const double p95 = quantile(histogram, 0.95);
  return p95 > 0 ? p95 : histogram.mean() * kP95OfMean;
}

}  // namespace

Result<PodReading> read_pod(const std::vector<ExpositionSample>& samples, std::string_view model) {
  const bool named = std::ranges::any_of(samples, [&](const ExpositionSample& sample) {
    return part_of(sample.name).has_value() && names_model(sample, model);
  });
  PodReading reading;
  bool any = false;
  bool counts_arrivals = false;
  double ended = 0;
  double input_tokens = 0;
  double output_tokens = 0;
  for (const ExpositionSample& sample : samples) {
    if (named && !names_model(sample, model)) continue;
    if (!std::isfinite(sample.value)) continue;
    const double value = std::max(sample.value, 0.0);
    const auto part = part_of(sample.name);
    if (!part) {
      take_histogram(sample, value, reading);
      continue;
    }
    any = true;
    if (*part == Part::kEnded) ended += value;
    if (*part == Part::kArrived) reading.arrived += value, counts_arrivals = true;
    if (*part == Part::kWaiting) reading.waiting += value;
    if (*part == Part::kWaiting || *part == Part::kRunning) reading.in_flight += value;
    if (*part == Part::kInputTokens) input_tokens += value;
    if (*part == Part::kOutputTokens) output_tokens += value;
  }
  if (!any) return Error("none of vLLM's, Triton's or TGI's metrics is there");
  reading.started = counts_arrivals ? reading.arrived : ended;
  if (!counts_arrivals) reading.arrived = ended + reading.in_flight;
  fill_from_totals(reading.input, input_tokens, reading.started);
  fill_from_totals(reading.output, output_tokens, reading.started);
  return reading;
}

void ModelCounts::begin_round() {
  ++round_;
  arrivals_.push_back(0);
  if (period_ * static_cast<int64_t>(arrivals_.size()) > kHistory) arrivals_.pop_front();
  const double factor = std::exp(-period_.seconds() / kMixMemorySeconds);
  fade(recent_input_, factor);
  fade(recent_output_, factor);
}

void ModelCounts::spread(double arrivals, size_t rounds) {
  const size_t over = std::clamp<size_t>(rounds, 1, arrivals_.size());
  for (size_t i = 0; i < over; ++i) {
    arrivals_[arrivals_.size() - 1 - i] += arrivals / static_cast<double>(rounds);
  }
}

void ModelCounts::add(const std::string& pod, const PodReading& reading) {
  const auto [it, is_new] = pods_.try_emplace(pod);
  Pod& known = it->second;
  if (!is_new && known.round > 0) {
    // A counter that fell: the server began anew, and all it counts has come since then.
    const bool restarted = reading.started < known.last.started;
    const PodReading before = restarted ? PodReading{} : known.last;
    // Requests that fail may leave without being counted as ended: never below zero.
    spread(std::max(reading.arrived - before.arrived, 0.0), round_ - known.round);
    recent_input_.add(increase(reading.input, before.input));
    recent_output_.add(increase(reading.output, before.output));
  }
  known = {reading, round_, round_};
  ever_read_ = true;
}

void ModelCounts::missed(const std::string& pod) { pods_[pod].seen_round = round_; }

cluster::ModelSignals ModelCounts::end_round(Instant now) {
  std::erase_if(pods_, [&](const auto& entry) { return entry.second.seen_round != round_; });
  // Nobody read is not nobody asked: replicas would go for want of a peak.
  if (!ever_read_) arrivals_.clear();
  cluster::ModelSignals signals;
  signals.at = now;
  signals.period = period_;
  signals.arrivals.assign(arrivals_.begin(), arrivals_.end());
  Histogram all_input;
  Histogram all_output;
  for (const auto& [name, pod] : pods_) {
    if (pod.round == 0) continue;
    if (round_ - pod.round < kRoundsStale) signals.waiting += pod.last.waiting;
    all_input.add(pod.last.input);
    all_output.add(pod.last.output);
  }
  const Histogram& input = recent_input_.count >= kEnoughForMix ? recent_input_ : all_input;
  const Histogram& output = recent_output_.count >= kEnoughForMix ? recent_output_ : all_output;
  signals.input_mean = input.mean();
  signals.input_p95 = p95_of(input);
  signals.output_mean = output.mean();
  signals.output_p95 = p95_of(output);
  return signals;
}

}  // namespace windlass::live::signals
