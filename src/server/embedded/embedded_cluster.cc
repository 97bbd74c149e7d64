#include "server/embedded/embedded_cluster.h"

#include <csignal>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "cluster/resources.h"
#include "server/embedded/accounts.h"
#include "server/embedded/bridge.h"
#include "server/embedded/enrich.h"
#include "server/embedded/front_door.h"
#include "server/embedded/pacer.h"
#include "server/embedded/scenario_object.h"
#include "server/embedded/shadows.h"
#include "server/embedded/world_api.h"
#include "server/http/credentials.h"
#include "server/http/machine_names.h"
#include "server/kinds/kind_rules.h"
#include "server/observe/dashboard_feed.h"
#include "server/observe/windlass_metrics.h"
#include "server/observe/world_sources.h"
#include "server/rest/kube_api.h"
#include "server/storage/sqlite_journal.h"

namespace windlass::server::embedded {
namespace {

// A turn of the loop lets the world run this long at most, so that a request waits no longer.
constexpr Duration kSlice = milliseconds(8);
constexpr Duration kTick = milliseconds(20);
constexpr Duration kRenewPeriod = seconds(10);  // Leases, the Scenario's status
constexpr const char* kScenarioPart = "scenario";
constexpr const char* kStartedPart = "started";

// What the world saved. Of a part that isn't its own it would say that it has gone.
std::map<std::string, Json> parts_of_world(std::map<std::string, Json> parts) {
  std::erase_if(parts, [](const auto& part) {
    return part.first == kScenarioPart || part.first == kStartedPart ||
           part.first.starts_with(kShadowPart);
  });
  return parts;
}

}  // namespace

struct EmbeddedCluster::Impl {
  Impl(sim::Scenario the_scenario, controllers::Policy the_policy, ClusterOptions the_options)
      : scenario(std::move(the_scenario)), policy(the_policy), options(std::move(the_options)) {}

  Status open();
  Status open_world();
  void connect();
  observe::ControlActions actions();
  void on_world(const std::function<void(sim::World&)>& control);
  Status listen();
  void turn();
  void run_world(Instant wall);
  void save();
  void second();
  void renew_scenario();
  void fail(const Error& error);

