#include "cli/replay_trace.h"

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <unistd.h>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "sim/traffic/traffic.h"

namespace windlass::cli {
namespace {

constexpr RangeWindow kTwoHours{0, 7200, 60};

std::string scratch(const char* name) {
  return fmt::format("{}/replay_trace_{}_{}.csv", testing::TempDir(), getpid(), name);
}

// Read by the simulator's own reader.
std::vector<sim::Request> written(const std::string& path) {
  sim::TrafficSpec spec;
  spec.trace = sim::TraceSpec{.path = path, .repeat = false};
  auto traffic = sim::Traffic::open(spec, 1, Instant{}, hours(2));
  EXPECT_TRUE(traffic.ok()) << (traffic.ok() ? "" : traffic.error().message());
  std::vector<sim::Request> out;
  while (auto request = traffic->next()) out.push_back(*request);
  EXPECT_FALSE(traffic->error().has_value());
  return out;
}

ModelHistory steady(double rate) {
  ModelHistory history;
  history.rates.assign(120, rate);
  history.requests = rate * 7200;
  return history;
}

TEST(ReplayTrace, TheRateComesBack) {
  ModelHistory history = steady(2);
  for (size_t i = 60; i < 120; ++i) history.rates[i] = 0;
  history.rates[90] = 10;
  history.input = {{{0, 400}}, {{0, 1000}}};
  history.output = {{{0, 100}, {3600, 50}}, {}};
  const std::string path = scratch("rate");
  const auto result = write_trace(path, "m", history, kTwoHours, 1);
  ASSERT_TRUE(result.ok());
  const auto requests = written(path);
  ASSERT_EQ(requests.size(), result->rows);
  size_t first_hour = 0;
  size_t spike = 0;
  double input = 0;
  double late_output = 0;
  for (const sim::Request& request : requests) {
    const double at = request.arrival.seconds();
    first_hour += at < 3600 ? 1 : 0;
    const bool in_spike = at >= 90 * 60 && at < 91 * 60;
    EXPECT_TRUE(at < 3600 || in_spike) << at;
    if (in_spike) {
      ++spike;
      late_output += request.output_tokens;
    }
    input += request.input_tokens;
  }
  EXPECT_NEAR(static_cast<double>(first_hour), 7200, 350);  // four deviations
  EXPECT_NEAR(static_cast<double>(spike), 600, 100);
  EXPECT_NEAR(input / static_cast<double>(requests.size()), 400, 20);
  EXPECT_NEAR(late_output / static_cast<double>(spike), 50, 10);
  EXPECT_FALSE(result->input_assumed);
  EXPECT_TRUE(result->spread_assumed);
  std::filesystem::remove(path);
}

TEST(ReplayTrace, TheSameHistoryGivesTheSameFile) {
  const auto text = [](const char* name, uint64_t seed) {
    const std::string path = scratch(name);
    EXPECT_TRUE(write_trace(path, "m", steady(1), kTwoHours, seed).ok());
    std::ifstream file(path);
    std::ostringstream out;
    out << file.rdbuf();
    std::filesystem::remove(path);
    return out.str();
  };
  EXPECT_EQ(text("a", 1), text("b", 1));
  EXPECT_NE(text("a", 1), text("b", 2));
}

TEST(ReplayTrace, ManyRequestsAreWrittenOneForSeveral) {
  ModelHistory history = steady(1);
  history.requests = 50e6;  // what decides; the rates stay small for the test
  const std::string path = scratch("many");
  const auto result = write_trace(path, "m", history, kTwoHours, 1);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->every, 3);
  EXPECT_NEAR(static_cast<double>(result->rows), 2400, 200);
  EXPECT_TRUE(result->input_assumed && result->output_assumed);
  std::filesystem::remove(path);
}

TEST(ReplayTrace, WhatCannotBeWritten) {
  EXPECT_FALSE(write_trace("/nowhere/at/all.csv", "m", steady(1), kTwoHours, 1).ok());
}

TEST(ReplayTrace, LogNormals) {
  const std::pair<double, double> cases[] = {{100, 200}, {100, 386}, {512, 1500}, {10, 10.5}};
  for (const auto& [mean, p95] : cases) {
    const LogNormal shape = log_normal_of(mean, p95);
    EXPECT_NEAR(std::exp(shape.mu + shape.sigma * shape.sigma / 2), mean, 1e-6 * mean);
    EXPECT_NEAR(std::exp(shape.mu + 1.6448536269514722 * shape.sigma), p95, 1e-6 * p95);
  }
  // None has these; the mean is what stays.
  for (const auto& [mean, p95] :
       {std::pair(100.0, 1000.0), std::pair(100.0, 50.0), std::pair(100.0, 0.0)}) {
    const LogNormal shape = log_normal_of(mean, p95);
    EXPECT_NEAR(std::exp(shape.mu + shape.sigma * shape.sigma / 2), mean, 1e-6 * mean);
  }
}

}  // namespace
}  // namespace windlass::cli
