// For tests: the fleet told the obvious way. Every iteration of every server is an event, every
// sequence is counted token by token, queues are vectors, and time is computed in whole ns by
// integer arithmetic, so that even coincidences have to come out as in the fleet. Slow, and shares
// nothing with what it checks but the plain values.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "catalog/service_profile.h"
#include "sim/inference/fleet.h"

namespace windlass::sim {

struct ReferenceProfile {
  int64_t a_ns = 1'000'000;
  int64_t p_ns = 1'000;
  int64_t b_ns = 1'000;
  int64_t c_ns = 1;
  int64_t q_ns = 0;
  int64_t kv_capacity_tokens = 1000;
  int max_sequences = 4;
  int max_batched_tokens = 64;

  [[nodiscard]] catalog::ServiceProfile profile() const {
    const auto ms = [](int64_t ns) { return static_cast<double>(ns) / 1e6; };
    catalog::ServiceProfile out;
    out.iteration_base_ms = ms(a_ns);
    out.prefill_ms_per_token = ms(p_ns);
    out.decode_ms_per_sequence = ms(b_ns);
    out.context_ms_per_token = ms(c_ns);
    out.prefill_base_ms = ms(q_ns);
    out.kv_capacity_tokens = kv_capacity_tokens;
    out.max_sequences = max_sequences;
    out.max_batched_tokens = max_batched_tokens;
    return out;
  }
  // iteration_ms() in integers.
  [[nodiscard]] int64_t iteration_ns(int64_t prefill, int64_t decode, int64_t context) const {
    int64_t tokens_ns = a_ns + b_ns * decode;
    if (prefill > 0) {
      tokens_ns = std::max(tokens_ns + std::min(b_ns, p_ns) * prefill,
                           q_ns + std::max(b_ns, p_ns) * decode + p_ns * prefill);
    }
    return tokens_ns + c_ns * context;
  }
};

struct ReferenceRequest {
  int64_t arrival_ns;
  int64_t input_tokens;
  int64_t output_tokens;
  int retries = 0;
  int64_t first_token_ns = 0;
};

class ReferenceFleet {
 public:
  static constexpr int64_t kIdle = INT64_MAX;

  struct Sequence {
    size_t request;
    int64_t prefilled = 0;
    int64_t generated = 0;
    int64_t chunk = 0;  // prefill tokens in the running iteration; 0: it decodes, or starves
  };
  struct ServerState {
    ReferenceProfile profile;
    std::vector<size_t> waiting{};
    std::vector<Sequence> running{};  // in order of admission
    int64_t iteration_begin_ns = 0;
    int64_t iteration_end_ns = kIdle;
    bool draining = false;
    bool removed = false;
    int64_t emptied_ns = 0;
    int64_t busy_ns = 0;
    uint64_t completed = 0, prompt_tokens = 0, generation_tokens = 0;
    std::optional<Instant> first_token{};

    [[nodiscard]] size_t outstanding() const { return waiting.size() + running.size(); }
  };

  ReferenceFleet(FleetOptions options, std::vector<ReferenceRequest> requests)
      : options_(options), requests_(std::move(requests)) {}

  void advance(int64_t to_ns) {
    while (true) {
      int64_t next_ns = kIdle;
      size_t acting = servers.size();
      for (size_t i = 0; i < servers.size(); ++i) {
        if (servers[i].iteration_end_ns < next_ns) {
          next_ns = servers[i].iteration_end_ns;
          acting = i;
        }
      }
      const int64_t timeout_ns = earliest_timeout();
      const int64_t arrival_ns =
          arrived_ < requests_.size() ? requests_[arrived_].arrival_ns : kIdle;
      const int64_t first_ns = std::min({next_ns, timeout_ns, arrival_ns});
      if (first_ns == kIdle || first_ns > to_ns) break;
      now_ns = first_ns;
      if (next_ns == first_ns) {
        end_iteration(servers[acting]);
        begin_iteration(servers[acting]);
      } else if (timeout_ns == first_ns) {
        fail_timed_out();
      } else {
        ++totals.offered;
        ++totals.in_system;
        route(arrived_++);
        begin_idle();
      }
    }
    now_ns = to_ns;
  }

