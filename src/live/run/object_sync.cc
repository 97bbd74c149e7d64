#include "live/run/object_sync.h"

#include <algorithm>
#include <deque>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/assert.h"
#include "base/text.h"
#include "cluster/resources.h"
#include "live/run/same_object.h"
#include "live/run/three_way.h"

namespace windlass::live {
namespace {

using cluster::Kind;

constexpr Duration kFirstRetry = milliseconds(500);
constexpr Duration kLastRetry = seconds(30);
constexpr Duration kFirstHold =
    seconds(1);  // a refused write stands so long before it is taken back
constexpr Duration kLastHold = seconds(60);
constexpr int kMaxConflicts = 20;

Duration back_off(Duration first, Duration last, int failures) {
  Duration wait = first;
  for (int i = 1; i < failures && wait < last; ++i) wait = wait * 2;
  return std::min(wait, last);
}

// What the server alone writes; a copy of ours is never a wish.
Json as_wish(const api::Object& object) {
  Json out = api::encode(object);
  if (const auto meta = out.find("metadata"); meta != out.end()) {
    for (const char* key :
         {"uid", "resourceVersion", "creationTimestamp", "generation", "managedFields",
          "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"}) {
      meta->erase(key);
    }
  }
  return out;
}

uint64_t version_of(const Json& object) {
  const auto meta = object.find("metadata");
  if (meta == object.end() || !meta->is_object()) return 0;
  const auto version = meta->find("resourceVersion");
  if (version == meta->end() || !version->is_string()) return 0;
  const auto number = parse_int(version->get_ref<const std::string&>());
  return number.ok() && *number > 0 ? static_cast<uint64_t>(*number) : 0;
}

bool often_written(Kind kind) {
  return kind == Kind::kNodeClaim || kind == Kind::kNodePool || kind == Kind::kScaledObject;
}

std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// Of what text_of() wrote.
Json json_of(const std::string& text) {
  auto json = parse_json(text);
  WL_ASSERT(json.ok());
  return *std::move(json);
}

bool is_status(const Json& body) { return body.is_object() && body.value("kind", "") == "Status"; }

}  // namespace

// Documents as text: thousands may wait for the client's rate limit.
struct ObjectSync::Step {
  enum class What { kWrite, kDelete, kScale };
  What what = What::kWrite;
  bool creates = false;  // kWrite
  std::string seen{};    // kWrite
  std::string wanted{};  // kWrite
  int32_t replicas = 0;
};

struct ObjectSync::Entry {
  uint64_t serial = 0;
  std::optional<api::Object> truth;  // as the server last told
  uint64_t version = 0;              // of the truth, where known
  Json fresh;                        // its whole document, where at hand
  std::deque<Step> steps;            // the first is under way
  int failures = 0;
  int conflicts = 0;
  bool held = false;  // refused; waits to be taken back
  std::vector<std::function<void()>> on_settled;
};

ObjectSync::ObjectSync(cluster::State& state, kube::Api& api, net::Clock& clock)
    : state_(state), api_(api), clock_(clock) {}

ObjectSync::~ObjectSync() = default;

std::optional<api::Object> ObjectSync::shown(const Id& id) const {
  return cluster::object_at(state_, id.first, id.second);
}

void ObjectSync::show(const Id& id, std::optional<api::Object> truth) {
  if (truth) {
    const auto* pod = std::get_if<api::Pod>(&*truth);
    const api::Pod* known = pod == nullptr ? nullptr : state_.pods().find(id.second);
    const bool readiness_only = known != nullptr && same_but_readiness(*pod, *known);
    state_.put(*std::move(truth), readiness_only);
  } else if (shown(id)) {
    state_.remove(id.first, id.second);
  }
  if (on_change) on_change();
}

bool ObjectSync::stale(const Id& id, uint64_t version) const {
  const auto floor = floors_.find(id);
  return floor != floors_.end() && version != 0 && version < floor->second;
}

// Of kinds that keep no document; of others a later write needs the newest.
bool ObjectSync::tells_nothing_new(const api::Object& object) const {
  return std::visit(
      [&]<typename T>(const T& told) {
        if constexpr (std::is_same_v<T, api::Pod> || std::is_same_v<T, api::Node>) {
          const T* known = state_.all<T>().find(told.meta.key());
          return known != nullptr && same_object(told, *known);
        } else {
          return false;
        }
      },
      object);
}

void ObjectSync::put(uint64_t version, api::Object object) {
  const Id id{static_cast<Kind>(object.index()), api::meta_of(object).key()};
  if (stale(id, version)) return;
  floors_.erase(id);
  const auto found = entries_.find(id);
  if (found == entries_.end()) {
    if (tells_nothing_new(object)) {
      ++stats_.unchanged;
      return;
    }
    return show(id, std::move(object));
  }
  Entry& entry = *found->second;
  if (version < entry.version) return;
  entry.truth = std::move(object);
  entry.version = version;
  entry.fresh = Json();
}

void ObjectSync::keep_document(Kind kind, const std::string& key, uint64_t version,
                               std::string_view json) {
  const Id id{kind, key};
  if (!often_written(kind) || version == 0 || stale(id, version)) return;
  Document& document = documents_[id];
  document.version = version;
  document.json.assign(json);
  document.json.shrink_to_fit();
}

void ObjectSync::gone(Kind kind, const std::string& key) {
  const Id id{kind, key};
  floors_.erase(id);
  documents_.erase(id);
  const auto found = entries_.find(id);
  if (found == entries_.end()) return show(id, std::nullopt);
  Entry& entry = *found->second;
  entry.truth.reset();
  entry.fresh = Json();
  const bool creates = !entry.steps.empty() && entry.steps.front().what == Step::What::kWrite &&
                       entry.steps.front().creates;
  if (!creates) settle(id);
}

ObjectSync::Entry& ObjectSync::entry(const Id& id) {
  std::unique_ptr<Entry>& slot = entries_[id];
  if (!slot) {
    slot = std::make_unique<Entry>();
    slot->serial = ++made_;
    slot->truth = shown(id);
  }
  return *slot;
}

void ObjectSync::assume(api::Object object) {
  const api::ObjectMeta& meta = api::meta_of(object);
  if (std::holds_alternative<api::NodeClaim>(object) && meta.deleted && meta.finalizers.empty()) {
    state_.remove(Kind::kNodeClaim, meta.key());
  } else {
    state_.put(std::move(object));
  }
  if (on_change) on_change();
}

void ObjectSync::write(api::Object wanted) {
  const Id id{static_cast<Kind>(wanted.index()), api::meta_of(wanted).key()};
  const std::optional<api::Object> seen = shown(id);
  const Json wish = as_wish(wanted);
  const Json was = seen ? as_wish(*seen) : Json();
  if (was == wish) return;
  Step step;
  step.creates = !seen;
  step.wanted = text_of(wish);
  if (seen) step.seen = text_of(was);
  Entry& mine = entry(id);
  assume(std::move(wanted));
  // A write that waits behind another takes in the next one.
  if (mine.steps.size() > 1 && mine.steps.back().what == Step::What::kWrite) {
    mine.steps.back().wanted = std::move(step.wanted);
    return;
  }
  enqueue(id, std::move(step));
}

void ObjectSync::remove(Kind kind, const std::string& key) {
  const Id id{kind, key};
  std::optional<api::Object> object = shown(id);
  if (!object || api::meta_of(*object).deleted) return;
  entry(id);
  std::visit([&](auto& value) { value.meta.deleted = clock_.now(); }, *object);
  if (auto* pod = std::get_if<api::Pod>(&*object)) pod->ready = false;
  assume(*std::move(object));
  enqueue(id, {Step::What::kDelete});
}

void ObjectSync::scale(const std::string& deployment, int32_t replicas) {
  const Id id{Kind::kDeployment, deployment};
  const api::Deployment* found = state_.deployments().find(deployment);
  if (found == nullptr || found->replicas == replicas) return;
  Entry& mine = entry(id);
  api::Deployment scaled = *found;
  scaled.replicas = replicas;
  assume(std::move(scaled));
  if (mine.steps.size() > 1 && mine.steps.back().what == Step::What::kScale) {
    mine.steps.back().replicas = replicas;
    return;
  }
  enqueue(id, {Step::What::kScale, false, {}, {}, replicas});
}

void ObjectSync::enqueue(const Id& id, Step step) {
  Entry& mine = *entries_.at(id);
  mine.steps.push_back(std::move(step));
  if (mine.steps.size() == 1 && !mine.held) send_next(id);
}

void ObjectSync::when_settled(const Id& id, std::function<void()> done) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return done();
  found->second->on_settled.push_back(std::move(done));
}

