// One inference server that batches continuously, by iteration (gpu_inference.md 3). It iterates
// without pause while it has requests. At an iteration's start it admits waiting requests, first
// come first served, while there is a sequence slot and the request's whole length (input + output
// tokens) can be reserved in the KV memory. Decoding sequences come first in the token budget, one
// token each; prefill chunks get the rest, first come first served. The iteration that completes a
// prefill yields the first token; each later one yields one more.
//
// Iterations without prefill form a segment: n of them take n(a + bB + cC) + cB n(n-1)/2 for B
// sequences that hold C context tokens at its start. All its boundaries are computed from that
// anchor, which moves only when the server acts at one; looking in between moves nothing, so how
// often somebody looks cannot change a result.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "catalog/service_profile.h"
#include "sim/inference/request_slab.h"

namespace windlass::sim {

// What the end of an iteration brought, as indices into the slab.
struct IterationEnd {
  std::vector<uint32_t> first_tokens;
  std::vector<uint32_t> completed;  // decoding ones by request id, then those of one token
};

class Server {
 public:
  // Negative or unusable figures of the profile count as 0, an iteration takes at least 1 ns, a
  // server has at least one sequence slot and a budget of max_sequences (as vLLM demands).
  explicit Server(const catalog::ServiceProfile& profile);

  // When it acts next; INT64_MAX while idle.
  [[nodiscard]] int64_t event_ns() const { return event_ns_; }
  [[nodiscard]] bool could_ever_fit(const LiveRequest& request) const {
    return reservation(request) <= profile_.kv_capacity_tokens;
  }

  // Queues a request that could ever fit. It starts nothing: wake() does, once all have come.
  void enqueue(RequestSlab& slab, uint32_t index) { waiting_.push_back(slab, index); }
  void drop_waiting(RequestSlab& slab, uint32_t index) { waiting_.remove(slab, index); }
  // After the queue changed: an idle server starts an iteration at once; a busy one lets who is
  // first in the queue and fits join at the end of the iteration that runs.
  void wake(RequestSlab& slab, int64_t now_ns);
  // The action at event_ns(): tokens, completions, admission, the next iteration or segment.
  void end_iteration(RequestSlab& slab, IterationEnd& end);

  void take_waiting(RequestSlab& slab, std::vector<uint32_t>& out) { waiting_.take_all(slab, out); }
  // Empties the server for good at `now_ns`, into `out` in no particular order.
  void abandon(RequestSlab& slab, int64_t now_ns, std::vector<uint32_t>& out);
  // When a server without waiting requests that gets no more of them will be empty. Exact: its
  // future is played on a copy.
  [[nodiscard]] int64_t empty_at_ns(RequestSlab& slab) const;

  [[nodiscard]] int running() const { return decoding_count() + static_cast<int>(prefill_.size()); }
  [[nodiscard]] int waiting() const { return waiting_.size(); }
  [[nodiscard]] int outstanding() const { return running() + waiting(); }
  [[nodiscard]] double kv_usage() const;  // the reserved share of the KV memory, 0..1
  [[nodiscard]] int64_t busy_ns(int64_t now_ns) const;
  [[nodiscard]] uint64_t prompt_tokens() const { return prompt_tokens_; }
  [[nodiscard]] uint64_t generation_tokens(int64_t now_ns) const;
  [[nodiscard]] uint64_t completed() const { return completed_; }

 private:
  struct Prefill {
    uint32_t index;
    int32_t remaining_tokens;
  };
  struct Decoding {
    uint64_t last_iteration;  // on this server's count: the one that yields the last token
    uint64_t id;
    uint32_t index;
    // A heap by std's convention keeps the greatest in front; we want the first to complete.
    bool operator<(const Decoding& other) const {
      return last_iteration != other.last_iteration ? last_iteration > other.last_iteration
                                                    : id > other.id;
    }
  };

  static int64_t reservation(const LiveRequest& request) {
    return int64_t{request.input_tokens} + request.output_tokens;
  }
  [[nodiscard]] int decoding_count() const { return static_cast<int>(decoding_.size()); }
  [[nodiscard]] bool idle() const { return event_ns_ == INT64_MAX; }
  [[nodiscard]] bool front_fits(const RequestSlab& slab) const;
  void begin_iteration(RequestSlab& slab, int64_t now_ns);
  void admit(RequestSlab& slab);
  void finish_prefills(RequestSlab& slab, IterationEnd& end);
  void complete(const RequestSlab& slab, uint32_t index, IterationEnd& end);
  // The end of the segment's n-th iteration, n >= 1.
  [[nodiscard]] int64_t boundary_ns(int64_t n) const;
  // The n of the first boundary later than `now_ns`; n >= 1.
  [[nodiscard]] int64_t first_boundary_after(int64_t now_ns) const;

  catalog::ServiceProfile profile_;
  RequestQueue waiting_;
  std::vector<Prefill> prefill_;    // admitted, first come first served
  int64_t prefill_backlog_ = 0;     // tokens remaining of all of these
  std::vector<Decoding> decoding_;  // a heap
  int64_t reserved_tokens_ = 0;
  uint64_t iterations_ = 0;  // ended before the anchor

  // The iteration (with prefill) or segment (without) that runs.
  int64_t anchor_ns_ = 0;
  int64_t context_tokens_ = 0;    // of the decoding sequences at the anchor
  int64_t chunk_tokens_ = 0;      // prefill in the running iteration; 0: a segment
  double step_ns_ = 0;            // a + bB + cC
  double growth_ns_ = 0;          // cB / 2
  int64_t event_iterations_ = 0;  // the event is that many iterations after the anchor
  int64_t event_ns_ = INT64_MAX;

  int64_t busy_since_ns_ = 0;
  int64_t busy_ns_ = 0;  // before that
  uint64_t prompt_tokens_ = 0;
  uint64_t generation_tokens_ = 0;
  uint64_t completed_ = 0;
};

}  // namespace windlass::sim
