#include "server/schema/formats.h"

#include <algorithm>
#include <cctype>
#include <cstdint>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "base/time.h"
#include "server/schema/base64.h"

namespace windlass::server::schema {
namespace {

bool all_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}
bool all_hex(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return std::isxdigit(static_cast<unsigned char>(c)) != 0;
  });
}

bool is_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  return parse_rfc3339(std::string(text) + "T00:00:00Z").ok();
}

bool is_ipv4(std::string_view text) {
  const auto parts = split(text, '.');
  return parts.size() == 4 && std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
           const bool padded = part.size() > 1 && part.front() == '0';
           return all_digits(part) && part.size() <= 3 && !padded && parse_int(part).value() <= 255;
         });
}

// Eight groups of hexadecimal digits, one run of zeros as "::", the last two perhaps as IPv4.
bool is_ipv6(std::string_view text) {
  size_t groups = 0;
  const size_t gap = text.find("::");
  if (gap != text.npos && text.find("::", gap + 1) != text.npos) return false;
  std::string_view rest = text;
  if (rest.starts_with("::")) rest.remove_prefix(2);
  if (rest.ends_with("::")) rest.remove_suffix(2);
  if (!rest.empty()) {
    const auto parts = split(rest, ':');
    for (size_t i = 0; i < parts.size(); ++i) {
      const bool stands_in_gap = parts[i].empty() && gap != text.npos;
      if (stands_in_gap) continue;
      if (i + 1 == parts.size() && is_ipv4(parts[i])) {
        groups += 2;
      } else if (all_hex(parts[i]) && parts[i].size() <= 4) {
        ++groups;
      } else {
        return false;
      }
    }
  }
  return gap == text.npos ? groups == 8 : groups < 8;
}

bool is_cidr(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == text.npos || !all_digits(text.substr(slash + 1)) || text.size() - slash > 4)
    return false;
  const int64_t bits = parse_int(text.substr(slash + 1)).value();
  const std::string_view address = text.substr(0, slash);
  return (is_ipv4(address) && bits <= 32) || (is_ipv6(address) && bits <= 128);
}

bool is_uuid(std::string_view text) {
  constexpr size_t kSizes[] = {8, 4, 4, 4, 12};
  const auto parts = split(text, '-');
  if (parts.size() != 5) return false;
  for (size_t i = 0; i < 5; ++i) {
    if (parts[i].size() != kSizes[i] || !all_hex(parts[i])) return false;
  }
  return true;
}

bool fits_integer(const Json& value, int64_t low, int64_t high) {
  if (value.is_number_unsigned()) return value.get<uint64_t>() <= static_cast<uint64_t>(high);
  if (value.is_number_integer()) return value.get<int64_t>() >= low && value.get<int64_t>() <= high;
  return true;
}

}  // namespace

bool fits_format(std::string_view format, const Json& value) {
  if (format == "int32") return fits_integer(value, INT32_MIN, INT32_MAX);
  if (format == "int64") return fits_integer(value, INT64_MIN, INT64_MAX);
  const auto* text = value.get_ptr<const std::string*>();
  if (text == nullptr) return true;
  if (format == "date-time") return parse_rfc3339(*text).ok();
  if (format == "date") return is_date(*text);
  if (format == "duration") return parse_duration(*text).ok();
  if (format == "byte") return base64_fault_at(*text) == text->npos;
  if (format == "ipv4") return is_ipv4(*text);
  if (format == "ipv6") return is_ipv6(*text);
  if (format == "cidr") return is_cidr(*text);
  if (format == "uuid") return is_uuid(*text);
  return true;
}

}  // namespace windlass::server::schema
