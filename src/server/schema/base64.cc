#include "server/schema/base64.h"

#include <cstdint>

namespace windlass::server::schema {
namespace {
constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
}

std::string base64_encode(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k) {
      group = group << 8 | (i + k < bytes.size() ? static_cast<uint8_t>(bytes[i + k]) : 0);
    }
    for (size_t k = 0; k < 4; ++k) {
      const bool padding = i + k > bytes.size();
      out += padding ? '=' : kAlphabet[group >> (18 - 6 * k) & 63];
    }
  }
  return out;
}

size_t base64_fault_at(std::string_view text) {
  size_t digits = 0;
  size_t padding = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n' || c == '\r') continue;
    if (c == '=') {
      // One or two, and only to fill up the last group of four.
      if (digits % 4 < 2 || digits % 4 + ++padding > 4) return i;
    } else if (padding > 0 || kAlphabet.find(c) == kAlphabet.npos) {
      return i;
    } else {
      ++digits;
    }
  }
  return (digits + padding) % 4 == 0 ? text.npos : text.size();
}

}  // namespace windlass::server::schema
