#include "scaling/demand.h"

#include <cmath>
#include <fstream>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/rng.h"
#include "base/text.h"

namespace windlass::scaling {
namespace {

DemandHistory history(std::vector<double> counts, int period_s = 30) {
  return {seconds(period_s), std::move(counts)};
}

// A Poisson number, by counting exponential gaps.
double poisson(Rng& rng, double mean) {
  double n = 0;
  for (double t = rng.exponential(1); t < mean; t += rng.exponential(1)) n += 1;
  return n;
}

// ---- forecast -------------------------------------------------------------------------------

TEST(Forecast, NothingObservedIsNothingPlanned) {
  for (const DemandHistory& h :
       {DemandHistory{}, history({}), history({0, 0, 0, 0}), DemandHistory{Duration{}, {5, 5}}}) {
    const Forecast f = forecast_demand(h, minutes(5));
    EXPECT_EQ(f.rate_planned, 0);
    EXPECT_EQ(f.rate_at_lead, 0);
    EXPECT_FALSE(f.why.empty());
  }
}

TEST(Forecast, OnePeriodIsEnough) {
  const Forecast f = forecast_demand(history({300}), minutes(5));
  EXPECT_DOUBLE_EQ(f.rate_now, 10);
  EXPECT_EQ(f.trend_per_s, 0);
  EXPECT_DOUBLE_EQ(f.rate_at_lead, 10);
  // z for ten periods is 2.70; Poisson's deviation of a 30 s rate of 10/s is sqrt(10/30) = 0.577.
  EXPECT_NEAR(f.rate_planned, 10 + 2.70 * 0.577, 0.02);
}

TEST(Forecast, FollowsARampOverTheLead) {
  std::vector<double> counts;
  for (int i = 1; i <= 20; ++i) counts.push_back(30.0 * i);  // 1/s more every 30 s
  const Forecast f = forecast_demand(history(counts), minutes(5));
  EXPECT_NEAR(f.rate_now, 20.5, 0.1);
  EXPECT_NEAR(f.trend_per_s, 1.0 / 30, 0.004);
  EXPECT_NEAR(f.rate_at_lead, 30.5, 1.2);
  EXPECT_GT(f.rate_planned, f.rate_at_lead);
}

TEST(Forecast, AFallingTrendDoesNotLowerThePlanBelowNow) {
  std::vector<double> counts;
  for (int i = 20; i >= 1; --i) counts.push_back(30.0 * i);
  const Forecast f = forecast_demand(history(counts), minutes(5));
  EXPECT_LT(f.trend_per_s, 0);
  EXPECT_GE(f.rate_at_lead, f.rate_now);
  EXPECT_GE(f.rate_now, 1.0);
}

TEST(Forecast, AStepIsPlannedForAtOnceAndNotWithoutLimit) {
  std::vector<double> counts(30, 150.0);  // 5/s
  counts.insert(counts.end(), {600.0, 600.0});
  const Forecast f = forecast_demand(history(counts), minutes(5));
  EXPECT_GE(f.rate_planned, 20);
  EXPECT_LE(f.rate_at_lead, 40);  // twice the highest rate seen
}

TEST(Forecast, ScatterIsNoTrend) {
  Rng rng(7, "forecast-test");
  double worst = 0;
  for (int run = 0; run < 50; ++run) {
    std::vector<double> counts;
    for (int i = 0; i < 40; ++i) counts.push_back(poisson(rng, 150));
    const Forecast f = forecast_demand(history(counts), minutes(5));
    worst = std::max(worst, f.rate_at_lead);
    EXPECT_GE(f.rate_planned, 5.0);
  }
  EXPECT_LT(worst, 5.0 * 1.4);
}

TEST(Forecast, BurstsGetAMarginOfTheirOwnSize) {
  // 600 requests in one of ten periods: the mean is 2/s, the bursts are 20/s.
  std::vector<double> counts;
  for (int i = 0; i < 40; ++i) counts.push_back(i % 10 == 5 ? 600.0 : 0.0);
  const Forecast f = forecast_demand(history(counts), minutes(5));
  EXPECT_GT(f.rate_planned, 10);
  EXPECT_LT(f.rate_planned, 40);
}

TEST(Forecast, BadCountsCountAsNone) {
  const Forecast f = forecast_demand(history({30, NAN, -5, INFINITY, 30, 30}), minutes(1));
  EXPECT_TRUE(std::isfinite(f.rate_planned));
  EXPECT_LT(f.rate_planned, 5);
}

RC_GTEST_PROP(Forecast, IsFiniteOrderedAndScalesWithTheTraffic, ()) {
  const auto counts = *rc::gen::container<std::vector<double>>(
      rc::gen::map(rc::gen::inRange(0, 5000), [](int n) { return static_cast<double>(n); }));
  const int lead_s = *rc::gen::inRange(0, 3600);
  const Forecast f = forecast_demand(history(counts), seconds(lead_s));
  RC_ASSERT(std::isfinite(f.rate_planned));
  RC_ASSERT(f.rate_now >= 0);
  RC_ASSERT(f.rate_at_lead >= f.rate_now);
  RC_ASSERT(f.rate_planned >= f.rate_at_lead);
  // The same pattern at ten times the rate never needs less.
  std::vector<double> ten;
  for (const double c : counts) ten.push_back(c * 10);
  RC_ASSERT(forecast_demand(history(ten), seconds(lead_s)).rate_planned >= f.rate_planned - 1e-9);
}

// The arrival times, in seconds, of a trace whose first column is a time.
std::vector<double> read_arrivals(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  std::vector<double> out;
  while (std::getline(file, line)) {
    const auto at = parse_rfc3339(line.substr(0, line.find(',')));
    if (at.ok()) out.push_back(at->seconds());
  }
  return out;
}

TEST(Forecast, CoversTheNextPeakOfRealTraffic) {
  const std::string path = "../shared/data/traces/azure_llm_2023_conv.csv";
  const std::vector<double> arrivals = read_arrivals(path);
  if (arrivals.empty()) GTEST_SKIP() << path << " is not here";
  struct Case {
    int period_s;
    int lead_s;
  };
  for (const Case c : {Case{10, 60}, Case{30, 120}, Case{30, 300}, Case{60, 300}}) {
    std::vector<double> counts(
        static_cast<size_t>((arrivals.back() - arrivals.front()) / c.period_s), 0.0);
    for (const double t : arrivals) {
      const auto i = static_cast<size_t>((t - arrivals.front()) / c.period_s);
      if (i < counts.size()) counts[i] += 1;
    }
    const auto lead = static_cast<size_t>(c.lead_s / c.period_s);
    int asked = 0;
    int covered = 0;
    double over = 0;
    for (size_t i = 1; i + lead <= counts.size(); ++i) {
      const size_t from = i > 60 ? i - 60 : 0;
      DemandHistory h =
          history({counts.begin() + static_cast<long>(from), counts.begin() + static_cast<long>(i)},
                  c.period_s);
      const Forecast f = forecast_demand(h, seconds(c.lead_s));
      double peak = 0;
      for (size_t k = i; k < i + lead; ++k) peak = std::max(peak, counts[k] / c.period_s);
      ++asked;
      covered += f.rate_planned >= peak ? 1 : 0;
      over += f.rate_planned / std::max(peak, 0.1);
    }
    fmt::print(
        "azure conv, periods of {:2} s, lead {:3} s: {} forecasts, {:.0f} % cover the peak, "
        "planned / peak {:.2f}\n",
        c.period_s, c.lead_s, asked, 100.0 * covered / asked, over / asked);
    EXPECT_GT(covered, asked * 85 / 100);
    EXPECT_LT(over / asked, 1.4);
  }
}

// ---- replicas -------------------------------------------------------------------------------

DemandInput steady(double rate, int32_t current) {
  DemandInput input;
  input.history = history(std::vector<double>(20, rate * 30));
  input.lead = minutes(3);
  input.replica_requests_per_s = 2;
  input.current = current;
  input.min = 0;
  input.max = 100;
  return input;
}

TEST(Demand, GoesStraightToN) {
  const DemandDecision d = evaluate_demand(steady(20, 1));
  // Planned is 20 and a margin of about 2: 11 or 12 replicas of 2/s, in one step.
  EXPECT_GE(d.replicas, 11);
  EXPECT_LE(d.replicas, 12);
  EXPECT_EQ(d.limited_by, "");
  EXPECT_NE(d.why.find("replicas"), std::string::npos);
}

TEST(Demand, TheQueueIsDrainedInTime) {
  DemandInput input = steady(2, 2);
  const int32_t without = evaluate_demand(input).replicas;
  input.queue = 300;
  input.drain_target_s = 30;  // 10/s more: 5 replicas
  EXPECT_EQ(evaluate_demand(input).replicas, without + 5);
  input.drain_target_s = 0;  // as fast as can be asked for: within a second
  EXPECT_EQ(evaluate_demand(input).replicas, 100);
}

TEST(Demand, BoundsHoldAndAreNamed) {
  DemandInput input = steady(20, 5);
  input.max = 6;
  EXPECT_EQ(evaluate_demand(input).replicas, 6);
  EXPECT_EQ(evaluate_demand(input).limited_by, "max");
  input = steady(0, 5);
  input.min = 2;
  EXPECT_EQ(evaluate_demand(input).replicas, 2);
  EXPECT_EQ(evaluate_demand(input).limited_by, "min");
  input.min = 0;
  EXPECT_EQ(evaluate_demand(input).replicas, 0);
}

TEST(Demand, NoTrafficWantsNothing) {
  DemandInput input;
  input.history = {seconds(30), {0, 0}};
  input.replica_requests_per_s = 2;
  input.current = 1;
  input.max = 8;
  const DemandDecision decision = evaluate_demand(input);
  EXPECT_EQ(decision.replicas, 0);
  EXPECT_EQ(decision.why.find("-0"), std::string::npos) << decision.why;
}

TEST(Demand, UnknownCapacityChangesNothing) {
  DemandInput input = steady(20, 3);
  for (const double capacity : {0.0, -1.0, std::nan("")}) {
    input.replica_requests_per_s = capacity;
    EXPECT_EQ(evaluate_demand(input).replicas, 3);
  }
}

TEST(Demand, ScaleInKeepsThePeakOfTheLookBackAndHeadroom) {
  DemandInput input = steady(4, 20);
  input.history.requests[10] = 20 * 30;  // a peak of 20/s, ten periods ago
  const DemandDecision d = evaluate_demand(input);
  EXPECT_GE(d.replicas, 12);  // 20/s * 1.2 / 2
  EXPECT_LT(d.replicas, 20);
  EXPECT_EQ(d.limited_by, "headroom");
  EXPECT_NE(d.why.find("look-back"), std::string::npos);
}

TEST(Demand, NoisyTrafficDoesNotFlap) {
  Rng rng(11, "flap-test");
  int32_t replicas = 10;
  int changes = 0;
  std::vector<double> counts;
  for (int i = 0; i < 400; ++i) {
    counts.push_back(poisson(rng, 300));  // 10/s
    DemandInput input = steady(0, replicas);
    const size_t from = counts.size() > 60 ? counts.size() - 60 : 0;
    input.history.requests.assign(counts.begin() + static_cast<long>(from), counts.end());
    const DemandDecision d = evaluate_demand(input);
    changes += d.replicas != replicas ? 1 : 0;
    replicas = d.replicas;
    EXPECT_GE(replicas, 5);
    EXPECT_LE(replicas, 10);
  }
  EXPECT_LE(changes, 8);
}

RC_GTEST_PROP(Demand, LawsOfTheDecision, ()) {
  DemandInput input;
  input.history.period = seconds(*rc::gen::inRange(1, 120));
  input.history.requests = *rc::gen::container<std::vector<double>>(
      rc::gen::map(rc::gen::inRange(0, 3000), [](int n) { return static_cast<double>(n); }));
  input.lead = seconds(*rc::gen::inRange(0, 900));
  input.queue = *rc::gen::inRange(0, 1000);
  input.replica_requests_per_s = *rc::gen::inRange(1, 400) / 10.0;
  input.min = *rc::gen::inRange(0, 10);
  input.max = input.min + *rc::gen::inRange(0, 50);
  input.current = *rc::gen::inRange(0, 60);
  const DemandDecision d = evaluate_demand(input);
  RC_ASSERT(d.replicas >= input.min);
  RC_ASSERT(d.replicas <= input.max);
  const double need = d.forecast.rate_planned + input.queue / input.drain_target_s;
  if (d.replicas < input.max) RC_ASSERT(d.replicas * input.replica_requests_per_s >= need - 1e-6);
  // Asking again with the answer as the present state changes nothing.
  DemandInput again = input;
  again.current = d.replicas;
  const int32_t second = evaluate_demand(again).replicas;
  if (d.replicas >= input.current) RC_ASSERT(second == d.replicas);
  RC_ASSERT(second <= std::max(d.replicas, input.current));
  // More waiting requests never mean fewer replicas.
  DemandInput longer = input;
  longer.queue += 500;
  RC_ASSERT(evaluate_demand(longer).replicas >= d.replicas);
}

}  // namespace
}  // namespace windlass::scaling
