// A week of virtual time in one process: two `windlass run` as they are put together (leader
// election, the live world, the simulated cloud) on a plain cluster, one of them killed in every
// virtual hour, under lost requests, lost replies, server errors and broken watches. What must
// always hold is looked at every few seconds by code that knows nothing of controllers.
//
//   week [HOURS] [SEED] [stock|windlass]   (default: 24, 1, stock)
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/object.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/rng.h"
#include "base/text.h"
#include "in_process_api.h"
#include "live/cloud/simulated_cloud.h"
#include "live/cloud/switched_cloud.h"
#include "live/kube/leader.h"
#include "live/run/world.h"

namespace windlass::live {
namespace {

constexpr Instant kStart{1'790'000'000'000'000'000};
constexpr int kGpuLimit = 24;
constexpr int kMinReplicas = 3;
constexpr int kMaxReplicas = 40;
constexpr int kMinAvailable = 2;

const char* const kManifests = R"(
apiVersion: v1
kind: Namespace
metadata: {name: windlass}
---
apiVersion: v1
kind: Namespace
metadata: {name: ml}
---
apiVersion: karpenter.k8s.aws/v1
kind: EC2NodeClass
metadata: {name: gpu}
spec: {amiSelectorTerms: [{alias: al2023@latest}], role: r, subnetSelectorTerms: [{tags: {a: b}}],
  securityGroupSelectorTerms: [{tags: {a: b}}]}
---
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {name: gpu}
spec:
  limits: {nvidia.com/gpu: "24"}
  template:
    spec:
      expireAfter: 30h
      nodeClassRef: {group: karpenter.k8s.aws, kind: EC2NodeClass, name: gpu}
      requirements:
        - {key: karpenter.k8s.aws/instance-family, operator: In, values: [g4dn, g5]}
        - {key: karpenter.sh/capacity-type, operator: In, values: [on-demand]}
  disruption: {consolidationPolicy: WhenEmptyOrUnderutilized, consolidateAfter: 60s,
    budgets: [{nodes: "1"}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: llm, namespace: ml}
spec:
  replicas: 3
  selector: {matchLabels: {app: llm}}
  template:
    metadata: {labels: {app: llm}}
    spec:
      terminationGracePeriodSeconds: 20
      containers:
        - {name: c, image: vllm, resources: {requests: {cpu: "1"}, limits: {nvidia.com/gpu: "1"}}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: llm, namespace: ml}
spec: {minAvailable: 2, selector: {matchLabels: {app: llm}}}
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: llm, namespace: ml}
spec:
  scaleTargetRef: {name: llm}
  minReplicaCount: 3
  maxReplicaCount: 40
  cooldownPeriod: 120
  triggers:
    - type: prometheus
      metadata: {serverAddress: "http://prometheus:9090", query: queue, threshold: "10"}
)";

// The queue: a day's wave, bursts that ask for more than the pool may give, and quiet nights.
double load_at(Instant t) {
  const double h = (t - kStart).hours();
  const double wave = 150 * (1 - std::cos(h * 2 * 3.14159265358979 / 24)) / 2;
  const bool burst = std::fmod(h, 5.0) < 0.3;
  return wave + (burst ? 200 : 0);
}

// One process of `windlass run`, from its start to its kill.
class Process {
 public:
  Process(ClusterOnClock& cluster, const std::string& name, uint64_t seed,
          controllers::Policy policy)
      : clock_(cluster.clock()),
        api_(cluster, seed),
        cloud_(clock_),
        world_({api_, clock_, cloud_,
                [this, alive = alive_](const TriggerQuestion&, auto done) {
                  clock_.after(milliseconds(20), [this, alive, done] {
                    if (*alive) done(answer());
                  });
                }},
               options(name, seed, policy)),
        elector_(api_, clock_, {"windlass", "windlass", name}, seed) {
    elector_.on_leading = [this] { lead(); };
    elector_.on_lost = [this](const std::string&) { lost_ = true; };
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
    world_.start();
    elector_.start();
    if (policy == controllers::Policy::kWindlass) tell_signals();
  }
  ~Process() { *alive_ = false; }

