#include "server/http/output_queue.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/assert.h"

namespace windlass::server {

void OutputQueue::add(std::string bytes) {
  if (bytes.empty()) return;
  size_ += bytes.size();
  pieces_.push_back({nullptr, std::move(bytes)});
}

void OutputQueue::add(std::shared_ptr<const std::string> bytes) {
  if (bytes == nullptr || bytes->empty()) return;
  size_ += bytes->size();
  pieces_.push_back({std::move(bytes), {}});
}

std::string_view OutputQueue::next(std::span<char> scratch) const {
  if (empty()) return {};
  const std::string_view first = pieces_.front().view().substr(offset_);
  if (first.size() >= scratch.size() || pieces_.size() == 1) return first;
  size_t filled = 0;
  size_t offset = offset_;
  for (const Piece& piece : pieces_) {
    const std::string_view bytes = piece.view().substr(offset);
    offset = 0;
    const size_t take = std::min(bytes.size(), scratch.size() - filled);
    std::memcpy(scratch.data() + filled, bytes.data(), take);
    filled += take;
    if (filled == scratch.size()) break;
  }
  return {scratch.data(), filled};
}

void OutputQueue::consume(size_t bytes) {
  WL_ASSERT(bytes <= size_);
  size_ -= bytes;
  offset_ += bytes;
  while (!pieces_.empty() && offset_ >= pieces_.front().view().size()) {
    offset_ -= pieces_.front().view().size();
    pieces_.pop_front();
  }
}

void OutputQueue::clear() {
  std::deque<Piece>().swap(pieces_);
  offset_ = 0;
  size_ = 0;
}

}  // namespace windlass::server
