// capacity_at_slo: the largest Poisson rate one continuously batching replica serves with its P95
// latency within the SLO. The derivation, with the meaning of each symbol, is in
// docs/designs/joint-policy.md; the iteration model is service_profile.h's.
#include <algorithm>
#include <cmath>

#include "scaling/demand.h"

namespace windlass::scaling {
namespace {

// The 95th percentile of the standard normal distribution.
constexpr double kZ95 = 1.645;
// Beyond this share of the memory or the slots, preemption and queueing set in that the latency
// model does not know.
constexpr double kSafeFill = 0.85;

// Mean and spread of one length, in tokens. The spread is read off the distance from mean to P95,
// as if normal: for the skewed lengths of real traffic that errs to the safe side.
struct Length {
  double mean;
  double excess;  // P95 - mean
  [[nodiscard]] double second_moment() const {
    const double deviation = excess / kZ95;
    return mean * mean + deviation * deviation;
  }
};

Length length_of(double mean, double p95) {
  const double safe_mean = std::isfinite(mean) ? std::max(mean, 1.0) : 1.0;
  const double safe_p95 = std::isfinite(p95) ? std::max(p95, safe_mean) : safe_mean;
  return {safe_mean, safe_p95 - safe_mean};
}

class Server {
 public:
  Server(const catalog::ServiceProfile& profile, const RequestMix& mix)
      : p_(profile),
        in_(length_of(mix.input_tokens_mean, mix.input_tokens_p95)),
        out_(length_of(mix.output_tokens_mean, mix.output_tokens_p95)) {
    // Tokens of context a resident sequence holds while it decodes: long outputs stay longer.
    context_ = in_.mean + out_.second_moment() / out_.mean / 2;
    token_ms_ = p_.decode_ms_per_sequence + p_.context_ms_per_token * context_;
    chunks_ = std::ceil(in_.mean / std::max(p_.max_batched_tokens, 1));
  }

  struct Load {
    bool stable = false;      // false: work comes faster than it can be done
    double iteration_ms = 0;  // mean, as a decoding request sees it
    double p95_ms = 0;        // latency
    double batch = 0;         // mean requests in the server
    double decoding = 0;      // mean sequences decoding
  };
  // Steady state at `per_ms` arrivals a millisecond.
  [[nodiscard]] Load at(double per_ms) const {
    Load load;
    const double alone_ms = p_.iteration_base_ms + token_ms_;
    load.iteration_ms = alone_ms;
    double prefill = 0;
    double slow = 1;
    // What a prefill adds depends on what else is in its iteration, and the iteration's length on
    // the prefills in it. From below this climbs to the steady state, if there is one.
    for (int i = 0; i < 200; ++i) {
      load.decoding = per_ms * out_.mean * load.iteration_ms;
      prefill = prefill_ms(per_ms * load.iteration_ms, load.decoding);
      const double busy = per_ms * (prefill + out_.mean * token_ms_);
      if (busy >= 0.99) return load;
      slow = 1 / (1 - busy);
      const double before = load.iteration_ms;
      load.iteration_ms = alone_ms * slow;
      if (load.iteration_ms - before < 1e-9 * before) break;
    }
    load.stable = true;
    fill_latency(per_ms, prefill, slow, load);
    return load;
  }

  [[nodiscard]] bool fits_sequences(const Load& load) const {
    return high_count(load.batch) <= kSafeFill * p_.max_sequences;
  }
  [[nodiscard]] bool fits_memory(const Load& load) const {
    const double tokens = std::max(context_, in_.mean + out_.mean);
    return high_count(load.batch) * tokens <=
           kSafeFill * static_cast<double>(p_.kv_capacity_tokens);
  }
  // Prefill of an iteration's arrivals must fit its token budget beside the decoding ones.
  [[nodiscard]] bool fits_compute(const Load& load, double per_ms) const {
    return per_ms * load.iteration_ms * in_.mean + load.decoding <=
           kSafeFill * p_.max_batched_tokens;
  }
  [[nodiscard]] bool holds_one() const {
    const double largest = in_.mean + in_.excess + out_.mean + out_.excess;
    return p_.max_sequences >= 1 && largest <= static_cast<double>(p_.kv_capacity_tokens);
  }

 private:
  // The requests in the server vary about like a Poisson number; the P95 of it must fit.
  static double high_count(double mean) { return mean + kZ95 * std::sqrt(mean); }

