#include "server/observe/controls.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace windlass::server::observe {
namespace {

// Does what is asked and says what was done, or why not.
std::string done(std::string_view body) {
  std::string log;
  const auto note = [&](std::string text) -> Status {
    log = std::move(text);
    return {};
  };
  ControlActions actions;
  actions.pause = [&](bool on) { return note(on ? "pause" : "go on"); };
  actions.speed = [&](double speed) { return note(fmt::format("speed {}", speed)); };
  actions.traffic_factor = [&](double factor) { return note(fmt::format("traffic {}", factor)); };
  actions.burst = [&](double factor, Duration length) {
    return note(fmt::format("burst {} {}", factor, to_string(length)));
  };
  actions.interrupt_node = [&](const std::string& node) -> Status {
    if (node == "fixed") return Error("not a spot node");
    return note("interrupt " + node);
  };
  actions.block_capacity = [&](const std::string& type, std::optional<Duration> length) {
    return note(fmt::format("block {} {}", type, length ? to_string(*length) : "for good"));
  };
  actions.unblock_capacity = [&](const std::string& type) { return note("unblock " + type); };
  const Status status = apply_control(body, actions);
  return status.ok() ? log : "error: " + status.error().message();
}

TEST(Controls, AreCarriedOut) {
  const std::vector<std::pair<std::string_view, std::string_view>> cases{
      {R"({"pause": true})", "pause"},
      {R"({"pause": false})", "go on"},
      {R"({"speed": 0.1})", "speed 0.1"},
      {R"({"speed": 100000})", "speed 100000"},
      {R"({"traffic_factor": 0})", "traffic 0"},
      {R"({"burst": {"factor": 3, "seconds": 300}})", "burst 3 5m"},
      {R"({"interrupt_node": "n1"})", "interrupt n1"},
      {R"({"block_capacity": {"instance_type": "g6.xlarge", "seconds": 600}})",
       "block g6.xlarge 10m"},
      {R"({"block_capacity": {"instance_type": "g6.xlarge"}})", "block g6.xlarge for good"},
      {R"({"unblock_capacity": "g6.xlarge"})", "unblock g6.xlarge"}};
  for (const auto& [body, what] : cases) EXPECT_EQ(done(body), what) << body;
}

TEST(Controls, RefuseWhatTheyCannotTake) {
  for (const char* body : {"",
                           "{",
                           "[]",
                           "{}",
                           "null",
                           "7",
                           R"({"pause": 1})",
                           R"({"pause": true, "speed": 1})",
                           R"({"speed": 0.09})",
                           R"({"speed": 100001})",
                           R"({"speed": "60"})",
                           R"({"speed": null})",
                           R"({"traffic_factor": -1})",
                           R"({"traffic_factor": 1001})",
                           R"({"burst": 3})",
                           R"({"burst": {"factor": 3}})",
                           R"({"burst": {"seconds": 3}})",
                           R"({"burst": {"factor": 3, "seconds": 0}})",
                           R"({"burst": {"factor": 3, "seconds": 1e12}})",
                           R"({"interrupt_node": ""})",
                           R"({"interrupt_node": {"a": 1}})",
                           R"({"interrupt_node": "fixed"})",
                           R"({"block_capacity": "g6.xlarge"})",
                           R"({"block_capacity": {"instance_type": 1}})",
                           R"({"block_capacity": {"instance_type": "x", "seconds": "1"}})",
                           R"({"explode": true})"}) {
    EXPECT_TRUE(done(body).starts_with("error: ")) << body;
  }
  EXPECT_EQ(done(R"({"explode": 1})"),
            "error: there is no control explode (accepted: pause, speed, traffic_factor, burst, "
            "interrupt_node, block_capacity, unblock_capacity, prometheus_outage)");
  // Nobody filled this one in.
  EXPECT_EQ(done(R"({"prometheus_outage": {"seconds": 60}})"),
            "error: this control is not available here");
}

}  // namespace
}  // namespace windlass::server::observe
