#include "sim/inference/server.h"

#include <algorithm>
#include <cmath>

#include "base/assert.h"

namespace windlass::sim {
namespace {

constexpr double kNsPerMs = 1e6;

double usable(double coefficient) {
  constexpr double kGreatest = 1e12;  // keeps every product of it finite
  return coefficient > 0 ? std::min(coefficient, kGreatest) : 0;
}

// The one way a computed span becomes a time: rounded half up to ns, saturated where no run comes.
int64_t after(int64_t anchor_ns, double span_ns) {
  constexpr double kLimit = 4e18;
  const int64_t span = span_ns < kLimit ? static_cast<int64_t>(span_ns + 0.5) : INT64_MAX;
  return span > INT64_MAX - 1 - std::max<int64_t>(anchor_ns, 0) ? INT64_MAX - 1 : anchor_ns + span;
}

}  // namespace

Server::Server(const catalog::ServiceProfile& profile) : profile_(profile) {
  // At least 1 ns, so that time moves on and boundaries differ.
  profile_.iteration_base_ms = std::max(usable(profile.iteration_base_ms), 1 / kNsPerMs);
  profile_.prefill_ms_per_token = usable(profile.prefill_ms_per_token);
  profile_.decode_ms_per_sequence = usable(profile.decode_ms_per_sequence);
  profile_.context_ms_per_token = usable(profile.context_ms_per_token);
  profile_.prefill_base_ms = usable(profile.prefill_base_ms);
  profile_.max_sequences = std::max(profile.max_sequences, 1);
  profile_.max_batched_tokens = std::max(profile.max_batched_tokens, profile_.max_sequences);
}

int64_t Server::boundary_ns(int64_t n) const {
  const auto count = static_cast<double>(n);
  return after(anchor_ns_, count * step_ns_ + growth_ns_ * count * (count - 1));
}

int64_t Server::first_boundary_after(int64_t now_ns) const {
  // The root of growth n^2 + (step - growth) n = elapsed, in the form that loses no digits when
  // growth is small; then corrected, because the boundaries are rounded.
  const auto elapsed_ns = static_cast<double>(now_ns - anchor_ns_);
  const double linear = step_ns_ - growth_ns_;
  const double root = std::sqrt(linear * linear + 4 * growth_ns_ * elapsed_ns);
  auto n = static_cast<int64_t>(2 * elapsed_ns / (linear + root)) + 1;
  while (n > 1 && boundary_ns(n - 1) > now_ns) --n;
  while (boundary_ns(n) <= now_ns) ++n;
  return n;
}

bool Server::front_fits(const RequestSlab& slab) const {
  return !waiting_.empty() && running() < profile_.max_sequences &&
         reserved_tokens_ + reservation(slab[waiting_.front()]) <= profile_.kv_capacity_tokens;
}

void Server::wake(RequestSlab& slab, int64_t now_ns) {
  if (idle()) {
    if (waiting_.empty()) return;
    busy_since_ns_ = now_ns;
    begin_iteration(slab, now_ns);
    return;
  }
  if (chunk_tokens_ > 0 || event_iterations_ == 1 || !front_fits(slab)) return;
  // Server events come before others of the same instant: a boundary at `now_ns` has passed.
  event_iterations_ = first_boundary_after(now_ns);
  event_ns_ = boundary_ns(event_iterations_);
}

void Server::admit(RequestSlab& slab) {
  while (front_fits(slab)) {
    const uint32_t index = waiting_.front();
    waiting_.remove(slab, index);
    const LiveRequest& request = slab[index];
    reserved_tokens_ += reservation(request);
    prefill_backlog_ += request.input_tokens;
    prefill_.push_back({index, request.input_tokens});
  }
}

void Server::begin_iteration(RequestSlab& slab, int64_t now_ns) {
  admit(slab);
  anchor_ns_ = now_ns;
  chunk_tokens_ = 0;
  event_iterations_ = 1;
  if (!prefill_.empty()) {
    // Never 0: whoever prefills occupies a slot, so fewer decode than the budget has tokens.
    chunk_tokens_ =
        std::min<int64_t>(profile_.max_batched_tokens - decoding_count(), prefill_backlog_);
    step_ns_ = catalog::iteration_ms(profile_, static_cast<int>(chunk_tokens_), decoding_count(),
                                     static_cast<double>(context_tokens_)) *
               kNsPerMs;
    event_ns_ = after(now_ns, step_ns_);
  } else if (!decoding_.empty()) {
    step_ns_ =
        catalog::iteration_ms(profile_, 0, decoding_count(), static_cast<double>(context_tokens_)) *
        kNsPerMs;
    growth_ns_ = profile_.context_ms_per_token * decoding_count() / 2 * kNsPerMs;
    event_iterations_ = static_cast<int64_t>(decoding_.front().last_iteration - iterations_);
    event_ns_ = boundary_ns(event_iterations_);
  } else {
    // Whoever waits alone fits: what could never was refused by the router.
    WL_ASSERT(waiting_.empty());
    event_ns_ = INT64_MAX;
    busy_ns_ += now_ns - busy_since_ns_;
  }
}

void Server::end_iteration(RequestSlab& slab, IterationEnd& end) {
  end.first_tokens.clear();
  end.completed.clear();
  const int64_t now_ns = event_ns_;
  const int64_t tokens = event_iterations_ * decoding_count();
  iterations_ += static_cast<uint64_t>(event_iterations_);
  context_tokens_ += tokens;
  generation_tokens_ += static_cast<uint64_t>(tokens);
  while (!decoding_.empty() && decoding_.front().last_iteration == iterations_) {
    // A finished sequence holds its whole length: every token it had read or made.
    const uint32_t index = decoding_.front().index;
    std::pop_heap(decoding_.begin(), decoding_.end());
    decoding_.pop_back();
    context_tokens_ -= reservation(slab[index]);
    complete(slab, index, end);
  }
  if (chunk_tokens_ > 0) finish_prefills(slab, end);
  begin_iteration(slab, now_ns);
}

void Server::finish_prefills(RequestSlab& slab, IterationEnd& end) {
  prefill_backlog_ -= chunk_tokens_;
  size_t finished = 0;
  while (finished < prefill_.size() && prefill_[finished].remaining_tokens <= chunk_tokens_) {
    const uint32_t index = prefill_[finished].index;
    const LiveRequest& request = slab[index];
    chunk_tokens_ -= prefill_[finished].remaining_tokens;
    ++finished;
    prompt_tokens_ += static_cast<uint64_t>(request.input_tokens);
    ++generation_tokens_;
    end.first_tokens.push_back(index);
    if (request.output_tokens == 1) {
      complete(slab, index, end);
      continue;
    }
    context_tokens_ += request.input_tokens + 1;  // the first token is read in the next iteration
    decoding_.push_back(
        {iterations_ + static_cast<uint64_t>(request.output_tokens - 1), request.id, index});
    std::push_heap(decoding_.begin(), decoding_.end());
  }
  // Only the first that remains can have been begun: the budget ran out within it.
  prefill_.erase(prefill_.begin(), prefill_.begin() + static_cast<ptrdiff_t>(finished));
  if (!prefill_.empty()) prefill_.front().remaining_tokens -= static_cast<int32_t>(chunk_tokens_);
}

void Server::complete(const RequestSlab& slab, uint32_t index, IterationEnd& end) {
  reserved_tokens_ -= reservation(slab[index]);
  ++completed_;
  end.completed.push_back(index);
}

void Server::abandon(RequestSlab& slab, int64_t now_ns, std::vector<uint32_t>& out) {
  generation_tokens_ = generation_tokens(now_ns);
  busy_ns_ = busy_ns(now_ns);
  event_ns_ = INT64_MAX;
  for (const Prefill& prefill : prefill_) out.push_back(prefill.index);
  for (const Decoding& decoding : decoding_) out.push_back(decoding.index);
  waiting_.take_all(slab, out);
  // Swapped, not cleared: servers come and go, their memory shall not stay.
  std::vector<Prefill>().swap(prefill_);
  std::vector<Decoding>().swap(decoding_);
  reserved_tokens_ = 0;
}

int64_t Server::empty_at_ns(RequestSlab& slab) const {
  // The slab stays as it is: only admission writes to it, and nobody waits.
  Server copy = *this;
  IterationEnd end;
  int64_t last_ns = INT64_MIN;
  while (!copy.idle()) {
    last_ns = copy.event_ns();
    copy.end_iteration(slab, end);
  }
  return last_ns;
}

double Server::kv_usage() const {
  if (profile_.kv_capacity_tokens <= 0) return 0;
  return static_cast<double>(reserved_tokens_) / static_cast<double>(profile_.kv_capacity_tokens);
}

int64_t Server::busy_ns(int64_t now_ns) const {
  return idle() ? busy_ns_ : busy_ns_ + now_ns - busy_since_ns_;
}

uint64_t Server::generation_tokens(int64_t now_ns) const {
  if (idle() || chunk_tokens_ > 0) return generation_tokens_;
  // Counted, not applied: the anchor stays where it is.
  const auto ended = static_cast<uint64_t>(first_boundary_after(now_ns) - 1);
  return generation_tokens_ + ended * decoding_.size();
}

}  // namespace windlass::sim
