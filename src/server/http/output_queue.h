// What a connection has yet to send: pieces it owns and pieces it shares with others (two hundred
// watchers of one event hold its bytes once).
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace windlass::server {

class OutputQueue {
 public:
  void add(std::string bytes);
  void add(std::shared_ptr<const std::string> bytes);
  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  // The next bytes to send: a view of the first piece if that fills `scratch` alone, or as many
  // small pieces as fit copied into it. Empty only if the queue is. Until consume(), a later call
  // returns at least these bytes, as SSL_write asks for.
  [[nodiscard]] std::string_view next(std::span<char> scratch) const;
  void consume(size_t bytes);
  void clear();

 private:
  struct Piece {
    std::shared_ptr<const std::string> shared;
    std::string own;  // if nothing is shared
    [[nodiscard]] std::string_view view() const { return shared ? *shared : own; }
  };
  std::deque<Piece> pieces_;
  size_t offset_ = 0;  // of the first piece: already sent
  size_t size_ = 0;
};

}  // namespace windlass::server