  sim::Scenario scenario;
  controllers::Policy policy;
  ClusterOptions options;
  EventLoop loop;
  cluster::ObjectStore store;
  std::optional<SqliteJournal> journal;
  std::optional<Credentials> credentials;
  std::unique_ptr<rest::KubeApi> api;
  std::unique_ptr<sim::World> world;
  std::optional<Shadows> shadows;
  std::unique_ptr<Bridge> bridge;
  std::optional<ScenarioObject> shown_scenario;
  std::optional<Pacer> pacer;
  std::unique_ptr<observe::DashboardFeed> feed;
  std::unique_ptr<observe::WindlassMetrics> metrics;
  std::unique_ptr<FrontDoor> door;
  Addresses addresses;
  bool resumed = false;
  std::optional<Error> failed;
  Instant saved_at{};
  uint64_t committed_version = 0;
  int seconds_run = 0;
};

Status EmbeddedCluster::Impl::open() {
  auto opened = SqliteJournal::open(options.data_dir + "/cluster.db");
  if (!opened.ok()) return opened.error();
  journal.emplace(*std::move(opened));
  auto keys = Credentials::open(options.data_dir + "/pki", names_of_listener(options.host),
                                options.wall_now());
  if (!keys.ok()) return keys.error();
  credentials.emplace(*std::move(keys));
  rest::ApiOptions rest_options;
  rest_options.now = [this] { return world == nullptr ? scenario.start : world->now(); };
  rest_options.wall_now = options.wall_now;
  rest_options.after = [this](Duration delay, std::function<void()> work) {
    loop.after(delay, std::move(work));
  };
  set_world_rules(rest_options);
  // Of a scenario whose objects alone are there nothing runs.
  if (!options.external) shown_scenario.emplace(scenario);
  if (shown_scenario) {
    rest_options.admit = [this, readable = rest_options.admit](const Json& object) {
      auto faults = shown_scenario->refusals(object);
      return faults.empty() ? readable(object) : faults;
    };
  }
  rest_options.issue_token = [this](const std::string& user, const std::string& uid,
                                    Instant expires) {
    return credentials->issue_token(user, uid, expires);
  };
  rest_options.identity_of_token = [this](const std::string& token) {
    return if_account_exists(
        credentials->authenticate("Bearer " + token, std::nullopt, options.wall_now()), store);
  };
  rest_options.seed = scenario.seed;
  api = std::make_unique<rest::KubeApi>(store, std::move(rest_options));
  if (Status status = journal->load(store); !status.ok()) return status;
  journal->follow(store);
  if (Status status = open_world(); !status.ok()) return status;
  pacer.emplace(world->now(), options.wall_now(), options.speed);
  api->bootstrap();
  bridge = std::make_unique<Bridge>(*world, store, *api);
  bridge->mirror_all();
  renew_scenario();
  connect();
  save();
  if (Status status = journal->commit(); !status.ok()) return status;
  if (options.until && *options.until <= world->now()) {
    return Error(fmt::format("--until {} is not after {}, where the cluster of {} stands",
                             to_rfc3339(*options.until), to_rfc3339(world->now()),
                             options.data_dir));
  }
  // Before anybody is told that Ctrl-C stops it.
  for (const int number : {SIGINT, SIGTERM}) {
    loop.on_signal(number, [this] { loop.stop(); });
  }
  return listen();
}

Status EmbeddedCluster::Impl::open_world() {
  const std::map<std::string, Json> parts = journal->parts();
  const auto identity = parts.find(kScenarioPart);
  Json mine{{"name", scenario.name}, {"policy", controllers::to_string(policy)}};
  if (options.external) mine["external"] = true;
  resumed = identity != parts.end();
  if (resumed && identity->second != mine) {
    return Error(fmt::format(
        "{} holds the cluster of scenario \"{}\" under policy {}{}; give another --data-dir, or "
        "remove it to start over",
        options.data_dir, identity->second.value("name", "?"),
        identity->second.value("policy", "?"),
        identity->second.value("external", false) ? " with --external" : ""));
  }
  journal->save_part(kScenarioPart, mine);
  const auto began = parts.find(kStartedPart);
  if (began == parts.end()) {
    const Instant wall = options.wall_now();
    scenario.start = {wall.ns / 1'000'000'000 * 1'000'000'000};
    journal->save_part(kStartedPart, to_rfc3339(scenario.start));
  } else if (const auto at =
                 parse_rfc3339(began->second.is_string() ? began->second.get<std::string>() : "")) {
    scenario.start = *at;
  }
  if (options.until_after) options.until = scenario.start + *options.until_after;
  sim::WorldOptions world_options;
  world_options.keep_raw = true;
  world_options.external = options.external;
  if (resumed) world_options.saved = parts_of_world(parts);
  world_options.objects = resumed ? objects_of(store) : admitted(scenario.objects);
  auto opened = sim::World::open(scenario, policy, std::move(world_options));
  if (!opened.ok()) return opened.error();
  world = *std::move(opened);
  // What clients decide, no other policy can be asked about.
  auto others =
      options.external ? Result<Shadows>(Shadows()) : Shadows::open(scenario, policy, parts);
  if (!others.ok()) return others.error();
  shadows.emplace(*std::move(others));
  if (!options.traffic) on_world([](sim::World& each) { each.set_traffic_factor(0); });
  return {};
}

void EmbeddedCluster::Impl::on_world(const std::function<void(sim::World&)>& control) {
  control(*world);
  shadows->each(control);
}

observe::ControlActions EmbeddedCluster::Impl::actions() {
  observe::ControlActions out;
  out.pause = [this](bool paused) {
    if (paused) pacer->settle_at(world->now(), options.wall_now());
    pacer->set_paused(paused, options.wall_now());
    return Status();
  };
  out.speed = [this](double speed) {
    if (speed < pacer->speed()) pacer->settle_at(world->now(), options.wall_now());
    pacer->set_speed(speed, options.wall_now());
    return Status();
  };
  out.traffic_factor = [this](double factor) {
    on_world([&](sim::World& each) { each.set_traffic_factor(factor); });
    return Status();
  };
  out.burst = [this](double factor, Duration length) {
    on_world([&](sim::World& each) { each.burst(factor, length); });
    return Status();
  };
  out.interrupt_node = [this](const std::string& node) {
    if (world->interrupt(node)) return Status();
    return Status(Error(node + " is no spot node, or already on its way out"));
  };
  out.block_capacity = [this](const std::string& type, std::optional<Duration> length) {
    if (world->state().catalog().find(type) == nullptr) {
      return Status(Error(type + " is not an instance type of the catalogue"));
    }
    const std::optional<Instant> until =
        length ? std::optional(world->now() + *length) : std::nullopt;
    on_world([&](sim::World& each) { each.block_capacity(type, until); });
    return Status();
  };
  out.unblock_capacity = [this](const std::string& type) {
    on_world([&](sim::World& each) { each.unblock_capacity(type); });
    return Status();
  };
  out.prometheus_outage = [this](Duration length) {
    on_world([&](sim::World& each) { each.prometheus_outage(length); });
    return Status();
  };
  return out;
}

void EmbeddedCluster::Impl::connect() {
  observe::Sources sources = observe::sources_of(*world);
  sources.version = options.version;
  sources.speed = [this] { return pacer->speed(); };
  sources.paused = [this] { return pacer->paused(); };
  sources.other_policies = [this] { return shadows->costs(); };
  sources.actions = actions();
  feed = std::make_unique<observe::DashboardFeed>(sources);
  observe::ServerSources server;
  server.objects = &store;
  server.watchers = [this] { return api->watchers(); };
  server.http_connections = [this] { return door == nullptr ? 0 : door->connections(); };
  server.dashboard_clients = [this] { return feed->clients(); };
  server.lag = [this] { return pacer->target(options.wall_now()) - world->now(); };
  metrics = std::make_unique<observe::WindlassMetrics>(std::move(sources), std::move(server));
  bridge->on_decision = [this](std::string_view controller, const controllers::Decision& decision) {
    feed->note_decision(controller, decision);
    metrics->note_decision(controller, decision);
  };
  bridge->on_change = [this](const cluster::Change& change) { metrics->observe(change); };
  bridge->on_client_write = [this](const api::Object& object) { shadows->client_wrote(object); };
  bridge->on_client_remove = [this](cluster::Kind kind, const std::string& key) {
    shadows->client_removed(kind, key);
  };
}

Status EmbeddedCluster::Impl::listen() {
  FrontDoorParts parts;
  parts.loop = &loop;
  parts.api = api.get();
  parts.feed = feed.get();
  parts.metrics = metrics.get();
  parts.store = &world->exporters().store();
  parts.credentials = &*credentials;
  parts.objects = &store;
  parts.now = [this] { return world->now(); };
  parts.wall_now = options.wall_now;
  door = std::make_unique<FrontDoor>(std::move(parts));
  DoorOptions door_options{options.host, options.api_port, options.dashboard_port,
                           options.plain_http};
  if (Status status = door->open(door_options); !status.ok()) return status;
  addresses.kubeconfig = options.data_dir + "/kubeconfig";
  addresses.api = door->api_url();
  addresses.dashboard = door->new_dashboard_link();
  return credentials->write_kubeconfig(addresses.kubeconfig, addresses.api);
}

// Runs the world to where the wall clock wants it, a slice at most. The shadows come along: nobody
// passes a sample of the dashboard's history before all are there, so that its costs are of one
// moment and a world that takes long is waited for, not left behind.
void EmbeddedCluster::Impl::run_world(Instant wall) {
  const Instant end = wall + kSlice;
  const auto enough = [&] { return options.wall_now() >= end; };
  Instant target = pacer->target(wall);
  if (options.until) target = std::min(target, *options.until);
  do {
    const Instant stop = std::min(target, feed->next_sample());
    if (world->now() < stop) {
      if (Status status = world->run_until(stop, enough); !status.ok()) return fail(status.error());
    }
    if (Status status = shadows->run_until(world->now(), enough); !status.ok()) {
      return fail(status.error());
    }
    if (shadows->slowest(world->now()) < world->now()) break;
    if (world->now() >= feed->next_sample()) feed->sample();
  } while (world->now() < target && !enough());
  pacer->reached(world->now(), options.wall_now());
}

void EmbeddedCluster::Impl::save() {
  for (const auto& [name, part] : world->take_saved()) journal->save_part(name, part);
  for (const auto& [name, part] : shadows->saved()) journal->save_part(name, part);
  saved_at = options.wall_now();
}

// One turn: what clients wrote goes in, time passes, what changed goes out, all of it is written
// down, and only then do the answers leave.
void EmbeddedCluster::Impl::turn() {
  if (failed) return;
  const Instant began = options.wall_now();
  const Instant simulated = world->now();
  const uint64_t version = store.resource_version();
  bridge->take_in();
  run_world(began);
  if (failed) return;
  bridge->give_out();
  // The clock alone is saved once a second; with anything else, always: a time that a client was
  // told must not come again.
  if (store.resource_version() != version || options.wall_now() - saved_at > seconds(1)) {
    save();
  } else if (version != committed_version) {
    journal->save_part("clock", world->saved_clock());
  }
  const Instant committing = options.wall_now();
  if (Status status = journal->commit(); !status.ok()) return fail(status.error());
  committed_version = store.resource_version();
  const Instant done = options.wall_now();
  metrics->journal_commit(done - committing);
  api->flush();
  metrics->turn(done - began, world->now() - simulated);
  if (options.until && world->now() >= *options.until) loop.stop();
}

void EmbeddedCluster::Impl::second() {
  feed->tick();
  if (++seconds_run % static_cast<int>(kRenewPeriod.seconds()) == 0) {
    bridge->renew_leases(world->now());
    renew_scenario();
  }
}

void EmbeddedCluster::Impl::renew_scenario() {
  if (!shown_scenario) return;
  ScenarioStatus status;
  status.policy = controllers::to_string(policy);
  status.time = world->now();
  status.usd = world->cloud().cost_usd();
  for (const auto& [id, instance] : world->cloud().instances()) {
    if (!instance.terminated) status.usd_per_hour += instance.usd_per_hour;
  }
  status.speed = pacer->paused() ? 0 : pacer->speed();
  shown_scenario->renew(status, store, *api);
}

void EmbeddedCluster::Impl::fail(const Error& error) {
  failed = error;
  loop.stop();
}

EmbeddedCluster::EmbeddedCluster(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
EmbeddedCluster::~EmbeddedCluster() = default;

Result<std::unique_ptr<EmbeddedCluster>> EmbeddedCluster::open(sim::Scenario scenario,
                                                               controllers::Policy policy,
                                                               ClusterOptions options) {
  auto impl = std::make_unique<Impl>(std::move(scenario), policy, std::move(options));
  if (Status status = impl->open(); !status.ok()) return status.error();
  return std::unique_ptr<EmbeddedCluster>(new EmbeddedCluster(std::move(impl)));
}

const Addresses& EmbeddedCluster::addresses() const { return impl_->addresses; }
bool EmbeddedCluster::resumed() const { return impl_->resumed; }
Instant EmbeddedCluster::now() const { return impl_->world->now(); }
Instant EmbeddedCluster::started() const { return impl_->scenario.start; }

Status EmbeddedCluster::run() {
  Impl& impl = *impl_;
  impl.door->on_new_link = [this](const std::string& url) {
    if (on_new_dashboard_link) on_new_dashboard_link(url);
  };
  impl.feed->tick();  // the beginning is a moment to go back to
  impl.loop.on_turn_end([&impl] { impl.turn(); });
  impl.loop.every(kTick, [] {});  // the turn's end does the work
  impl.loop.every(seconds(1), [&impl] { impl.second(); });
  impl.loop.run();
  if (impl.failed) return *impl.failed;
  impl.save();
  return impl.journal->commit();
}

void EmbeddedCluster::stop() { impl_->loop.stop(); }

std::vector<sim::RunResult> EmbeddedCluster::results() {
  std::vector<sim::RunResult> out = impl_->shadows->results(true);
  sim::RunResult shown = impl_->world->result(true);
  const auto place = std::find_if(out.begin(), out.end(), [&](const sim::RunResult& result) {
    return impl_->policy == controllers::Policy::kStatic ||
           (impl_->policy == controllers::Policy::kStock && result.policy == "windlass");
  });
  out.insert(place, std::move(shown));
  return out;
}

}  // namespace windlass::server::embedded
