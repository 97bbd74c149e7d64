#include "api/names.h"

#include <algorithm>

#include "base/text.h"

namespace windlass::api {
namespace {

constexpr size_t kMaxSubdomain = 253;
constexpr size_t kMaxLabel = 63;

bool is_lower_alnum(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool is_alnum(char c) { return is_lower_alnum(c) || (c >= 'A' && c <= 'Z'); }

// A name of a label: not empty.
bool is_label_name(std::string_view text) {
  return !text.empty() && text.size() <= kMaxLabel && is_alnum(text.front()) &&
         is_alnum(text.back()) && std::all_of(text.begin(), text.end(), [](char c) {
           return is_alnum(c) || c == '-' || c == '_' || c == '.';
         });
}

}  // namespace

bool is_dns_subdomain(std::string_view text) {
  if (text.empty() || text.size() > kMaxSubdomain) return false;
  for (const std::string_view part : split(text, '.')) {
    if (part.empty() || !is_lower_alnum(part.front()) || !is_lower_alnum(part.back())) return false;
    const bool plain =
        std::all_of(part.begin(), part.end(), [](char c) { return is_lower_alnum(c) || c == '-'; });
    if (!plain) return false;
  }
  return true;
}

bool is_qualified_name(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return is_label_name(text);
  return is_dns_subdomain(text.substr(0, slash)) && is_label_name(text.substr(slash + 1));
}

bool is_label_value(std::string_view text) { return text.empty() || is_label_name(text); }

}  // namespace windlass::api
