#include "sim/inference/accounts.h"

#include <utility>

namespace windlass::sim {
namespace {

float to_ms(int64_t ns) { return static_cast<float>(static_cast<double>(ns) * 1e-6); }

}  // namespace

void Accounts::settle(int64_t now_ns) {
  number_integral_ns_ += Int128{totals_.in_system} * (now_ns - settled_ns_);
  settled_ns_ = now_ns;
}

void Accounts::arrived(const LiveRequest& request) {
  settle(request.arrival_ns);
  ++totals_.offered;
  ++totals_.in_system;
  present_arrivals_ns_ += request.arrival_ns;
  ++window_.arrivals;
  const double tokens = request.input_tokens;
  window_.input_tokens += tokens;
  window_.input_tokens_squared += tokens * tokens;
}

void Accounts::left(const LiveRequest& request, int64_t now_ns) {
  settle(now_ns);
  --totals_.in_system;
  present_arrivals_ns_ -= request.arrival_ns;
  finished_time_ns_ += now_ns - request.arrival_ns;
}

void Accounts::completed(const LiveRequest& request, int64_t now_ns) {
  left(request, now_ns);
  ++totals_.completed;
  const int64_t latency_ns = now_ns - request.arrival_ns;
  if (latency_ns <= slo_.ns) ++totals_.slo_met;
  latencies_ms_.push_back(to_ms(latency_ns));
  ttfts_ms_.push_back(to_ms(request.first_token_ns - request.arrival_ns));
  const double tokens = request.output_tokens;
  window_.output_tokens += tokens;
  window_.output_tokens_squared += tokens * tokens;
  hash_.add(request.id);
  hash_.add(now_ns);
}

void Accounts::failed(const LiveRequest& request, int64_t now_ns) {
  left(request, now_ns);
  ++totals_.failed;
}

Window Accounts::take_window() {
  const auto from = static_cast<ptrdiff_t>(window_from_);
  window_.latency_ms.assign(latencies_ms_.begin() + from, latencies_ms_.end());
  window_.ttft_ms.assign(ttfts_ms_.begin() + from, ttfts_ms_.end());
  window_from_ = latencies_ms_.size();
  return std::exchange(window_, Window{});
}

double Accounts::number_integral(int64_t now_ns) const {
  return static_cast<double>(number_integral_ns_ +
                             Int128{totals_.in_system} * (now_ns - settled_ns_)) *
         1e-9;
}

double Accounts::time_in_system_sum(int64_t now_ns) const {
  return static_cast<double>(finished_time_ns_ + Int128{totals_.in_system} * now_ns -
                             present_arrivals_ns_) *
         1e-9;
}

}  // namespace windlass::sim
