#include "server/rest/ownership.h"

#include <algorithm>

namespace windlass::server::rest {
namespace {

// The end of the array that begins at `from`; strings are stepped over.
size_t end_of_array(std::string_view json, size_t from) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = from; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[') {
      ++depth;
    } else if (c == ']' && --depth == 0) {
      return i;
    }
  }
  return json.size();
}

}  // namespace

std::vector<std::string> owner_uids(std::string_view json) {
  // Text search instead of a parse: this runs for every change of every object. An escaped quote in
  // a string can't look like the key, whose last quote stands right before the colon.
  constexpr std::string_view kKey = "\"ownerReferences\":[";
  constexpr std::string_view kUid = "\"uid\":\"";
  std::vector<std::string> uids;
  for (size_t at = json.find(kKey); at != std::string_view::npos; at = json.find(kKey, at)) {
    const size_t begin = at + kKey.size() - 1;
    const size_t end = end_of_array(json, begin);
    const std::string_view array = json.substr(begin, end - begin);
    for (size_t uid = array.find(kUid); uid != std::string_view::npos;
         uid = array.find(kUid, uid)) {
      uid += kUid.size();
      const size_t quote = std::min(array.find('"', uid), array.size());
      uids.emplace_back(array.substr(uid, quote - uid));
    }
    at = end;
  }
  return uids;
}

void Ownership::add(const cluster::Document& document) {
  // Events own nothing, and there are more of them than of all else.
  if (document.key.resource != "events") objects_[document.uid] = document.key;
  for (const auto& uid : owner_uids(document.json)) dependents_[uid].insert(document.key);
}

void Ownership::remove(const cluster::Document& document) {
  const auto found = objects_.find(document.uid);
  if (found != objects_.end() && found->second == document.key) objects_.erase(found);
  for (const auto& uid : owner_uids(document.json)) {
    const auto owned = dependents_.find(uid);
    if (owned == dependents_.end()) continue;
    owned->second.erase(document.key);
    if (owned->second.empty()) dependents_.erase(owned);
  }
}

void Ownership::see(const cluster::StoreEvent& event) {
  if (event.before != nullptr) remove(*event.before);
  if (event.type != cluster::EventType::kDeleted && event.object != nullptr) add(*event.object);
}

std::vector<cluster::ObjectKey> Ownership::dependents(const std::string& uid) const {
  const auto found = dependents_.find(uid);
  if (found == dependents_.end()) return {};
  return {found->second.begin(), found->second.end()};
}

std::optional<cluster::ObjectKey> Ownership::object_of(const std::string& uid) const {
  const auto found = objects_.find(uid);
  if (found == objects_.end()) return std::nullopt;
  return found->second;
}

}  // namespace windlass::server::rest
