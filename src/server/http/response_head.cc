#include "server/http/response_head.h"

#include <iterator>

#include <fmt/format.h>

#include "server/http/fault.h"

namespace windlass::server {
namespace {

// Names and values as they may stand on the wire: control characters become blanks.
void add_header(std::string& out, std::string_view name, std::string_view value) {
  for (const std::string_view part : {name, std::string_view(": "), value}) {
    for (const char c : part) {
      const auto byte = static_cast<unsigned char>(c);
      out += byte < 0x20 || byte == 0x7f ? ' ' : c;
    }
  }
  out += "\r\n";
}

}  // namespace

std::string response_head(const Response& response, HeadOptions options) {
  std::string out;
  out.reserve(256);
  fmt::format_to(std::back_inserter(out), "HTTP/1.1 {} {}\r\n", response.status,
                 reason_phrase(response.status));
  if (!response.content_type.empty()) add_header(out, "Content-Type", response.content_type);
  for (const auto& [name, value] : response.headers) add_header(out, name, value);
  if (!options.stream && response.status != 204 && response.status != 304) {
    size_t length = response.body.size();
    for (const auto& part : response.parts) length += part == nullptr ? 0 : part->size();
    fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\n", length);
  }
  if (options.chunked) out += "Transfer-Encoding: chunked\r\n";
  if (!options.keep_alive) out += "Connection: close\r\n";
  out += "\r\n";
  return out;
}

}  // namespace windlass::server