void ObjectSync::drop_all() {
  while (!entries_.empty()) {
    const auto first = entries_.begin();
    const Id id = first->first;
    const std::unique_ptr<Entry> entry = std::move(first->second);
    entries_.erase(first);
    show(id, std::move(entry->truth));
  }
}

void ObjectSync::settle(const Id& id) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  const std::unique_ptr<Entry> entry = std::move(found->second);
  entries_.erase(found);
  if (entry->version != 0 && entry->truth) floors_[id] = entry->version;
  if (entry->truth && !entry->fresh.is_null()) {
    keep_document(id.first, id.second, version_of(entry->fresh), text_of(entry->fresh));
  }
  show(id, std::move(entry->truth));
  for (const auto& done : entry->on_settled) done();
}

void ObjectSync::send(const Id& id, kube::Request request,
                      std::function<void(Entry&, kube::Reply&)> done) {
  Entry& mine = *entries_.at(id);
  if (may_send && !may_send()) {
    mine.steps.clear();
    return settle(id);
  }
  ++stats_.writes;
  api_.send(std::move(request),
            guard_([this, id, serial = mine.serial, done = std::move(done)](kube::Reply reply) {
              const auto found = entries_.find(id);
              if (found == entries_.end() || found->second->serial != serial) return;
              done(*found->second, reply);
            }));
}

