// Private to this room: the API's requests as HTTP, and what stands in the headers of its answers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "live/kube/api.h"
#include "net/http_client.h"

namespace windlass::live::kube {

// Method, target ("/path?query", to be set behind the server's URL), headers and body.
net::HttpRequest to_http(const Request& request, bool is_stream);
// RFC 3986: all but unreserved characters.
std::string percent_encoded(std::string_view text);
// Retry-After in seconds; a date, or what is no number, counts as none.
std::optional<Duration> retry_after(const net::HttpReply& reply);
// The texts of `Warning: 299 - "text"`.
std::vector<std::string> warnings_of(const net::HttpReply& reply);

}  // namespace windlass::live::kube
