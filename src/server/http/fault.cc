#include "server/http/fault.h"

#include <array>

#include <nlohmann/json.hpp>

#include "base/json.h"

namespace windlass::server {
namespace {

struct Known {
  int status;
  std::string_view phrase;
  std::string_view reason;  // of a Status object (metav1.StatusReason), where the API defines one
};

constexpr auto kKnown = std::to_array<Known>({
    {200, "OK", ""},
    {201, "Created", ""},
    {202, "Accepted", ""},
    {204, "No Content", ""},
    {301, "Moved Permanently", ""},
    {302, "Found", ""},
    {303, "See Other", ""},
    {304, "Not Modified", ""},
    {307, "Temporary Redirect", ""},
    {400, "Bad Request", "BadRequest"},
    {401, "Unauthorized", "Unauthorized"},
    {403, "Forbidden", "Forbidden"},
    {404, "Not Found", "NotFound"},
    {405, "Method Not Allowed", "MethodNotAllowed"},
    {406, "Not Acceptable", "NotAcceptable"},
    {408, "Request Timeout", "Timeout"},
    {409, "Conflict", "Conflict"},
    {410, "Gone", "Gone"},
    {413, "Content Too Large", "RequestEntityTooLarge"},
    {414, "URI Too Long", ""},
    {415, "Unsupported Media Type", "UnsupportedMediaType"},
    {417, "Expectation Failed", ""},
    {422, "Unprocessable Content", "Invalid"},
    {429, "Too Many Requests", "TooManyRequests"},
    {431, "Request Header Fields Too Large", ""},
    {500, "Internal Server Error", "InternalError"},
    {501, "Not Implemented", ""},
    {503, "Service Unavailable", "ServiceUnavailable"},
    {504, "Gateway Timeout", "Timeout"},
    {505, "HTTP Version Not Supported", ""},
});

const Known* known(int status) {
  for (const Known& k : kKnown) {
    if (k.status == status) return &k;
  }
  return nullptr;
}

}  // namespace

std::string_view reason_phrase(int status) {
  const Known* found = known(status);
  return found == nullptr ? "Status" : found->phrase;
}

Response fault_response(const HttpFault& fault) {
  Json status = {{"kind", "Status"},    {"apiVersion", "v1"},       {"metadata", Json::object()},
                 {"status", "Failure"}, {"message", fault.message}, {"code", fault.status}};
  const Known* found = known(fault.status);
  if (found != nullptr && !found->reason.empty()) status["reason"] = found->reason;
  Response response;
  response.status = fault.status;
  response.body = status.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  if (fault.status == 405) {
    response.headers.emplace_back("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
  }
  return response;
}

}  // namespace windlass::server
