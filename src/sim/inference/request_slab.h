// The requests that are in the system now, in one array with a free list: a request costs no
// allocation of its own, and what refers to it is a 32-bit index. Queues of them are linked through
// the requests, so that one can leave from the middle (a timeout) at once.
#pragma once

#include <cstdint>
#include <vector>

namespace windlass::sim {

inline constexpr uint32_t kNoRequest = UINT32_MAX;
inline constexpr uint32_t kAtRouter = UINT32_MAX;  // as LiveRequest::server

struct LiveRequest {
  uint64_t id = UINT64_MAX;  // UINT64_MAX: this place is free
  int64_t arrival_ns = 0;
  int64_t first_token_ns = 0;
  int32_t input_tokens = 0;
  int32_t output_tokens = 0;
  uint32_t server = kAtRouter;
  int32_t retries = 0;
  uint32_t previous = kNoRequest;  // in its queue
  uint32_t next = kNoRequest;      // in its queue, or the next free place
  bool waiting = false;            // in a queue, the router's or a server's
};

class RequestSlab {
 public:
  uint32_t add(const LiveRequest& request) {
    if (first_free_ == kNoRequest) {
      requests_.push_back(request);
      return static_cast<uint32_t>(requests_.size() - 1);
    }
    const uint32_t index = first_free_;
    first_free_ = requests_[index].next;
    requests_[index] = request;
    return index;
  }

  void release(uint32_t index) {
    requests_[index].id = UINT64_MAX;
    requests_[index].next = first_free_;
    first_free_ = index;
  }

  LiveRequest& operator[](uint32_t index) { return requests_[index]; }
  const LiveRequest& operator[](uint32_t index) const { return requests_[index]; }

 private:
  std::vector<LiveRequest> requests_;
  uint32_t first_free_ = kNoRequest;
};

// First come, first served.
class RequestQueue {
 public:
  [[nodiscard]] uint32_t front() const { return first_; }
  [[nodiscard]] int size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

  void push_back(RequestSlab& slab, uint32_t index) {
    LiveRequest& request = slab[index];
    request.waiting = true;
    request.previous = last_;
    request.next = kNoRequest;
    (last_ == kNoRequest ? first_ : slab[last_].next) = index;
    last_ = index;
    ++size_;
  }

  void remove(RequestSlab& slab, uint32_t index) {
    LiveRequest& request = slab[index];
    request.waiting = false;
    (request.previous == kNoRequest ? first_ : slab[request.previous].next) = request.next;
    (request.next == kNoRequest ? last_ : slab[request.next].previous) = request.previous;
    --size_;
  }

  // Empties the queue into `out`, in its order.
  void take_all(RequestSlab& slab, std::vector<uint32_t>& out) {
    while (!empty()) {
      out.push_back(first_);
      remove(slab, first_);
    }
  }

 private:
  uint32_t first_ = kNoRequest;
  uint32_t last_ = kNoRequest;
  int size_ = 0;
};

}  // namespace windlass::sim
