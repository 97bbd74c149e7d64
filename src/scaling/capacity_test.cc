// capacity_at_slo against a slow simulation of the batching server, one iteration at a time.
#include <algorithm>
#include <cmath>
#include <deque>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

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
  [[nodiscard]] double p95() const { return mean * std::exp(1.645 * sigma - sigma * sigma / 2); }
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

  Measured run(double per_s, const Sizes& input, const Sizes& output, int requests, uint64_t seed) {
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
  // a, p, b, c, KV tokens, sequences, token budget; c is KV bytes a token over 0.75 of the
  // bandwidth. T4 with a 1.5 B model, A10G and H100 with one of 8 B.
  const catalog::ServiceProfile t4{12.9, 0.07, 0.03, 0.00012, 350'000, 256, 2048};
  const catalog::ServiceProfile a10g{36, 0.34, 0.06, 0.00029, 40'000, 256, 2048};
  const catalog::ServiceProfile h100{6.4, 0.024, 0.012, 0.00005, 400'000, 256, 2048};
  return {
      {"t4 short", t4, {300, 0}, {20, 0}, 450},
      {"h100 short", h100, {300, 0}, {20, 0}, 450},
      {"t4 short varied", t4, {300, 0.6}, {20, 0.5}, 600},
      {"h100 short varied", h100, {300, 0.6}, {20, 0.5}, 450},
      {"t4 chat", t4, {1155, 0.8}, {211, 0.7}, 15'000},
      {"a10g chat", a10g, {1155, 0.8}, {211, 0.7}, 30'000},
      {"h100 chat", h100, {1155, 0.8}, {211, 0.7}, 15'000},
      {"t4 chat, fixed", t4, {1155, 0}, {211, 0}, 15'000},
      {"a10g chat, fixed", a10g, {1155, 0}, {211, 0}, 15'000},
      {"h100 chat, fixed", h100, {1155, 0}, {211, 0}, 5'000},
      {"t4 long prompts", t4, {6000, 0.3}, {50, 0.3}, 8'000},
  };
}

RequestMix mix_of(const Case& c) {
  return {c.input.mean, c.output.mean, c.input.p95(), c.output.p95()};
}

TEST(Capacity, AgreesWithASimulatedServer) {
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.name);
    const Capacity capacity = capacity_at_slo(c.profile, mix_of(c), c.slo_ms);
    ASSERT_EQ(capacity.limited_by, "slo");
    const auto measure = [&](double factor) {
      return BatchingServer(c.profile).run(capacity.requests_per_s * factor, c.input, c.output,
                                           8000, 1);
    };
    const Measured at = measure(1.0);
    const Measured beyond = measure(1.3);
    fmt::print(
        "{:18} SLO {:6} ms: {:7.2f}/s, batch {:5.1f} (measured {:5.1f}); P95/SLO {:.2f}, at "
        "1.3x {:.2f}\n",
        c.name, c.slo_ms, capacity.requests_per_s, capacity.batch, at.batch, at.p95_ms / c.slo_ms,
        beyond.p95_ms / c.slo_ms);
    EXPECT_LE(at.p95_ms, c.slo_ms * 1.10);
    EXPECT_GE(beyond.p95_ms, c.slo_ms);
    // The rate is not just safe: the server is well used by it.
    EXPECT_GE(at.p95_ms, c.slo_ms * 0.75);
  }
}

TEST(Capacity, UnloadedLatencyIsWhatALoneRequestTakes) {
  const Case c = cases()[0];
  const Capacity capacity = capacity_at_slo(c.profile, mix_of(c), c.slo_ms);
  const Measured lone = BatchingServer(c.profile).run(0.01, c.input, c.output, 500, 3);
  EXPECT_NEAR(capacity.unloaded_p95_ms, lone.p95_ms, lone.p95_ms * 0.02);
}

struct LimitCase {
  const char* name;
  int64_t kv_tokens;
  int max_sequences;
  int max_batched;
  double slo_ms;
  const char* limited_by;
};

TEST(Capacity, NamesWhatLimits) {
  const LimitCase table[] = {
      {"roomy", 400'000, 256, 2048, 15'000, "slo"},
      {"little memory", 20'000, 256, 2048, 15'000, "kv_memory"},
      {"few slots", 400'000, 8, 2048, 15'000, "max_sequences"},
      {"no time limit", 4'000'000, 4096, 1024, 1e9, "compute"},
      {"too strict", 400'000, 256, 2048, 1000, "slo_unreachable"},
      {"a request does not fit", 2'000, 256, 2048, 15'000, "kv_memory"},
  };
  for (const LimitCase& c : table) {
    const catalog::ServiceProfile profile{6.4,         0.024,           0.012,        0.00005,
                                          c.kv_tokens, c.max_sequences, c.max_batched};
    const Capacity capacity = capacity_at_slo(profile, {1155, 211, 3500, 450}, c.slo_ms);
    EXPECT_EQ(capacity.limited_by, c.limited_by) << c.name;
  }
}

TEST(Capacity, LimitedRatesStayWithinTheLimit) {
  const Sizes input{1155, 0.5};
  const Sizes output{211, 0.5};
  const catalog::ServiceProfile slots{6.4, 0.024, 0.012, 0.00005, 400'000, 16, 2048};
  const RequestMix mix{input.mean, output.mean, input.p95(), output.p95()};
  const Capacity capacity = capacity_at_slo(slots, mix, 15'000);
  ASSERT_EQ(capacity.limited_by, "max_sequences");
  const Measured at = BatchingServer(slots).run(capacity.requests_per_s, input, output, 8000, 5);
  EXPECT_LE(at.p95_ms, 15'000);
  EXPECT_LE(at.batch, 0.85 * 16);
}

TEST(Capacity, NothingInMakesNothingBreak) {
  const catalog::ServiceProfile profile{6.4, 0.024, 0.012, 0.00005, 400'000, 256, 2048};
  for (const RequestMix& mix : {RequestMix{}, RequestMix{NAN, NAN, NAN, NAN},
                                RequestMix{-5, -5, -5, -5}, RequestMix{1e12, 1e12, 1e12, 1e12}}) {
    const Capacity capacity = capacity_at_slo(profile, mix, 1000);
    EXPECT_TRUE(std::isfinite(capacity.requests_per_s));
    EXPECT_GE(capacity.requests_per_s, 0);
    EXPECT_FALSE(capacity.limited_by.empty());
  }
  EXPECT_EQ(capacity_at_slo(profile, {300, 20, 300, 20}, NAN).limited_by, "slo_unreachable");
  const catalog::ServiceProfile free{0, 0, 0, 0, 400'000, 256, 2048};
  EXPECT_TRUE(std::isfinite(capacity_at_slo(free, {300, 20, 300, 20}, 10).requests_per_s));
}

RC_GTEST_PROP(Capacity, GrowsWithTheSloAndShrinksWithTheWork, ()) {
  catalog::ServiceProfile profile;
  profile.iteration_base_ms = *rc::gen::inRange(20, 600) / 10.0;
  profile.prefill_ms_per_token = *rc::gen::inRange(10, 400) / 1000.0;
  profile.decode_ms_per_sequence = *rc::gen::inRange(1, 200) / 1000.0;
  profile.context_ms_per_token = *rc::gen::inRange(0, 40) / 100'000.0;
  profile.kv_capacity_tokens = *rc::gen::inRange(2'000, 500'000);
  const double input = *rc::gen::inRange(1, 3000);
  const double output = *rc::gen::inRange(1, 600);
  const RequestMix mix{input, output, input * *rc::gen::inRange(10, 40) / 10.0,
                       output * *rc::gen::inRange(10, 40) / 10.0};
  const double slo = *rc::gen::inRange(100, 60'000);
  const Capacity base = capacity_at_slo(profile, mix, slo);
  RC_ASSERT(base.requests_per_s >= 0);
  RC_ASSERT((base.requests_per_s > 0) ==
            (base.unloaded_p95_ms <= slo && base.limited_by != "slo_unreachable" &&
             input + mix.input_tokens_p95 - input + mix.output_tokens_p95 <=
                 static_cast<double>(profile.kv_capacity_tokens)));
  // Sequence counts are rounded inside, hence the hair of tolerance.
  RC_ASSERT(capacity_at_slo(profile, mix, slo * 1.5).requests_per_s >= base.requests_per_s * 0.999);
  RequestMix longer = mix;
  longer.output_tokens_mean *= 1.5;
  longer.output_tokens_p95 *= 1.5;
  RC_ASSERT(capacity_at_slo(profile, longer, slo).requests_per_s <= base.requests_per_s * 1.001);
}

}  // namespace
}  // namespace windlass::scaling