void ObjectSync::send_next(const Id& id) {
  Entry& mine = *entries_.at(id);
  if (mine.steps.empty()) return settle(id);
  switch (mine.steps.front().what) {
    case Step::What::kWrite:
      return mine.steps.front().creates ? send_create(id, mine) : send_update(id, mine);
    case Step::What::kDelete:
      return send_delete(id, mine);
    case Step::What::kScale:
      return send_scale(id, mine);
  }
}

void ObjectSync::step_done(const Id& id) {
  Entry& mine = *entries_.at(id);
  mine.steps.pop_front();
  mine.failures = mine.conflicts = 0;
  send_next(id);
}

bool ObjectSync::take(Entry& entry, const Json& object) {
  auto decoded = api::decode(object);
  if (!decoded.ok()) return false;  // the watcher says it again, and why
  entry.version = std::max(entry.version, version_of(object));
  entry.truth = *std::move(decoded);
  std::visit([](auto& value) { value.raw = nullptr; }, *entry.truth);  // it is in `fresh`
  entry.fresh = object;
  return true;
}

// No answer or one that asks for patience: the same again. Else it is given up.
void ObjectSync::again(const Id& id, const kube::Reply& reply) {
  Entry& mine = *entries_.at(id);
  const bool passing = reply.code == 0 || reply.code == 429 || reply.code >= 500;
  if (!passing) return give_up(id, reply.error());
  ++stats_.retries;
  const Duration wait = std::max(reply.retry_after.value_or(Duration{}),
                                 back_off(kFirstRetry, kLastRetry, ++mine.failures));
  clock_.after(wait, guard_([this, id, serial = mine.serial] {
                 const auto found = entries_.find(id);
                 if (found != entries_.end() && found->second->serial == serial) send_next(id);
               }));
}

void ObjectSync::give_up(const Id& id, const std::string& why) {
  Entry& mine = *entries_.at(id);
  ++stats_.refused;
  mine.steps.clear();
  mine.held = true;
  if (on_refused) on_refused(id, why);
  const Duration wait = back_off(kFirstHold, kLastHold, ++refusals_[id.first]);
  clock_.after(wait, guard_([this, id, serial = mine.serial] {
                 const auto found = entries_.find(id);
                 if (found == entries_.end() || found->second->serial != serial) return;
                 found->second->steps.clear();
                 settle(id);
               }));
}

void ObjectSync::fetch(const Id& id, std::function<void()> then) {
  kube::Request request;
  request.path = cluster::api_path(id.first, id.second);
  const std::string path = request.path;
  send(id, std::move(request),
       [this, id, path, then = std::move(then)](Entry& mine, kube::Reply& reply) {
         if (reply.code == 404) {
           mine.truth.reset();
           mine.steps.clear();
           return settle(id);
         }
         if (!reply.ok()) return again(id, reply);
         const auto body = kube::object_in(reply, path);
         if (!body.ok() || !take(mine, *body)) {
           // As no answer: whoever said this may be asked again, later.
           reply.code = 0;
           return again(id, reply);
         }
         then();
       });
}

void ObjectSync::send_create(const Id& id, Entry& entry) {
  Json body = json_of(entry.steps.front().wanted);
  body.erase("status");
  kube::Request request;
  request.verb = kube::Verb::kPost;
  const std::string path = cluster::api_path(id.first, id.second);
  request.path = path.substr(0, path.rfind('/'));
  request.body = text_of(body);
  send(id, std::move(request), [this, id](Entry& mine, kube::Reply& reply) {
    const auto go_on = [this, id] {
      Entry& now = *entries_.at(id);
      now.steps.front().creates = false;
      now.steps.front().seen = "{}";
      send_patch(id, now, true);
    };
    if (reply.ok()) refusals_.erase(id.first);
    // An answer that was lost on its way: names of ours come once, so it is ours.
    if (reply.code == 409) return fetch(id, go_on);
    if (!reply.ok()) return again(id, reply);
    if (const auto made = parse_json(reply.body); made.ok()) take(mine, *made);
    go_on();
  });
}

// What is older than the truth would only lead to a conflict.
void ObjectSync::find_fresh(const Id& id, Entry& entry) {
  const auto kept = documents_.find(id);
  if (kept == documents_.end() || kept->second.version < entry.version) return;
  if (auto json = parse_json(kept->second.json); json.ok() && version_of(*json) != 0) {
    entry.fresh = *std::move(json);
  }
}

