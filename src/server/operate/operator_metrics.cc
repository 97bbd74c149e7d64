#include "server/operate/operator_metrics.h"

#include <array>

#include <fmt/format.h>

#include "base/text.h"
#include "server/observe/karpenter_metrics.h"
#include "server/observe/keda_metrics.h"
#include "server/observe/registry.h"

namespace windlass::server::operate {
namespace {

using observe::Family;

const std::vector<double> kReactionBounds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                          0.1,   0.25,   0.5,   1,    2.5,   5};

// In the order of controllers::Action's alternatives.
constexpr std::array<std::string_view, 7> kActions{"put",    "delete",    "scale", "evict",
                                                   "launch", "terminate", "query"};
static_assert(kActions.size() == std::variant_size_v<controllers::Action>);

constexpr std::array<std::string_view, 5> kPhases{"idle", "listing", "watching", "waiting",
                                                  "absent"};

observe::Sources sources_of(const live::World& world, const ProcessSources& process) {
  observe::Sources sources;
  sources.version = process.version;
  sources.policy = controllers::to_string(world.policy());
  sources.now = process.now;
  sources.state = &world.state();
  return sources;
}

}  // namespace

struct OperatorMetrics::Impl {
  Impl(const live::World& the_world, ProcessSources the_process)
      : world(the_world), process(std::move(the_process)), sources(sources_of(world, process)) {}

  void collect_process();
  void collect_world();
  void collect_watches();

  const live::World& world;
  ProcessSources process;
  observe::Sources sources;
  observe::Registry registry;
  observe::KarpenterMetrics karpenter{registry, sources};
  observe::KedaMetrics keda{registry, sources};
  Family& decisions = registry.counter("windlass_decisions_total", "Decisions of the controllers.",
                                       {"controller", "decision"});
  Family& actions =
      registry.counter("windlass_actions_total", "What controllers asked for.", {"action"});
  Family& reconciles =
      registry.histogram("controller_runtime_reconcile_time_seconds",
                         "What one look of a controller took.", kReactionBounds, {"controller"});
  Family& reactions =
      registry.histogram("windlass_reaction_duration_seconds",
                         "From a change seen to the first request it led to.", kReactionBounds);
};

void OperatorMetrics::Impl::collect_process() {
  const auto set = [&](const char* name, const char* help, double value) {
    registry.gauge(name, help).get().set(value);
  };
  registry.gauge("windlass_build_info", "The running version.", {"version"})
      .with({process.version})
      .set(1);
  set("windlass_leading", "1 while this process decides and acts.", world.deciding() ? 1 : 0);
  set("windlass_synced", "1 once everything that was there has been seen.", world.synced() ? 1 : 0);
  if (process.cpu_seconds) {
    registry.counter("process_cpu_seconds_total", "Processor time of the process.")
        .get()
        .set(process.cpu_seconds());
  }
  if (process.resident_bytes) {
    set("process_resident_memory_bytes", "Resident memory.", process.resident_bytes());
  }
  if (process.client) {
    Family& client =
        registry.counter("windlass_kube_client_total",
                         "Requests to the Kubernetes API, and what became of them.", {"what"});
    process.client([&](std::string_view what, uint64_t count) {
      client.with({std::string(what)}).set(static_cast<double>(count));
    });
  }
}

void OperatorMetrics::Impl::collect_world() {
  const live::ObjectSyncStats& stats = world.objects().stats();
  Family& writes =
      registry.counter("windlass_object_writes_total",
                       "Writes of objects: sent, conflicts, retries, refused.", {"what"});
  writes.with({"sent"}).set(static_cast<double>(stats.writes));
  writes.with({"conflict"}).set(static_cast<double>(stats.conflicts));
  writes.with({"retry"}).set(static_cast<double>(stats.retries));
  writes.with({"refused"}).set(static_cast<double>(stats.refused));
  registry.gauge("windlass_object_writes_open", "Objects with a write under way.")
      .get()
      .set(static_cast<double>(world.objects().unsettled()));
  Family& refused =
      registry.gauge("windlass_left_alone", "Objects that others run: 1 each.", {"kind", "name"});
  refused.clear();
  for (const auto& [id, why] : world.ownership().refused()) {
    refused.with({std::string(cluster::to_string(id.first)), id.second}).set(1);
  }
  double usd_per_hour = 0;
  for (const auto& [name, claim] : world.state().node_claims()) {
    const catalog::InstanceType* type = world.state().catalog().find(claim.instance_type());
    if (type == nullptr) continue;
    for (const catalog::Offering& offering : type->offerings) {
      const bool same =
          offering.zone == claim.zone() && offering.capacity_type == claim.capacity_type();
      if (same) usd_per_hour += offering.usd_per_hour;
    }
  }
  registry
      .gauge("windlass_cost_usd_per_hour",
             "What the launched NodeClaims cost by the catalogue, dollars an hour.")
      .get()
      .set(usd_per_hour);
}

