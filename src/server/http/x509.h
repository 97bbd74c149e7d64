// Certificates and keys through OpenSSL 3: making, signing, reading. EC P-256 throughout. Private
// keys leave only as PEM for their file. Errors never quote what was read.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "server/http/exchange.h"

struct x509_st;
struct evp_pkey_st;

namespace windlass::server {

using CertificatePtr = std::shared_ptr<x509_st>;
using KeyPtr = std::shared_ptr<evp_pkey_st>;

struct CertificateRequest {
  std::string common_name;
  std::string organization;        // none if empty
  std::vector<std::string> hosts;  // addresses and names a server answers for
  enum class Use { kAuthority, kServer, kClient } use = Use::kServer;
  Instant not_before;
  Instant not_after;
};

Result<KeyPtr> make_key();
// Signed by `issuer_key` in the name of `issuer`; both null: by `key` itself.
Result<CertificatePtr> make_certificate(const CertificateRequest& request, const KeyPtr& key,
                                        const CertificatePtr& issuer, const KeyPtr& issuer_key);

Result<std::string> to_pem(const CertificatePtr& certificate);
Result<std::string> to_pem(const KeyPtr& key);
Result<CertificatePtr> certificate_from_pem(std::string_view pem);
Result<KeyPtr> key_from_pem(std::string_view pem);

bool covers(const CertificatePtr& certificate, const std::string& host);  // among its SANs
bool is_signed_by(const CertificatePtr& certificate, const CertificatePtr& issuer);
bool belongs_to(const KeyPtr& key, const CertificatePtr& certificate);
Instant not_after(const CertificatePtr& certificate);
Identity subject_of(const x509_st& certificate);  // CN and every O

// Of `bytes` random bytes, in lower-case hex digits. Ends the program if the system has none.
std::string random_hex(size_t bytes);
bool equal_in_constant_time(std::string_view a, std::string_view b);
std::string hmac_sha256(std::string_view key, std::string_view message);  // 32 raw bytes

}  // namespace windlass::server
