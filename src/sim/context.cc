#include "sim/context.h"

#include <fmt/format.h>

namespace windlass::sim {

std::string Context::new_uid(std::string_view kind, const std::string& name) {
  if (!served) return std::string(kind) + "-" + name;
  Hash64 hash;
  hash.add(seed());
  hash.add(kind);
  hash.add(name);
  hash.add(++uids);
  const uint64_t high = hash.value();
  hash.add("low");
  const uint64_t low = hash.value();
  // Version 4, variant 1, as random ones are.
  return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", high >> 32, high >> 16 & 0xffff,
                     high & 0xfff, (low >> 48 & 0x3fff) | 0x8000, low & 0xffffffffffff);
}

}  // namespace windlass::sim
