// The fleet against the obvious simulator of reference_fleet.h: exact agreement of every completion
// (id and ns), of both times of every request, of all counts and of every server's figures, at any
// moment somebody looks.
#include <filesystem>
#include <string>
#include <tuple>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "sim/inference/fleet.h"
#include "sim/inference/reference_fleet.h"
#include "sim/traffic/temporary_trace.h"

namespace windlass::sim {
namespace {

enum class Kind { look, add, drain, remove };

struct Operation {
  int64_t at_ns;
  Kind kind;
  size_t argument;  // a profile or a server, modulo their number
};

struct Scenario {
  FleetOptions options;
  std::vector<ReferenceProfile> profiles;
  std::vector<ReferenceRequest> requests;
  std::vector<Operation> operations;
};

constexpr Duration kLength = hours(24 * 365);

Traffic traffic_of(const std::vector<ReferenceRequest>& requests) {
  std::string text = "time_s,input_tokens,output_tokens\n";
  for (const ReferenceRequest& r : requests) {
    text += fmt::format("{}.{:09},{},{}\n", r.arrival_ns / 1'000'000'000,
                        r.arrival_ns % 1'000'000'000, r.input_tokens, r.output_tokens);
  }
  const TemporaryTrace file(text);
  TrafficSpec spec{.generator = GeneratorSpec{.requests_per_s = 0}};
  if (!requests.empty()) spec = {.trace = TraceSpec{.path = file.path(), .repeat = false}};
  return std::move(Traffic::open(spec, 1, Instant{}, kLength)).value();
}

std::string server_difference(const Fleet& fleet, const ReferenceFleet& reference) {
  for (size_t i = 0; i < reference.servers.size(); ++i) {
    const ReferenceFleet::ServerState& expected = reference.servers[i];
    const ServerStats stats = fleet.stats(static_cast<ServerId>(i));
    const bool drained = expected.removed || (expected.draining && expected.outstanding() == 0);
    const auto describe = [](size_t running, size_t waiting, int64_t busy, uint64_t completed,
                             uint64_t prompt, uint64_t generated, bool empty, Instant first) {
      return fmt::format(
          "running {} waiting {} busy {} completed {} prompt {} generated {} drained {} first {}",
          running, waiting, busy, completed, prompt, generated, empty, first.ns);
    };
    const std::string a =
        describe(static_cast<size_t>(stats.running), static_cast<size_t>(stats.waiting),
                 stats.busy.ns, stats.completed, stats.prompt_tokens, stats.generation_tokens,
                 fleet.drained(static_cast<ServerId>(i)), stats.first_token.value_or(kNever));
    const std::string b =
        describe(expected.running.size(), expected.waiting.size(), reference.busy_ns(expected),
                 expected.completed, expected.prompt_tokens, expected.generation_tokens, drained,
                 expected.first_token.value_or(kNever));
    if (a != b) return fmt::format("server {}: fleet: {}; reference: {}", i, a, b);
  }
  return "";
}

// Empty if all that can be seen of both is equal and the fleet's own laws hold.
std::string difference(const Fleet& fleet, const ReferenceFleet& reference) {
  const FleetTotals& t = fleet.totals();
  const FleetTotals& r = reference.totals;
  const auto describe = [](const FleetTotals& x, size_t at_router, uint64_t hash, Instant drained) {
    return fmt::format(
        "offered {} completed {} failed {} retried {} slo_met {} in_system {} router {} hash {:x} "
        "next drained {}",
        x.offered, x.completed, x.failed, x.retried, x.slo_met, x.in_system, at_router, hash,
        drained.ns);
  };
  const std::string a = describe(t, static_cast<size_t>(fleet.router_waiting()),
                                 fleet.hash().value(), fleet.next_drained());
  const std::string b =
      describe(r, reference.router.size(), reference.hash.value(), reference.next_drained());
  if (a != b) return fmt::format("fleet: {}; reference: {}", a, b);
  if (fleet.latencies_ms() != reference.latencies_ms) return "latencies differ";
  if (fleet.ttfts_ms() != reference.ttfts_ms) return "times to the first token differ";
  if (t.offered != t.completed + t.failed + t.in_system) return "a request was lost";
  const double integral = fleet.number_integral();
  if (std::abs(integral - fleet.time_in_system_sum()) > 1e-9 * std::max(1.0, integral)) {
    return "Little's law is broken";
  }
  return server_difference(fleet, reference);
}

template <class F, class P>
void apply(const Operation& operation, const std::vector<ReferenceProfile>& profiles,
           size_t server_count, F& fleet, const P& profile_of) {
  if (operation.kind == Kind::add) {
    fleet.add_server(profile_of(profiles[operation.argument % profiles.size()]));
  } else if (server_count > 0 && operation.kind != Kind::look) {
    const auto id = static_cast<ServerId>(operation.argument % server_count);
    operation.kind == Kind::drain ? fleet.drain(id) : fleet.remove(id);
  }
}

// The first difference, with the time at which it was seen.
std::string run_both(const Scenario& scenario) {
  Fleet fleet(scenario.options, traffic_of(scenario.requests), Instant{});
  ReferenceFleet reference(scenario.options, scenario.requests);
  std::vector<Operation> operations = scenario.operations;
  operations.push_back({kLength.ns, Kind::look, 0});
  for (const Operation& operation : operations) {
    const size_t servers = reference.servers.size();
    if (!fleet.advance(Instant{operation.at_ns})) return "the traffic failed";
    reference.advance(operation.at_ns);
    std::string found = difference(fleet, reference);
    if (found.empty()) {
      apply(operation, scenario.profiles, servers, fleet,
            [](const ReferenceProfile& p) { return p.profile(); });
      apply(operation, scenario.profiles, servers, reference,
            [](const ReferenceProfile& p) { return p; });
      found = difference(fleet, reference);
    }
    if (!found.empty()) return fmt::format("at {} ns: {}", operation.at_ns, found);
  }
  return "";
}

// All times multiples of `tick`: with a coarse one, events coincide all the time.
rc::Gen<ReferenceProfile> any_profile(int64_t tick) {
  return rc::gen::exec([tick] {
    ReferenceProfile p;
    p.a_ns = *rc::gen::inRange<int64_t>(1, 9) * tick;
    p.p_ns = *rc::gen::inRange<int64_t>(0, 4) * tick / 8;
    p.b_ns = *rc::gen::inRange<int64_t>(0, 4) * tick / 8;
    p.c_ns = *rc::gen::inRange<int64_t>(0, 3) * tick / 32;
    p.q_ns = *rc::gen::inRange<int64_t>(0, 3) * tick / 2;
    p.kv_capacity_tokens = *rc::gen::inRange<int64_t>(10, 400);
    p.max_sequences = *rc::gen::inRange(1, 9);
    p.max_batched_tokens = *rc::gen::inRange(1, 80);
    return p;
  });
}

Scenario any_scenario() {
  Scenario scenario;
  const int64_t tick = *rc::gen::element<int64_t>(32, 1'000'000, 999'983);
  scenario.options.slo = Duration{*rc::gen::inRange<int64_t>(0, 400) * tick};
  scenario.options.request_timeout = Duration{*rc::gen::element<int64_t>(0, 0, 10, 60, 300) * tick};
  scenario.options.max_retries = *rc::gen::inRange(0, 4);
  scenario.profiles =
      *rc::gen::nonEmpty(rc::gen::container<std::vector<ReferenceProfile>>(any_profile(tick)));
  const auto gaps = *rc::gen::container<std::vector<std::tuple<int, int, int>>>(
      rc::gen::tuple(rc::gen::inRange(0, 25), rc::gen::inRange(1, 120), rc::gen::inRange(1, 60)));
  int64_t time_ns = 0;
  for (const auto& [gap, input, output] : gaps) {
    time_ns += gap * tick;
    scenario.requests.push_back({time_ns, input, output});
  }
  const auto steps = *rc::gen::container<std::vector<std::tuple<int, Kind, size_t>>>(
      rc::gen::tuple(rc::gen::inRange(0, 60),
                     rc::gen::weightedElement<Kind>(
                         {{4, Kind::look}, {3, Kind::add}, {2, Kind::drain}, {2, Kind::remove}}),
                     rc::gen::inRange<size_t>(0, 8)));
  const auto first_servers = *rc::gen::inRange<size_t>(0, 4);
  for (size_t i = 0; i < first_servers; ++i) scenario.operations.push_back({0, Kind::add, i});
  time_ns = 0;
  for (const auto& [gap, kind, argument] : steps) {
    time_ns += gap * tick;
    scenario.operations.push_back({time_ns, kind, argument});
  }
  return scenario;
}

RC_GTEST_PROP(FleetReference, AgreesExactly, ()) {
  const Scenario scenario = any_scenario();
  const std::string found = run_both(scenario);
  if (!found.empty()) RC_FAIL(found);
}

RC_GTEST_PROP(FleetReference, LookingChangesNothing, ()) {
  const Scenario scenario = any_scenario();
  const auto looks = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 3000));
  const auto run = [&](bool look) {
    Fleet fleet(scenario.options, traffic_of(scenario.requests), Instant{});
    size_t servers = 0;
    int64_t now_ns = 0;
    for (size_t i = 0; i <= scenario.operations.size(); ++i) {
      const bool last = i == scenario.operations.size();
      const int64_t to_ns = last ? kLength.ns : scenario.operations[i].at_ns;
      for (const int part : looks) {
        if (!look) break;
        const int64_t at_ns = now_ns + std::min(to_ns - now_ns, int64_t{part} * part * 997);
        if (!fleet.advance(Instant{at_ns})) return std::string("the traffic failed");
        now_ns = at_ns;
      }
      if (!fleet.advance(Instant{to_ns})) return std::string("the traffic failed");
      now_ns = to_ns;
      if (last) break;
      apply(scenario.operations[i], scenario.profiles, servers, fleet,
            [](const ReferenceProfile& p) { return p.profile(); });
      servers += scenario.operations[i].kind == Kind::add ? 1 : 0;
    }
    return fmt::format("{:x} {} {} {}", fleet.hash().value(), fleet.totals().failed,
                       fleet.number_integral(), fleet.latencies_ms().size());
  };
  RC_ASSERT(run(false) == run(true));
}

// Real coefficients and lengths: Llama-2-7B on an A100, the published conversation trace at once
// and at five times its rate, where the servers saturate.
TEST(FleetReference, AgreesOnTheAzureTrace) {
  const std::string path = "../shared/data/traces/azure_llm_2023_conv.csv";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not there";
  for (const int64_t speed : {1, 5}) {
    Scenario scenario;
    scenario.options = {.slo = seconds(10), .request_timeout = seconds(60)};
    scenario.profiles = {{.a_ns = 8'800'000,
                          .p_ns = 65'000,
                          .b_ns = 29'000,
                          .c_ns = 340,
                          .kv_capacity_tokens = 20'000,
                          .max_sequences = 256,
                          .max_batched_tokens = 2048}};
    Traffic traffic =
        std::move(Traffic::open({.trace = TraceSpec{.path = path}}, 1, Instant{}, hours(1)))
            .value();
    while (scenario.requests.size() < 3000) {
      const std::optional<Request> r = traffic.next();
      ASSERT_TRUE(r.has_value());
      scenario.requests.push_back({r->arrival.ns / speed, r->input_tokens, r->output_tokens});
    }
    for (size_t i = 0; i < 4; ++i) scenario.operations.push_back({0, Kind::add, 0});
    scenario.operations.push_back({seconds(30).ns, Kind::remove, 1});
    scenario.operations.push_back({seconds(60).ns, Kind::drain, 2});
    scenario.operations.push_back({seconds(75).ns, Kind::add, 0});
    EXPECT_EQ(run_both(scenario), "") << "at " << speed << " times the trace's rate";
  }
}

}  // namespace
}  // namespace windlass::sim
