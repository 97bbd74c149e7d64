#include "server/observe/windlass_metrics.h"

#include <map>
#include <optional>

#include "server/observe/karpenter_metrics.h"
#include "server/observe/keda_metrics.h"
#include "server/observe/registry.h"

namespace windlass::server::observe {
namespace {

const std::vector<double> kRequestBounds{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                         0.1,    0.25,  0.5,    1,     2.5,  5,     10};
const std::vector<double> kTurnBounds{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
                                      0.025,  0.05,    0.1,    0.25,  0.5,    1};

}  // namespace

struct WindlassMetrics::Impl {
  Impl(Sources the_world, ServerSources the_server)
      : world(std::move(the_world)), server(std::move(the_server)) {}

  void collect_loop();
  void collect_server();
  void collect_world();

  Sources world;
  ServerSources server;
  Registry registry;
  KarpenterMetrics karpenter{registry, world};
  KedaMetrics keda{registry, world};

  Family& turns = registry.histogram("windlass_loop_turn_duration_seconds",
                                     "Wall time of a turn of the event loop.", kTurnBounds);
  Family& simulated = registry.counter("windlass_simulated_seconds_total",
                                       "Simulated time that the world has moved.");
  Family& requests =
      registry.counter("windlass_api_requests_total", "Requests to the Kubernetes API.",
                       {"verb", "resource", "code"});
  Family& request_time =
      registry.histogram("windlass_api_request_duration_seconds",
                         "Wall time from a request's arrival to its reply; watches are left out.",
                         kRequestBounds, {"verb", "resource"});
  Family& events =
      registry.counter("windlass_api_watch_events_total", "Events sent to watches.", {"resource"});
  Family& commits = registry.histogram("windlass_journal_commit_duration_seconds",
                                       "Wall time of a commit of the journal.", kTurnBounds);
  Family& commit_count =
      registry.counter("windlass_journal_commits_total", "Commits of the journal.");
  Family& decisions = registry.counter("windlass_decisions_total", "Decisions of the controllers.",
                                       {"controller", "decision"});
};

void WindlassMetrics::Impl::collect_loop() {
  const auto set = [&](const char* name, const char* help, double value) {
    registry.gauge(name, help).get().set(value);
  };
  registry.gauge("windlass_build_info", "The running version.", {"version"})
      .with({world.version})
      .set(1);
  set("windlass_simulated_time_seconds", "The simulated time, since the Unix epoch.",
      world.now().seconds());
  if (world.speed)
    set("windlass_speed", "Simulated seconds a wall second, asked for.", world.speed());
  if (world.paused) set("windlass_paused", "1 while the simulated clock stands.", world.paused());
  if (server.lag) {
    set("windlass_lag_seconds", "Simulated time that the world is behind the wall clock and speed.",
        server.lag().seconds());
  }
}

void WindlassMetrics::Impl::collect_server() {
  const auto set = [&](const char* name, const char* help, size_t value) {
    registry.gauge(name, help).get().set(static_cast<double>(value));
  };
  if (server.watchers) set("windlass_api_watchers", "Open watches.", server.watchers());
  if (server.http_connections) {
    set("windlass_http_connections", "Open HTTP connections.", server.http_connections());
  }
  if (server.dashboard_clients) {
    set("windlass_dashboard_clients", "Open streams of the dashboard.", server.dashboard_clients());
  }
  if (server.objects == nullptr) return;
  set("windlass_store_resource_version", "The newest resource version.",
      server.objects->resource_version());
  if (!server.resources) return;
  Family& objects =
      registry.gauge("windlass_store_objects", "Objects of the Kubernetes API.", {"resource"});
  objects.clear();
  for (const std::string& resource : server.resources()) {
    objects.with({resource}).set(static_cast<double>(server.objects->count(resource)));
  }
}

void WindlassMetrics::Impl::collect_world() {
  const auto total = [&](const char* name, const char* help, double value) {
    registry.counter(name, help).get().set(value);
  };
  if (world.cost_usd) {
    total("windlass_cost_usd_total", "The simulated bill, dollars.", world.cost_usd());
  }
  if (world.gpu_seconds_paid) {
    total("windlass_gpu_paid_seconds_total", "GPU time paid for.", world.gpu_seconds_paid());
  }
  if (world.gpu_seconds_busy) {
    total("windlass_gpu_busy_seconds_total", "GPU time at work.", world.gpu_seconds_busy());
  }
  if (world.instances != nullptr) {
    double rate = 0;
    for (const auto& [id, instance] : *world.instances) {
      if (!instance.terminated) rate += instance.usd_per_hour;
    }
    registry.gauge("windlass_cost_usd_per_hour", "What runs now costs, dollars an hour.")
        .get()
        .set(rate);
  }
}

WindlassMetrics::WindlassMetrics(Sources world, ServerSources server)
    : impl_(std::make_unique<Impl>(std::move(world), std::move(server))) {}
WindlassMetrics::~WindlassMetrics() = default;

void WindlassMetrics::turn(Duration wall, Duration simulated) {
  impl_->turns.get().observe(wall.seconds());
  impl_->simulated.get().add(simulated.seconds());
}

void WindlassMetrics::api_request(std::string_view verb, std::string_view resource, int code,
                                  Duration wall) {
  impl_->requests.with({std::string(verb), std::string(resource), std::to_string(code)}).add();
  if (verb == "watch") return;
  impl_->request_time.with({std::string(verb), std::string(resource)}).observe(wall.seconds());
}

void WindlassMetrics::events_sent(std::string_view resource, uint64_t count) {
  impl_->events.with({std::string(resource)}).add(static_cast<double>(count));
}

void WindlassMetrics::journal_commit(Duration wall) {
  impl_->commits.get().observe(wall.seconds());
  impl_->commit_count.get().add();
}

void WindlassMetrics::observe(const cluster::Change& change) {
  impl_->karpenter.observe(change);
  impl_->keda.observe(change);
}

void WindlassMetrics::note_decision(std::string_view controller,
                                    const controllers::Decision& decision) {
  impl_->decisions.with({std::string(controller), decision.what}).add();
}

Response WindlassMetrics::answer(std::string_view accept) {
  impl_->collect_loop();
  impl_->collect_server();
  impl_->collect_world();
  impl_->karpenter.collect();
  impl_->keda.collect();
  const TextFormat format = negotiate(accept);
  Response response;
  response.content_type = std::string(content_type(format));
  response.body = impl_->registry.text(format);
  return response;
}

}  // namespace windlass::server::observe
