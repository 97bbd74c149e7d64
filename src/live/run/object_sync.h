// The State's objects as a live cluster has them, with our own writes assumed on top. Watchers tell
// what the server says; controllers say what they want. A write stands in the State at once and is
// sent in order, one at a time an object; the server's answer takes its place. What is refused is
// taken back after a back-off, which is a change like any other: controllers decide again.
//
// A write is the change from what the controller saw to what it wants, made to the object as it is
// when it is sent (three_way.h): nothing of others is lost, also not fields unknown here.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/object.h"
#include "base/json.h"
#include "cluster/state.h"
#include "live/kube/api.h"
#include "net/clock.h"
#include "net/guard.h"

namespace windlass::live {

struct ObjectSyncStats {
  uint64_t writes = 0;     // requests sent
  uint64_t conflicts = 0;  // 409, made again on the newer version
  uint64_t retries = 0;    // no answer, 429, 5xx
  uint64_t refused = 0;    // given up and taken back
  uint64_t unchanged = 0;  // told by the server, and nothing in it that anybody here reads
};

class ObjectSync {
 public:
  using Id = std::pair<cluster::Kind, std::string>;  // kind and key

  // All must outlive it.
  ObjectSync(cluster::State& state, kube::Api& api, net::Clock& clock);
  ~ObjectSync();
  ObjectSync(const ObjectSync&) = delete;
  ObjectSync& operator=(const ObjectSync&) = delete;

  // Asked before anything is sent; false (no longer leader): it is dropped and taken back.
  std::function<bool()> may_send;
  // Something stands in the State that was not there before.
  std::function<void()> on_change;
  // A write was given up: what, and why in words.
  std::function<void(const Id&, const std::string& why)> on_refused;

  // --- what the server says ---
  // `version`: metadata.resourceVersion as a number; 0 if it is none.
  void put(uint64_t version, api::Object object);
  void gone(cluster::Kind kind, const std::string& key);
  // Before put(): the object as it came. Kept for the kinds that controllers write again and again,
  // whose next write is made against it; others are read before they are written. As text it takes
  // a fifth of what a tree would.
  void keep_document(cluster::Kind kind, const std::string& key, uint64_t version,
                     std::string_view json);

  // --- what controllers want ---
  // Created (where the State has none) or changed. A deleted NodeClaim without finalizers is gone.
  void write(api::Object wanted);
  // Deleted through the API, by its uid: finalizers and grace periods hold.
  void remove(cluster::Kind kind, const std::string& key);
  // Through the scale subresource.
  void scale(const std::string& deployment, int32_t replicas);

  // Calls `done` when nothing of the object waits any more (perhaps at once).
  void when_settled(const Id& id, std::function<void()> done);
  [[nodiscard]] bool settled(const Id& id) const { return !entries_.contains(id); }
  [[nodiscard]] size_t unsettled() const { return entries_.size(); }
  // Forgets all that was not sent and takes back what was assumed.
  void drop_all();
  [[nodiscard]] const ObjectSyncStats& stats() const { return stats_; }

 private:
  struct Step;
  struct Entry;
  Entry& entry(const Id& id);
  void assume(api::Object object);
  void enqueue(const Id& id, Step step);
  void send_next(const Id& id);
  void send_create(const Id& id, Entry& entry);
  void send_update(const Id& id, Entry& entry);
  void send_patch(const Id& id, Entry& entry, bool status);
  void send_delete(const Id& id, Entry& entry);
  void send_scale(const Id& id, Entry& entry);
  void fetch(const Id& id, std::function<void()> then);
  void send(const Id& id, kube::Request request, std::function<void(Entry&, kube::Reply&)> done);
  bool take(Entry& entry, const Json& object);
  void find_fresh(const Id& id, Entry& entry);
  void step_done(const Id& id);
  void again(const Id& id, const kube::Reply& reply);
  void give_up(const Id& id, const std::string& why);
  void settle(const Id& id);
  void show(const Id& id, std::optional<api::Object> truth);
  [[nodiscard]] bool tells_nothing_new(const api::Object& object) const;
  [[nodiscard]] std::optional<api::Object> shown(const Id& id) const;
  [[nodiscard]] bool stale(const Id& id, uint64_t version) const;

  cluster::State& state_;
  kube::Api& api_;
  net::Clock& clock_;
  std::map<Id, std::unique_ptr<Entry>> entries_;  // objects with something of ours under way
  struct Document {
    uint64_t version = 0;
    std::string json;
  };
  std::map<Id, Document> documents_;
  // Versions our own writes made: what watchers tell that is older is the past.
  std::map<Id, uint64_t> floors_;
  // Writes in a row that were refused, by kind: a claim that can't be made comes again under
  // another name at once.
  std::map<cluster::Kind, int> refusals_;
  uint64_t made_ = 0;  // tells an entry from a former one of the same object
  ObjectSyncStats stats_;
  net::Guard guard_;
};

}  // namespace windlass::live