void ObjectSync::send_update(const Id& id, Entry& entry) {
  if (entry.fresh.is_null()) find_fresh(id, entry);
  if (!entry.fresh.is_null()) return send_patch(id, entry, false);
  fetch(id, [this, id] { send_patch(id, *entries_.at(id), false); });
}

// Spec and metadata first, then the status through its own door; what is empty is left out.
void ObjectSync::send_patch(const Id& id, Entry& entry, bool status) {
  const auto on_status_done = [this, id] { step_done(id); };
  const auto next = [this, id, status, on_status_done] {
    if (status) return on_status_done();
    send_patch(id, *entries_.at(id), true);
  };
  if (entry.fresh.is_null()) {
    return fetch(id, [this, id, status] { send_patch(id, *entries_.at(id), status); });
  }
  const Step& step = entry.steps.front();
  Json patch =
      merge_patch_of(entry.fresh, three_way(entry.fresh, json_of(step.seen), json_of(step.wanted)));
  Json status_part = patch.contains("status") ? patch["status"] : Json();
  patch.erase("status");
  if (status) patch = status_part.is_null() ? Json::object() : Json{{"status", status_part}};
  if (patch.empty()) return next();
  if (replaces_a_list(patch)) {
    patch["metadata"]["resourceVersion"] = entry.fresh["metadata"]["resourceVersion"];
  }
  kube::Request request;
  request.verb = kube::Verb::kPatch;
  request.path = cluster::api_path(id.first, id.second) + (status ? "/status" : "");
  request.content_type = kube::content_type(kube::PatchType::kMerge);
  request.body = text_of(patch);
  entry.fresh = Json();  // the answer is the next one
  send(id, std::move(request), [this, id, status, next](Entry& mine, kube::Reply& reply) {
    if (reply.code == 409 && ++mine.conflicts <= kMaxConflicts) {
      ++stats_.conflicts;
      mine.fresh = Json();
      return send_patch(id, mine, status);
    }
    if (reply.code == 404) {
      mine.truth.reset();
      mine.steps.clear();
      return settle(id);
    }
    if (!reply.ok()) return again(id, reply);
    refusals_.erase(id.first);
    const auto body = parse_json(reply.body);
    if (body.ok()) take(mine, *body);
    // The last finalizer is off: nothing is left to write to.
    const bool over = mine.truth && std::holds_alternative<api::NodeClaim>(*mine.truth) &&
                      api::meta_of(*mine.truth).deleted &&
                      api::meta_of(*mine.truth).finalizers.empty();
    if (over) {
      mine.truth.reset();
      mine.steps.clear();
      return settle(id);
    }
    next();
  });
}

void ObjectSync::send_delete(const Id& id, Entry& entry) {
  if (!entry.truth) return step_done(id);
  kube::Request request;
  request.verb = kube::Verb::kDelete;
  request.path = cluster::api_path(id.first, id.second);
  request.body = Json{{"apiVersion", "v1"},
                      {"kind", "DeleteOptions"},
                      {"preconditions", {{"uid", api::meta_of(*entry.truth).uid}}}}
                     .dump();
  send(id, std::move(request), [this, id](Entry& mine, kube::Reply& reply) {
    if (reply.code == 404) mine.truth.reset();
    const bool done =
        reply.ok() || reply.code == 404 || reply.code == 409;  // another uid: not ours
    if (!done) return again(id, reply);
    if (const auto body = parse_json(reply.body); reply.ok() && body.ok() && !is_status(*body)) {
      take(mine, *body);
    }
    step_done(id);
  });
}

void ObjectSync::send_scale(const Id& id, Entry& entry) {
  const int32_t replicas = entry.steps.front().replicas;
  kube::Request request;
  request.verb = kube::Verb::kPatch;
  request.path = cluster::api_path(id.first, id.second) + "/scale";
  request.content_type = kube::content_type(kube::PatchType::kMerge);
  request.body = Json{{"spec", {{"replicas", replicas}}}}.dump();
  send(id, std::move(request), [this, id, replicas](Entry& mine, kube::Reply& reply) {
    if (reply.code == 404) {
      mine.truth.reset();
      mine.steps.clear();
      return settle(id);
    }
    if (reply.code == 409) {
      ++stats_.conflicts;
      return send_next(id);
    }
    if (!reply.ok()) return again(id, reply);
    refusals_.erase(id.first);
    const auto body = parse_json(reply.body);
    auto* truth = mine.truth ? std::get_if<api::Deployment>(&*mine.truth) : nullptr;
    if (truth != nullptr && body.ok() && version_of(*body) >= mine.version) {
      truth->replicas = replicas;
      mine.version = version_of(*body);
      mine.fresh = Json();
    }
    step_done(id);
  });
}

}  // namespace windlass::live
