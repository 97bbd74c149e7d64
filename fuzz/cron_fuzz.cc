// Any text as a cron schedule and zone: never a crash, and whatever next() gives lies after the
// time it was asked for and is a whole minute that it would name again from just before.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/assert.h"
#include "scaling/cron.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using windlass::Instant;
  using windlass::scaling::CronSchedule;
  if (size < 9) return 0;
  uint64_t word = 0;
  for (size_t i = 0; i < 8; ++i) word = word << 8 | data[i];
  const Instant after{static_cast<int64_t>(word)};
  constexpr std::string_view kZones[] = {"UTC", "America/New_York", "Asia/Kolkata",
                                         "Australia/Lord_Howe", "Africa/Casablanca"};
  const std::string_view zone = kZones[data[8] % 5];
  const std::string_view text(reinterpret_cast<const char*>(data) + 9, size - 9);
  const auto schedule = CronSchedule::parse(text);
  if (!schedule.ok()) return 0;
  const auto next = schedule->next(after, zone);
  WL_ASSERT(next.ok());
  if (!next->has_value()) return 0;
  const Instant at = **next;
  WL_ASSERT(at > after);
  WL_ASSERT(at.ns % 1'000'000'000 == 0);
  const auto again = schedule->next(Instant{at.ns - 1}, zone);
  WL_ASSERT(again.ok() && again->has_value() && **again == at);
  // The text as a zone's name must not crash either.
  static_cast<void>(schedule->next(after, text));
  return 0;
}
