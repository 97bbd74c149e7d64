#include "live/kube/wire.h"

#include <algorithm>

#include "base/assert.h"
#include "base/text.h"

namespace windlass::live::kube {

namespace {

const char* method_of(Verb verb) {
  switch (verb) {
    case Verb::kGet:
      return "GET";
    case Verb::kPost:
      return "POST";
    case Verb::kPut:
      return "PUT";
    case Verb::kPatch:
      return "PATCH";
    case Verb::kDelete:
      return "DELETE";
  }
  WL_UNREACHABLE("a verb");
}

// The quoted text at the start of `at`, which moves behind it; nullopt: there is none.
std::optional<std::string> take_quoted(std::string_view& at) {
  if (!at.starts_with('"')) return std::nullopt;
  std::string out;
  for (size_t i = 1; i < at.size(); ++i) {
    if (at[i] == '"') {
      at.remove_prefix(i + 1);
      return out;
    }
    if (at[i] == '\\' && i + 1 < at.size()) ++i;
    out += at[i];
  }
  return std::nullopt;
}

// `299 agent "text" ["date"]`, several with commas between; ends at the first that is none.
void read_warnings(std::string_view at, std::vector<std::string>& out) {
  while (true) {
    at = trim(at);
    const size_t code_end = at.find(' ');
    if (code_end == std::string_view::npos) return;
    const bool is_advice = at.substr(0, code_end) == "299";
    at = trim(at.substr(code_end));
    const size_t agent_end = at.find(' ');
    if (agent_end == std::string_view::npos) return;
    at = trim(at.substr(agent_end));
    const std::optional<std::string> text = take_quoted(at);
    if (!text) return;
    if (is_advice) out.push_back(*text);
    at = trim(at);
    take_quoted(at);  // the date
    const size_t comma = at.find(',');
    if (comma == std::string_view::npos) return;
    at.remove_prefix(comma + 1);
  }
}

}  // namespace

net::HttpRequest to_http(const Request& request, bool is_stream) {
  net::HttpRequest out;
  out.method = method_of(request.verb);
  out.url = request.path;
  char separator = '?';
  for (const auto& [name, value] : request.query) {
    out.url += separator + percent_encoded(name) + "=" + percent_encoded(value);
    separator = '&';
  }
  out.body = request.body;
  out.headers.emplace_back("Accept", "application/json");
  if (!request.body.empty()) out.headers.emplace_back("Content-Type", request.content_type);
  // Packed events would wait in the packer until a block is full.
  out.accept_gzip = request.verb == Verb::kGet && !is_stream;
  return out;
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  constexpr std::string_view kUnreserved =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  std::string out;
  for (const char c : text) {
    if (kUnreserved.find(c) != std::string_view::npos) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', kHex[byte >> 4U], kHex[byte & 15U]};
    }
  }
  return out;
}

std::optional<Duration> retry_after(const net::HttpReply& reply) {
  const std::string* text = reply.header("retry-after");
  if (text == nullptr) return std::nullopt;
  const Result<int64_t> length = parse_int(trim(*text));
  if (!length.ok() || *length < 0 || *length > 86'400) return std::nullopt;
  return seconds(*length);
}

std::vector<std::string> warnings_of(const net::HttpReply& reply) {
  std::vector<std::string> out;
  for (const auto& [name, value] : reply.headers) {
    if (name == "warning") read_warnings(value, out);
  }
  return out;
}

}  // namespace windlass::live::kube
