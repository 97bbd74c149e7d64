// Any text is a quantity or an error, and what is printed is the same quantity again.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "base/quantity.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = windlass::Quantity::parse(text);
  if (!parsed.ok()) return 0;
  const std::string printed = parsed->to_string();
  const auto back = windlass::Quantity::parse(printed);
  WL_ASSERT(back.ok());
  WL_ASSERT(*back == *parsed);
  // A binary amount that is no whole Ki is printed as a plain number, which reads as a decimal one
  // ("312.5Ki", "320000", "320k"), as apimachinery does; from there on the text stays.
  const auto stable = windlass::Quantity::parse(back->to_string());
  WL_ASSERT(stable.ok() && *stable == *parsed);
  WL_ASSERT(stable->to_string() == back->to_string());
  // Rounding goes away from zero, so a non-zero amount never becomes nothing.
  WL_ASSERT((parsed->milli() == 0) == (*parsed == windlass::Quantity()));
  WL_ASSERT((parsed->units() < 0) == (*parsed < windlass::Quantity()));
  return 0;
}
