// Every object of every kind as the API serves it: immutable serialized JSON documents with
// resource versions, and the recent past for watches. In memory; a journal (on_commit) makes it
// durable. Versions are decimal integers that count up by one a change, over all resources. One
// thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/meta.h"
#include "base/json.h"
#include "base/result.h"

namespace windlass::cluster {

// Where an object lives. `resource` is "pods" or "deployments.apps" (plural[.group]); one storage
// version a resource. `namespace_name` is empty for cluster-scoped kinds. Ordered by namespace,
// then name, within a resource.
struct ObjectKey {
  std::string resource;
  std::string namespace_name;
  std::string name;
  auto operator<=>(const ObjectKey&) const = default;
};

struct Document {
  ObjectKey key;
  std::string uid;
  uint64_t resource_version = 0;
  api::StringMap labels;
  // What field selectors see beside metadata.name and metadata.namespace: ("spec.nodeName", "n1").
  // Empty ones are left out. The names live as long as the store: tens of thousands of documents
  // have the same few.
  std::vector<std::pair<std::string_view, std::string>> fields;
  std::string json;  // compact, metadata.resourceVersion included
};
using DocumentPtr = std::shared_ptr<const Document>;

enum class EventType { kAdded, kModified, kDeleted };

// One change. A deletion's document carries the deletion's resource version.
struct StoreEvent {
  EventType type{};
  DocumentPtr object;
  DocumentPtr before;  // null for kAdded
  uint64_t resource_version = 0;
};

class ObjectStore {
 public:
  // `history_events` changes are kept for watches, at most `history_bytes` of documents.
  explicit ObjectStore(size_t history_events = 100'000, size_t history_bytes = 64 << 20);
  ObjectStore(const ObjectStore&) = delete;
  ObjectStore& operator=(const ObjectStore&) = delete;

  // Selectable fields of an object of the resource; default: none.
  std::function<std::vector<std::pair<std::string, std::string>>(std::string_view resource,
                                                                 const Json& object)>
      fields_of;
  // Called for every change, in order, after it is visible to find(). A change made inside such a
  // call is visible at once and told to everyone after the one at hand.
  std::vector<std::function<void(const StoreEvent&)>> on_change;

  [[nodiscard]] DocumentPtr find(const ObjectKey& key) const;
  // Documents of a resource in order, from the first after `after` (exclusive; nullopt: from the
  // start), of one namespace or of all (empty).
  [[nodiscard]] std::vector<DocumentPtr> list(std::string_view resource,
                                              std::string_view namespace_name = {},
                                              const std::optional<ObjectKey>& after = {},
                                              size_t limit = SIZE_MAX) const;
  [[nodiscard]] size_t count(std::string_view resource) const;

  // Creates or replaces; writes metadata.resourceVersion. The object must have metadata.name and
  // uid. Text that is not UTF-8 is written with replacement characters.
  DocumentPtr put(const ObjectKey& key, Json object);
  // The deletion's document, or null if nothing was there.
  DocumentPtr remove(const ObjectKey& key);

  [[nodiscard]] uint64_t resource_version() const { return version_; }
  // Changes of the resource after `version`, oldest first; nullopt: too old, the past is gone. What
  // other resources forgot does not matter: a resource that rests can be watched from long ago.
  [[nodiscard]] std::optional<std::vector<StoreEvent>> since(std::string_view resource,
                                                             uint64_t version) const;

  // For a restart: documents as they were, then the version to go on from. No events. Error: the
  // text is no object with a resource version.
  Status restore(ObjectKey key, std::string json);
  void restore_version(uint64_t version);

 private:
  using Table = std::map<std::pair<std::string, std::string>, DocumentPtr>;
  // One resource: what is there and what was changed of late, oldest first.
  struct Shelf {
    Table documents;
    std::deque<StoreEvent> history;
    uint64_t forgotten = 0;  // changes up to this version are not in `history`
  };

  Document make_document(const ObjectKey& key, const Json& object);
  void record(Shelf& shelf, StoreEvent event);
  void forget_oldest();
  void announce(StoreEvent event);

  std::set<std::string> field_names_;
  std::map<std::string, Shelf, std::less<>> shelves_;
  std::deque<Shelf*> order_;  // whose event is the oldest, the next, ...
  std::deque<StoreEvent> untold_;
  bool telling_ = false;
  size_t history_events_;
  size_t history_bytes_;
  size_t history_size_ = 0;  // bytes of the documents that history alone or also history holds
  uint64_t restored_ = 0;    // where history begins after a restart
  uint64_t version_ = 0;
};

}  // namespace windlass::cluster
