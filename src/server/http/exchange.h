// What an HTTP request and its answer are, without sockets: rest, observe and tests see these
// values only. http_server.h carries them over TLS.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace windlass::server {

// Who asks, as authentication found out. Empty user: nobody (anonymous).
struct Identity {
  std::string user;
  std::vector<std::string> groups;
  std::string uid;
};

struct Request {
  std::string method = "GET";  // upper case
  std::string path;            // decoded, "/api/v1/namespaces/default/pods"; never with ".." parts
  std::vector<std::pair<std::string, std::string>> query;    // decoded, in order
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;
  Identity identity;
  std::string remote;  // address, for logs

  // The first of that name, or nullopt.
  [[nodiscard]] std::optional<std::string> parameter(std::string_view name) const;
  // As Kubernetes reads booleans: given and neither "false" nor "0", in any case ("True" of
  // Python's clients, "" of "?watch").
  [[nodiscard]] bool flag(std::string_view name) const;
  [[nodiscard]] std::string_view header(std::string_view name_in_lower_case) const;  // or ""
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers{};
  // The body is `body`, then every part: lists are sent without copying their documents.
  std::string body{};
  std::vector<std::shared_ptr<const std::string>> parts{};
};

// A body that goes on: watches and server-sent events. Shared by who writes and the connection.
class Stream {
 public:
  virtual ~Stream() = default;
  // Queues a piece as one chunk; false once closed from either side. Never blocks.
  virtual bool send(std::shared_ptr<const std::string> piece) = 0;
  // Bytes queued and not taken by the peer's socket: a writer drops a peer that stalls.
  [[nodiscard]] virtual size_t unsent() const = 0;
  [[nodiscard]] virtual bool closed() const = 0;
  // Ends the body in order.
  virtual void close() = 0;
  // Cuts the connection.
  virtual void abort() = 0;
  // Called once, when the peer has gone or after close(); always from the loop, never from within
  // a call to this stream.
  std::function<void()> on_closed;
};

// The answer to one request, once: either reply() or open_stream(). May come later than the call of
// the handler; a request whose peer is gone ignores it. One that is let go unanswered is answered
// with status 500.
class Exchange {
 public:
  virtual ~Exchange() = default;
  virtual void reply(Response response) = 0;
  virtual std::shared_ptr<Stream> open_stream(int status, std::string content_type) = 0;
};
using Handler = std::function<void(const Request&, std::shared_ptr<Exchange>)>;

}  // namespace windlass::server
