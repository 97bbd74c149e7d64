#include "sim/traffic/trace_source.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace windlass::sim {

TraceSource::TraceSource(TraceReader reader, const TraceSpec& spec, DayShape shape, uint64_t seed,
                         Instant start, Duration length)
    : reader_(std::move(reader)),
      shape_(std::move(shape)),
      rng_(seed, "traffic copies"),
      start_(start),
      length_ns_(length.ns),
      repeat_(spec.repeat),
      rate_scale_(spec.rate_scale),
      time_scale_(spec.time_scale) {}

Result<TraceSource> TraceSource::open(TraceReader reader, const TraceSpec& spec, DayShape shape,
                                      uint64_t seed, Instant start, Duration length) {
  TraceSource source(std::move(reader), spec, std::move(shape), seed, start, length);
  source.fetch();
  if (source.reader_error_) return *source.reader_error_;
  if (source.rows_ == 0) return Error(fmt::format("{}: no rows after the header", spec.path));
  // Most likely times since 1970 in a column that counts from the start: silence would puzzle.
  if (!source.upcoming_ && length.ns > 0) {
    return Error(
        fmt::format("{}: the first request comes {} s after the start, the traffic ends at {:g} s: "
                    "accepted are "
                    "traces that begin earlier (time_s counts from the start)",
                    spec.path, source.scaled(source.first_ns_ - source.zero_ns_) / 1'000'000'000,
                    length.seconds()));
  }
  return source;
}

int64_t TraceSource::scaled(int64_t ns) const {
  if (time_scale_ == 1) return ns;  // exact: a double holds only 53 bits of it
  constexpr double kLimit = 4e18;
  return static_cast<int64_t>(std::min(static_cast<double>(ns) * time_scale_ + 0.5, kLimit));
}

int64_t TraceSource::mean_gap_ns() const {
  return rows_ < 2 ? 0 : (last_ns_ - first_ns_) / static_cast<int64_t>(rows_ - 1);
}

bool TraceSource::begin_next_pass() {
  if (!repeat_) return false;
  if (last_ns_ == first_ns_) {
    reader_error_ =
        Error("a trace whose rows all have one time cannot be repeated: it has no rate");
    return false;
  }
  // The gap between two passes is the trace's mean gap, so that repeating keeps the mean rate.
  const int64_t period_ns = scaled(last_ns_ - first_ns_ + mean_gap_ns());
  pass_offset_ns_ += std::max<int64_t>(period_ns, 1);
  rows_ = 0;
  reader_.rewind();
  return pass_offset_ns_ < length_ns_;
}

void TraceSource::fetch() {
  upcoming_.reset();
  if (reader_error_) return;
  TraceRow row;
  if (!reader_.next(row) &&
      (reader_.error() || rows_ == 0 || !begin_next_pass() || !reader_.next(row))) {
    if (reader_.error()) reader_error_ = reader_.error();
    return;
  }
  if (rows_ == 0) {
    first_ns_ = row.time_ns;
    zero_ns_ = reader_.absolute_times() ? row.time_ns : 0;
  }
  ++rows_;
  last_ns_ = row.time_ns;
  const int64_t in_pass_ns = scaled(row.time_ns - zero_ns_);
  // Compared this way round nothing overflows: a pass begins before the end.
  if (in_pass_ns >= length_ns_ - pass_offset_ns_) return;
  upcoming_ = Row{pass_offset_ns_ + in_pass_ns, row.input_tokens, row.output_tokens};
}

void TraceSource::plan_copies() {
  copies_ns_.clear();
  copies_given_ = 0;
  double expected = rate_scale_;
  if (!shape_.points.empty()) {
    expected *= shape_.factor_at(Duration{start_.ns} + Duration{current_.offset_ns});
  }
  const double whole = std::floor(expected);
  auto count = static_cast<size_t>(whole);
  if (expected > whole && rng_.uniform() < expected - whole) ++count;
  if (count == 0) return;
  copies_ns_.push_back(0);
  if (count == 1) return;
  // Further copies fall between this row and the next, so order holds without looking further.
  const int64_t gap_ns =
      upcoming_ ? upcoming_->offset_ns - current_.offset_ns : scaled(mean_gap_ns());
  for (size_t i = 1; i < count; ++i) {
    copies_ns_.push_back(static_cast<int64_t>(rng_.uniform() * static_cast<double>(gap_ns)));
  }
  std::sort(copies_ns_.begin() + 1, copies_ns_.end());
}

bool TraceSource::next(Request& request) {
  while (true) {
    if (copies_given_ < copies_ns_.size()) {
      const int64_t offset_ns = current_.offset_ns + copies_ns_[copies_given_++];
      if (offset_ns >= length_ns_) continue;
      request.arrival = start_ + Duration{offset_ns};
      request.input_tokens = current_.input_tokens;
      request.output_tokens = current_.output_tokens;
      return true;
    }
    if (!upcoming_) {
      error_ = reader_error_;  // only now: what stood before the bad row has been given
      copies_ns_.clear();
      copies_given_ = 0;
      return false;
    }
    current_ = *upcoming_;
    fetch();
    plan_copies();
  }
}

}  // namespace windlass::sim
