// Any bytes as a server's /metrics: reading ends in samples or an error that names a line, and what
// reads goes through the counting twice without a negative arrival.
#include <cstdint>
#include <string_view>

#include "live/signals/model_counts.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace windlass;
  using namespace windlass::live::signals;
  const auto samples = parse_exposition({reinterpret_cast<const char*>(data), size});
  if (!samples) {
    WL_ASSERT(samples.error().message().starts_with("line "));
    return 0;
  }
  for (const ExpositionSample& sample : *samples) WL_ASSERT(!sample.name.empty());
  const auto reading = read_pod(*samples, "m");
  if (!reading) return 0;
  ModelCounts counts(seconds(5));
  cluster::ModelSignals signals;
  for (const PodReading& next : {*reading, PodReading{}, *reading}) {
    counts.begin_round();
    counts.add("a", next);
    signals = counts.end_round(Instant{});
  }
  for (const double arrivals : signals.arrivals) WL_ASSERT(arrivals >= 0);
  WL_ASSERT(signals.waiting >= 0);
  return 0;
}
