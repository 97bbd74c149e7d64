#include "live/run/world.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/text.h"
#include "controllers/event_words.h"
#include "live/kube/decode.h"
#include "live/run/unread.h"

namespace windlass::live {
namespace {

using cluster::Kind;

// Steps between two looks at sockets: leases must be renewed meanwhile.
constexpr int kSteps = 100;
constexpr Duration kJump = seconds(2);
// Nodes times simulations of a disruption pass: some 100 ms.
constexpr size_t kPassWork = 50'000;

// Kinds of which only single objects are read, by name (trigger_secrets.cc).
// Nothing here depends on them: what comes of a CronJob are Jobs.
bool of_no_use(Kind kind) { return kind == Kind::kCronJob || kind == Kind::kControllerRevision; }
bool read_by_name(Kind kind) { return kind == Kind::kSecret || kind == Kind::kConfigMap; }

// Kinds that --namespace narrows: what belongs to scaled objects alone.
bool of_scaled_objects(Kind kind) {
  return kind == Kind::kScaledObject || kind == Kind::kScaledJob ||
         kind == Kind::kTriggerAuthentication || kind == Kind::kHorizontalPodAutoscaler;
}

uint64_t number_of(const std::string& version) {
  const auto number = parse_int(version);
  return number.ok() && *number > 0 ? static_cast<uint64_t>(*number) : 0;
}

}  // namespace

World::World(WorldParts parts, WorldOptions options)
    : parts_(std::move(parts)),
      options_(std::move(options)),
      acting_(parts_.api, [this] { return may_act(); }),
      state_(catalog::built_in(options_.catalog)),
      sync_(state_, acting_, parts_.clock),
      ownership_(acting_, parts_.clock, options_.ownership),
      events_(acting_, parts_.clock, options_.instance, options_.seed) {
  state_.set_models(options_.models);
  if (options_.wiring.most_disruption_work == 0) options_.wiring.most_disruption_work = kPassWork;
  sync_.may_send = [this] { return may_act(); };
  sync_.on_change = [this] {
    if (!seen_) seen_ = parts_.clock.steady();
    wake();
  };
  sync_.on_refused = [this](const ObjectSync::Id& id, const std::string& why) {
    tell_trouble(id.first, id.second, "reject", why);
  };
  ownership_.may_send = [this] { return may_act(); };
  ownership_.on_ours = [this](uint64_t version, api::Object object) {
    const bool refers = std::holds_alternative<api::ScaledObject>(object) ||
                        std::holds_alternative<api::TriggerAuthentication>(object);
    sync_.put(version, std::move(object));
    if (refers) read_references_soon();
  };
  ownership_.on_not_ours = [this](Kind kind, const std::string& key) { sync_.gone(kind, key); };
  ownership_.claim_there = [this](const std::string& name) {
    const api::NodeClaim* claim = state_.node_claims().find(name);
    return claim == nullptr ? std::nullopt : std::optional(*claim);
  };
  ownership_.on_refused = [this](Kind kind, const std::string& key, const std::string& why) {
    tell_trouble(kind, key, "leave", why);
  };
  parts_.cloud.on_interruption = [this](const std::string& id, const std::string& reason) {
    state_.observe_interruption(id, reason);
    wake();
  };
}

World::~World() = default;

void World::start() {
  for (const cluster::ApiResource& resource : cluster::api_resources()) {
    if (read_by_name(resource.kind) || of_no_use(resource.kind)) continue;
    if (options_.namespaces.empty() || !of_scaled_objects(resource.kind) || !resource.namespaced) {
      watch(resource, "");
      continue;
    }
    for (const std::string& space : options_.namespaces) watch(resource, space);
  }
  for (const auto& [path, watcher] : watchers_) watcher->start();
  ownership_.start();
  keep_reading_references();
  parts_.clock.after(kGarbage, guard_([this] { collect_garbage(); }));
}

void World::watch(const cluster::ApiResource& resource, const std::string& namespace_name) {
  kube::WatchSpec spec;
  spec.path = cluster::api_path(resource, namespace_name);
  kube::Watcher::Handlers handlers;
  handlers.on_put = [this, &resource, path = spec.path](const std::string& key,
                                                        std::string_view json) {
    take_put(resource, path, key, json);
  };
  handlers.on_gone = [this, &resource](const std::string& key) {
    if (resource.kind == Kind::kPod) evictions_.erase(key);
    if (on_gone) on_gone(resource.kind, key);
    ownership_.gone(resource.kind, key);
  };
  handlers.on_synced = [this] { wake(); };
  Hash64 seed;
  seed.add(options_.seed);
  seed.add(spec.path);
  const std::string path = spec.path;
  watchers_[path] = std::make_unique<kube::Watcher>(parts_.api, parts_.clock, std::move(spec),
                                                    std::move(handlers), seed.value());
}

// One that can't be read is as one that isn't there; said once.
void World::take_put(const cluster::ApiResource& resource, const std::string& path,
                     const std::string& key, std::string_view json) {
  auto object = kube::decode_object(json, resource.api_version, resource.kind_name);
  const std::string name = fmt::format("{}/{}", resource.kind_name, key);
  if (!object.ok()) {
    if (unread_.insert(name).second) {
      log::warning(fmt::format("{} is left out: {}", name, object.error().message()));
    }
    return ownership_.gone(resource.kind, key);
  }
  unread_.erase(name);
  const auto& seen = watchers_.at(path)->seen();
  const auto version = seen.find(key);
  const uint64_t number = version == seen.end() ? 0 : number_of(version->second.resource_version);
  if (on_object) on_object(*object);
  sync_.keep_document(resource.kind, key, number, json);
  // The document as a tree is five times its text; what an autoscaler is given back is in it.
  const bool has_former = resource.kind == Kind::kHorizontalPodAutoscaler;
  if (!has_former) std::visit([](auto& value) { value.raw = nullptr; }, *object);
  if (auto* pod = std::get_if<api::Pod>(&*object)) forget_unread(*pod);
  ownership_.put(number, *std::move(object));
}

bool World::synced() const {
  return ownership_.known() && std::all_of(watchers_.begin(), watchers_.end(),
                                           [](const auto& w) { return w.second->synced(); });
}

std::vector<std::string> World::troubles() const {
  std::vector<std::string> out;
  if (!ownership_.known()) out.emplace_back("whether KEDA or Karpenter run here is not known yet");
  for (const auto& [path, watcher] : watchers_) {
    const kube::Watcher::Stats& stats = watcher->stats();
    if (!watcher->synced()) {
      out.push_back(fmt::format("{}: not listed yet{}", path,
                                stats.last_error.empty() ? "" : " (" + stats.last_error + ")"));
    } else if (watcher->phase() == kube::Watcher::Phase::kWaiting && !stats.last_error.empty()) {
      out.push_back(fmt::format("{}: {}", path, stats.last_error));
    }
  }
  return out;
}

void World::lead(std::function<bool()> may_act) {
  leading_ = true;
  may_act_ = std::move(may_act);
  wake();
}

void World::follow() {
  leading_ = false;
  may_act_ = nullptr;
  ring_.reset();
  while (!pushes_.empty()) drop_pushes(pushes_.begin()->first);
  postponed_.clear();
  evictions_.clear();
  launching_.clear();
  terminating_.clear();
  sync_.drop_all();
}

void World::observe_signals(const std::string& model, cluster::ModelSignals signals) {
  state_.observe_signals(model, std::move(signals));
  wake();
}

void World::wake() {
  if (woken_) return;
  woken_ = true;
  parts_.clock.after(Duration{}, guard_([this] {
                       woken_ = false;
                       pump();
                     }));
}

// New controllers whose memory is made from the State, as after a restart.
void World::begin_deciding() {
  Hash64 term;
  term.add(options_.seed);
  term.add(++terms_);
  state_.set_opened(term.value());
  ring_ = std::make_unique<controllers::Ring>(controllers::wire(options_.policy, options_.wiring));
  ring_->start(state_, parts_.clock.now());
  take_changes();
  std::deque<cluster::Change> all;
  for (const auto& [kind, key] : cluster::all_objects(state_)) all.push_back({kind, key, false});
  ring_->observe(all, state_, parts_.clock.now());
  for (const auto& [key, object] : state_.scaled_objects()) follow_pushes(key);
}

// Everything queued would wait as long as the clock was set back by; so memories start anew.
bool World::clock_went_back() {
  const Duration offset{parts_.clock.now().ns - parts_.clock.steady().ns};
  const bool back = offset_ && offset + kJump < *offset_;
  offset_ = offset;
  return back;
}

std::deque<cluster::Change> World::take_changes() {
  std::deque<cluster::Change> changes = state_.take_changes();
  for (const cluster::Change& change : changes) {
    if (change.kind == Kind::kScaledObject) follow_pushes(change.key);
  }
  if (on_change) {
    for (const cluster::Change& change : changes) on_change(change);
  }
  return changes;
}

void World::pump() {
  std::optional<Duration> seen = std::exchange(seen_, std::nullopt);
  if (!leading_ || !synced()) {
    // A ring that waits must miss nothing meanwhile.
    if (ring_ == nullptr) take_changes();
    return;
  }
  const bool back = clock_went_back();
  if (back) log::warning("the clock was set back; deciding begins anew");
  if (ring_ == nullptr || back) begin_deciding();
  const Instant now = parts_.clock.now();
  controllers::Ring::Step step;
  for (int steps = 0; steps < kSteps;) {
    const std::deque<cluster::Change> changes = take_changes();
    ring_->observe(changes, state_, now);
    const Duration began = parts_.clock.steady();
    if (!ring_->step(state_, now, step)) {
      if (changes.empty()) break;
      continue;
    }
    ++steps;
    if (on_reconcile) on_reconcile(step.controller, parts_.clock.steady() - began);
    for (const controllers::Decision& decision : step.outcome.decisions) {
      tell(step.controller, decision);
    }
    for (const controllers::Action& action : step.outcome.actions) {
      if (on_action) on_action(action);
      const uint64_t before = requests_made();
      perform(action);
      if (ring_ == nullptr) return;  // no longer leading
      if (seen && requests_made() != before) {
        if (on_reaction) on_reaction(parts_.clock.steady() - *seen);
        seen.reset();
      }
    }
  }
  seen_.reset();  // what was assumed meanwhile is nothing that was seen
  if (due_ != 0) parts_.clock.cancel(due_);
  due_ = 0;
  const Instant next = ring_->next_due();
  if (next == kNever) return;
  due_ = parts_.clock.after(std::max(next - parts_.clock.now(), Duration{}), guard_([this] {
                              due_ = 0;
                              wake();
                            }));
}

kube::Involved World::involved(Kind kind, const std::string& key) const {
  const size_t slash = key.find('/');
  const bool namespaced = slash != std::string::npos;
  const cluster::ApiResource& resource = cluster::api_resource(kind, namespaced);
  kube::Involved out;
  out.api_version = resource.api_version;
  out.kind = resource.kind_name;
  out.namespace_name = namespaced ? key.substr(0, slash) : "";
  out.name = namespaced ? key.substr(slash + 1) : key;
  if (const auto object = cluster::object_at(state_, kind, key)) {
    out.uid = api::meta_of(*object).uid;
  } else {
    for (const auto& [path, watcher] : watchers_) {
      if (!path.ends_with("/" +
                          std::string(resource.resource.substr(0, resource.resource.find('.'))))) {
        continue;
      }
      const auto seen = watcher->seen().find(key);
      if (seen != watcher->seen().end()) out.uid = seen->second.uid;
    }
  }
  return out;
}

void World::tell(std::string_view controller, const controllers::Decision& decision) {
  if (on_decision) on_decision(controller, decision);
  if (options_.ownership.observe) return;
  const size_t slash = decision.object.find('/');
  if (slash == std::string::npos) return;
  const std::string_view kind_name = std::string_view(decision.object).substr(0, slash);
  const std::string key = decision.object.substr(slash + 1);
  for (const cluster::ApiResource& resource : cluster::api_resources()) {
    if (resource.kind_name != kind_name) continue;
    const controllers::EventWords words = controllers::event_words(controller, decision);
    events_.record(involved(resource.kind, key), words.type, words.reason,
                   controllers::event_message(decision), words.component);
    return;
  }
}

// Said when it is new, not at every try; an empty reason forgets it.
void World::tell_trouble(Kind kind, const std::string& key, const std::string& what,
                         const std::string& why) {
  const bool namespaced = key.find('/') != std::string::npos;
  const std::string object =
      fmt::format("{}/{}", cluster::api_resource(kind, namespaced).kind_name, key);
  const std::pair id{object, what};
  if (why.empty()) {
    troubles_told_.erase(id);
    return;
  }
  std::string& said = troubles_told_[id];
  if (said == why) return;
  said = why;
  tell("live", {object, what, {}, why, {}});
}

}  // namespace windlass::live