  [[nodiscard]] bool leading() const { return elector_.leading(); }
  // Lost its lease: the program ends by itself then.
  [[nodiscard]] bool over() const { return lost_; }
  InProcessApi& api() { return api_; }
  World& world() { return world_; }
  bool outage = false;  // of Prometheus

 private:
  static WorldOptions options(const std::string& name, uint64_t seed, controllers::Policy policy) {
    WorldOptions out;
    out.policy = policy;
    if (policy == controllers::Policy::kWindlass) out.models = {model()};
    out.instance = name;
    out.seed = seed;
    return out;
  }
  static cluster::InferenceModel model() {
    cluster::InferenceModel out;
    out.name = "llm";
    out.deployment = "ml/llm";
    out.card.name = "llm";
    out.card.parameters = 3e9;
    out.card.kv_bytes_per_token = 57'344;
    out.slo = seconds(15);
    out.lead_time = seconds(40);
    out.warm_start = seconds(5);
    return out;
  }
  // What the pods' own metrics would say, every five seconds.
  void tell_signals() {
    cluster::ModelSignals signals;
    signals.at = clock_.now();
    signals.period = seconds(5);
    for (int i = 60; i > 0; --i) {
      signals.arrivals.push_back(2 * load_at(clock_.now() - seconds(5) * i));
    }
    signals.input_mean = 300;
    signals.input_p95 = 900;
    signals.output_mean = 120;
    signals.output_p95 = 300;
    world_.observe_signals("llm", signals);
    clock_.after(seconds(5), guard_([this] { tell_signals(); }));
  }
  cluster::QueryAnswer answer() {
    cluster::QueryAnswer out;
    if (outage) {
      out.error = "connection refused";
    } else {
      out.values = {load_at(clock_.now())};
    }
    return out;
  }
  void lead() {
    cloud::SimulatedCloudOptions options;
    options.lease_period = minutes(10);
    options.heartbeat = hours(2);
    auto made =
        std::make_unique<cloud::SimulatedCloud>(api_, clock_, world_.state().catalog(), options);
    simulated_ = made.get();
    for (const auto& [key, node] : world_.state().nodes()) simulated_->node_changed(node);
    for (const auto& [key, pod] : world_.state().pods()) simulated_->pod_changed(pod);
    cloud_.on(std::move(made));
    simulated_->resume(
        [this] { world_.lead([this] { return clock_.steady() < elector_.certain_until(); }); });
  }

  net::VirtualClock& clock_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  InProcessApi api_;
  cloud::SwitchedCloud cloud_;
  cloud::SimulatedCloud* simulated_ = nullptr;
  World world_;
  kube::LeaderElector elector_;
  bool lost_ = false;
  net::Guard guard_;
};

// --- what must always hold ---------------------------------------------------------------------

class Checker {
 public:
  explicit Checker(const server::embedded::PlainCluster& cluster) : cluster_(cluster) {}

  void look(Instant now) {
    ++looks;
    const cluster::State& state = cluster_.world().state();
    look_at_instances(state, now);
    look_at_replicas(state, now);
    look_at_disruptions(state, now);
  }
  void fault(Instant now, const std::string& what) {
    if (!told_.insert(what).second) return;
    ++faults;
    fmt::print(stderr, "FAULT at {}: {}\n", to_rfc3339(now), what);
  }

  int faults = 0;
  uint64_t looks = 0;
  int most_gpus = 0;
  size_t most_instances = 0;
  std::set<std::string> instances_seen;

