// A trace as a stream of arrivals: repeated, stretched in time, thinned or multiplied. It holds one
// row and the one after it, whatever the length of the file.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/rng.h"
#include "sim/traffic/trace_reader.h"
#include "sim/traffic/traffic.h"

namespace windlass::sim {

class TraceSource {
 public:
  // Reads the first row; arrivals are in [start, start + length). Error: the reader's, or a first
  // row that lies behind the end.
  static Result<TraceSource> open(TraceReader reader, const TraceSpec& spec, DayShape shape,
                                  uint64_t seed, Instant start, Duration length);

  // The next arrival (its id isn't set); false at the end or after an error.
  bool next(Request& request);
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  struct Row {
    int64_t offset_ns = 0;  // since the start, all scaling applied
    int32_t input_tokens = 0;
    int32_t output_tokens = 0;
  };

  TraceSource(TraceReader reader, const TraceSpec& spec, DayShape shape, uint64_t seed,
              Instant start, Duration length);

  // Reads into upcoming_, or empties it at the end.
  void fetch();
  bool begin_next_pass();
  [[nodiscard]] int64_t mean_gap_ns() const;
  [[nodiscard]] int64_t scaled(int64_t ns) const;
  // Decides how often current_ is taken, and when.
  void plan_copies();

  TraceReader reader_;
  DayShape shape_;
  Rng rng_;
  Instant start_;
  int64_t length_ns_;
  bool repeat_;
  double rate_scale_;
  double time_scale_;

  Row current_;
  std::optional<Row> upcoming_;
  std::vector<int64_t> copies_ns_;  // when current_ is taken, after its own offset; ascending
  size_t copies_given_ = 0;

  // Of the pass that is being read.
  int64_t pass_offset_ns_ = 0;
  int64_t zero_ns_ = 0;  // the trace's time that counts as the pass's begin
  int64_t first_ns_ = 0;
  int64_t last_ns_ = 0;
  uint64_t rows_ = 0;

  std::optional<Error> reader_error_;  // of a row read ahead, not due yet
  std::optional<Error> error_;
};

}  // namespace windlass::sim
