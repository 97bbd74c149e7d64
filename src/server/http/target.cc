#include "server/http/target.h"

#include <string>

#include "base/text.h"
#include "base/utf8.h"

namespace windlass::server {
namespace {

constexpr size_t kParametersMax = 1000;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> percent_decoded(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

bool has_control_character(std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) return true;
  }
  return false;
}

std::optional<HttpFault> read_path(std::string_view raw, std::string& path) {
  if (raw.find("%2f") != std::string_view::npos || raw.find("%2F") != std::string_view::npos) {
    return HttpFault{400, "the path has an encoded slash"};
  }
  std::optional<std::string> decoded = percent_decoded(raw, false);
  if (!decoded) return HttpFault{400, "the path is not percent-encoded as it should be"};
  if (has_control_character(*decoded) || invalid_utf8_at(*decoded) != std::string_view::npos) {
    return HttpFault{400, "the path has control characters or is not UTF-8"};
  }
  const std::vector<std::string_view> parts = split(*decoded, '/');
  for (size_t i = 1; i < parts.size(); ++i) {  // the first is what stands before the first slash
    const bool last = i + 1 == parts.size();
    if (parts[i] == "." || parts[i] == ".." || (parts[i].empty() && !last)) {
      return HttpFault{400, "the path has empty, \".\" or \"..\" parts"};
    }
  }
  path = std::move(*decoded);
  return std::nullopt;
}

std::optional<HttpFault> read_query(std::string_view raw, Request& request) {
  for (const std::string_view pair : split(raw, '&')) {
    if (pair.empty()) continue;
    if (request.query.size() == kParametersMax) {
      return HttpFault{400, "the query has too many parameters"};
    }
    const size_t equals = pair.find('=');
    const bool has_value = equals != std::string_view::npos;
    auto name = percent_decoded(pair.substr(0, equals), true);
    auto value = percent_decoded(has_value ? pair.substr(equals + 1) : std::string_view(), true);
    if (!name || !value) {
      return HttpFault{400, "the query is not percent-encoded as it should be"};
    }
    // Line breaks are fine in a value (PromQL has them), NUL never is.
    const bool bad = has_control_character(*name) || value->find('\0') != std::string::npos ||
                     invalid_utf8_at(*name) != std::string_view::npos ||
                     invalid_utf8_at(*value) != std::string_view::npos;
    if (bad) return HttpFault{400, "the query has control characters or is not UTF-8"};
    request.query.emplace_back(std::move(*name), std::move(*value));
  }
  return std::nullopt;
}

}  // namespace

std::optional<HttpFault> read_target(std::string_view target, Request& request) {
  if (target.size() > kTargetBytesMax) return HttpFault{414, "the address is too long"};
  for (const char c : target) {
    if (c <= 0x20 || c >= 0x7f || c == '#') {
      return HttpFault{400, "the address has characters that must be encoded"};
    }
  }
  // The absolute form, which proxies send; whose host it names makes no difference here.
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!target.starts_with(scheme)) continue;
    const size_t path = target.find_first_of("/?", scheme.size());
    target = path == std::string_view::npos ? std::string_view("/") : target.substr(path);
    break;
  }
  if (!target.starts_with('/')) return HttpFault{400, "the address must be a path"};
  const size_t question = target.find('?');
  if (auto fault = read_path(target.substr(0, question), request.path)) return fault;
  if (question == std::string_view::npos) return std::nullopt;
  return read_query(target.substr(question + 1), request);
}

}  // namespace windlass::server