 private:
  void look_at_instances(const cluster::State& state, Instant now) {
    std::map<std::string, std::string> by_claim;
    int gpus = 0;
    size_t there = 0;
    for (const auto& document : cluster_.store().list("configmaps", "windlass")) {
      const Json map = Json::parse(document->json);
      const Json labels = map["metadata"].value("labels", Json::object());
      if (!labels.contains("windlass.dev/simulated-instance")) continue;
      const Json& data = map["data"];
      const std::string name = document->key.name;
      const std::string claim = data.value("claim", "");
      instances_seen.insert(name);
      ++there;
      if (going(data)) continue;
      const auto [it, first] = by_claim.try_emplace(claim, name);
      if (!first) fault(now, fmt::format("{} and {} are both {}'s", it->second, name, claim));
      const catalog::InstanceType* type = state.catalog().find(data.value("instanceType", ""));
      if (type == nullptr) fault(now, "instance of no known type: " + data.dump());
      gpus += type == nullptr ? 0 : type->gpu_count;
      // The garbage collector comes every two minutes and leaves the young alone.
      if (state.node_claims().find(claim) != nullptr) {
        orphan_since_.erase(name);
      } else if (now - orphan_since_.try_emplace(name, now).first->second > minutes(10)) {
        fault(now, fmt::format("{} has had no claim for 10 min", name));
      }
    }
    most_gpus = std::max(most_gpus, gpus);
    most_instances = std::max(most_instances, there);
    if (gpus > kGpuLimit) fault(now, fmt::format("{} GPUs, the pool's limit is 24", gpus));
  }
  static bool going(const Json& data) {
    return data.contains("terminated") || data.contains("going");
  }

  void look_at_replicas(const cluster::State& state, Instant now) {
    const api::Deployment* deployment = state.deployments().find("ml/llm");
    if (deployment->replicas < kMinReplicas || deployment->replicas > kMaxReplicas) {
      fault(now, fmt::format("{} replicas, 3 to 40 are allowed", deployment->replicas));
    }
    int ready = 0;
    for (const std::string& key : state.pods_of(deployment->meta.uid)) {
      const api::Pod& pod = state.pods().at(key);
      ready += pod.ready && !pod.meta.deleted ? 1 : 0;
    }
    was_ready_ = was_ready_ || ready >= kMinReplicas;
    if (was_ready_ && ready < kMinAvailable) {
      fault(now, fmt::format("{} pods ready, the budget wants {}", ready, kMinAvailable));
    }
  }

  void look_at_disruptions(const cluster::State& state, Instant now) {
    int disrupted = 0;
    for (const auto& [name, claim] : state.node_claims()) {
      if (claim.meta.deleted && now - *claim.meta.deleted > minutes(45)) {
        fault(now, fmt::format("{} has been deleting for 45 min", name));
      }
      disrupted += claim.meta.deleted && api::is_true(claim.conditions, "DisruptionReason") ? 1 : 0;
    }
    if (disrupted > 1)
      fault(now, fmt::format("{} nodes disrupted at once, 1 is allowed", disrupted));
  }

