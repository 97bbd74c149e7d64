// Lists and watch events as the API server writes them, read just deep enough to follow a resource
// (simdjson): who each object is, at which version, and its JSON as it came. Lists may hold 100 MB,
// so nothing is copied but names.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace windlass::live::kube {

// One object; `json` points into what was read.
struct WireObject {
  std::string_view json;
  std::string key;  // "namespace/name" or "name"; empty for a bookmark
  std::string uid;
  std::string resource_version;
  bool initial_events_end = false;  // the bookmark that ends a WatchList's list
};

struct WireList {
  std::string resource_version;
  std::string continue_token;  // empty: the last page
};
// Tells each item in order; `each` says whether to go on (false ends in an error nobody needs). The
// items before a fault have been told by then. `body` grows by some bytes that simdjson reads past.
Result<WireList> read_list(std::string& body, const std::function<bool(const WireObject&)>& each);

struct WireEvent {
  enum class Type { kAdded, kModified, kDeleted, kBookmark, kError };
  Type type = Type::kAdded;
  WireObject object;  // not of errors
  // Of errors: the Status object.
  int code = 0;
  std::string reason, message;
};

// Reads the lines of a watch, one after the other; what it returns is valid until the next.
class WireReader {
 public:
  WireReader();
  ~WireReader();
  Result<WireEvent> read(std::string_view line);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Order of resource versions (apimachinery's CompareResourceVersion): decimal numbers of any
// length; others can't be compared and are never earlier.
bool is_earlier_version(std::string_view a, std::string_view b);

}  // namespace windlass::live::kube
