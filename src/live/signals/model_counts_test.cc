#include "live/signals/model_counts.h"

#include <numeric>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace windlass::live::signals {
namespace {

constexpr Instant kNow{1'772'452'807'000'000'000};

PodReading read(const std::string& text, std::string_view model = "m") {
  const auto samples = parse_exposition(text);
  EXPECT_TRUE(samples.ok());
  const auto reading = read_pod(*samples, model);
  EXPECT_TRUE(reading.ok()) << reading.error().message();
  return *reading;
}

constexpr std::string_view kVllm = R"(# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="m"} 3.0
vllm:num_requests_waiting{engine="0",model_name="m"} 2.0
vllm:request_success_total{engine="0",finished_reason="stop",model_name="m"} 90.0
vllm:request_success_total{engine="0",finished_reason="length",model_name="m"} 8.0
vllm:request_success_total{engine="0",finished_reason="abort",model_name="m"} 2.0
vllm:request_prompt_tokens_bucket{le="100.0",model_name="m"} 50.0
vllm:request_prompt_tokens_bucket{le="200.0",model_name="m"} 100.0
vllm:request_prompt_tokens_bucket{le="+Inf",model_name="m"} 100.0
vllm:request_prompt_tokens_count{model_name="m"} 100.0
vllm:request_prompt_tokens_sum{model_name="m"} 12000.0
vllm:request_prompt_tokens_created{model_name="m"} 1.7e+09
vllm:generation_tokens_total{model_name="m"} 5000.0
)";

TEST(ReadPod, Vllm) {
  const PodReading reading = read(std::string(kVllm));
  EXPECT_EQ(reading.arrived, 105);
  EXPECT_EQ(reading.started, 100);
  EXPECT_EQ(reading.in_flight, 5);
  EXPECT_EQ(reading.waiting, 2);
  EXPECT_EQ(reading.input.mean(), 120);
  EXPECT_EQ(quantile(reading.input, 0.95), 190);
  // No histogram of these: the mean of the counters.
  EXPECT_EQ(reading.output.mean(), 50);
}

TEST(ReadPod, Triton) {
  const PodReading reading = read(R"(
nv_inference_request_success{model="m",version="1"} 40
nv_inference_request_success{model="m",version="2"} 2
nv_inference_request_success{model="other",version="1"} 1000
nv_inference_request_failure{model="m",reason="OTHER",version="1"} 1
nv_inference_pending_request_count{model="m",version="1"} 7
)");
  EXPECT_EQ(reading.started, 43);
  EXPECT_EQ(reading.arrived, 50);
  EXPECT_EQ(reading.waiting, 7);
}

TEST(ReadPod, Tgi) {
  const PodReading reading = read(R"(
tgi_request_count 60
tgi_request_success 50
tgi_queue_size 4
tgi_batch_current_size 6
tgi_request_input_length_bucket{le="512"} 50
tgi_request_input_length_bucket{le="+Inf"} 50
tgi_request_input_length_sum 10000
tgi_request_input_length_count 50
tgi_request_generated_tokens_sum 5000
tgi_request_generated_tokens_count 50
)");
  EXPECT_EQ(reading.arrived, 60);  // counted as they come
  EXPECT_EQ(reading.waiting, 4);
  EXPECT_EQ(reading.input.mean(), 200);
  EXPECT_EQ(reading.output.mean(), 100);
}

TEST(ReadPod, OtherNamesAreAllOneModel) {
  const std::string text =
      "vllm:request_success_total{model_name=\"org/llama\"} 5\n"
      "vllm:request_success_total{model_name=\"org/llama-lora\"} 6\n";
  EXPECT_EQ(read(text, "chat").arrived, 11);
  EXPECT_EQ(read(text, "org/llama").arrived, 5);
}

TEST(ReadPod, NonsenseCountsAsNothing) {
  EXPECT_EQ(read("vllm:num_requests_running NaN\nvllm:num_requests_waiting -5\n").in_flight, 0);
  const auto none = read_pod(*parse_exposition("up 1\n"), "m");
  ASSERT_FALSE(none.ok());
}

PodReading vllm(double ended, double running, double waiting) {
  PodReading reading;
  reading.started = ended;
  reading.in_flight = running + waiting;
  reading.waiting = waiting;
  reading.arrived = ended + reading.in_flight;
  return reading;
}

// Rounds as what each pod says; nullopt: it could not be read. Gives the arrivals.
using Round = std::vector<std::pair<std::string, std::optional<PodReading>>>;
cluster::ModelSignals run(ModelCounts& counts, const std::vector<Round>& rounds) {
  cluster::ModelSignals signals;
  for (const Round& round : rounds) {
    counts.begin_round();
    for (const auto& [pod, reading] : round) {
      reading ? counts.add(pod, *reading) : counts.missed(pod);
    }
    signals = counts.end_round(kNow);
  }
  return signals;
}

