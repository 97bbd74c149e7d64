#include <algorithm>
#include <deque>
#include <utility>

#include "base/text.h"
#include "server/http/credentials.h"
#include "server/http/x509.h"

namespace windlass::server {
namespace {

constexpr size_t kTokensMax = 16;     // printed and not yet used; the oldest is forgotten
constexpr size_t kSessionsMax = 256;  // as many browsers; the oldest has to come in anew
constexpr size_t kTokenBytes = 32;

void add_bounded(std::deque<std::string>& to, std::string secret, size_t max) {
  to.push_back(std::move(secret));
  if (to.size() > max) to.pop_front();
}

// Looks at every secret, so that the time tells nothing.
size_t place_of_secret(const std::deque<std::string>& among, std::string_view secret) {
  size_t found = among.size();
  for (size_t i = 0; i < among.size(); ++i) {
    if (equal_in_constant_time(among[i], secret)) found = i;
  }
  return found;
}

}  // namespace

struct DashboardSessions::Impl {
  bool secure = true;
  // Browsers send a cookie to every port of a host: two clusters on one machine need two names.
  std::string cookie = "windlass_session_" + random_hex(4);
  std::deque<std::string> tokens;
  std::deque<std::string> sessions;
};

DashboardSessions::DashboardSessions(bool secure_cookie) : impl_(std::make_shared<Impl>()) {
  impl_->secure = secure_cookie;
}

std::string DashboardSessions::new_one_time_token() {
  std::string token = random_hex(kTokenBytes);
  add_bounded(impl_->tokens, token, kTokensMax);
  return token;
}

std::optional<std::string> DashboardSessions::redeem(std::string_view token) {
  const size_t place = place_of_secret(impl_->tokens, token);
  if (place == impl_->tokens.size()) return std::nullopt;
  impl_->tokens.erase(impl_->tokens.begin() + static_cast<ptrdiff_t>(place));
  std::string session = random_hex(kTokenBytes);
  const std::string cookie = impl_->cookie + "=" + session + "; Path=/; HttpOnly; SameSite=Strict" +
                             (impl_->secure ? "; Secure" : "");
  add_bounded(impl_->sessions, std::move(session), kSessionsMax);
  return cookie;
}

bool DashboardSessions::valid(const Request& request) const {
  for (const auto& [header, value] : request.headers) {
    if (header != "cookie") continue;
    for (const std::string_view piece : split(value, ';')) {
      const std::string_view pair = trim(piece);
      const size_t equals = pair.find('=');
      if (equals == std::string_view::npos || pair.substr(0, equals) != impl_->cookie) continue;
      const size_t place = place_of_secret(impl_->sessions, pair.substr(equals + 1));
      if (place < impl_->sessions.size()) return true;
    }
  }
  return false;
}

// A browser sends Sec-Fetch-Site or Origin with every request that changes something. One without
// either comes from a program, which has no need of a cookie: there is a bearer token for it.
bool DashboardSessions::same_origin(const Request& request) {
  const std::string_view site = request.header("sec-fetch-site");
  if (!site.empty() && site != "same-origin") return false;
  std::string_view origin = request.header("origin");
  if (origin.empty()) return !site.empty();
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (!origin.starts_with(scheme)) continue;
    origin.remove_prefix(scheme.size());
    return !origin.empty() && origin == request.header("host");
  }
  return false;  // "null" and what isn't the web
}

}  // namespace windlass::server
