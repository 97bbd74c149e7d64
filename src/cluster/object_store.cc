#include "cluster/object_store.h"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

namespace windlass::cluster {
namespace {

std::string to_text(const Json& object) {
  std::string text = object.dump(-1, ' ', false, Json::error_handler_t::replace);
  text.shrink_to_fit();  // tens of thousands are kept
  return text;
}

std::string text_at(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

// About what a document costs: its frame, its text and what is extracted from it.
size_t size_of(const DocumentPtr& document) {
  constexpr size_t kLabel = 128;
  return sizeof(Document) + document->json.size() + document->labels.size() * kLabel +
         document->fields.size() * sizeof(document->fields[0]);
}

}  // namespace

ObjectStore::ObjectStore(size_t history_events, size_t history_bytes)
    : history_events_(history_events), history_bytes_(history_bytes) {}

DocumentPtr ObjectStore::find(const ObjectKey& key) const {
  const auto shelf = shelves_.find(key.resource);
  if (shelf == shelves_.end()) return nullptr;
  const auto it = shelf->second.documents.find({key.namespace_name, key.name});
  return it == shelf->second.documents.end() ? nullptr : it->second;
}

std::vector<DocumentPtr> ObjectStore::list(std::string_view resource,
                                           std::string_view namespace_name,
                                           const std::optional<ObjectKey>& after,
                                           size_t limit) const {
  std::vector<DocumentPtr> out;
  const auto shelf = shelves_.find(resource);
  if (shelf == shelves_.end()) return out;
  const Table& table = shelf->second.documents;
  auto it = table.lower_bound({std::string(namespace_name), {}});
  if (after) {
    const Table::key_type last{after->namespace_name, after->name};
    // A place before the namespace's first object skips nothing.
    if (it != table.end() && it->first <= last) it = table.upper_bound(last);
  }
  if (namespace_name.empty()) out.reserve(std::min(limit, table.size()));
  for (; it != table.end() && out.size() < limit; ++it) {
    if (!namespace_name.empty() && it->first.first != namespace_name) break;
    out.push_back(it->second);
  }
  return out;
}

size_t ObjectStore::count(std::string_view resource) const {
  const auto shelf = shelves_.find(resource);
  return shelf == shelves_.end() ? 0 : shelf->second.documents.size();
}

Document ObjectStore::make_document(const ObjectKey& key, const Json& object) {
  Document made;
  made.key = key;
  const Json& metadata = object.at("metadata");
  made.uid = text_at(metadata, "uid");
  if (const auto labels = metadata.find("labels");
      labels != metadata.end() && labels->is_object()) {
    for (const auto& [name, value] : labels->items()) {
      if (value.is_string()) made.labels.emplace(name, value.get<std::string>());
    }
  }
  if (!fields_of) return made;
  auto fields = fields_of(key.resource, object);
  std::erase_if(fields, [](const auto& field) { return field.second.empty(); });
  made.fields.reserve(fields.size());
  for (auto& [name, value] : fields) {
    made.fields.emplace_back(*field_names_.insert(name).first, std::move(value));
  }
  return made;
}

DocumentPtr ObjectStore::put(const ObjectKey& key, Json object) {
  WL_ASSERT(object.is_object() && object.contains("metadata") && object["metadata"].is_object());
  Shelf& shelf = shelves_.try_emplace(key.resource).first->second;
  const uint64_t version = ++version_;
  object["metadata"]["resourceVersion"] = std::to_string(version);
  Document made = make_document(key, object);
  made.resource_version = version;
  made.json = to_text(object);
  auto document = std::make_shared<const Document>(std::move(made));
  DocumentPtr& place = shelf.documents[{key.namespace_name, key.name}];
  DocumentPtr before = std::exchange(place, document);
  const EventType type = before == nullptr ? EventType::kAdded : EventType::kModified;
  StoreEvent event{type, document, std::move(before), version};
  record(shelf, event);
  announce(std::move(event));
  return document;
}

DocumentPtr ObjectStore::remove(const ObjectKey& key) {
  const auto found = shelves_.find(key.resource);
  if (found == shelves_.end()) return nullptr;
  Shelf& shelf = found->second;
  const auto it = shelf.documents.find({key.namespace_name, key.name});
  if (it == shelf.documents.end()) return nullptr;
  DocumentPtr before = std::move(it->second);
  shelf.documents.erase(it);

  Document last = *before;
  last.resource_version = ++version_;
  Json object = Json::parse(before->json, nullptr, false);
  WL_ASSERT(object.is_object());  // the text is our own
  object["metadata"]["resourceVersion"] = std::to_string(version_);
  last.json = to_text(object);
  auto document = std::make_shared<const Document>(std::move(last));
  StoreEvent event{EventType::kDeleted, document, std::move(before), version_};
  record(shelf, event);
  announce(std::move(event));
  return document;
}

// A document is charged once while any kept event holds it, be it as `object` or as `before`.
void ObjectStore::record(Shelf& shelf, StoreEvent event) {
  shelf.forgotten = std::max(shelf.forgotten, restored_);
  history_size_ += size_of(event.object);
  if (event.before && event.before->resource_version <= shelf.forgotten) {
    history_size_ += size_of(event.before);
  }
  shelf.history.push_back(std::move(event));
  order_.push_back(&shelf);
  while (!order_.empty() && (order_.size() > history_events_ || history_size_ > history_bytes_)) {
    forget_oldest();
  }
}

void ObjectStore::forget_oldest() {
  Shelf& shelf = *order_.front();
  order_.pop_front();
  const StoreEvent& oldest = shelf.history.front();
  if (oldest.before) history_size_ -= size_of(oldest.before);
  bool is_before_of_later = false;
  if (oldest.type != EventType::kDeleted) {
    const ObjectKey& key = oldest.object->key;
    const auto now = shelf.documents.find({key.namespace_name, key.name});
    is_before_of_later = now == shelf.documents.end() || now->second != oldest.object;
  }
  if (!is_before_of_later) history_size_ -= size_of(oldest.object);
  shelf.forgotten = oldest.resource_version;
  shelf.history.pop_front();
}

void ObjectStore::announce(StoreEvent event) {
  if (on_change.empty()) return;
  untold_.push_back(std::move(event));
  if (telling_) return;
  telling_ = true;
  while (!untold_.empty()) {
    const StoreEvent next = std::move(untold_.front());
    untold_.pop_front();
    // By index: a listener may add a listener.
    for (size_t i = 0; i < on_change.size(); ++i) {
      const auto listener = on_change[i];
      listener(next);
    }
  }
  telling_ = false;
}

std::optional<std::vector<StoreEvent>> ObjectStore::since(std::string_view resource,
                                                          uint64_t version) const {
  if (version < restored_) return std::nullopt;
  std::vector<StoreEvent> out;
  const auto found = shelves_.find(resource);
  if (found == shelves_.end()) return out;
  const Shelf& shelf = found->second;
  if (version < shelf.forgotten) return std::nullopt;
  const auto first = std::partition_point(
      shelf.history.begin(), shelf.history.end(),
      [version](const StoreEvent& event) { return event.resource_version <= version; });
  out.assign(first, shelf.history.end());
  return out;
}

Status ObjectStore::restore(ObjectKey key, std::string json) {
  const Result<Json> object = parse_json(json);
  if (!object.ok()) return object.error();
  if (!object->is_object() || !object->contains("metadata") ||
      !object->at("metadata").is_object()) {
    return Error("not an object with metadata");
  }
  const std::string version = text_at(object->at("metadata"), "resourceVersion");
  const bool decimal = !version.empty() && version.size() < 20 &&
                       version.find_first_not_of("0123456789") == std::string::npos;
  if (!decimal) return Error("metadata.resourceVersion is no number");
  Document made = make_document(key, *object);
  made.resource_version = std::stoull(version);
  made.json = std::move(json);
  version_ = std::max(version_, made.resource_version);
  restored_ = version_;
  shelves_[key.resource].documents[{key.namespace_name, key.name}] =
      std::make_shared<const Document>(std::move(made));
  return {};
}

void ObjectStore::restore_version(uint64_t version) {
  version_ = std::max(version_, version);
  restored_ = version_;
}

}  // namespace windlass::cluster
