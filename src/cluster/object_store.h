// Every object of every kind as the API serves it: immutable serialized JSON documents with resource
// versions, and the recent past for watches. In memory; a journal (on_commit) makes it durable.
// Versions are decimal integers that count up by one a change, over all resources. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/meta.h"
#include "base/json.h"

namespace windlass::cluster {

// Where an object lives. `resource` is "pods" or "deployments.apps" (plural[.group]); one storage
// version a resource. `namespace_name` is empty for cluster-scoped kinds. Ordered by namespace, then
// name, within a resource.
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
  std::vector<std::pair<std::string, std::string>> fields;
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

  // Selectable fields of an object of the resource; default: none.
  std::function<std::vector<std::pair<std::string, std::string>>(std::string_view resource,
                                                                 const Json& object)>
      fields_of;
  // Called for every change, in order, after it is visible to find().
  std::vector<std::function<void(const StoreEvent&)>> on_change;

  [[nodiscard]] DocumentPtr find(const ObjectKey& key) const;
  // Documents of a resource in order, from the first after `after` (exclusive; nullopt: from the
  // start), of one namespace or of all (empty).
  [[nodiscard]] std::vector<DocumentPtr> list(std::string_view resource,
                                              std::string_view namespace_name = {},
                                              const std::optional<ObjectKey>& after = {},
                                              size_t limit = SIZE_MAX) const;
  [[nodiscard]] size_t count(std::string_view resource) const;

  // Creates or replaces; writes metadata.resourceVersion. The object must have metadata.name and uid.
  DocumentPtr put(const ObjectKey& key, Json object);
  // The deletion's document, or null if nothing was there.
  DocumentPtr remove(const ObjectKey& key);

  [[nodiscard]] uint64_t resource_version() const { return version_; }
  // Changes of the resource after `version`, oldest first; nullopt: too old, the past is gone.
  [[nodiscard]] std::optional<std::vector<StoreEvent>> since(std::string_view resource,
                                                             uint64_t version) const;

  // For a restart: documents as they were, then the version to go on from. No events.
  void restore(ObjectKey key, std::string json);
  void restore_version(uint64_t version);

 private:
  Document make_document(const ObjectKey& key, const Json& object) const;
  void record(StoreEvent event);

  using Table = std::map<std::pair<std::string, std::string>, DocumentPtr, std::less<>>;
  std::map<std::string, Table, std::less<>> tables_;
  std::deque<StoreEvent> history_;
  size_t history_events_;
  size_t history_bytes_;
  size_t history_size_ = 0;
  uint64_t forgotten_ = 0;  // changes up to this version are not in history_
  uint64_t version_ = 0;
};

}  // namespace windlass::cluster
