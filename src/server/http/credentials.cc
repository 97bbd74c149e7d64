#include "server/http/credentials.h"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "server/http/secret_file.h"
#include "server/http/service_token.h"
#include "server/http/x509.h"

namespace windlass::server {
namespace {

constexpr std::string_view kAdministrator = "windlass-admin";
constexpr std::string_view kMasters = "system:masters";
constexpr std::string_view kAuthenticated = "system:authenticated";
constexpr std::string_view kServiceAccount = "system:serviceaccount:";
constexpr Duration kSkew = hours(1);                   // clocks of clients behind ours
constexpr Duration kAuthorityLife = hours(24 * 3650);  // ten years
constexpr Duration kLeafLife = hours(24 * 365);
constexpr Duration kRenewBefore = hours(24 * 30);
constexpr size_t kSecretBytes = 32;

// A certificate with its key, as files and as values.
struct Pair {
  CertificatePtr certificate;
  KeyPtr key;
  std::string certificate_pem;
  std::string key_pem;
};

std::string file_in(const std::string& directory, std::string_view name) {
  return directory + "/" + std::string(name);
}

// nullopt if a file of the two is absent or they don't belong together.
Result<std::optional<Pair>> read_pair(const std::string& directory, const std::string& name) {
  const std::string certificate_path = file_in(directory, name + ".crt");
  const std::string key_path = file_in(directory, name + ".key");
  Result<std::optional<std::string>> certificate = read_private_file(certificate_path);
  if (!certificate.ok()) return certificate.error();
  Result<std::optional<std::string>> key = read_private_file(key_path);
  if (!key.ok()) return key.error();
  if (!certificate->has_value() || !key->has_value()) return std::optional<Pair>();
  Result<CertificatePtr> x509 = certificate_from_pem(**certificate);
  if (!x509.ok()) return x509.error().in(certificate_path);
  Result<KeyPtr> pkey = key_from_pem(**key);
  if (!pkey.ok()) return pkey.error().in(key_path);
  if (!belongs_to(*pkey, *x509)) return std::optional<Pair>();
  return std::optional<Pair>({*x509, *pkey, **certificate, **key});
}

Result<Pair> make_pair(const std::string& directory, const std::string& name,
                       const CertificateRequest& request, const Pair* issuer) {
  const Result<KeyPtr> key = make_key();
  if (!key.ok()) return key.error();
  const Result<CertificatePtr> certificate =
      make_certificate(request, *key, issuer == nullptr ? nullptr : issuer->certificate,
                       issuer == nullptr ? nullptr : issuer->key);
  if (!certificate.ok()) return certificate.error();
  const Result<std::string> certificate_pem = to_pem(*certificate);
  const Result<std::string> key_pem = to_pem(*key);
  if (!certificate_pem.ok()) return certificate_pem.error();
  if (!key_pem.ok()) return key_pem.error();
  // The key first: a certificate without its key is made again, as is a key without certificate.
  for (const auto& [ending, text] : {std::pair(".key", *key_pem), {".crt", *certificate_pem}}) {
    if (Status s = write_private_file(file_in(directory, name + ending), text); !s.ok()) {
      return s.error();
    }
  }
  return Pair{*certificate, *key, *certificate_pem, *key_pem};
}

bool still_good(const Pair& pair, const Pair* issuer, const std::vector<std::string>& hosts,
                Instant now) {
  if (not_after(pair.certificate) <= now + kRenewBefore) return false;
  if (!is_signed_by(pair.certificate, issuer == nullptr ? pair.certificate : issuer->certificate)) {
    return false;
  }
  return std::all_of(hosts.begin(), hosts.end(),
                     [&pair](const std::string& host) { return covers(pair.certificate, host); });
}

Result<Pair> read_or_make(const std::string& directory, const std::string& name,
                          CertificateRequest request, const Pair* issuer, Instant now) {
  Result<std::optional<Pair>> found = read_pair(directory, name);
  if (!found.ok()) return found.error();
  if (found->has_value() && still_good(**found, issuer, request.hosts, now)) return **found;
  const bool authority = request.use == CertificateRequest::Use::kAuthority;
  request.not_before = now - kSkew;
  request.not_after = now + (authority ? kAuthorityLife : kLeafLife);
  return make_pair(directory, name, request, issuer);
}

// A file of 64 hex digits.
Result<std::string> read_or_make_secret(const std::string& path) {
  Result<std::optional<std::string>> found = read_private_file(path);
  if (!found.ok()) return found.error();
  if (found->has_value()) {
    const std::string secret(trim(**found));
    const bool hex = secret.find_first_not_of("0123456789abcdef") == std::string::npos;
    if (!hex || secret.size() != 2 * kSecretBytes) {
      return Error(path + ": must be " + std::to_string(2 * kSecretBytes) + " hex digits");
    }
    return secret;
  }
  std::string secret = random_hex(kSecretBytes);
  if (Status s = write_private_file(path, secret + "\n"); !s.ok()) return s.error();
  return secret;
}

std::string to_base64(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const auto at = [&bytes, i](size_t k) {
      return i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U;
    };
    const unsigned bits = (at(0) << 16) | (at(1) << 8) | at(2);
    out += kDigits[bits >> 18];
    out += kDigits[(bits >> 12) & 63];
    out += i + 1 < bytes.size() ? kDigits[(bits >> 6) & 63] : '=';
    out += i + 2 < bytes.size() ? kDigits[bits & 63] : '=';
  }
  return out;
}

// Service accounts are in the groups Kubernetes puts them in.
Identity identity_of(const TokenHolder& holder) {
  Identity out{holder.user, {}, holder.uid};
  if (holder.user.starts_with(kServiceAccount)) {
    const std::string_view rest = std::string_view(holder.user).substr(kServiceAccount.size());
    out.groups = {"system:serviceaccounts",
                  "system:serviceaccounts:" + std::string(rest.substr(0, rest.find(':')))};
  }
  out.groups.emplace_back(kAuthenticated);
  return out;
}

}  // namespace