  const server::embedded::PlainCluster& cluster_;
  std::map<std::string, Instant> orphan_since_;
  std::set<std::string> told_;
  bool was_ready_ = false;
};

struct Totals {
  int kills = 0, takeovers = 0;
  uint64_t requests = 0, lost = 0, cut = 0;
};

// Until the process sends some write that a crash should not lose; at most half an hour.
void await_write(Process& process, net::VirtualClock& clock, Rng& rng) {
  uint64_t wanted = 1 + rng.below(6);
  process.api().on_request = [&wanted](const kube::Request& request) {
    const bool counts =
        request.verb != kube::Verb::kGet && (request.path.find("nodeclaims") != std::string::npos ||
                                             request.path.find("configmaps") != std::string::npos);
    if (counts && wanted > 0) --wanted;
  };
  for (int i = 0; i < 360'000 && wanted > 0; ++i) clock.advance(milliseconds(5));
  process.api().on_request = nullptr;
}

int run(int hours_to_run, uint64_t seed, controllers::Policy policy) {
  log::set_level(log::Level::kError);
  net::VirtualClock clock(kStart);
  const api::Manifests manifests = api::read_manifests(kManifests, "week.cc");
  for (const auto& error : manifests.errors)
    fmt::print(stderr, "{}: {}\n", error.place, error.text);
  auto cluster = server::embedded::PlainCluster::open({kStart, seed, manifests.objects});
  if (!cluster.ok()) {
    fmt::print(stderr, "error: {}\n", cluster.error().message());
    return 2;
  }
  ClusterOnClock on_clock(**cluster, clock);
  Checker checker(**cluster);
  Rng rng(seed, "week");
  Totals totals;
  uint64_t processes = 0;
  std::unique_ptr<Process> two[2];
  const auto start = [&](std::unique_ptr<Process>& slot) {
    ++processes;
    slot = std::make_unique<Process>(on_clock, fmt::format("windlass-{}", processes),
                                     seed * 1000 + processes, policy);
  };
  const auto end = [&](std::unique_ptr<Process>& slot) {
    totals.requests += slot->api().counts().requests;
    totals.lost += slot->api().counts().lost;
    totals.cut += slot->api().counts().cut;
    slot.reset();
  };
  start(two[0]);
  start(two[1]);
  const Duration step = seconds(5);
  const int64_t steps_an_hour = hours(1).ns / step.ns;
  int64_t kill_at = 0;
  for (int64_t i = 0; i < hours_to_run * steps_an_hour; ++i) {
    if (i % steps_an_hour == 0) kill_at = i + static_cast<int64_t>(rng.below(steps_an_hour - 20));
    const bool bad_hour = (i / steps_an_hour) % 3 == 1;
    const bool prometheus_away = (i / steps_an_hour) % 7 == 3 && i % steps_an_hour < 120;
    for (auto& process : two) {
      if (!process) continue;
      process->api().faults.lose_request = bad_hour ? 0.02 : 0;
      process->api().faults.lose_reply = bad_hour ? 0.02 : 0;
      process->api().faults.server_error = bad_hour ? 0.02 : 0;
      process->api().faults.cut_stream = bad_hour ? 0.001 : 0;
      process->outage = prometheus_away;
    }
    if (i == kill_at) {
      std::unique_ptr<Process>& leader = two[0] && two[0]->leading() ? two[0] : two[1];
      if (leader) {
        // Every other time in the middle of a write of a claim, a node or an instance.
        if ((i / steps_an_hour) % 2 == 0) await_write(*leader, clock, rng);
        clock.advance(Duration{static_cast<int64_t>(rng.below(10'000'000))});
        end(leader);
        ++totals.kills;
      }
    }
    for (auto& process : two) {
      if (process && process->over()) end(process);
      if (!process && i > kill_at + 2) start(process);
    }
    clock.advance(step);
    checker.look(clock.now());
    if (i % steps_an_hour == 0 && i % (24 * steps_an_hour) == 0) {
      fmt::print(stderr, "day {}: {} kills, {} instances so far\n", i / (24 * steps_an_hour),
                 totals.kills, checker.instances_seen.size());
    }
  }
  for (auto& process : two) {
    if (process) end(process);
  }
  fmt::print(
      "{} h, seed {}, {}: {} kills, {} requests ({} lost), {} streams cut, {} instances, at most "
      "{} at once with {} GPUs, {} looks, {} faults\n",
      hours_to_run, seed, controllers::to_string(policy), totals.kills, totals.requests,
      totals.lost, totals.cut, checker.instances_seen.size(), checker.most_instances,
      checker.most_gpus, checker.looks, checker.faults);
  if (checker.instances_seen.size() < 3) {
    fmt::print(stderr, "error: hardly anything happened\n");
    return 1;
  }
  return checker.faults == 0 ? 0 : 1;
}

}  // namespace
}  // namespace windlass::live

int main(int argc, char** argv) {
  const int hours = argc > 1 ? std::atoi(argv[1]) : 24;
  const uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
  const auto policy = windlass::controllers::parse_policy(argc > 3 ? argv[3] : "stock");
  if (!policy.ok()) {
    std::fprintf(stderr, "error: %s\n", policy.error().message().c_str());
    return 2;
  }
  return windlass::live::run(hours, seed, *policy);
}
