// The Kubernetes API as a client sees it: the one seam between the live world and the wire. The
// real one speaks HTTP (client.h); tests bring one without sockets. What a request needs beyond its
// path (address, credentials, retries, rate) is the implementation's business.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/time.h"

namespace windlass::live::kube {

enum class Verb { kGet, kPost, kPut, kPatch, kDelete };
enum class PatchType { kJson, kMerge, kStrategicMerge, kApply };
std::string_view content_type(PatchType type);

struct Request {
  Verb verb = Verb::kGet;
  std::string path;  // "/api/v1/namespaces/default/pods/web-1/status", already percent-encoded
  std::vector<std::pair<std::string, std::string>> query;  // not yet encoded
  std::string body;
  std::string content_type = "application/json";
  Duration timeout = seconds(30);
  // Leases: goes before all others and is not held back by the client's own rate limit.
  bool urgent = false;
  // Asked each time just before it is sent; false: it is not, and answered with code 0. Empty: yes.
  std::function<bool()> may_send{};
};

// An answer that is no success carries the Status object's words.
struct Reply {
  int code = 0;         // 0: no answer came, see message
  std::string body;     // JSON
  std::string reason;   // "AlreadyExists", "Conflict", "Expired", ...; of errors
  std::string message;  // of errors; never holds credentials
  std::optional<Duration> retry_after;
  // details.causes: (reason, field, message); "DisruptionBudget", "FieldManagerConflict", ...
  struct Cause {
    std::string reason, field, message;
  };
  std::vector<Cause> causes;
  [[nodiscard]] bool ok() const { return code >= 200 && code < 300; }
  // "Conflict (409): Operation cannot be fulfilled on ..."
  [[nodiscard]] std::string error() const;
};

class Api {
 public:
  using Id = uint64_t;  // never 0
  struct Stream {
    // Each whole line of the body (an event), without its end; valid during the call.
    std::function<void(std::string_view line)> on_line;
    // Once at the end, not after cancel(). reply.ok(): the server ended it in good order; else why
    // it never began (an HTTP error) or broke off (code 0).
    std::function<void(const Reply& reply)> on_end;
  };
  virtual ~Api() = default;
  // Calls `done` exactly once, never inside this call, unless cancelled.
  virtual Id send(Request request, std::function<void(Reply)> done) = 0;
  virtual Id stream(Request request, Stream stream) = 0;
  virtual void cancel(Id id) = 0;
};

// What a success is about. A body that is something else (a proxy's page, half a document, another
// object) is an error: nobody may conclude from it that a thing is not there. `path`: of the object
// asked for, without subresource.
Result<Json> object_in(const Reply& reply, std::string_view path);
// The document of a list; its `items` are an array.
Result<Json> list_in(const Reply& reply);

// Reads a Status object out of an error's body into reason, message, retry_after and causes; a body
// that is none is cut to its first line.
void read_status(Reply& reply);

}  // namespace windlass::live::kube
