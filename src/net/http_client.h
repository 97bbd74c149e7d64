// Outgoing HTTP/1.1 on the loop (libcurl's multi interface): requests with one reply, and streams
// that are read as they come (watches). Connections are kept and shared; TLS is always verified
// unless a caller says otherwise for one request. Names are looked up off the loop's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "net/event_loop.h"

namespace windlass::net {

// PEM texts, not paths: what was read once cannot change under a connection. Shared between the
// requests of one server, so that connections are reused. Never logged.
struct TlsOptions {
  std::string ca{};           // empty: the system's
  std::string certificate{};  // client certificate (chain) and key; empty: none
  std::string key{};
  std::string
      server_name{};  // verified in place of the URL's host, and sent as SNI; empty: the host
  bool skip_verify = false;
};

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  // Sent as they are; `Authorization` is never passed on to another host.
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::shared_ptr<const TlsOptions> tls;  // null: system CA
  std::string proxy;                      // URL; empty: none (the environment is not read)
  Duration connect_timeout = seconds(10);
  Duration timeout = seconds(30);         // of all of it; 0: none (streams)
  size_t max_reply_bytes = 512ull << 20;  // beyond: an error; streams have no limit
  bool follow_redirects = false;
  bool accept_gzip = false;  // the body is unpacked; its limit counts what comes out
};

struct HttpReply {
  int status = 0;     // 0: no reply, see error
  std::string error;  // why there is none ("connect to 10.0.0.1:443: connection refused")
  bool timed_out = false;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;
  Duration took{};
  [[nodiscard]] const std::string* header(std::string_view lower_case_name) const;
};

class HttpClient {
 public:
  using Id = uint64_t;  // never 0
  struct Stream {
    std::function<void(const HttpReply& head)> on_head;  // status and headers; body empty
    std::function<void(std::string_view bytes)> on_data;
    // Once, at the end: `error` is empty for an orderly end of the body. Not after cancel().
    std::function<void(const std::string& error)> on_end;
  };

  explicit HttpClient(EventLoop& loop);
  ~HttpClient();  // open requests end without their callbacks
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Calls `done` exactly once, later, unless cancelled.
  Id send(HttpRequest request, std::function<void(HttpReply)> done);
  Id stream(HttpRequest request, Stream stream);
  // May be called inside a callback, also of the same request. Unknown ids do nothing.
  void cancel(Id id);
  [[nodiscard]] size_t open() const;  // requests under way

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace windlass::net