  void add_server(const ReferenceProfile& profile) {
    servers.push_back({profile});
    reroute({});
  }

  void drain(size_t id) {
    ServerState& server = servers[id];
    if (server.draining || server.removed) return;
    server.draining = true;
    reroute(std::exchange(server.waiting, {}));
  }

  void remove(size_t id) {
    ServerState& server = servers[id];
    if (server.removed) return;
    server.removed = true;
    std::vector<size_t> orphans = std::exchange(server.waiting, {});
    for (const Sequence& sequence : server.running) orphans.push_back(sequence.request);
    server.running.clear();
    if (server.iteration_end_ns != kIdle) server.busy_ns += now_ns - server.iteration_begin_ns;
    server.iteration_end_ns = kIdle;
    std::vector<size_t> again;
    for (const size_t request : orphans) {
      if (requests_[request].retries == options_.max_retries) {
        fail();
      } else {
        ++requests_[request].retries;
        ++totals.retried;
        again.push_back(request);
      }
    }
    reroute(again);
  }

  [[nodiscard]] int64_t busy_ns(const ServerState& server) const {
    return server.busy_ns +
           (server.iteration_end_ns == kIdle ? 0 : now_ns - server.iteration_begin_ns);
  }

  // When the first of the servers that drain now will be empty, found by running on.
  [[nodiscard]] Instant next_drained() const {
    ReferenceFleet later = *this;
    later.advance(kIdle - 1);
    Instant first = kNever;
    for (size_t i = 0; i < servers.size(); ++i) {
      if (!servers[i].draining || servers[i].running.empty()) continue;
      first = std::min(first, Instant{later.servers[i].emptied_ns});
    }
    return first;
  }

  int64_t now_ns = 0;
  std::vector<ServerState> servers;
  std::vector<size_t> router;
  FleetTotals totals;
  std::vector<float> latencies_ms, ttfts_ms;
  Hash64 hash;

 private:
  [[nodiscard]] int64_t earliest_timeout() const {
    int64_t first = kIdle;
    if (options_.request_timeout.ns == 0) return first;
    for_each_waiting([&](size_t request) {
      first = std::min(first, requests_[request].arrival_ns + options_.request_timeout.ns);
    });
    return first;
  }

  template <class Visit>
  void for_each_waiting(Visit visit) const {
    for (const size_t request : router) visit(request);
    for (const ServerState& server : servers) {
      for (const size_t request : server.waiting) visit(request);
    }
  }

  void fail_timed_out() {
    const auto is_due = [this](size_t request) {
      return requests_[request].arrival_ns + options_.request_timeout.ns <= now_ns;
    };
    size_t due = std::erase_if(router, is_due);
    for (ServerState& server : servers) due += std::erase_if(server.waiting, is_due);
    for (size_t i = 0; i < due; ++i) fail();
  }

  void fail() {
    ++totals.failed;
    --totals.in_system;
  }

  [[nodiscard]] int64_t length(size_t request) const {
    return requests_[request].input_tokens + requests_[request].output_tokens;
  }

  void route(size_t request) {
    if (options_.request_timeout.ns > 0 &&
        now_ns - requests_[request].arrival_ns >= options_.request_timeout.ns) {
      return fail();
    }
    ServerState* best = nullptr;
    for (ServerState& server : servers) {
      if (server.draining || server.removed) continue;
      if (best == nullptr || server.outstanding() < best->outstanding()) best = &server;
    }
    if (best == nullptr) return router.push_back(request);
    if (length(request) > best->profile.kv_capacity_tokens) return fail();
    best->waiting.push_back(request);
  }

