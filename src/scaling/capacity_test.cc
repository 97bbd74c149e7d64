// capacity_at_slo against a slow simulation of the batching server, one iteration at a time.
#include <algorithm>
#include <cmath>
#include <deque>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/rng.h"
#include "scaling/demand.h"

namespace windlass::scaling {
namespace {

struct Request {
  double arrived_ms = 0;
  int input = 0;
  int output = 0;
  int prefilled = 0;
  int produced = 0;
};

struct Measured {
  double p95_ms = 0;
  double batch = 0;  // mean sequences decoding, over iterations
  bool drained = true;
};

struct Sizes {
  double mean;
  double sigma;  // of the logarithm; 0: all alike
  [[nodiscard]] double p95() const {
    return mean * std::exp(1.645 * sigma - sigma * sigma / 2);
  }
  int draw(Rng& rng) const {
    const double tokens = rng.log_normal(std::log(mean) - sigma * sigma / 2, sigma);
    return std::max(1, static_cast<int>(std::lround(tokens)));
  }
};

// vLLM's loop in its plainest form: every iteration decodes one token of each running sequence and
// spends the rest of the token budget on prefill, first come first served.
class BatchingServer {
 public:
  explicit BatchingServer(const catalog::ServiceProfile& profile) : profile_(profile) {}

  Measured run(double per_s, const Sizes& input, const Sizes& output, int requests,
               uint64_t seed) {
    Rng rng(seed, "capacity-test");
    std::vector<Request> arrivals;
    double at = 0;
    for (int i = 0; i < requests; ++i) {
      at += rng.exponential(per_s / 1000);
      arrivals.push_back({at, input.draw(rng), output.draw(rng), 0, 0});
    }
    return serve(arrivals);
  }

 private:
  Measured serve(const std::vector<Request>& arrivals) {
    std::vector<double> latencies;
    std::deque<Request> waiting;
    std::vector<Request> running;
    double now = 0;
    double iterations = 0;
    double decoded = 0;
    size_t next = 0;
    while (latencies.size() < arrivals.size()) {
      while (next < arrivals.size() && arrivals[next].arrived_ms <= now) {
        waiting.push_back(arrivals[next++]);
      }
      if (waiting.empty() && running.empty()) {
        now = arrivals[next].arrived_ms;
        continue;
      }
      // A server that has fallen this far behind will not come back.
      if (waiting.size() > 2000) return {1e12, 0, false};
      now += iterate(waiting, running, decoded);
      iterations += 1;
      std::erase_if(running, [&](const Request& r) {
        if (r.produced < r.output) return false;
        latencies.push_back(now - r.arrived_ms);
        return true;
      });
    }
    // The start from empty is not steady state.
    latencies.erase(latencies.begin(), latencies.begin() + static_cast<long>(arrivals.size() / 10));
    std::sort(latencies.begin(), latencies.end());
    return {latencies[latencies.size() * 95 / 100], decoded / iterations, true};
  }

  double iterate(std::deque<Request>& waiting, std::vector<Request>& running, double& decoded) {
    int budget = profile_.max_batched_tokens;
    int decoding = 0;
    int prefilling = 0;
    double context = 0;
    for (Request& r : running) {
      if (r.prefilled < r.input) continue;
      ++decoding;
      --budget;
      context += r.input + r.produced;
      ++r.produced;
    }
    const auto prefill = [&](Request& r) {
      const int chunk = std::min(budget, r.input - r.prefilled);
      r.prefilled += chunk;
      budget -= chunk;
      prefilling += chunk;
      if (r.prefilled == r.input) ++r.produced;  // the first token comes out of the prefill
    };
    for (Request& r : running) {
      if (r.prefilled < r.input && budget > 0) prefill(r);
    }
    while (!waiting.empty() && budget > 0 &&
           running.size() < static_cast<size_t>(profile_.max_sequences)) {
      running.push_back(waiting.front());
      waiting.pop_front();
      prefill(running.back());
    }
    decoded += decoding;
    return catalog::iteration_ms(profile_, prefilling, decoding, context);
  }

  catalog::ServiceProfile profile_;
};

struct Case {
  const char* name;
  catalog::ServiceProfile profile;
  Sizes input;
  Sizes output;
  double slo_ms;
};

std::vector<Case> cases() {
  // a, p, b, c, KV tokens, sequences, budget. c: KV bytes a token over 0.75 of the bandwidth.
  const catalog::ServiceProfile t4{12.9, 0.07, 0.03, 0.00012, 350'000, 256, 2048};
  const catalog::ServiceProfile a10g{36, 0.34, 0.06, 0.00029, 40'000, 256, 2048};
  const catalog::ServiceProfile h100{6.4, 0.024, 0.012, 0.00005, 400'000, 256, 2048};
  const Sizes in_short{300, 0};
  const Sizes out_short{20, 0};
  std::vector<Case> all;
  all.push_back({"t4 short", t4, in_short, out_short, 450});
  all.push_back({"h100 short", h100, in_short, out_short, 450});
  all.push_back({"t4 short varied", t4, {300, 0.6}, {20, 0.5}, 600});
  all.push_back({"h100 short varied", h100, {300, 0.6}, {20, 0.5}, 450});
  all.push_back({"t4 chat", t4, {1155, 0.8}, {211, 0.7}, 15'000});
  all.push_back({"a10g chat", a10g, {1155, 0.8}, {211, 0.7}, 30'000});
  all.push_back({"h100 chat", h100, {1155, 0.8}, {211, 0.7}, 15'000});
  all.push_back({"t4 fixed chat", t4, {1155, 0}, {211, 0}, 15'000});
  all.push_back({"a10g fixed chat", a10g, {1155, 0}, {211, 0}, 15'000});
  all.push_back({"h100 fixed chat", h100, {1155, 0}, {211, 0}, 5'000});
  return all;
}

TEST(Capacity, Print) {
  for (const Case& c : cases()) {
    const RequestMix mix{c.input.mean, c.output.mean, c.input.p95(), c.output.p95()};
    const Capacity capacity = capacity_at_slo(c.profile, mix, c.slo_ms);
    fmt::print("{:18} slo {:6} -> {:7.3f}/s batch {:6.1f} alone {:8.1f} {:14}", c.name, c.slo_ms,
               capacity.requests_per_s, capacity.batch, capacity.unloaded_p95_ms,
               capacity.limited_by);
    for (double f : {0.8, 1.0, 1.1, 1.2, 1.3}) {
      const Measured m = BatchingServer(c.profile).run(capacity.requests_per_s * f, c.input,
                                                       c.output, 6000, 1);
      fmt::print(" {}: {:.2f} b{:.0f}", f, m.p95_ms / c.slo_ms, m.batch);
    }
    fmt::print("\n");
  }
}

}  // namespace
}  // namespace windlass::scaling
