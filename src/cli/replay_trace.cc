#include "cli/replay_trace.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <optional>

#include <fmt/format.h>

#include "base/rng.h"

namespace windlass::cli {
namespace {

constexpr double kNormalP95 = 1.6448536269514722;
// Where only means are known: an exponential's P95 is three means.
constexpr double kAssumedP95 = 3;
constexpr double kMostTokens = 1e6;

// What was recorded last at a time, or first before anything was.
std::optional<double> value_at(const std::map<int64_t, double>& points, int64_t at) {
  if (points.empty()) return std::nullopt;
  auto it = points.upper_bound(at);
  if (it != points.begin()) --it;
  return it->second;
}

class Lengths {
 public:
  Lengths(const LengthHistory& history, double assumed) : history_(history), assumed_(assumed) {}

  void move_to(int64_t at) {
    const double mean = value_at(history_.mean, at).value_or(assumed_);
    const double p95 = value_at(history_.p95, at).value_or(mean * kAssumedP95);
    now_ = log_normal_of(std::max(mean, 1.0), p95);
  }
  int32_t draw(Rng& rng) const {
    const double tokens = rng.log_normal(now_.mu, now_.sigma);
    return static_cast<int32_t>(std::clamp(tokens, 1.0, kMostTokens) + 0.5);
  }

 private:
  const LengthHistory& history_;
  double assumed_;
  LogNormal now_;
};

}  // namespace

LogNormal log_normal_of(double mean, double p95) {
  const double ratio = p95 > 0 ? std::log(p95 / mean) : 0;
  // p95 = mean * exp(z * sigma - sigma^2 / 2), which rises with sigma up to z; no log-normal has a
  // P95 beyond 3.87 means or, with any spread, one below the mean.
  const double root = kNormalP95 * kNormalP95 - 2 * ratio;
  const double sigma = root <= 0 ? kNormalP95 : kNormalP95 - std::sqrt(root);
  const double used = std::clamp(sigma, 0.0, kNormalP95);
  return {std::log(mean) - used * used / 2, used};
}

Result<TraceWritten> write_trace(const std::string& path, const std::string& model,
                                 const ModelHistory& history, const RangeWindow& span,
                                 uint64_t seed) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << "time_s,input_tokens,output_tokens\n";
  TraceWritten out;
  out.every = static_cast<int>(std::clamp(std::ceil(history.requests / kMostRows), 1.0, 1000.0));
  out.input_assumed = history.input.mean.empty();
  out.output_assumed = history.output.mean.empty();
  out.spread_assumed = (!out.input_assumed && history.input.p95.empty()) ||
                       (!out.output_assumed && history.output.p95.empty());
  Rng arrivals(seed, "replay arrivals " + model);
  Rng inputs(seed, "replay input tokens " + model);
  Rng outputs(seed, "replay output tokens " + model);
  Lengths input(history.input, kAssumedInput);
  Lengths output(history.output, kAssumedOutput);
  const auto step = static_cast<double>(span.step);
  // Arrivals of rate 1 in a time that runs as fast as the rate says.
  double due = arrivals.exponential(1);
  double passed = 0;
  std::string lines;
  for (size_t i = 0; i < history.rates.size(); ++i) {
    const double begin = static_cast<double>(i) * step;
    const double expected = history.rates[i] * step / out.every;
    const int64_t now = span.from + static_cast<int64_t>(i) * span.step;
    if (due < passed + expected) {
      input.move_to(now);
      output.move_to(now);
    }
    for (; due < passed + expected; due += arrivals.exponential(1)) {
      // Within the step even after rounding to milliseconds.
      const double at = std::min((due - passed) / expected * step, step - 0.001);
      const int32_t in = input.draw(inputs);
      const int32_t given = output.draw(outputs);
      fmt::format_to(std::back_inserter(lines), "{:.3f},{},{}\n", begin + at, in, given);
      out.input_mean += in;
      out.output_mean += given;
      ++out.rows;
    }
    passed += expected;
    if (lines.size() > 1 << 16) {
      file << lines;
      lines.clear();
    }
  }
  file << lines;
  file.close();
  if (!file) return Error(fmt::format("can't write {}", path));
  if (out.rows > 0) {
    out.input_mean /= static_cast<double>(out.rows);
    out.output_mean /= static_cast<double>(out.rows);
  }
  return out;
}

}  // namespace windlass::cli
