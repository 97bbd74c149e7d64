// The status line and headers of an answer. Whatever a handler puts into a header, no line break of
// its making reaches the wire.
#pragma once

#include <string>

#include "server/http/exchange.h"

namespace windlass::server {

struct HeadOptions {
  bool keep_alive = true;
  bool stream = false;   // no length
  bool chunked = false;  // of a stream
};

// Ends with the empty line. Content-Length counts body and parts, which a HEAD leaves out.
std::string response_head(const Response& response, HeadOptions options);

}  // namespace windlass::server
