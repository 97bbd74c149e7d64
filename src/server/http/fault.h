// A request that is refused before any handler sees it, and the answer to it: a Kubernetes Status
// object, so that kubectl prints a sentence instead of a page.
#pragma once

#include <string>
#include <string_view>

#include "server/http/exchange.h"

namespace windlass::server {

struct HttpFault {
  int status = 400;
  std::string message;
};

Response fault_response(const HttpFault& fault);
// "Not Found" for 404; "Status" for what is not in the table.
std::string_view reason_phrase(int status);

}  // namespace windlass::server
