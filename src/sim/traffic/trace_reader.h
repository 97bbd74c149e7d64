// The rows of a request trace in CSV, one at a time through a fixed buffer, so that a file of any
// size takes constant memory. Two formats, told apart by their header: the Azure LLM inference
// traces' "TIMESTAMP,ContextTokens,GeneratedTokens" and "time_s,input_tokens,output_tokens".
//
// Promises rows in order of time with token counts of at least 1, or an error that names file,
// line and column, what was found there and what is accepted. No input aborts.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace windlass::sim {

struct TraceRow {
  int64_t time_ns = 0;  // since the epoch (TIMESTAMP) or the scenario's start (time_s)
  int32_t input_tokens = 0;
  int32_t output_tokens = 0;
};

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using FilePtr = std::unique_ptr<std::FILE, CloseFile>;

class TraceReader {
 public:
  static Result<TraceReader> open(const std::string& path);
  // From a stream already open; `name` is what errors call it.
  static Result<TraceReader> read_from(FilePtr file, std::string name);

  // False at the end of the file or after an error. Once false it stays so until rewind().
  bool next(TraceRow& row);
  // To the first row again. An error stays.
  void rewind();
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }
  // Whether times are absolute (TIMESTAMP), so that only their differences mean something here.
  [[nodiscard]] bool absolute_times() const { return absolute_times_; }

 private:
  TraceReader(FilePtr file, std::string name);

  void read_header();
  // The next line that isn't blank, without its end; false at the end of the file.
  bool next_line(std::string_view& line);
  bool fill_buffer();
  bool parse_time(std::string_view field, int64_t& time_ns);
  bool parse_timestamp(std::string_view field, int64_t& time_ns);
  bool fail(std::string_view what);
  bool fail_column(size_t column, std::string_view what, std::string_view found);

  FilePtr file_;
  std::string name_;
  std::optional<Error> error_;
  std::unique_ptr<char[]> buffer_;
  size_t at_ = 0;   // of the first byte not consumed
  size_t end_ = 0;  // behind the last byte read
  bool end_of_file_ = false;
  uint64_t line_number_ = 0;
  bool absolute_times_ = false;
  int64_t previous_time_ns_ = INT64_MIN;
  // The date last parsed and its midnight: rows of one day share it, civil dates are slow.
  std::string date_;
  int64_t midnight_ns_ = 0;
};

}  // namespace windlass::sim