void OperatorMetrics::Impl::collect_watches() {
  Family& events = registry.counter("windlass_watch_events_total", "Events of watches.", {"path"});
  Family& errors =
      registry.counter("windlass_watch_errors_total", "Lists and watches that failed.", {"path"});
  Family& lists = registry.counter("windlass_watch_lists_total", "Lists of resources.", {"path"});
  Family& phase =
      registry.gauge("windlass_watch_phase", "1 for the phase a watch is in.", {"path", "phase"});
  phase.clear();
  for (const auto& [path, watcher] : world.watchers()) {
    const live::kube::Watcher::Stats& stats = watcher->stats();
    events.with({path}).set(static_cast<double>(stats.events));
    errors.with({path}).set(static_cast<double>(stats.errors));
    lists.with({path}).set(static_cast<double>(stats.lists));
    phase.with({path, std::string(kPhases[static_cast<size_t>(watcher->phase())])}).set(1);
  }
}

OperatorMetrics::OperatorMetrics(const live::World& world, ProcessSources process)
    : impl_(std::make_unique<Impl>(world, std::move(process))) {}

OperatorMetrics::~OperatorMetrics() = default;

void OperatorMetrics::observe(const cluster::Change& change) {
  impl_->karpenter.observe(change);
  impl_->keda.observe(change);
}

void OperatorMetrics::note_decision(std::string_view controller,
                                    const controllers::Decision& decision) {
  impl_->decisions.with({std::string(controller), decision.what}).add();
}

void OperatorMetrics::note_action(const controllers::Action& action) {
  impl_->actions.with({std::string(kActions[action.index()])}).add();
}

void OperatorMetrics::note_reaction(Duration took) {
  impl_->reactions.get().observe(took.seconds());
}

void OperatorMetrics::note_reconcile(std::string_view controller, Duration took) {
  impl_->reconciles.with({std::string(controller)}).observe(took.seconds());
}

Response OperatorMetrics::answer(std::string_view accept) {
  impl_->collect_process();
  impl_->collect_world();
  impl_->collect_watches();
  impl_->karpenter.collect();
  impl_->keda.collect();
  const observe::TextFormat format = observe::negotiate(accept);
  Response response;
  response.content_type = observe::content_type(format);
  response.body = impl_->registry.text(format);
  return response;
}

Response operator_page(const Request& request, const live::World& world, OperatorMetrics& metrics) {
  Response response;
  response.content_type = "text/plain; charset=utf-8";
  if (request.method != "GET" && request.method != "HEAD") {
    response.status = 405;
    response.body = "accepted: GET\n";
    return response;
  }
  if (request.path == "/metrics") return metrics.answer(request.header("accept"));
  if (request.path == "/healthz" || request.path == "/livez") {
    response.body = "ok\n";
  } else if (request.path == "/readyz") {
    const std::vector<std::string> troubles = world.troubles();
    response.status = world.synced() ? 200 : 503;
    response.body = world.synced() ? "ok\n" : "";
    for (const std::string& trouble : troubles) response.body += trouble + "\n";
  } else if (request.path == "/") {
    response.body = fmt::format("windlass run, policy {}: {}\n\n/healthz\n/readyz\n/metrics\n",
                                controllers::to_string(world.policy()),
                                world.deciding()  ? "deciding"
                                : world.leading() ? "leading, not synced yet"
                                                  : "standing by");
  } else {
    response.status = 404;
    response.body = "there is /healthz, /readyz and /metrics\n";
  }
  return response;
}

}  // namespace windlass::server::operate
