#include "live/signals/request.h"

#include <algorithm>
#include <array>
#include <functional>
#include <vector>

#include <fmt/format.h>

namespace windlass::live::signals {
namespace {

using scaling::HttpAccess;
using scaling::TriggerPlan;

// What KEDA waits for an answer unless told otherwise.
constexpr Duration kDefaultTimeout = seconds(3);
// One number is asked for; what is much longer is no answer to that.
constexpr size_t kLongestReply = 16 << 20;

bool has_mode(const HttpAccess& access, std::string_view mode) {
  return std::ranges::find(access.auth_modes, mode) != access.auth_modes.end();
}

std::string_view parameter(const HttpAccess& access, const std::string& name) {
  const auto it = access.auth.find(name);
  return it == access.auth.end() ? std::string_view{} : std::string_view(it->second);
}

bool is_token(std::string_view text) {
  static constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kOthers.find(c) != std::string_view::npos;
  });
}

// Whatever a Secret holds must not become a header of its own.
Status add_header(net::HttpRequest& request, std::string_view name, std::string_view value) {
  if (!is_token(name)) {
    return Error("a custom header's name has characters that no header's name may have");
  }
  const bool sendable = std::ranges::none_of(value, [](char c) {
    return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == '\x7f';
  });
  if (!sendable) {
    return Error(
        fmt::format("the header {} holds a line break or another control character", name));
  }
  request.headers.emplace_back(name, value);
  return {};
}

Status add_basic_or_bearer(net::HttpRequest& request, const HttpAccess& access) {
  if (has_mode(access, "bearer")) {
    std::string_view token = parameter(access, "bearerToken");
    if (token.empty()) token = parameter(access, "token");
    return add_header(request, "Authorization", fmt::format("Bearer {}", token));
  }
  if (has_mode(access, "basic")) {
    const std::string pair =
        fmt::format("{}:{}", parameter(access, "username"), parameter(access, "password"));
    return add_header(request, "Authorization", "Basic " + base64(pair));
  }
  return {};
}

net::HttpRequest bare_request(const TriggerPlan& plan) {
  net::HttpRequest request;
  request.timeout = plan.timeout.ns > 0 ? plan.timeout : kDefaultTimeout;
  request.connect_timeout = request.timeout;
  request.max_reply_bytes = kLongestReply;
  return request;
}

// What cannot stand in an address at all; everything else is the user's to write.
std::string made_sendable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= ' ' || byte >= 0x7f || c == '#') {
      out += fmt::format("%{:02X}", byte);
    } else {
      out += c;
    }
  }
  return out;
}

void add_parameter(std::string& url, std::string_view name, std::string_view value) {
  url += url.find('?') == url.npos ? '?' : '&';
  url += query_escape(name) + "=" + query_escape(value);
}

// KEDA's HTTP client follows redirections. Ours too, unless a secret stands in a header or the
// address, which would go along to another host; `Authorization` never does.
bool may_follow(const HttpAccess& access) {
  return !has_mode(access, "custom") && !has_mode(access, "apiKey") && access.headers.empty();
}

// Of "http://NAME:PASSWORD@HOST/": "NAME:PASSWORD".
std::string_view userinfo_of(std::string_view url) {
  const size_t begin = url.find("://");
  if (begin == url.npos) return {};
  url.remove_prefix(begin + 3);
  url = url.substr(0, url.find_first_of("/?#"));
  const size_t at = url.rfind('@');
  return at == url.npos ? std::string_view{} : url.substr(0, at);
}

std::string percent_decoded(std::string_view text) {
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
  };
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool coded =
        text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0;
    out += coded ? static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2])) : text[i];
    if (coded) i += 2;
  }
  return out;
}

