#include "server/http/self_made.h"

#include "server/http/x509.h"

namespace windlass::server {
namespace {

constexpr Duration kSelfMadeSkew = hours(1);          // clocks of clients behind ours
constexpr Duration kSelfMadeLife = hours(24 * 3650);  // no process runs for ten years

}  // namespace

Result<TlsFiles> self_made_tls(const std::vector<std::string>& hosts, Instant now) {
  const Result<KeyPtr> key = make_key();
  if (!key.ok()) return key.error();
  const CertificateRequest request{
      "windlass",         "", hosts, CertificateRequest::Use::kServer, now - kSelfMadeSkew,
      now + kSelfMadeLife};
  const Result<CertificatePtr> certificate = make_certificate(request, *key, nullptr, nullptr);
  if (!certificate.ok()) return certificate.error();
  const Result<std::string> certificate_pem = to_pem(*certificate);
  const Result<std::string> key_pem = to_pem(*key);
  if (!certificate_pem.ok()) return certificate_pem.error();
  if (!key_pem.ok()) return key_pem.error();
  TlsFiles out;
  out.certificate_pem = *certificate_pem;
  out.key_pem = *key_pem;
  return out;
}

}  // namespace windlass::server
