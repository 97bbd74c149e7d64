// Failures as the API tells them: metav1.Status with Kubernetes' codes, reasons, messages and
// causes, so that clients can tell AlreadyExists from Conflict. Internal to this room.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/assert.h"
#include "base/json.h"
#include "server/http/exchange.h"
#include "server/schema/schema.h"

namespace windlass::server::rest {

struct Cause {
  std::string reason;
  std::string message;
  std::string field;
};

struct Fault {
  int code = 500;
  std::string reason;
  std::string message;
  // details; kind is the resource's plural, or the Kind of an invalid object, as Kubernetes has it.
  std::string name{};
  std::string group{};
  std::string kind{};
  std::vector<Cause> causes{};
  int retry_after_seconds = 0;
  std::string continue_token{};  // of 410: where to go on without consistency
};

// A value or a Fault.
template <typename T>
class [[nodiscard]] Outcome {
 public:
  Outcome(T value) : held_(std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Outcome(Fault fault) : held_(std::move(fault)) {}  // NOLINT(google-explicit-constructor)
  [[nodiscard]] bool ok() const { return std::holds_alternative<T>(held_); }
  explicit operator bool() const { return ok(); }
  T& operator*() {
    WL_ASSERT(ok());
    return std::get<T>(held_);
  }
  const T& operator*() const {
    WL_ASSERT(ok());
    return std::get<T>(held_);
  }
  T* operator->() { return &**this; }
  const T* operator->() const { return &**this; }
  [[nodiscard]] const Fault& fault() const {
    WL_ASSERT(!ok());
    return std::get<Fault>(held_);
  }

 private:
  std::variant<T, Fault> held_;
};

// What is about: ("apps", "deployments", "web").
struct Subject {
  std::string group;
  std::string plural;
  std::string name;
  [[nodiscard]] std::string qualified() const {  // "deployments.apps"
    return group.empty() ? plural : plural + "." + group;
  }
};

Fault bad_request(std::string message);
Fault unauthorized();
Fault forbidden(const Subject& subject, std::string_view why);
Fault not_found(const Subject& subject);
Fault unknown_path();
Fault method_not_allowed();
Fault not_acceptable(std::string_view accepted);
Fault already_exists(const Subject& subject);
Fault conflict(const Subject& subject, std::string_view why);
Fault modified_meanwhile(const Subject& subject);  // a stale resourceVersion
Fault expired(std::string message);
Fault too_large();
Fault unsupported_media_type(std::string_view got, std::string_view accepted);
// 422: `Deployment.apps "web" is invalid: spec.replicas: Invalid value: ...`.
Fault invalid(std::string_view group, std::string_view kind, std::string_view name,
              const std::vector<schema::FieldFault>& faults);
Fault too_many_requests(std::string message, int retry_after_seconds);
Fault version_too_large(uint64_t asked, uint64_t current);
Fault not_implemented(std::string message);
Fault internal_error(std::string_view what);

Json status_of(const Fault& fault);
Response response_of(const Fault& fault);
// metav1.Status of a success, for deletions: details name the object that is gone.
Json success_status(const Subject& subject, std::string_view uid);

// Compact text; bytes that are no UTF-8 are replaced (they can come from a path or a query).
std::string text_of(const Json& value);

}  // namespace windlass::server::rest
