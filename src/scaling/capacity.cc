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
    bool stable = false;       // false: work comes faster than it can be done
    double iteration_ms = 0;   // mean, as a decoding request sees it
    double p95_ms = 0;         // latency
    double batch = 0;          // mean requests in the server
    double decoding = 0;       // mean sequences decoding
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
    for (int i = 0; i < 30; ++i) {
      load.decoding = per_ms * out_.mean * load.iteration_ms;
      prefill = prefill_ms(per_ms * load.iteration_ms, load.decoding);
      const double busy = per_ms * (prefill + out_.mean * token_ms_);
      if (busy >= 0.99) return load;
      slow = 1 / (1 - busy);
      load.iteration_ms = alone_ms * slow;
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
  // Milliseconds a request's prefill adds on average, when an iteration gets a Poisson number of
  // them with this mean. Several prefills in one iteration cost more than each alone, since the
  // first hides behind the reading of the weights.
  [[nodiscard]] double prefill_ms(double mean_requests, double decoding) const {
    const auto beside = static_cast<int>(std::min(std::round(decoding), 1e6));
    if (mean_requests < 1e-6) return added_ms(1, beside);
    // Far from the origin the cost is a straight line, and the mean is all that counts.
    if (mean_requests > 20) {
      return added_ms(static_cast<int>(mean_requests), beside) / std::floor(mean_requests);
    }
    const double more = mean_requests / (1 + mean_requests);
    double chance = 1 - more;
    double sum = 0;
    for (int n = 1; n <= 200; ++n) {
      chance *= more;
      sum += chance * added_ms(n, beside);
    }
    return sum / mean_requests;
  }

  void fill_latency(double per_ms, double prefill, double slow, Load& load) const {
    const double base = p_.iteration_base_ms;
    const double p = p_.prefill_ms_per_token;
    // Own work at a server with nobody else: prefill, then a token an iteration.
    const double own =
        added_ms(1, 0) + base * chunks_ + (out_.mean - 1) * (base + token_ms_);
    // Second moment of the work that one other request brings.
    const double deviation = in_.excess / kZ95;
    const double decode = out_.mean * token_ms_;
    const double square = prefill * prefill + p * p * deviation * deviation +
                          2 * prefill * decode + token_ms_ * token_ms_ * out_.second_moment();
    // An arrival waits for the rest of the running iteration: of its base and of what is in it.
    const double present = -std::expm1(-per_ms * own * slow);
    const double ahead = present * base / 2 + per_ms * square / 2;
    const double mean = (own + ahead) * slow;
    load.batch = per_ms * mean;
    // What arrives during a request slows it down, which lets more arrive: a busy period started
    // by own + ahead, whose variance this is (M/G/1, exceptional first service).
    const double by_load = (own + ahead) * per_ms * square * slow * slow * slow +
                           present * base * base / 12 * slow * slow;
    const double by_input = p * in_.excess * slow;
    const double by_output = out_.excess * load.iteration_ms;
    load.p95_ms = mean + std::sqrt(by_input * by_input + by_output * by_output +
                                   kZ95 * kZ95 * by_load);
  }

  catalog::ServiceProfile p_;
  Length in_, out_;
  double context_ = 0, token_ms_ = 0, chunks_ = 1;
};

// The largest rate (a millisecond) for which `holds` is true; it is true up to some rate and false
// beyond. 60 halvings reach the last bits, the same on every machine. A profile without any cost
// has no limit of its own; a thousand requests a millisecond is one.
template <typename Holds>
double largest_rate(Holds holds) {
  double low = 0;
  double high = 1000;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (holds(middle) ? low : high) = middle;
  }
  return low;
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
  const auto limit = [&](auto fits) {
    return largest_rate([&](double per_ms) {
      const Server::Load load = server.at(per_ms);
      return load.stable && fits(load, per_ms);
    });
  };
  struct Limit {
    const char* name;
    double per_ms;
  };
  // Named in this order where several are equal.
  const Limit limits[] = {
      {"compute", limit([&](const auto& load, double r) { return server.fits_compute(load, r); })},
      {"kv_memory", limit([&](const auto& load, double) { return server.fits_memory(load); })},
      {"max_sequences", limit([&](const auto& load, double) { return server.fits_sequences(load); })},
      {"slo", limit([&](const auto& load, double) { return load.p95_ms <= slo_p95_ms; })},
  };
  const Limit* least = &limits[0];
  for (const Limit& candidate : limits) {
    if (candidate.per_ms < least->per_ms) least = &candidate;
  }
  out.requests_per_s = least->per_ms * 1000;
  out.batch = server.at(least->per_ms).decoding;
  out.limited_by = least->name;
  return out;
}

}  // namespace windlass::scaling