// In all forms in which they are sent.
std::vector<std::string> secrets_of(const TriggerPlan& plan) {
  // Names, not secrets; hiding them would only garble texts.
  static constexpr std::array<std::string_view, 6> kOpen{
      "username", "keyParamName", "method", "customAuthHeader", "ca", "cert"};
  std::vector<std::string> out;
  const auto add = [&](const std::string& secret) {
    out.push_back(secret);
    out.push_back(query_escape(secret));
    out.push_back(base64(secret));
  };
  for (const auto& [name, value] : plan.access.auth) {
    if (std::ranges::find(kOpen, name) == kOpen.end()) add(value);
  }
  add(fmt::format("{}:{}", parameter(plan.access, "username"), parameter(plan.access, "password")));
  const std::string_view userinfo = userinfo_of(plan.server_address);
  for (const std::string& form : {std::string(userinfo), percent_decoded(userinfo)}) {
    add(form);
    const size_t colon = form.find(':');
    if (colon != std::string::npos) add(form.substr(colon + 1));
  }
  // What holds another goes first.
  std::ranges::stable_sort(out, std::greater{}, &std::string::size);
  return out;
}

}  // namespace

std::string without_secrets(const TriggerPlan& plan, std::string text) {
  constexpr size_t kShortest = 4;  // hiding shorter ones would only garble the text
  constexpr std::string_view kMask = "[hidden]";
  for (const std::string& secret : secrets_of(plan)) {
    if (secret.size() < kShortest) continue;
    for (size_t at = text.find(secret); at != std::string::npos;
         at = text.find(secret, at + kMask.size())) {
      text.replace(at, secret.size(), kMask);
    }
  }
  return text;
}

std::string query_escape(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 2);
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      out += c;
    } else if (c == ' ') {
      out += '+';
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t three = 0;
    for (size_t k = 0; k < 3; ++k) {
      three = three << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    }
    for (size_t k = 0; k < 4; ++k) {
      out += i + k > bytes.size() ? '=' : kDigits[three >> (18 - 6 * k) & 63];
    }
  }
  return out;
}

net::TlsOptions tls_of(const TriggerPlan& plan) {
  net::TlsOptions tls;
  // A CA alone is taken under any mode; the certificate is the mode tls.
  tls.ca = parameter(plan.access, "ca");
  if (has_mode(plan.access, "tls")) {
    tls.certificate = parameter(plan.access, "cert");
    tls.key = parameter(plan.access, "key");
  }
  tls.skip_verify = plan.access.skip_tls_check;
  return tls;
}

Result<net::HttpRequest> prometheus_request(const TriggerPlan& plan, Instant now) {
  net::HttpRequest request = bare_request(plan);
  std::string_view server = plan.server_address;
  while (server.ends_with('/')) server.remove_suffix(1);
  const Instant second{now.ns - now.ns % seconds(1).ns};
  request.url = fmt::format("{}/api/v1/query?query={}&time={}", server, query_escape(plan.query),
                            to_rfc3339(second));
  // KEDA puts the namespace as it is written, so "a&dedup=true" adds a parameter there; here, too.
  if (!plan.query_namespace.empty()) {
    request.url += "&namespace=" + made_sendable(plan.query_namespace);
  }
  for (const auto& [name, value] : plan.access.parameters) add_parameter(request.url, name, value);
  for (const auto& [name, value] : plan.access.headers) {
    if (Status status = add_header(request, name, value); !status) return status.error();
  }
  if (Status status = add_basic_or_bearer(request, plan.access); !status) return status.error();
  if (has_mode(plan.access, "custom")) {
    const Status status = add_header(request, parameter(plan.access, "customAuthHeader"),
                                     parameter(plan.access, "customAuthValue"));
    if (!status) return status.error();
  }
  request.follow_redirects = may_follow(plan.access);
  return request;
}

Result<net::HttpRequest> metrics_api_request(const TriggerPlan& plan) {
  net::HttpRequest request = bare_request(plan);
  request.url = plan.server_address;
  if (Status status = add_basic_or_bearer(request, plan.access); !status) return status.error();
  if (has_mode(plan.access, "apiKey")) {
    const std::string_view key = parameter(plan.access, "apiKey");
    const std::string_view name = parameter(plan.access, "keyParamName");
    // A header unless the authentication says "query"; each with the name KEDA takes by itself.
    if (parameter(plan.access, "method") == "query") {
      add_parameter(request.url, name.empty() ? "api_key" : name, key);
    } else {
      const Status status = add_header(request, name.empty() ? "X-API-KEY" : name, key);
      if (!status) return status.error();
    }
  }
  request.follow_redirects = may_follow(plan.access);
  return request;
}

}  // namespace windlass::live::signals
