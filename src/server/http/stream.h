// Exchange and Stream as a connection offers them. Both outlive it: once it has gone they do
// nothing. Private to this room.
#pragma once

#include <memory>
#include <string>

#include "server/http/connection.h"

namespace windlass::server {

class ConnectionExchange final : public Exchange {
 public:
  explicit ConnectionExchange(std::weak_ptr<Connection> connection);
  ConnectionExchange(const ConnectionExchange&) = delete;
  ConnectionExchange& operator=(const ConnectionExchange&) = delete;
  ~ConnectionExchange() override;
  void reply(Response response) override;
  std::shared_ptr<Stream> open_stream(int status, std::string content_type) override;

 private:
  std::weak_ptr<Connection> connection_;
  bool answered_ = false;
};

class ConnectionStream final : public Stream {
 public:
  explicit ConnectionStream(std::weak_ptr<Connection> connection);
  bool send(std::shared_ptr<const std::string> piece) override;
  [[nodiscard]] size_t unsent() const override;
  [[nodiscard]] bool closed() const override { return closed_; }
  void close() override;
  void abort() override;
  // The connection has gone or the stream has ended. True the first time: on_closed is due.
  bool mark_closed();
  void tell();

 private:
  std::weak_ptr<Connection> connection_;
  bool closed_ = false;
};

}  // namespace windlass::server
