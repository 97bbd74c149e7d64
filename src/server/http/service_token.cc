#include "server/http/service_token.h"

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "server/http/x509.h"

namespace windlass::server {
namespace {

constexpr std::string_view kHeader = R"({"alg":"HS256","typ":"JWT"})";
constexpr std::string_view kIssuer = "windlass";
constexpr const char* kPrivate = "kubernetes.io";  // where Kubernetes keeps claims of its own
constexpr size_t kTokenBytesMax = 4096;
constexpr std::string_view kDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// base64url without padding (RFC 4648, 5).
std::string encoded(std::string_view bytes) {
  std::string out;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : bytes) {
    bits = (bits << 8) | static_cast<unsigned char>(c);
    for (count += 8; count >= 6;) {
      count -= 6;
      out += kDigits[(bits >> count) & 63];
    }
  }
  if (count > 0) out += kDigits[(bits << (6 - count)) & 63];
  return out;
}

std::optional<std::string> decoded(std::string_view text) {
  std::string out;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const size_t digit = kDigits.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = (bits << 6) | static_cast<uint32_t>(digit);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>((bits >> count) & 0xff);
    }
  }
  return out;
}

std::string uid_in(const Json& claims) {
  const Json* at = &claims;
  for (const char* name : {kPrivate, "serviceaccount", "uid"}) {
    if (!at->is_object()) return {};
    const auto found = at->find(name);
    if (found == at->end()) return {};
    at = &*found;
  }
  return at->is_string() ? at->get<std::string>() : std::string();
}

}  // namespace

std::string sign_token(std::string_view key, const TokenHolder& holder, Instant expires) {
  Json claims = {{"iss", kIssuer},
                 {"sub", holder.user},
                 {"exp", expires.ns / 1'000'000'000},
                 {"aud", {kIssuer}}};
  if (!holder.uid.empty()) claims[kPrivate] = {{"serviceaccount", {{"uid", holder.uid}}}};
  const std::string body =
      encoded(kHeader) + "." + encoded(claims.dump(-1, ' ', false, Json::error_handler_t::replace));
  return body + "." + encoded(hmac_sha256(key, body));
}

std::optional<TokenHolder> holder_of_token(std::string_view key, std::string_view token,
                                           Instant now) {
  if (token.size() > kTokenBytesMax) return std::nullopt;
  const size_t first = token.find('.');
  const size_t last = token.rfind('.');
  if (first == std::string_view::npos || first == last) return std::nullopt;
  const std::string_view body = token.substr(0, last);
  // Nothing of a token is read before its signature is right.
  if (!equal_in_constant_time(token.substr(last + 1), encoded(hmac_sha256(key, body)))) return {};
  if (token.substr(0, first) != encoded(kHeader)) return std::nullopt;
  const auto text = decoded(body.substr(first + 1));
  if (!text) return std::nullopt;
  const Result<Json> claims = parse_json(*text);
  if (!claims.ok() || !claims->is_object()) return std::nullopt;
  const auto user = claims->find("sub");
  const auto expires = claims->find("exp");
  if (user == claims->end() || !user->is_string() || expires == claims->end() ||
      !expires->is_number_integer()) {
    return std::nullopt;
  }
  if (expires->get<int64_t>() <= now.ns / 1'000'000'000) return std::nullopt;
  return TokenHolder{user->get<std::string>(), uid_in(*claims)};
}

}  // namespace windlass::server
