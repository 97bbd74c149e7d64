// What a TLS listener needs of OpenSSL: TLS 1.2 and up, a server certificate, client certificates
// asked for but not required (a wrong one fails the handshake), HTTP/1.1 by ALPN. No session
// resumption, so that every connection proves its certificate anew.
#pragma once

#include <memory>

#include "base/result.h"
#include "server/http/http_server.h"

struct ssl_ctx_st;

namespace windlass::server {

using TlsContext = std::shared_ptr<ssl_ctx_st>;

// Error: names the file that can't be read or doesn't fit.
Result<TlsContext> make_tls_context(const TlsFiles& files);

}  // namespace windlass::server
