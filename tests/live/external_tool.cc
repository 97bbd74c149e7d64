// Asks an external scaler as `windlass run` does and prints what it said, a JSON line an answer.
//
// usage: external_tool ADDRESS ask TIMEOUT_MS NAME=VALUE...    (metadata; auth.NAME=FILE: a
// parameter)
//        external_tool ADDRESS watch TIMES NAME=VALUE...       (ends when it was active so often)
//        external_tool ADDRESS leave NAME=VALUE...             (goes while a question is open)
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "live/external/client.h"

namespace {

using namespace windlass;

live::external::ScaledRef who_of(int argc, char** argv, int first) {
  live::external::ScaledRef who{"inference", "vllm", {}};
  for (int i = first; i < argc; ++i) {
    const std::string word = argv[i];
    const size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : word.substr(equals + 1);
    if (name.starts_with("auth.")) {
      std::ifstream file(value);
      who.auth[name.substr(5)] = std::string(std::istreambuf_iterator<char>(file), {});
    } else {
      who.metadata[name] = value;
    }
  }
  return who;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  net::EventLoop loop;
  const auto clock = net::system_clock_on(loop);
  live::external::ExternalScalers scalers(loop, *clock);
  scaling::TriggerPlan plan;
  plan.kind = scaling::TriggerPlan::Kind::kExternal;
  plan.server_address = argv[1];
  const std::string verb = argv[2];
  bool done = false;
  if (verb == "ask") {
    plan.timeout = milliseconds(std::atoi(argv[3]));
    scalers.ask(plan, who_of(argc, argv, 4), [&](const cluster::QueryAnswer& answer) {
      Json out{{"values", answer.values}, {"error", answer.error}};
      if (answer.active) out["active"] = *answer.active;
      if (answer.target_milli) out["target_milli"] = *answer.target_milli;
      std::cout << out.dump() << std::endl;
      done = true;
    });
    while (!done) loop.turn();
  } else if (verb == "watch") {
    int left = std::atoi(argv[3]);
    scalers.watch(plan, who_of(argc, argv, 4), [&](bool active) {
      std::cout << (active ? "true" : "false") << std::endl;
      if (active) --left;
    });
    while (left > 0) loop.turn();
  } else {
    scalers.ask(plan, who_of(argc, argv, 3), [](const cluster::QueryAnswer&) {
      std::cout << "answered" << std::endl;  // never: its asker is gone
    });
    scalers.watch(plan, who_of(argc, argv, 3), [](bool) {});
    loop.after(milliseconds(100), [&] { done = true; });
    while (!done) loop.turn();
  }
  return 0;
}
