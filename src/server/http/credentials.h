// The embedded cluster's own keys: a CA made at first start, the server's and the administrator's
// certificates, bearer tokens, the kubeconfig. Key files are 0600; secrets are never logged.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "server/http/http_server.h"

namespace windlass::server {

class Credentials {
 public:
  // Makes what is absent in `directory` (0700): ca.crt, ca.key, server.crt (SANs: `hosts`,
  // localhost, 127.0.0.1, ::1, kubernetes.default.svc), server.key, admin.crt, admin.key, token,
  // signing.key. A server certificate that lacks a host or has expired is made again. EC P-256.
  static Result<Credentials> open(const std::string& directory,
                                  const std::vector<std::string>& hosts, Instant now);

  [[nodiscard]] TlsFiles tls() const;
  // Bearer token or client certificate -> identity; anonymous (empty user) otherwise. Constant-time
  // comparison. The administrator is user "windlass-admin", group "system:masters".
  [[nodiscard]] Identity authenticate(std::string_view authorization_header,
                                      const std::optional<Identity>& certificate,
                                      Instant now) const;
  // A signed token for a service account (system:serviceaccount:NS:NAME) with this uid. Whoever
  // brings it has both in its identity; whether that account still exists is not known here.
  [[nodiscard]] std::string issue_token(const std::string& user, const std::string& uid,
                                        Instant expires) const;
  [[nodiscard]] const std::string& admin_token() const;

  // Writes a kubeconfig (0600) with CA, client certificate and token of the administrator.
  Status write_kubeconfig(const std::string& path, const std::string& server_url) const;

 private:
  struct Impl;
  explicit Credentials(std::shared_ptr<const Impl> impl);
  std::shared_ptr<const Impl> impl_;
};

// The page's way in: a one-time token in the printed address becomes a session cookie
// (HttpOnly, SameSite=Strict, Secure under TLS). Cross-origin requests that change something are
// refused by Origin and Sec-Fetch-Site.
class DashboardSessions {
 public:
  explicit DashboardSessions(bool secure_cookie);
  std::string new_one_time_token();
  // The Set-Cookie value if the token is right and unused.
  std::optional<std::string> redeem(std::string_view token);
  [[nodiscard]] bool valid(const Request& request) const;         // has a live session cookie
  [[nodiscard]] static bool same_origin(const Request& request);  // for requests that change things

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace windlass::server
