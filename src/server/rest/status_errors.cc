#include "server/rest/status_errors.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace windlass::server::rest {
namespace {

Fault about(const Subject& subject, int code, std::string reason, std::string message) {
  Fault fault{code, std::move(reason), std::move(message)};
  fault.name = subject.name;
  fault.group = subject.group;
  fault.kind = subject.plural;
  return fault;
}

}  // namespace

Fault bad_request(std::string message) { return {400, "BadRequest", std::move(message)}; }

Fault unauthorized() { return {401, "Unauthorized", "Unauthorized"}; }

Fault forbidden(const Subject& subject, std::string_view why) {
  return about(subject, 403, "Forbidden",
               fmt::format("{} \"{}\" is forbidden: {}", subject.qualified(), subject.name, why));
}

Fault not_found(const Subject& subject) {
  return about(subject, 404, "NotFound",
               fmt::format("{} \"{}\" not found", subject.qualified(), subject.name));
}

Fault unknown_path() {
  return {404, "NotFound", "the server could not find the requested resource"};
}

Fault method_not_allowed() {
  return {405, "MethodNotAllowed",
          "the server does not allow this method on the requested resource"};
}

Fault not_acceptable(std::string_view accepted) {
  return {406, "NotAcceptable",
          fmt::format("only the following media types are accepted: {}", accepted)};
}

Fault already_exists(const Subject& subject) {
  return about(subject, 409, "AlreadyExists",
               fmt::format("{} \"{}\" already exists", subject.qualified(), subject.name));
}

Fault conflict(const Subject& subject, std::string_view why) {
  return about(subject, 409, "Conflict",
               fmt::format("Operation cannot be fulfilled on {} \"{}\": {}", subject.qualified(),
                           subject.name, why));
}

Fault modified_meanwhile(const Subject& subject) {
  return conflict(subject,
                  "the object has been modified; please apply your changes to the latest version "
                  "and try again");
}

Fault expired(std::string message) { return {410, "Expired", std::move(message)}; }

Fault too_large() {
  return {413, "RequestEntityTooLarge", "Request entity too large: limit is 3145728"};
}

Fault unsupported_media_type(std::string_view got, std::string_view accepted) {
  return {
      415, "UnsupportedMediaType",
      fmt::format("the body of the request was in an unknown format ({}) - accepted media types "
                  "include: {}",
                  got, accepted)};
}

Fault invalid(std::string_view group, std::string_view kind, std::string_view name,
              const std::vector<schema::FieldFault>& faults) {
  Fault fault{422, "Invalid", ""};
  fault.name = name;
  fault.group = group;
  fault.kind = kind;
  std::string all;
  for (const auto& each : faults) {
    const std::string one = each.field.empty() ? each.message : each.field + ": " + each.message;
    all += (all.empty() ? "" : ", ") + one;
    fault.causes.push_back({each.reason, each.message, each.field});
  }
  if (faults.size() > 1) all = "[" + all + "]";
  fault.message =
      fmt::format("{}{}{} \"{}\" is invalid: {}", kind, group.empty() ? "" : ".", group, name, all);
  return fault;
}

Fault too_many_requests(std::string message, int retry_after_seconds) {
  Fault fault{429, "TooManyRequests", std::move(message)};
  fault.retry_after_seconds = retry_after_seconds;
  return fault;
}

Fault version_too_large(uint64_t asked, uint64_t current) {
  Fault fault{504, "Timeout",
              fmt::format("Too large resource version: {}, current: {}", asked, current)};
  fault.causes.push_back({"ResourceVersionTooLarge", "Too large resource version", ""});
  fault.retry_after_seconds = 1;
  return fault;
}

Fault not_implemented(std::string message) { return {501, "NotImplemented", std::move(message)}; }

Fault internal_error(std::string_view what) {
  return {500, "InternalError", fmt::format("Internal error occurred: {}", what)};
}

Json status_of(const Fault& fault) {
  Json status = {{"kind", "Status"},    {"apiVersion", "v1"},       {"metadata", Json::object()},
                 {"status", "Failure"}, {"message", fault.message}, {"reason", fault.reason},
                 {"code", fault.code}};
  if (!fault.continue_token.empty()) status["metadata"]["continue"] = fault.continue_token;
  Json details = Json::object();
  if (!fault.name.empty()) details["name"] = fault.name;
  if (!fault.group.empty()) details["group"] = fault.group;
  if (!fault.kind.empty()) details["kind"] = fault.kind;
  if (fault.retry_after_seconds > 0) details["retryAfterSeconds"] = fault.retry_after_seconds;
  for (const auto& cause : fault.causes) {
    Json each = {{"reason", cause.reason}, {"message", cause.message}};
    if (!cause.field.empty()) each["field"] = cause.field;
    details["causes"].push_back(std::move(each));
  }
  if (!details.empty()) status["details"] = std::move(details);
  return status;
}

Response response_of(const Fault& fault) {
  Response response;
  response.status = fault.code;
  if (fault.retry_after_seconds > 0) {
    response.headers.emplace_back("Retry-After", std::to_string(fault.retry_after_seconds));
  }
  response.body = text_of(status_of(fault)) + "\n";
  return response;
}

Json success_status(const Subject& subject, std::string_view uid) {
  Json details = {{"name", subject.name}, {"kind", subject.plural}, {"uid", uid}};
  if (!subject.group.empty()) details["group"] = subject.group;
  return {{"kind", "Status"},
          {"apiVersion", "v1"},
          {"metadata", Json::object()},
          {"status", "Success"},
          {"details", std::move(details)}};
}

std::string text_of(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace windlass::server::rest
