#include "server/http/stream.h"

#include <utility>

namespace windlass::server {

ConnectionExchange::ConnectionExchange(std::weak_ptr<Connection> connection)
    : connection_(std::move(connection)) {}

ConnectionExchange::~ConnectionExchange() {
  if (!answered_) reply(fault_response({500, "the request was not answered"}));
}

void ConnectionExchange::reply(Response response) {
  if (std::exchange(answered_, true)) return;
  if (const auto connection = connection_.lock()) connection->reply(std::move(response));
}

std::shared_ptr<Stream> ConnectionExchange::open_stream(int status, std::string content_type) {
  if (!std::exchange(answered_, true)) {
    if (const auto connection = connection_.lock()) {
      return connection->open_stream(status, std::move(content_type));
    }
  }
  auto dead = std::make_shared<ConnectionStream>(std::weak_ptr<Connection>());
  dead->mark_closed();
  return dead;
}

ConnectionStream::ConnectionStream(std::weak_ptr<Connection> connection)
    : connection_(std::move(connection)) {}

bool ConnectionStream::send(std::shared_ptr<const std::string> piece) {
  if (closed_) return false;
  const auto connection = connection_.lock();
  return connection != nullptr && connection->send_piece(std::move(piece));
}

size_t ConnectionStream::unsent() const {
  const auto connection = connection_.lock();
  return connection == nullptr || closed_ ? 0 : connection->unsent();
}

void ConnectionStream::close() {
  if (closed_) return;
  if (const auto connection = connection_.lock()) connection->finish_stream();
}

void ConnectionStream::abort() {
  if (closed_) return;
  if (const auto connection = connection_.lock()) connection->cut();
}

bool ConnectionStream::mark_closed() { return !std::exchange(closed_, true); }

void ConnectionStream::tell() {
  const std::function<void()> told = std::exchange(on_closed, nullptr);
  if (told) told();
}

}  // namespace windlass::server