  // What the prefills of `requests` mean prompts add to an iteration that decodes anyway.
  [[nodiscard]] double added_ms(int requests, int decoding) const {
    const auto tokens = static_cast<int>(std::min(std::round(requests * in_.mean), 1e9));
    return catalog::iteration_ms(p_, tokens, decoding, 0) -
           catalog::iteration_ms(p_, 0, decoding, 0);
  }
  // Milliseconds a request's prefill adds on average, when an iteration gets this many of them in
  // the mean. Several prefills in one iteration cost more than each alone, since the first hides
  // behind the reading of the weights. Their number is taken as geometric: Poisson arrivals over
  // iterations whose length varies about exponentially.
  [[nodiscard]] double prefill_ms(double mean_requests, double decoding) const {
    const auto beside = static_cast<int>(std::min(std::round(decoding), 1e6));
    double before = 0;
    double added = added_ms(1, beside);
    if (mean_requests < 1e-6) return added;
    const double more = mean_requests / (1 + mean_requests);  // chance of one more
    double chance = (1 - more) * more;
    double sum = chance * added;
    double beyond = more * more;  // chance of more than n
    // The cost is two straight lines, the steeper one of arithmetic last: from there on the rest of
    // the sum is known, by the geometric distribution's lack of memory.
    const double steepest = p_.prefill_ms_per_token * (in_.mean - 1);
    for (int n = 2; n <= 64 && (n == 2 || added - before < steepest); ++n) {
      before = added;
      added = added_ms(n, beside);
      chance *= more;
      sum += chance * added;
      beyond *= more;
    }
    sum += beyond * (added + (added - before) / (1 - more));
    return sum / mean_requests;
  }

  void fill_latency(double per_ms, double prefill, double slow, Load& load) const {
    const double base = p_.iteration_base_ms;
    const double p = p_.prefill_ms_per_token;
    // Own work at a server with nobody else: prefill, then a token an iteration.
    const double own = added_ms(1, 0) + base * chunks_ + (out_.mean - 1) * (base + token_ms_);
    // Second moment of the work that one other request brings.
    const double deviation = in_.excess / kZ95;
    const double decode = out_.mean * token_ms_;
    const double square = prefill * prefill + p * p * deviation * deviation + 2 * prefill * decode +
                          token_ms_ * token_ms_ * out_.second_moment();
    // An arrival waits for the rest of the running iteration: of its base and of what is in it.
    const double present = -std::expm1(-per_ms * own * slow);
    const double ahead = present * base / 2 + per_ms * square / 2;
    const double mean = (own + ahead) * slow;
    load.batch = per_ms * mean;
    // What arrives during a request slows it down, which lets more arrive: a busy period started
    // by own + ahead, whose variance this is (M/G/1, exceptional first service).
    // In a burst prefills share iterations and none is hidden, so here each counts in full.
    const double busy = per_ms * (std::max(prefill, p * in_.mean) + decode);
    const double burst = 1 / std::max(1 - busy, 0.01);
    const double by_load = (own + ahead) * per_ms * square * burst * burst * burst +
                           present * base * base / 12 * slow * slow;
    const double by_input = p * in_.excess * slow;
    const double by_output = out_.excess * load.iteration_ms;
    load.p95_ms =
        mean + std::sqrt(by_input * by_input + by_output * by_output + kZ95 * kZ95 * by_load);
  }

  catalog::ServiceProfile p_;
  Length in_, out_;
  double context_ = 0, token_ms_ = 0, chunks_ = 1;
};

// What stands in the way of a rate (a millisecond); nullptr if nothing does.
const char* obstacle(const Server& server, double per_ms, double slo_p95_ms) {
  const Server::Load load = server.at(per_ms);
  if (!load.stable || !server.fits_compute(load, per_ms)) return "compute";
  if (!server.fits_memory(load)) return "kv_memory";
  if (!server.fits_sequences(load)) return "max_sequences";
  return load.p95_ms <= slo_p95_ms ? nullptr : "slo";
}

}  // namespace

Capacity capacity_at_slo(const catalog::ServiceProfile& profile, const RequestMix& mix,
                         double slo_p95_ms) {
  const Server server(profile, mix);
  Capacity out;
  out.unloaded_p95_ms = server.at(0).p95_ms;
  if (!(out.unloaded_p95_ms <= slo_p95_ms)) {
    out.limited_by = "slo_unreachable";
    return out;
  }
  if (!server.holds_one()) {
    out.limited_by = "kv_memory";
    return out;
  }
  // Every obstacle grows with the rate, so halving finds the edge: 60 steps reach the last bits,
  // the same on every machine. A profile without any cost has no limit of its own; a thousand
  // requests a millisecond is one.
  double low = 0;
  double high = 1000;
  const char* limited_by = obstacle(server, high, slo_p95_ms);
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    const char* found = obstacle(server, middle, slo_p95_ms);
    if (found == nullptr) {
      low = middle;
    } else {
      high = middle;
      limited_by = found;
    }
  }
  out.requests_per_s = low * 1000;
  out.batch = server.at(low).decoding;
  out.limited_by = limited_by == nullptr ? "compute" : limited_by;
  return out;
}

}  // namespace windlass::scaling
