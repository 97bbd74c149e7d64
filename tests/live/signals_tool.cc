// Asks and scrapes as the live world does, for tests by foreign servers.
//   signals_tool ask PLAN.json                 one answer, as JSON
//   signals_tool scrape MODEL PERIOD_MS ROUNDS URL...   signals a round, a JSON line each
#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "live/signals/metric_source.h"
#include "live/signals/pod_scraper.h"

namespace {

using namespace windlass;

scaling::TriggerPlan plan_of(const Json& json) {
  scaling::TriggerPlan plan;
  using Kind = scaling::TriggerPlan::Kind;
  plan.kind =
      json.value("kind", "prometheus") == "metrics-api" ? Kind::kMetricsApi : Kind::kPrometheus;
  plan.server_address = json.at("address");
  plan.query = json.value("query", "");
  plan.query_namespace = json.value("namespace", "");
  plan.value_location = json.value("valueLocation", "");
  plan.timeout = milliseconds(json.value("timeoutMs", 3000));
  plan.access.skip_tls_check = json.value("unsafeSsl", false);
  plan.access.auth_modes = json.value("authModes", std::vector<std::string>{});
  plan.access.auth = json.value("auth", api::StringMap{});
  plan.access.headers = json.value("headers", api::StringMap{});
  plan.access.parameters = json.value("parameters", api::StringMap{});
  return plan;
}

// Numbers as text: JSON has no infinities.
Json numbers(const std::vector<double>& values) {
  Json out = Json::array();
  for (const double value : values) {
    std::ostringstream text;
    text << value;
    out.push_back(text.str());
  }
  return out;
}

int ask(const std::string& path) {
  std::ifstream file(path);
  const auto json = Json::parse(file);
  net::EventLoop loop;
  net::HttpClient http(loop);
  const auto clock = net::system_clock_on(loop);
  live::signals::MetricSource source(http, *clock);
  // Several in one file are asked at once.
  size_t left = json.size();
  Json answers = Json::array();
  for (size_t i = 0; i < json.size(); ++i) answers.push_back(nullptr);
  for (size_t i = 0; i < json.size(); ++i) {
    source.ask(plan_of(json[i]), [&, i](const cluster::QueryAnswer& answer) {
      answers[i] = {{"values", numbers(answer.values)}, {"error", answer.error}};
      --left;
    });
  }
  while (left > 0) loop.turn();
  std::cout << answers.dump() << std::endl;
  return 0;
}

int scrape(const std::string& model, int period_ms, int rounds, std::vector<std::string> urls) {
  net::EventLoop loop;
  net::HttpClient http(loop);
  const auto clock = net::system_clock_on(loop);
  live::signals::PodScraper scraper(http, *clock, model, milliseconds(period_ms), [&] {
    std::vector<live::signals::ScrapeTarget> targets;
    for (size_t i = 0; i < urls.size(); ++i) {
      targets.push_back({"pod-" + std::to_string(i), "uid", urls[i]});
    }
    return targets;
  });
  scraper.on_signals = [&](const cluster::ModelSignals& signals) {
    const Json line = {{"arrivals", signals.arrivals},       {"waiting", signals.waiting},
                       {"input_mean", signals.input_mean},   {"input_p95", signals.input_p95},
                       {"output_mean", signals.output_mean}, {"output_p95", signals.output_p95}};
    std::cout << line.dump() << std::endl;
    if (--rounds == 0) loop.stop();
  };
  scraper.start();
  loop.run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() == 2 && words[0] == "ask") return ask(words[1]);
  if (words.size() >= 5 && words[0] == "scrape") {
    return scrape(words[1], std::stoi(words[2]), std::stoi(words[3]),
                  {words.begin() + 4, words.end()});
  }
  std::fputs("usage: signals_tool ask PLANS.json | scrape MODEL PERIOD_MS ROUNDS URL...\n", stderr);
  return 2;
}