struct Credentials::Impl {
  std::string directory;
  Pair authority;
  Pair administrator;
  std::string token;
  std::string signing_key;
};

Credentials::Credentials(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

Result<Credentials> Credentials::open(const std::string& directory,
                                      const std::vector<std::string>& hosts, Instant now) {
  using Use = CertificateRequest::Use;
  if (Status s = make_private_directory(directory); !s.ok()) return s.error();
  auto impl = std::make_shared<Impl>();
  impl->directory = directory;

  Result<Pair> authority =
      read_or_make(directory, "ca",
                   {"windlass-ca-" + random_hex(4), "", {}, Use::kAuthority, {}, {}}, nullptr, now);
  if (!authority.ok()) return authority.error();
  impl->authority = *std::move(authority);

  std::vector<std::string> names = {"localhost", "127.0.0.1", "::1", "kubernetes.default.svc"};
  for (const std::string& host : hosts) {
    if (std::find(names.begin(), names.end(), host) == names.end()) names.push_back(host);
  }
  const Result<Pair> server = read_or_make(
      directory, "server", {"windlass", "", names, Use::kServer, {}, {}}, &impl->authority, now);
  if (!server.ok()) return server.error();

  const CertificateRequest admin{
      std::string(kAdministrator), std::string(kMasters), {}, Use::kClient, {}, {}};
  Result<Pair> administrator = read_or_make(directory, "admin", admin, &impl->authority, now);
  if (!administrator.ok()) return administrator.error();
  impl->administrator = *std::move(administrator);

  Result<std::string> token = read_or_make_secret(file_in(directory, "token"));
  if (!token.ok()) return token.error();
  impl->token = *std::move(token);
  Result<std::string> signing_key = read_or_make_secret(file_in(directory, "signing.key"));
  if (!signing_key.ok()) return signing_key.error();
  impl->signing_key = *std::move(signing_key);
  return Credentials(std::move(impl));
}

TlsFiles Credentials::tls() const {
  return {file_in(impl_->directory, "server.crt"), file_in(impl_->directory, "server.key"),
          file_in(impl_->directory, "ca.crt")};
}

Identity Credentials::authenticate(std::string_view authorization_header,
                                   const std::optional<Identity>& certificate, Instant now) const {
  if (certificate && !certificate->user.empty()) {
    Identity out = *certificate;
    out.groups.emplace_back(kAuthenticated);
    return out;
  }
  constexpr std::string_view kBearer = "bearer ";
  std::string scheme(authorization_header.substr(0, kBearer.size()));
  std::transform(scheme.begin(), scheme.end(), scheme.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (scheme != kBearer) return {};
  const std::string_view token = trim(authorization_header.substr(kBearer.size()));
  if (equal_in_constant_time(token, impl_->token)) {
    return {std::string(kAdministrator), {std::string(kMasters), std::string(kAuthenticated)}, {}};
  }
  const std::optional<TokenHolder> holder = holder_of_token(impl_->signing_key, token, now);
  return holder && !holder->user.empty() ? identity_of(*holder) : Identity();
}

std::string Credentials::issue_token(const std::string& user, const std::string& uid,
                                     Instant expires) const {
  return sign_token(impl_->signing_key, {user, uid}, expires);
}

const std::string& Credentials::admin_token() const { return impl_->token; }

Status Credentials::write_kubeconfig(const std::string& path, const std::string& server_url) const {
  // JSON's quoted strings are YAML's, whatever the address has in it.
  const std::string url = Json(server_url).dump(-1, ' ', true, Json::error_handler_t::replace);
  const std::string text =
      "apiVersion: v1\n"
      "kind: Config\n"
      "clusters:\n"
      "- name: windlass\n"
      "  cluster:\n"
      "    server: " +
      url +
      "\n"
      "    certificate-authority-data: " +
      to_base64(impl_->authority.certificate_pem) +
      "\n"
      "users:\n"
      "- name: windlass-admin\n"
      "  user:\n"
      "    client-certificate-data: " +
      to_base64(impl_->administrator.certificate_pem) +
      "\n"
      "    client-key-data: " +
      to_base64(impl_->administrator.key_pem) +
      "\n"
      "    token: " +
      impl_->token +
      "\n"
      "contexts:\n"
      "- name: windlass\n"
      "  context:\n"
      "    cluster: windlass\n"
      "    user: windlass-admin\n"
      "current-context: windlass\n";
  return write_private_file(path, text);
}

}  // namespace windlass::server
