#include "cli/run_command.h"

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <malloc.h>
#include <memory>
#include <sys/resource.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/hash.h"
#include "base/log.h"
#include "cli/replay_reader.h"
#include "controllers/decision_text.h"
#include "live/cloud/switched_cloud.h"
#include "live/external/client.h"
#include "live/kube/acting_api.h"
#include "live/kube/client.h"
#include "live/kube/config.h"
#include "live/kube/leader.h"
#include "live/run/observer.h"
#include "live/run/world.h"
#include "live/signals/metric_source.h"
#include "live/signals/pod_scraper.h"
#include "server/http/http_server.h"
#include "server/operate/operator_metrics.h"

namespace windlass::cli {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

live::kube::ConfigSources config_sources(const RunSettings& settings) {
  live::kube::ConfigSources sources;
  sources.kubeconfig = settings.kubeconfig;
  sources.context = settings.context;
  sources.kubeconfig_environment = environment("KUBECONFIG");
  sources.home = environment("HOME");
  sources.service_host = environment("KUBERNETES_SERVICE_HOST");
  sources.service_port = environment("KUBERNETES_SERVICE_PORT");
  return sources;
}

std::string host_name() {
  char name[256] = {};
  return gethostname(name, sizeof name - 1) == 0 ? name : "windlass";
}

void set_log_level(const std::string& level) {
  using log::Level;
  log::set_level(level == "debug"     ? Level::kDebug
                 : level == "warning" ? Level::kWarning
                 : level == "error"   ? Level::kError
                                      : Level::kInfo);
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

double resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  double all = 0;
  double resident = 0;
  statm >> all >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

int refuse(const std::string& what, int code) {
  std::cerr << "error: " << what << "\n";
  return code;
}

// Where decisions are written, a JSON line each, at once: a crash loses none.
class DecisionFile {
 public:
  static Result<std::unique_ptr<DecisionFile>> open(const std::string& path) {
    auto out = std::make_unique<DecisionFile>();
    if (path.empty() || path == "-") {
      out->standard_ = path == "-";
      return out;
    }
    out->file_.open(path, std::ios::app);
    if (!out->file_) return Error("--decisions: can't write " + path);
    return out;
  }
  void write(const std::string& line) {
    if (standard_) std::cout << line << std::endl;
    if (file_.is_open()) file_ << line << std::endl;
  }

 private:
  bool standard_ = false;
  std::ofstream file_;
};

// The whole program, put together; lives until the loop ends.
class Operator {
 public:
  Operator(RunSettings settings, live::kube::Access access, DecisionFile& decisions,
           const std::string& version)
      : settings_(std::move(settings)),
        decisions_(decisions),
        clock_(net::system_clock_on(loop_)),
        http_(loop_),
        api_(loop_, *clock_, access, client_options(settings_, version)),
        acting_(api_, [this] { return may_act(); }),
        cloud_(*clock_),
        source_(http_, *clock_),
        external_(loop_, *clock_),
        world_({api_, *clock_, cloud_,
                [this](const live::TriggerQuestion& question, auto done) {
                  if (question.plan.kind != scaling::TriggerPlan::Kind::kExternal) {
                    return source_.ask(question.plan, std::move(done));
                  }
                  external_.ask(question.plan, scaled_ref(question), std::move(done));
                },
                [this](const live::TriggerQuestion& question, auto on_active) {
                  return external_.watch(question.plan, scaled_ref(question), std::move(on_active));
                },
                [this](uint64_t watch) { external_.unwatch(watch); }},
               world_options()),
        observer_(world_),
        metrics_(world_, process_sources(version)),
        elector_(api_, *clock_, leader_options(access), seed()) {
    connect();
  }

  Status listen() {
    if (settings_.listen == "none") return {};
    const auto at = parse_host_port(settings_.listen);
    if (!at.ok()) return at.error();
    server::Listen listen;
    listen.host = at->first;
    listen.port = at->second;
    listen.plain_anywhere = true;
    const auto nobody = [](const server::Request&, const std::optional<server::Identity>&) {
      return server::Identity{};
    };
    const auto answer = [this](const server::Request& request,
                               const std::shared_ptr<server::Exchange>& exchange) {
      exchange->reply(server::operate::operator_page(request, world_, metrics_));
    };
    if (Status status = server_.listen(listen, nobody, answer); !status.ok()) return status;
    log::info(fmt::format("health and metrics at http://{}:{}/", at->first, server_.port()));
    return {};
  }

  void run() {
    for (const int number : {SIGINT, SIGTERM}) {
      loop_.on_signal(number, [this, number] { stop(number == SIGINT ? "SIGINT" : "SIGTERM"); });
    }
    world_.start();
    for (const auto& scraper : scrapers_) scraper->start();
    report_sync();
    if (settings_.observe) {
      world_.lead({});
      observer_.start(*clock_);
    } else if (settings_.leader_election) {
      elector_.start();
    } else {
      take_the_lead({});
    }
    // What a list or a storm of writes took goes back to the system. (The timer also keeps the loop
    // from running dry.)
    loop_.every(minutes(1), [] { malloc_trim(0); });
    loop_.run();
  }

 private:
  static live::kube::ClientOptions client_options(const RunSettings& settings,
                                                  const std::string& version) {
    live::kube::ClientOptions options;
    options.requests_per_s = settings.requests_per_s;
    options.burst = static_cast<int>(settings.requests_per_s * 1.5) + 1;
    options.user_agent = "windlass/" + version;
    return options;
  }

  static live::external::ScaledRef scaled_ref(const live::TriggerQuestion& question) {
    const size_t slash = question.scaled_object.find('/');
    return {question.scaled_object.substr(0, slash), question.scaled_object.substr(slash + 1),
            question.metadata, question.plan.access.auth};
  }

  // Differs between processes: names and jitter must not come twice.
  uint64_t seed() const {
    Hash64 hash;
    hash.add(clock_->now().ns);
    hash.add(static_cast<uint64_t>(getpid()));
    hash.add(host_name());
    return hash.value();
  }

  live::WorldOptions world_options() const {
    live::WorldOptions options;
    options.policy = settings_.policy;
    options.wiring = settings_.wiring;
    options.ownership.observe = settings_.observe;
    options.ownership.karpenter_namespaces = settings_.karpenter_namespaces;
    options.ownership.keda_namespaces = settings_.keda_namespaces;
    options.namespaces = settings_.namespaces;
    for (const ScrapedModel& model : settings_.models) options.models.push_back(model.model);
    options.catalog = settings_.catalog;
    options.instance = host_name();
    options.seed = seed();
    return options;
  }

  live::kube::LeaderOptions leader_options(const live::kube::Access& access) const {
    live::kube::LeaderOptions options;
    options.namespace_name =
        settings_.lease_namespace.empty() ? access.namespace_name : settings_.lease_namespace;
    options.identity = fmt::format("{}_{:08x}", host_name(), seed() & 0xffffffff);
    options.lease = settings_.lease_duration;
    options.renew_deadline = options.lease * 2 / 3;
    options.retry = options.lease * 2 / 15;
    return options;
  }

  server::operate::ProcessSources process_sources(const std::string& version) {
    server::operate::ProcessSources out;
    out.version = version;
    out.now = [this] { return clock_->now(); };
    out.client = [this](const auto& tell) {
      const live::kube::ClientStats& stats = api_.stats();
      tell("request", stats.requests);
      tell("retry", stats.retries);
      tell("throttled", stats.throttled);
      tell("failed", stats.failed);
    };
    out.cpu_seconds = cpu_seconds;
    out.resident_bytes = resident_bytes;
    return out;
  }

  void connect() {
    world_.on_decision = [this](std::string_view controller,
                                const controllers::Decision& decision) {
      if (settings_.observe && !observer_.fresh(controller, decision, clock_->now())) return;
      metrics_.note_decision(controller, decision);
      decisions_.write(
          controllers::decision_line(clock_->now(), settings_.policy, controller, decision));
      log::info(controllers::deed_sentence(controller, decision));
    };
    world_.on_change = [this](const cluster::Change& change) { metrics_.observe(change); };
    world_.on_reaction = [this](Duration took) { metrics_.note_reaction(took); };
    world_.on_reconcile = [this](std::string_view controller, Duration took) {
      metrics_.note_reconcile(controller, took);
    };
    world_.on_action = [this](const controllers::Action& action) {
      metrics_.note_action(action);
      if (settings_.observe) observer_.note(action);
    };
    world_.on_object = [this](const api::Object& object) {
      if (simulated_ == nullptr) return;
      if (const auto* pod = std::get_if<api::Pod>(&object)) simulated_->pod_changed(*pod);
      if (const auto* node = std::get_if<api::Node>(&object)) simulated_->node_changed(*node);
    };
    world_.on_gone = [this](cluster::Kind kind, const std::string& key) {
      if (simulated_ == nullptr) return;
      if (kind == cluster::Kind::kPod) simulated_->pod_gone(key);
      if (kind == cluster::Kind::kNode) simulated_->node_gone(key);
    };
    observer_.on_summary = [this](const controllers::Decision& summary) {
      decisions_.write(
          controllers::decision_line(clock_->now(), settings_.policy, "observer", summary));
      log::info(summary.result);
    };
    elector_.on_leading = [this] {
      log::info("leading");
      take_the_lead([this] { return may_act(); });
    };
    elector_.on_lost = [this](const std::string& why) {
      // Everything stops at once; a process of no use to anyone ends, and its Deployment starts
      // another.
      world_.follow();
      drop_the_cloud();
      log::error("no longer leading: " + why);
      exit_code = 1;
      loop_.stop();
    };
    elector_.on_new_leader = [](const std::string& who) {
      log::info(who.empty() ? "nobody leads" : who + " leads");
    };
    for (const ScrapedModel& model : settings_.models) scrape(model);
  }

  void scrape(const ScrapedModel& model) {
    const auto targets = [this, model] { return targets_of(model); };
    scrapers_.push_back(std::make_unique<live::signals::PodScraper>(
        http_, *clock_, model.model.name, model.period, targets));
    scrapers_.back()->on_signals = [this,
                                    name = model.model.name](const cluster::ModelSignals& signals) {
      world_.observe_signals(name, signals);
    };
  }

  std::vector<live::signals::ScrapeTarget> targets_of(const ScrapedModel& model) const {
    std::vector<live::signals::ScrapeTarget> out;
    // What stands in front of the pods also knows who waits while there are none.
    if (!model.url.empty()) return {{"", "", model.url}};
    const cluster::State& state = world_.state();
    const api::Deployment* deployment = state.deployments().find(model.model.deployment);
    if (deployment == nullptr) return out;
    for (const std::string& key : state.pods_of(deployment->meta.uid)) {
      const api::Pod& pod = state.pods().at(key);
      if (!pod.ready || pod.ip.empty() || pod.meta.deleted) continue;
      const bool six = pod.ip.find(':') != std::string::npos;
      out.push_back({key, pod.meta.uid,
                     fmt::format("http://{}{}{}:{}{}", six ? "[" : "", pod.ip, six ? "]" : "",
                                 model.port, model.path)});
    }
    return out;
  }

  [[nodiscard]] bool may_act() const {
    return !settings_.leader_election || clock_->steady() < elector_.certain_until();
  }

  void take_the_lead(std::function<bool()> may_act) {
    auto cloud = std::make_unique<live::cloud::SimulatedCloud>(
        acting_, *clock_, world_.state().catalog(), simulated_options());
    simulated_ = cloud.get();
    for (const auto& [name, node] : world_.state().nodes()) simulated_->node_changed(node);
    for (const auto& [key, pod] : world_.state().pods()) simulated_->pod_changed(pod);
    cloud_.on(std::move(cloud));
    simulated_->resume([this, may_act = std::move(may_act)] { world_.lead(may_act); });
  }

  live::cloud::SimulatedCloudOptions simulated_options() const {
    live::cloud::SimulatedCloudOptions options = settings_.simulated;
    options.type_of = [this](const std::string& node_class, const std::string& type) {
      return world_.state().types_for(node_class).find(type);
    };
    return options;
  }

  void drop_the_cloud() {
    simulated_ = nullptr;
    cloud_.off();
  }

  // Says when it is ready, and what it waits for when that takes long.
  void report_sync() {
    if (world_.synced()) {
      log::info(fmt::format("synced: {} nodes, {} pods, {} scaled objects, {} pools",
                            world_.state().nodes().size(), world_.state().pods().size(),
                            world_.state().scaled_objects().size(),
                            world_.state().node_pools().size()));
      return;
    }
    if (++waited_ % 10 == 0) {
      for (const std::string& trouble : world_.troubles()) log::warning("waiting: " + trouble);
    }
    loop_.after(milliseconds(waited_ < 20 ? 100 : 1000), [this] { report_sync(); });
  }

  void stop(const char* why) {
    if (stopping_) return loop_.stop();  // asked twice
    stopping_ = true;
    log::info(fmt::format("stopping ({})", why));
    if (settings_.observe) observer_.summarize(clock_->now());  // while it still decides
    world_.follow();
    drop_the_cloud();
    elector_.stop([this] { loop_.stop(); });
    loop_.after(seconds(5), [this] { loop_.stop(); });
  }

  RunSettings settings_;
  DecisionFile& decisions_;
  net::EventLoop loop_;
  std::unique_ptr<net::Clock> clock_;
  net::HttpClient http_;
  live::kube::HttpApi api_;
  live::kube::ActingApi acting_;  // the simulated cloud's writes
  live::cloud::SwitchedCloud cloud_;
  live::cloud::SimulatedCloud* simulated_ = nullptr;
  live::signals::MetricSource source_;
  live::external::ExternalScalers external_;
  live::World world_;
  live::Observer observer_;
  server::operate::OperatorMetrics metrics_;
  live::kube::LeaderElector elector_;
  std::vector<std::unique_ptr<live::signals::PodScraper>> scrapers_;
  server::HttpServer server_{loop_};
  bool stopping_ = false;
  int waited_ = 0;

 public:
  int exit_code = 0;
};

}  // namespace

int run_run(const RunOptions& options) {
  auto settings = settle(options);
  if (!settings.ok()) return refuse(settings.error().message(), 2);
  set_log_level(settings->log_level);
  auto access = live::kube::find_access(config_sources(*settings));
  if (!access.ok()) return refuse(access.error().message(), 2);
  auto decisions = DecisionFile::open(settings->decisions);
  if (!decisions.ok()) return refuse(decisions.error().message(), 2);
  log::info(fmt::format("windlass {}: policy {}, cloud {}, {} ({})", options.version,
                        controllers::to_string(settings->policy), settings->cloud,
                        shown_url(access->server), access->source));
  if (settings->observe) log::info("observing: nothing is changed");
  Operator program(*std::move(settings), *std::move(access), **decisions, options.version);
  if (Status status = program.listen(); !status.ok()) return refuse(status.error().message(), 2);
  program.run();
  return program.exit_code;
}

}  // namespace windlass::cli