  void reroute(std::vector<size_t> returned) {
    returned.insert(returned.end(), router.begin(), router.end());
    router.clear();
    std::sort(returned.begin(), returned.end());
    for (const size_t request : returned) route(request);
    begin_idle();
  }

  void begin_idle() {
    for (ServerState& server : servers) {
      if (server.iteration_end_ns == kIdle) begin_iteration(server);
    }
  }

  void begin_iteration(ServerState& server) {
    const ReferenceProfile& profile = server.profile;
    int64_t reserved = 0;
    for (const Sequence& sequence : server.running) reserved += length(sequence.request);
    while (!server.waiting.empty() &&
           server.running.size() < static_cast<size_t>(profile.max_sequences) &&
           reserved + length(server.waiting.front()) <= profile.kv_capacity_tokens) {
      reserved += length(server.waiting.front());
      server.running.push_back({server.waiting.front()});
      server.waiting.erase(server.waiting.begin());
    }
    server.iteration_end_ns = kIdle;
    if (server.running.empty()) return;
    int64_t decoding = 0;
    int64_t context = 0;
    for (const Sequence& sequence : server.running) {
      if (sequence.generated == 0) continue;
      ++decoding;
      context += sequence.prefilled + sequence.generated;
    }
    int64_t budget = std::max(profile.max_batched_tokens, profile.max_sequences) - decoding;
    int64_t prefill = 0;
    for (Sequence& sequence : server.running) {
      const int64_t remaining = requests_[sequence.request].input_tokens - sequence.prefilled;
      sequence.chunk = std::min(remaining, budget);
      budget -= sequence.chunk;
      prefill += sequence.chunk;
    }
    server.iteration_begin_ns = now_ns;
    server.iteration_end_ns = now_ns + profile.iteration_ns(prefill, decoding, context);
  }

  void end_iteration(ServerState& server) {
    server.busy_ns += now_ns - server.iteration_begin_ns;
    std::vector<size_t> decoded;
    std::vector<size_t> prefilled;
    for (Sequence& sequence : server.running) {
      ReferenceRequest& request = requests_[sequence.request];
      const bool decodes = sequence.generated > 0;
      sequence.prefilled += sequence.chunk;
      if (!decodes && sequence.prefilled < request.input_tokens) continue;
      if (!decodes) {
        server.prompt_tokens += static_cast<uint64_t>(request.input_tokens);
        request.first_token_ns = now_ns;
        if (!server.first_token) server.first_token = Instant{now_ns};
      }
      ++sequence.generated;
      ++server.generation_tokens;
      if (sequence.generated < request.output_tokens) continue;
      (decodes ? decoded : prefilled).push_back(sequence.request);
    }
    std::sort(decoded.begin(), decoded.end());
    decoded.insert(decoded.end(), prefilled.begin(), prefilled.end());
    for (const size_t request : decoded) complete(server, request);
    std::erase_if(server.running, [&](const Sequence& sequence) {
      return sequence.generated == requests_[sequence.request].output_tokens;
    });
    if (server.running.empty()) server.emptied_ns = now_ns;
  }

  void complete(ServerState& server, size_t request) {
    const auto ms = [](int64_t ns) { return static_cast<float>(static_cast<double>(ns) * 1e-6); };
    const int64_t latency_ns = now_ns - requests_[request].arrival_ns;
    ++server.completed;
    ++totals.completed;
    --totals.in_system;
    if (latency_ns <= options_.slo.ns) ++totals.slo_met;
    latencies_ms.push_back(ms(latency_ns));
    ttfts_ms.push_back(ms(requests_[request].first_token_ns - requests_[request].arrival_ns));
    hash.add(static_cast<uint64_t>(request));
    hash.add(now_ns);
  }

  FleetOptions options_;
  std::vector<ReferenceRequest> requests_;
  size_t arrived_ = 0;
};

}  // namespace windlass::sim
