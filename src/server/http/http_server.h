// HTTP/1.1 over TLS (or plain on loopback) on a libevent loop: requests in, replies and streams
// out. Bounds on everything a peer can do: header and body sizes, idle and slow connections, their
// number, and what may wait unsent on a stream. One thread: all calls come from the loop's.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "net/event_loop.h"
#include "server/http/exchange.h"

namespace windlass::server {

using net::EventLoop;

struct TlsFiles {
  std::string certificate;  // PEM paths
  std::string key;
  std::string client_ca;  // client certificates are asked for and verified against it
  // Instead of the first two files: of self_made_tls() (server/http/self_made.h).
  std::string certificate_pem{}, key_pem{};
};
struct Listen {
  std::string host = "127.0.0.1";
  uint16_t port = 0;              // 0: any free one
  std::optional<TlsFiles> tls{};  // nullopt: plain HTTP, refused unless host is loopback
  // What is served is no secret and takes no orders (health, metrics): plain HTTP anywhere.
  bool plain_anywhere = false;
};
struct HttpLimits {
  size_t header_bytes = 64 << 10;
  size_t body_bytes = 3 << 20;     // 413 beyond, as kube-apiserver's 3 MiB
  Duration idle = seconds(90);     // between requests of a kept connection
  Duration request = seconds(30);  // from the first byte to the whole request, handshake too; a
                                   // reply of which the peer takes nothing for so long is cut
  size_t connections = 4096;  // beyond: the longest idle is closed, or the new one if none idles
  // A stream's peer that is behind by more than this for longer than that is dropped, and at once
  // beyond eight times as much. A burst, as a long list sent as a watch, is no lag yet.
  size_t stream_unsent_bytes = 16 << 20;
  Duration stream_lag = seconds(10);
};

class HttpServer {
 public:
  HttpServer(EventLoop& loop, HttpLimits limits = {});
  ~HttpServer();
  // May be called for several addresses. `authenticate` fills in Request::identity (from headers; a
  // verified client certificate's CN and O are passed as `certificate`). Error: the address can't
  // be bound, files can't be read.
  using Authenticate =
      std::function<Identity(const Request&, const std::optional<Identity>& certificate)>;
  Status listen(const Listen& listen, Authenticate authenticate, Handler handler);
  [[nodiscard]] uint16_t port() const;  // of the latest listen()
  [[nodiscard]] size_t connections() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace windlass::server
