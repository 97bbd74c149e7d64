#include "sim/inference/fleet.h"

#include <cmath>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "sim/traffic/temporary_trace.h"

namespace windlass::sim {
namespace {

const std::string kHeader = "time_s,input_tokens,output_tokens\n";

Traffic rows(const std::string& text) {
  const TemporaryTrace file(kHeader + text);
  return std::move(Traffic::open({.trace = TraceSpec{.path = file.path(), .repeat = false}}, 1,
                                 Instant{}, hours(24)))
      .value();
}

// One iteration: 10 ms + 0.1 ms a prompt token + 1 ms a decoding sequence + 0.01 ms a context
// token.
catalog::ServiceProfile simple_profile() {
  catalog::ServiceProfile profile;
  profile.iteration_base_ms = 10;
  profile.prefill_ms_per_token = 0.1;
  profile.decode_ms_per_sequence = 1;
  profile.context_ms_per_token = 0.01;
  profile.kv_capacity_tokens = 1000;
  profile.max_sequences = 4;
  profile.max_batched_tokens = 100;
  return profile;
}

Instant at_ms(double ms) { return Instant{} + from_seconds(ms * 1e-3); }

TEST(Fleet, OneRequestTakesWhatTheFormulaSays) {
  Fleet fleet({.slo = milliseconds(100)}, rows("1,50,4\n"), Instant{});
  const ServerId id = fleet.add_server(simple_profile());
  ASSERT_TRUE(fleet.advance(Instant{seconds(10).ns}).ok());
  // Prefill 10 + 5 ms; then three tokens with 51, 52 and 53 tokens of context.
  ASSERT_EQ(fleet.ttfts_ms(), std::vector<float>{15});
  ASSERT_EQ(fleet.latencies_ms().size(), 1U);
  EXPECT_NEAR(fleet.latencies_ms()[0], 15 + 3 * 11 + 0.51 + 0.52 + 0.53, 1e-4);
  const ServerStats stats = fleet.stats(id);
  EXPECT_EQ(stats.prompt_tokens, 50U);
  EXPECT_EQ(stats.generation_tokens, 4U);
  EXPECT_EQ(stats.completed, 1U);
  EXPECT_EQ(stats.busy, from_seconds(0.04956));
  EXPECT_EQ(stats.first_token, at_ms(1015));
  EXPECT_EQ(fleet.totals().slo_met, 1U);
  EXPECT_NEAR(fleet.number_integral(), 0.04956, 1e-9);
}

TEST(Fleet, AnArrivalJoinsAtTheEndOfTheRunningIteration) {
  // The first decodes from 1.015 on in steps of 11.51, 11.52, ... ms; the second comes in the first
  // of them, so its prefill runs beside the second: 12 tokens' arithmetic and one decoding.
  Fleet fleet({}, rows("1,50,40\n1.020,20,1\n"), Instant{});
  fleet.add_server(simple_profile());
  ASSERT_TRUE(fleet.advance(Instant{seconds(10).ns}).ok());
  const double boundary = 1015 + 11.51;
  ASSERT_EQ(fleet.ttfts_ms().size(), 2U);
  EXPECT_NEAR(fleet.ttfts_ms()[0], boundary + 10 + 2 + 1 + 0.52 - 1020, 1e-3);
}

TEST(Fleet, LongPromptsAreChunkedAndDecodingComesFirst) {
  // Budget 100: 100 + 100 + 50 prompt tokens, alone.
  Fleet alone({}, rows("0,250,1\n"), Instant{});
  alone.add_server(simple_profile());
  ASSERT_TRUE(alone.advance(Instant{seconds(10).ns}).ok());
  EXPECT_NEAR(alone.ttfts_ms()[0], 20 + 20 + 15, 1e-4);
}

TEST(Fleet, ReservesWholeLengthsAndKeepsTheQueuesOrder) {
  // 600 + 600 > 1000 tokens: the second waits for the first's end, and the third, which would fit,
  // behind it.
  Fleet fleet({}, rows("0,590,10\n0.001,590,10\n0.002,10,1\n"), Instant{});
  const ServerId id = fleet.add_server(simple_profile());
  ASSERT_TRUE(fleet.advance(at_ms(50)).ok());
  EXPECT_EQ(fleet.stats(id).running, 1);
  EXPECT_EQ(fleet.stats(id).waiting, 2);
  EXPECT_EQ(fleet.waiting(), 2);
  EXPECT_DOUBLE_EQ(fleet.stats(id).kv_usage, 0.6);
  ASSERT_TRUE(fleet.advance(Instant{seconds(10).ns}).ok());
  EXPECT_EQ(fleet.totals().completed, 3U);
  EXPECT_GT(fleet.ttfts_ms()[1], fleet.latencies_ms()[0]);
}

TEST(Fleet, WhatNeverFitsFailsAtOnce) {
  Fleet fleet({}, rows("0,990,10\n1,991,10\n"), Instant{});
  fleet.add_server(simple_profile());
  ASSERT_TRUE(fleet.advance(Instant{seconds(1).ns}).ok());
  EXPECT_EQ(fleet.totals().failed, 1U);
  ASSERT_TRUE(fleet.advance(Instant{seconds(20).ns}).ok());
  EXPECT_EQ(fleet.totals().completed, 1U);
  EXPECT_EQ(fleet.totals().in_system, 0U);
}

TEST(Fleet, RoutesToTheLeastOutstandingAndOldest) {
  Fleet fleet({}, rows("0,10,900\n0,10,900\n0,10,5\n0,10,900\n5,10,900\n"), Instant{});
  for (int i = 0; i < 3; ++i) fleet.add_server(simple_profile());
  ASSERT_TRUE(fleet.advance(Instant{}).ok());
  EXPECT_EQ(fleet.stats(0).running + fleet.stats(0).waiting, 2);
  EXPECT_EQ(fleet.stats(1).running, 1);
  EXPECT_EQ(fleet.stats(2).running, 1);
  ASSERT_TRUE(fleet.advance(Instant{seconds(5).ns}).ok());
  EXPECT_EQ(fleet.stats(2).running, 1);  // the third's first had ended
  EXPECT_EQ(fleet.stats(1).running, 1);
}

TEST(Fleet, WithoutServersRequestsWaitAtTheRouter) {
  Fleet fleet({.request_timeout = seconds(10)}, rows("0,10,5\n1,10,5\n2,10,5\n"), Instant{});
  ASSERT_TRUE(fleet.advance(Instant{seconds(10).ns}).ok());
  EXPECT_EQ(fleet.router_waiting(), 2);
  EXPECT_EQ(fleet.totals().failed, 1U);  // the first, at 10 s sharp
  fleet.add_server(simple_profile());
  EXPECT_EQ(fleet.router_waiting(), 0);
  EXPECT_EQ(fleet.stats(0).running, 2);  // both in the first iteration
  ASSERT_TRUE(fleet.advance(Instant{seconds(20).ns}).ok());
  EXPECT_EQ(fleet.totals().completed, 2U);
  EXPECT_NEAR(fleet.ttfts_ms()[0], 9000 + 12, 1e-2);
}

TEST(Fleet, DrainingFinishesWhatRunsAndReturnsWhatWaits) {
  Fleet fleet({}, rows("0,590,10\n0.001,590,10\n"), Instant{});
  const ServerId first = fleet.add_server(simple_profile());
  ASSERT_TRUE(fleet.advance(at_ms(10)).ok());
  EXPECT_EQ(fleet.next_drained(), kNever);
  fleet.drain(first);
  EXPECT_EQ(fleet.router_waiting(), 1);
  EXPECT_FALSE(fleet.drained(first));
  const Instant empty = fleet.next_drained();
  ASSERT_TRUE(fleet.advance(empty - nanoseconds(1)).ok());
  EXPECT_FALSE(fleet.drained(first));
  ASSERT_TRUE(fleet.advance(empty).ok());
  EXPECT_TRUE(fleet.drained(first));
  EXPECT_EQ(fleet.next_drained(), kNever);
  EXPECT_EQ(fleet.totals().retried, 0U);
  EXPECT_EQ(fleet.totals().completed, 1U);
}

TEST(Fleet, ADeadServersRequestsAreTriedAgainUntilTheyFail) {
  Fleet fleet({.max_retries = 1}, rows("0,10,50\n"), Instant{});
  const ServerId first = fleet.add_server(simple_profile());
  ASSERT_TRUE(fleet.advance(at_ms(100)).ok());
  fleet.remove(first);
  EXPECT_EQ(fleet.totals().retried, 1U);
  EXPECT_EQ(fleet.router_waiting(), 1);
  EXPECT_EQ(fleet.stats(first).busy, milliseconds(100));
  const ServerId second = fleet.add_server(simple_profile());
  ASSERT_TRUE(fleet.advance(at_ms(200)).ok());
  fleet.remove(second);
  EXPECT_EQ(fleet.totals().failed, 1U);
  EXPECT_EQ(fleet.totals().in_system, 0U);
}

TEST(Fleet, WindowsPartTheRun) {
  Fleet fleet({}, rows("0,10,5\n1,20,6\n2,30,7\n"), Instant{});
  fleet.add_server(simple_profile());
  ASSERT_TRUE(fleet.advance(at_ms(1500)).ok());
  const Window first = fleet.take_window();
  EXPECT_EQ(first.arrivals, 2U);
  EXPECT_EQ(first.input_tokens, 30);
  EXPECT_EQ(first.output_tokens, 11);
  EXPECT_EQ(first.latency_ms, fleet.latencies_ms());
  ASSERT_TRUE(fleet.advance(at_ms(3000)).ok());
  const Window second = fleet.take_window();
  EXPECT_EQ(second.arrivals, 1U);
  ASSERT_EQ(second.ttft_ms.size(), 1U);
  EXPECT_EQ(second.ttft_ms[0], fleet.ttfts_ms()[2]);
  EXPECT_EQ(fleet.take_window().latency_ms.size(), 0U);
}

TEST(Fleet, TheTrafficsErrorIsReported) {
  Fleet fleet({}, rows("0,10,5\n1,10,5\n2,x,5\n"), Instant{});
  fleet.add_server(simple_profile());
  const Status status = fleet.advance(Instant{seconds(5).ns});
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().message().find(":4: input_tokens: not a whole number"),
            std::string::npos);
  EXPECT_EQ(fleet.totals().completed, 2U);
}

TEST(Fleet, UnusableProfilesNeitherHangNorCrash) {
  catalog::ServiceProfile nothing;
  nothing.kv_capacity_tokens = 100;
  catalog::ServiceProfile endless = nothing;
  endless.iteration_base_ms = 1e300;
  endless.context_ms_per_token = INFINITY;
  catalog::ServiceProfile negative = nothing;
  negative.iteration_base_ms = -5;
  negative.prefill_ms_per_token = NAN;
  negative.max_sequences = 0;
  negative.max_batched_tokens = -1;
  for (const catalog::ServiceProfile& profile : {nothing, endless, negative}) {
    Fleet fleet({}, rows("0,10,5\n0,10,50\n1,10,5\n"), Instant{});
    const ServerId id = fleet.add_server(profile);
    ASSERT_TRUE(fleet.advance(Instant{hours(24 * 365).ns}).ok());
    fleet.drain(id);
    const FleetTotals& totals = fleet.totals();
    EXPECT_EQ(totals.offered, 3U);
    EXPECT_EQ(totals.completed + totals.in_system, 3U);
  }
}

// M/D/1: one sequence at a time, one token, constant time S. Its mean wait is known:
// rho S / (2 (1 - rho)) (Pollaczek and Khinchine).
TEST(Fleet, WaitsAsLongAsQueueingTheorySays) {
  struct Case {
    double rho;
    double requests;
  };
  catalog::ServiceProfile profile;
  profile.iteration_base_ms = 100;
  profile.kv_capacity_tokens = 1000;
  profile.max_sequences = 1;
  const double service_s = 0.1;
  for (const Case& c : {Case{0.3, 2e5}, Case{0.6, 4e5}, Case{0.9, 2e6}}) {
    GeneratorSpec generator{.requests_per_s = c.rho / service_s};
    generator.input = generator.output = {.median = 1, .p95 = 1};
    const Duration length = from_seconds(c.requests / generator.requests_per_s);
    Fleet fleet({},
                std::move(Traffic::open({.generator = generator}, 1, Instant{}, length)).value(),
                Instant{});
    fleet.add_server(profile);
    ASSERT_TRUE(fleet.advance(Instant{length.ns}).ok());
    const std::vector<float>& ttfts_ms = fleet.ttfts_ms();
    const double mean_s = std::accumulate(ttfts_ms.begin(), ttfts_ms.end(), 0.0) /
                          static_cast<double>(ttfts_ms.size()) / 1000;
    const double expected_s = c.rho * service_s / (2 * (1 - c.rho));
    EXPECT_NEAR((mean_s - service_s) / expected_s, 1, 0.02) << "rho " << c.rho;
    EXPECT_NEAR(fleet.stats(0).busy.seconds() / length.seconds(), c.rho, 0.01);
    EXPECT_NEAR(fleet.number_integral() / fleet.time_in_system_sum(), 1, 1e-9);
  }
}

TEST(Fleet, RunsTheAzureTraceWhole) {
  const std::string path = "../shared/data/traces/azure_llm_2023_conv.csv";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not there";
  catalog::ServiceProfile a100;  // Llama-2-7B, gpu_inference.md 3
  a100.iteration_base_ms = 8.8;
  a100.prefill_ms_per_token = 0.065;
  a100.decode_ms_per_sequence = 0.029;
  a100.context_ms_per_token = 0.00034;
  a100.kv_capacity_tokens = 117'000;
  Fleet fleet({.slo = seconds(10)},
              std::move(Traffic::open({.trace = TraceSpec{.path = path, .repeat = false}}, 1,
                                      Instant{}, hours(2)))
                  .value(),
              Instant{});
  for (int i = 0; i < 4; ++i) fleet.add_server(a100);
  ASSERT_TRUE(fleet.advance(Instant{hours(2).ns}).ok());
  EXPECT_EQ(fleet.totals().offered, 19'366U);
  EXPECT_EQ(fleet.totals().completed, 19'366U);
  EXPECT_EQ(fleet.waiting(), 0);
  EXPECT_NEAR(fleet.number_integral() / fleet.time_in_system_sum(), 1, 1e-9);
  // No request is faster than its prefill and its tokens alone.
  for (const float ttft_ms : fleet.ttfts_ms()) ASSERT_GE(ttft_ms, 8.8F);
  uint64_t prompt_tokens = 0;
  for (ServerId id = 0; id < 4; ++id) prompt_tokens += fleet.stats(id).prompt_tokens;
  EXPECT_NEAR(static_cast<double>(prompt_tokens) / 19'366, 1155, 1);
}

}  // namespace
}  // namespace windlass::sim
