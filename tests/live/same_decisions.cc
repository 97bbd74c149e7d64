// The simulation of what a live run was told: a scenario's world, in which every query is answered
// with what the live one was answered nearest to that time, and the joint policy reads the pages
// that the live one read. Prints the decisions.
//
// usage: same_decisions SCENARIO POLICY INPUTS.jsonl START END PERIOD
//   INPUTS: {"time": s, "query": PromQL, "values": [..] or null} and {"time": s, "page": text or
//   null}; START, END: seconds since 1970, as `time`; PERIOD: seconds between pages.
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "controllers/decision_text.h"
#include "live/signals/model_counts.h"
#include "live/signals/pod_scraper.h"
#include "sim/scenario.h"
#include "sim/world.h"

namespace windlass {
namespace {

struct Answer {
  std::vector<double> values;
  bool failed = false;
};
struct Inputs {
  std::map<std::string, std::map<Instant, Answer>> answers;  // by query
  std::map<Instant, std::optional<std::string>> pages;       // nullopt: it could not be read
};

Instant instant_of(double seconds) { return Instant{std::llround(seconds * 1e9)}; }

Inputs read_inputs(const char* path) {
  Inputs out;
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    const auto json = parse_json(line);
    if (!json.ok()) continue;
    const Instant at = instant_of((*json)["time"].get<double>());
    if (json->contains("page")) {
      const Json& page = (*json)["page"];
      out.pages[at] = page.is_null() ? std::nullopt : std::optional(page.get<std::string>());
      continue;
    }
    Answer answer;
    answer.failed = (*json)["values"].is_null();
    if (!answer.failed) answer.values = (*json)["values"].get<std::vector<double>>();
    out.answers[(*json)["query"].get<std::string>()][at] = answer;
  }
  return out;
}

cluster::QueryAnswer nearest(const Inputs& inputs, const std::string& query, Instant now) {
  const auto of_query = inputs.answers.find(query);
  if (of_query == inputs.answers.end()) return {0, {}, "it was never asked"};
  const auto& answers = of_query->second;
  auto found = answers.lower_bound(now);
  if (found == answers.end()) {
    --found;
  } else if (found != answers.begin()) {
    const auto before = std::prev(found);
    if (now - before->first <= found->first - now) found = before;
  }
  if (found->second.failed) return {0, {}, "it was answered with an error"};
  return {0, found->second.values, ""};
}

Status play(sim::World& world, const sim::Scenario& scenario, const Inputs& inputs, Duration period,
            Instant end) {
  using live::signals::ModelCounts;
  std::map<std::string, ModelCounts> counts;
  for (const auto& [at, page] : inputs.pages) {
    if (at > end) break;
    if (Status status = world.run_until(at, {}); !status.ok()) return status;
    for (const sim::ModelSpec& model : scenario.models) {
      const std::string& name = model.model.name;
      ModelCounts& rounds = counts.try_emplace(name, period).first->second;
      rounds.begin_round();
      if (!page) {
        rounds.missed("all");
        rounds.end_round(at);
        continue;
      }
      const auto samples = live::signals::parse_exposition(*page);
      if (!samples.ok()) return samples.error();
      const auto reading = live::signals::read_pod(*samples, name);
      if (!reading.ok()) return reading.error();
      rounds.add("all", *reading);
      world.observe_signals(name, rounds.end_round(at));
    }
  }
  return world.run_until(end, {});
}

int run(char** argument) {
  auto file = sim::read_scenario(argument[1]);
  if (!file.ok() || !file->errors.empty()) {
    std::cerr << (file.ok() ? file->errors.front().text : file.error().message()) << "\n";
    return 2;
  }
  sim::Scenario& scenario = file->scenario;
  const auto policy = controllers::parse_policy(argument[2]);
  if (!policy.ok()) return 2;
  const Inputs inputs = read_inputs(argument[3]);
  scenario.start = instant_of(std::atof(argument[4]));
  const Instant end = instant_of(std::atof(argument[5]));
  sim::WorldOptions options;
  options.foreign_signals = true;
  options.answer = [&](const controllers::QueryMetrics::Query& query, Instant now) {
    return nearest(inputs, query.query, now);
  };
  auto world = sim::World::open(scenario, *policy, options);
  if (!world.ok()) {
    std::cerr << world.error().message() << "\n";
    return 2;
  }
  (*world)->on_decision = [&](std::string_view controller, const controllers::Decision& decision) {
    std::cout << controllers::decision_line((*world)->now(), *policy, controller, decision) << "\n";
  };
  (*world)->set_traffic_factor(0);
  const Status status =
      play(**world, scenario, inputs, instant_of(std::atof(argument[6])) - Instant{}, end);
  if (!status.ok()) std::cerr << status.error().message() << "\n";
  return status.ok() ? 0 : 1;
}

}  // namespace
}  // namespace windlass

int main(int count, char** argument) {
  if (count != 7) {
    std::cerr << "usage: same_decisions SCENARIO POLICY INPUTS.jsonl START END PERIOD\n";
    return 2;
  }
  return windlass::run(argument);
}
