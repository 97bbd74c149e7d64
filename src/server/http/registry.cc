#include <utility>

#include "server/http/connection.h"

namespace windlass::server {
namespace {

constexpr Duration kPause = milliseconds(4);

}  // namespace

void Registry::add(std::shared_ptr<Connection> connection) {
  Connection& added = *connection;
  all_.push_back(std::move(connection));
  added.place_ = std::prev(all_.end());
  set_idle(added, true);
}

void Registry::remove(Connection& connection) {
  set_idle(connection, false);
  all_.erase(connection.place_);
}

void Registry::set_idle(Connection& connection, bool idle) {
  if (connection.idle_place_) {
    idle_.erase(*connection.idle_place_);
    connection.idle_place_.reset();
  }
  if (!idle) return;
  idle_.push_back(&connection);
  connection.idle_place_ = std::prev(idle_.end());
}

bool Registry::close_longest_idle() {
  if (idle_.empty()) return false;
  const auto longest = idle_.front()->shared_from_this();
  longest->cut();
  return true;
}

void Registry::close_all() {
  while (!all_.empty()) {
    const auto connection = all_.front();
    connection->cut();
  }
}

void Registry::pace(EventLoop& loop, const std::shared_ptr<Connection>& connection) {
  paced_.push_back(connection);
  if (paced_.size() > 1) return;  // the pause has begun
  loop.after(kPause, [this, alive = std::weak_ptr<int>(alive_)] {
    if (alive.expired()) return;
    for (const auto& each : std::exchange(paced_, {})) {
      const auto held = each.lock();
      if (held == nullptr) continue;
      held->paced_ = false;
      if (held->unsent() > 0) held->wake_stream();
    }
  });
}

void Registry::later(EventLoop& loop, std::function<void()> work) {
  // Not after the server has gone: whoever is told may have gone with it.
  loop.after(Duration{}, [alive = std::weak_ptr<int>(alive_), work = std::move(work)] {
    if (!alive.expired()) work();
  });
}

}  // namespace windlass::server
