// Any bytes as a request trace: rows come in order with token counts of at least 1, or an error
// comes that names the file; nothing else may happen. Twice, because a trace is repeated by
// reading it again.
#include <cstdint>
#include <cstdio>
#include <utility>

#include "base/assert.h"
#include "sim/traffic/trace_reader.h"

namespace windlass::sim {
namespace {

int64_t read_pass(TraceReader& reader) {
  TraceRow row;
  int64_t previous_ns = 0;
  int64_t rows = 0;
  while (reader.next(row)) {
    WL_ASSERT(row.time_ns >= previous_ns);
    WL_ASSERT(row.input_tokens >= 1 && row.output_tokens >= 1);
    previous_ns = row.time_ns;
    ++rows;
  }
  if (reader.error()) WL_ASSERT(reader.error()->message().starts_with("fuzz.csv"));
  return rows;
}

}  // namespace
}  // namespace windlass::sim

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace windlass::sim;
  if (size == 0) return 0;  // fmemopen refuses it
  // "rb": the stream only reads.
  FilePtr file(fmemopen(const_cast<uint8_t*>(data), size, "rb"));
  if (file == nullptr) return 0;
  auto reader = TraceReader::read_from(std::move(file), "fuzz.csv");
  if (!reader) {
    WL_ASSERT(reader.error().message().starts_with("fuzz.csv"));
    return 0;
  }
  const int64_t rows = read_pass(reader.value());
  const bool failed = reader.value().error().has_value();
  reader.value().rewind();
  const int64_t again = read_pass(reader.value());
  WL_ASSERT(failed ? again == 0 : again == rows);
  return 0;
}
