#include "server/http/exchange.h"

namespace windlass::server {

std::optional<std::string> Request::parameter(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return std::nullopt;
}

bool Request::flag(std::string_view name) const {
  std::optional<std::string> value = parameter(name);
  if (!value) return false;
  for (char& c : *value) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return *value != "false" && *value != "0";
}

std::string_view Request::header(std::string_view name_in_lower_case) const {
  for (const auto& [name, value] : headers) {
    if (name == name_in_lower_case) return value;
  }
  return {};
}

}  // namespace windlass::server