TEST(ModelCounts, Arrivals) {
  struct Case {
    const char* what;
    std::vector<Round> rounds;
    std::vector<double> arrivals;
    double waiting;
  };
  const std::optional<PodReading> gone;
  const Case cases[] = {
      {"the first reading is where it begins", {{{"a", vllm(100, 5, 2)}}}, {0}, 2},
      {"ended and in flight",
       {{{"a", vllm(100, 5, 2)}}, {{"a", vllm(103, 6, 4)}}},
       {0, 3 + 1 + 2},
       4},
      {"waiting that ends is no arrival",
       {{{"a", vllm(100, 0, 8)}}, {{"a", vllm(108, 0, 0)}}},
       {0, 0},
       0},
      {"requests that vanish are no negative arrivals",
       {{{"a", vllm(100, 8, 8)}}, {{"a", vllm(100, 0, 0)}}, {{"a", vllm(101, 0, 0)}}},
       {0, 0, 1},
       0},
      {"pods add up",
       {{{"a", vllm(1, 0, 0)}, {"b", vllm(7, 1, 1)}}, {{"a", vllm(2, 0, 0)}, {"b", vllm(9, 1, 2)}}},
       {0, 1 + 3},
       2},
      {"a restart counts from its own begin",
       {{{"a", vllm(1000, 9, 9)}}, {{"a", vllm(4, 1, 2)}}},
       {0, 7},
       2},
      {"a new pod of another identity has a begin of its own",
       {{{"a 1", vllm(10, 0, 0)}}, {{"a 2", vllm(5000, 0, 0)}}, {{"a 2", vllm(5001, 0, 0)}}},
       {0, 0, 1},
       0},
      {"a pod that goes takes nothing away",
       {{{"a", vllm(1, 0, 0)}, {"b", vllm(50, 9, 9)}}, {{"a", vllm(3, 0, 0)}}},
       {0, 2},
       0},
      {"what came while it could not be read is spread",
       {{{"a", vllm(0, 0, 0)}}, {{"a", gone}}, {{"a", gone}}, {{"a", vllm(9, 0, 0)}}},
       {0, 3, 3, 3},
       0},
      {"a pod that never answered", {{{"a", gone}}, {{"a", gone}}}, {}, 0},
      {"history begins with the first reading",
       {{}, {{"a", gone}}, {{"a", vllm(50, 0, 1)}}, {{"a", vllm(53, 0, 0)}}},
       {0, 3 - 1},
       0},
      {"its queue stands for a while",
       {{{"a", vllm(0, 0, 6)}}, {{"a", gone}}, {{"a", gone}}},
       {0, 0, 0},
       6},
      {"but not for ever",
       {{{"a", vllm(0, 0, 6)}}, {{"a", gone}}, {{"a", gone}}, {{"a", gone}}},
       {0, 0, 0, 0},
       0},
  };
  for (const Case& test : cases) {
    ModelCounts counts(seconds(5));
    const auto signals = run(counts, test.rounds);
    EXPECT_EQ(signals.arrivals, test.arrivals) << test.what;
    EXPECT_EQ(signals.waiting, test.waiting) << test.what;
    EXPECT_EQ(signals.period, seconds(5));
    EXPECT_EQ(signals.at, kNow);
  }
}

TEST(ModelCounts, KeepsHalfAnHour) {
  ModelCounts counts(seconds(30));
  std::vector<Round> rounds;
  for (int i = 0; i < 100; ++i) rounds.push_back({{"a", vllm(i * 2, 0, 0)}});
  const auto signals = run(counts, rounds);
  EXPECT_EQ(signals.arrivals, std::vector<double>(60, 2.0));
}

// Whatever order requests come, wait and end in, none is lost and none counted twice.
TEST(ModelCounts, ArrivalsAreWhatArrived) {
  EXPECT_TRUE(rc::check("conservation", [] {
    const auto steps = *rc::gen::container<std::vector<std::tuple<uint8_t, uint8_t, bool>>>(
        rc::gen::tuple(rc::gen::inRange<uint8_t>(0, 20), rc::gen::inRange<uint8_t>(0, 20),
                       rc::gen::weightedElement<bool>({{4, true}, {1, false}})));
    RC_PRE(steps.size() < 50u);
    ModelCounts counts(seconds(5));
    double ended = 500;
    double waiting = 3;
    run(counts, {{{"a", vllm(ended, 0, waiting)}}});
    double arrived = 0;
    cluster::ModelSignals signals;
    for (const auto& [came, ends, readable] : steps) {
      arrived += came;
      waiting += came;
      const double now_ended = std::min<double>(waiting, ends);
      waiting -= now_ended;
      ended += now_ended;
      signals =
          run(counts, {{{"a", readable ? std::optional(vllm(ended, 0, waiting)) : std::nullopt}}});
      for (const double rate : signals.arrivals) RC_ASSERT(rate >= 0);
    }
    signals = run(counts, {{{"a", vllm(ended, 0, waiting)}}});
    const double sum = std::accumulate(signals.arrivals.begin(), signals.arrivals.end(), 0.0);
    RC_ASSERT(std::abs(sum - arrived) < 1e-6 * (1 + arrived));
    RC_ASSERT(signals.waiting == waiting);
  }));
}

PodReading lengths(double requests, double tokens) {
  PodReading reading = vllm(requests, 0, 0);
  reading.output.count = requests;
  reading.output.sum = tokens;
  reading.output.buckets = {{1000, requests}, {std::numeric_limits<double>::infinity(), requests}};
  return reading;
}

TEST(ModelCounts, LengthsAreOfRecentRequests) {
  ModelCounts counts(seconds(5));
  // Too few recent ones: all since the server's start.
  auto signals = run(counts, {{{"a", lengths(1000, 100'000)}}, {{"a", lengths(1001, 101'000)}}});
  EXPECT_NEAR(signals.output_mean, 101'000.0 / 1001, 1e-9);
  EXPECT_NEAR(signals.output_p95, 950, 1e-9);
  // A hundred new ones of another length take over.
  signals = run(counts, {{{"a", lengths(1101, 151'000)}}});
  EXPECT_NEAR(signals.output_mean, 500, 10);
  EXPECT_EQ(signals.input_mean, 0);
  EXPECT_EQ(signals.input_p95, 0);
}

TEST(ModelCounts, WithoutBucketsThePercentileFollowsTheMean) {
  ModelCounts counts(seconds(5));
  PodReading reading = lengths(100, 1000);
  reading.output.buckets.clear();
  EXPECT_NEAR(run(counts, {{{"a", reading}}}).output_p95, 29.957, 0.001);
}

}  // namespace
}  // namespace windlass::live::signals
