#include "server/kinds/names.h"

#include <algorithm>
#include <string_view>

#include "base/text.h"
#include "server/kinds/kind_rules.h"

namespace windlass::server::kinds {
namespace {

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_alphanumeric(char c) { return is_lower(c) || is_upper(c) || is_digit(c); }
bool is_lower_or_digit(char c) { return is_lower(c) || is_digit(c); }

std::string too_long(size_t most) {
  return "must be no more than " + std::to_string(most) + " characters";
}

// Ends of one kind, what is between of that kind or one of `inner`.
template <typename Kind>
bool framed(std::string_view text, Kind kind, std::string_view inner) {
  if (text.empty() || !kind(text.front()) || !kind(text.back())) return false;
  return std::all_of(text.begin(), text.end(),
                     [&](char c) { return kind(c) || inner.find(c) != std::string_view::npos; });
}

bool is_label(std::string_view text) { return framed(text, is_lower_or_digit, "-"); }

bool is_subdomain(std::string_view text) {
  const auto parts = split(text, '.');
  return std::all_of(parts.begin(), parts.end(), is_label);
}

constexpr std::string_view kSubdomain =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
constexpr std::string_view kLabel =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
    "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used "
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
constexpr std::string_view kLabel1035 =
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
    "alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', "
    "regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
constexpr std::string_view kQualified =
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
constexpr std::string_view kLabelValue =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or "
    "'12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

enum class Form { kSubdomain, kLabel, kLabel1035, kPathSegment };

// By plural, with the group for those outside core: what "services" is in another group is free.
Form form_of(std::string_view resource) {
  constexpr std::string_view kRbac = ".rbac.authorization.k8s.io";
  if (resource == "namespaces" || resource == "statefulsets.apps") return Form::kLabel;
  if (resource == "statefulsets") return Form::kLabel;
  if (resource == "services") return Form::kLabel1035;
  if (resource.ends_with(kRbac)) resource.remove_suffix(kRbac.size());
  for (const std::string_view plural :
       {"roles", "rolebindings", "clusterroles", "clusterrolebindings"}) {
    if (resource == plural) return Form::kPathSegment;
  }
  return Form::kSubdomain;
}

}  // namespace

std::string dns_label_fault(std::string_view text) {
  if (text.size() > 63) return too_long(63);
  if (is_label(text)) return "";
  return std::string(is_subdomain(text) ? "must not contain dots" : kLabel);
}

std::string dns_subdomain_fault(std::string_view text) {
  if (text.size() > 253) return too_long(253);
  return std::string(is_subdomain(text) ? "" : kSubdomain);
}

std::string dns_1035_label_fault(std::string_view text) {
  if (text.size() > 63) return too_long(63);
  return std::string(is_label(text) && is_lower(text.front()) ? "" : kLabel1035);
}

std::string path_segment_fault(std::string_view text) {
  if (text == "." || text == "..") return "may not be '" + std::string(text) + "'";
  for (const char c : {'/', '%'}) {
    if (text.find(c) != std::string_view::npos) return std::string("may not contain '") + c + "'";
  }
  return "";
}

std::string qualified_name_fault(std::string_view text) {
  const auto parts = split(text, '/');
  if (parts.size() > 2) {
    return "a qualified name " + std::string(kQualified) +
           " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
  }
  if (parts.size() == 2) {
    if (parts[0].empty()) return "prefix part must be non-empty";
    const std::string fault = dns_subdomain_fault(parts[0]);
    if (!fault.empty()) return "prefix part " + fault;
  }
  const std::string_view name = parts.back();
  if (name.empty()) return "name part must be non-empty";
  if (name.size() > 63) return "name part " + too_long(63);
  if (framed(name, is_alphanumeric, "-_.")) return "";
  return "name part " + std::string(kQualified);
}

std::string label_value_fault(std::string_view text) {
  if (text.size() > 63) return too_long(63);
  return std::string(text.empty() || framed(text, is_alphanumeric, "-_.") ? "" : kLabelValue);
}

std::string port_name_fault(std::string_view text) {
  if (text.size() > 15) return too_long(15);
  const auto plain = [](char c) { return is_lower_or_digit(c) || c == '-'; };
  if (!std::all_of(text.begin(), text.end(), plain)) {
    return "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)";
  }
  if (std::none_of(text.begin(), text.end(), is_lower)) {
    return "must contain at least one letter (a-z)";
  }
  if (text.find("--") != std::string_view::npos) return "must not contain consecutive hyphens";
  if (text.front() == '-' || text.back() == '-') return "must not begin or end with a hyphen";
  return "";
}

std::string config_key_fault(std::string_view text) {
  if (text.size() > 253) return too_long(253);
  const auto plain = [](char c) { return is_alphanumeric(c) || c == '-' || c == '_' || c == '.'; };
  if (text.empty() || !std::all_of(text.begin(), text.end(), plain)) {
    return "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. "
           "'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is "
           "'[-._a-zA-Z0-9]+')";
  }
  // Keys become file names.
  if (text == ".") return "must not be '.'";
  if (text == "..") return "must not be '..'";
  return text.starts_with("..") ? "must not start with '..'" : "";
}

std::string env_name_fault(std::string_view text) {
  const auto plain = [](char c) { return c >= ' ' && c <= '~' && c != '='; };
  if (!text.empty() && std::all_of(text.begin(), text.end(), plain)) return "";
  return "a valid environment variable name must consist only of printable ASCII characters other "
         "than '='";
}

std::string percent_fault(std::string_view text) {
  const bool ends = text.size() > 1 && text.back() == '%';
  if (ends && std::all_of(text.begin(), text.end() - 1, is_digit)) return "";
  return "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  "
         "or '93%', regex used for validation is '[0-9]+%')";
}

std::string port_number_fault(int64_t port) {
  return port >= 1 && port <= 65535 ? "" : "must be between 1 and 65535, inclusive";
}

std::string name_fault(std::string_view resource, std::string_view name) {
  switch (form_of(resource)) {
    case Form::kLabel:
      return dns_label_fault(name);
    case Form::kLabel1035:
      return dns_1035_label_fault(name);
    case Form::kPathSegment:
      return path_segment_fault(name);
    case Form::kSubdomain:
      break;
  }
  return dns_subdomain_fault(name);
}

}  // namespace windlass::server::kinds
