#include "server/observe/world_sources.h"

#include <algorithm>
#include <memory>

#include <fmt/format.h>

namespace windlass::server::observe {
namespace {

// Tokens of a model over all its servers: what a server said last stays counted when it is gone.
struct TokenCounts {
  std::map<std::pair<std::string, sim::ServerId>, uint64_t> last;  // by pod and server
  std::vector<double> total;                                       // by model
};

std::vector<ModelReading> read_models(const sim::World& world, TokenCounts& tokens) {
  const sim::InferencePlane& plane = world.inference();
  std::vector<ModelReading> out(plane.fleets().size());
  tokens.total.resize(out.size());
  std::map<std::pair<std::string, sim::ServerId>, uint64_t> seen;
  for (const auto& [pod, server] : plane.servers()) {
    const sim::ServerStats stats = plane.stats(server);
    ModelReading& reading = out[server.model];
    reading.running += stats.running;
    reading.servers_ready += server.draining ? 0 : 1;
    const auto before = tokens.last.find({pod, server.id});
    const uint64_t was = before == tokens.last.end() ? 0 : before->second;
    tokens.total[server.model] += static_cast<double>(stats.generation_tokens - was);
    seen.emplace(std::pair(pod, server.id), stats.generation_tokens);
  }
  tokens.last = std::move(seen);
  for (size_t i = 0; i < out.size(); ++i) {
    const sim::Fleet& fleet = plane.fleets()[i];
    out[i].offered = fleet.totals().offered;
    out[i].completed = fleet.totals().completed;
    out[i].waiting = fleet.waiting();
    out[i].generated_tokens = tokens.total[i];
    out[i].latencies_ms = &fleet.latencies_ms();
  }
  return out;
}

ControlsNow read_controls(const sim::World& world) {
  ControlsNow out;
  out.traffic_factor = world.controls().traffic_factor;
  for (const sim::World::Burst& burst : world.controls().bursts) {
    out.burst_until = std::max(out.burst_until.value_or(burst.until), burst.until);
  }
  for (const auto& [type, until] : world.cloud().blocked()) {
    if (until == kNever) {
      out.blocked.emplace_back(type, std::nullopt);
    } else if (until > world.now()) {
      out.blocked.emplace_back(type, until);
    }
  }
  if (const Instant until = world.exporters().outage_until(); until > world.now()) {
    out.prometheus_down_until = until;
  }
  return out;
}

ControlActions actions_of(sim::World& world) {
  ControlActions actions;
  actions.traffic_factor = [&world](double factor) -> Status {
    world.set_traffic_factor(factor);
    return {};
  };
  actions.burst = [&world](double factor, Duration length) -> Status {
    world.burst(factor, length);
    return {};
  };
  actions.interrupt_node = [&world](const std::string& node) -> Status {
    if (world.state().nodes().find(node) == nullptr) return Error("there is no such node");
    if (world.interrupt(node)) return {};
    return Error("not a spot node, or already on its way");
  };
  actions.block_capacity = [&world](const std::string& type,
                                    std::optional<Duration> length) -> Status {
    if (world.state().catalog().find(type) == nullptr) {
      return Error("the catalogue has no such instance type");
    }
    world.block_capacity(type, length ? std::optional(world.now() + *length) : std::nullopt);
    return {};
  };
  actions.unblock_capacity = [&world](const std::string& type) -> Status {
    world.unblock_capacity(type);
    return {};
  };
  actions.prometheus_outage = [&world](Duration length) -> Status {
    world.prometheus_outage(length);
    return {};
  };
  return actions;
}

}  // namespace

bool prometheus_down(const sim::World& world) {
  if (world.now() < world.exporters().outage_until()) return true;
  const Duration at = world.now() - world.scenario().start;
  return std::ranges::any_of(world.scenario().metrics.outages, [&](const auto& outage) {
    return at >= outage.first && at < outage.second;
  });
}

Sources sources_of(sim::World& world) {
  Sources out;
  out.scenario = world.scenario().name;
  out.policy = controllers::to_string(world.policy());
  out.started = world.scenario().start;
  out.now = [&world] { return world.now(); };
  out.state = &world.state();
  out.instances = &world.cloud().instances();
  out.store = &world.exporters().store();
  out.cost_usd = [&world] { return world.cloud().cost_usd(); };
  out.gpu_seconds_paid = [&world] { return world.cloud().gpu_seconds_paid(); };
  out.gpu_seconds_busy = [&world] {
    return world.inference().busy_gpu_seconds() + world.training().busy_gpu_seconds();
  };
  out.pod_times = [&world](const std::string& pod) -> std::optional<PodTimes> {
    const auto start = world.kubelets().start_of(pod);
    if (!start) return std::nullopt;
    return PodTimes{start->pull_until, start->load_until, start->ready_at};
  };
  out.busy_share = [&world](const std::string& pod) { return world.exporters().busy_share(pod); };
  out.models = [&world, tokens = std::make_shared<TokenCounts>()] {
    return read_models(world, *tokens);
  };
  out.controls = [&world] { return read_controls(world); };
  out.actions = actions_of(world);
  return out;
}

}  // namespace windlass::server::observe
