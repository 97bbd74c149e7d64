#include "server/http/x509.h"

#include <arpa/inet.h>
#include <array>
#include <cstdlib>
#include <ctime>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <utility>

#include "base/assert.h"

namespace windlass::server {
namespace {

Error failed(const char* what) {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return Error(std::string(what) + ": " + (reason == nullptr ? "OpenSSL refuses" : reason));
}

using BioPtr = std::unique_ptr<BIO, decltype(&BIO_free)>;

BioPtr memory() { return {BIO_new(BIO_s_mem()), &BIO_free}; }
BioPtr memory(std::string_view bytes) {
  return {BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())), &BIO_free};
}

std::string contents(const BioPtr& bio) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &bytes);
  return size > 0 ? std::string(bytes, static_cast<size_t>(size)) : std::string();
}

bool is_address(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> scrap{};
  return ::inet_pton(AF_INET, host.c_str(), scrap.data()) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), scrap.data()) == 1;
}

bool add_name(X509_NAME* name, const char* field, const std::string& value) {
  if (value.empty()) return true;
  const auto* bytes = reinterpret_cast<const unsigned char*>(value.data());
  return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, bytes,
                                    static_cast<int>(value.size()), -1, 0) == 1;
}

bool set_random_serial(X509* certificate) {
  std::array<unsigned char, 16> bytes{};
  if (RAND_bytes(bytes.data(), bytes.size()) != 1) return false;
  bytes[0] &= 0x7f;  // a positive number
  BIGNUM* number = BN_bin2bn(bytes.data(), bytes.size(), nullptr);
  const bool ok = number != nullptr &&
                  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nullptr;
  BN_free(number);
  return ok;
}

bool add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  if (extension == nullptr) return false;
  const bool ok = X509_add_ext(certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return ok;
}

// Built as values, not as text: a host's name is untrusted and could bring its own syntax.
bool add_hosts(X509* certificate, const std::vector<std::string>& hosts) {
  if (hosts.empty()) return true;
  GENERAL_NAMES* names = sk_GENERAL_NAME_new_null();
  bool ok = names != nullptr;
  for (const std::string& host : hosts) {
    GENERAL_NAME* name = GENERAL_NAME_new();
    if (is_address(host)) {
      GENERAL_NAME_set0_value(name, GEN_IPADD, a2i_IPADDRESS(host.c_str()));
    } else {
      ASN1_IA5STRING* text = ASN1_IA5STRING_new();
      ok = ok && ASN1_STRING_set(text, host.data(), static_cast<int>(host.size())) == 1;
      GENERAL_NAME_set0_value(name, GEN_DNS, text);
    }
    ok = ok && sk_GENERAL_NAME_push(names, name) > 0;
  }
  ok = ok && X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 0, 0) == 1;
  GENERAL_NAMES_free(names);
  return ok;
}

bool add_extensions(X509* certificate, X509* issuer, const CertificateRequest& request) {
  using Use = CertificateRequest::Use;
  const bool authority = request.use == Use::kAuthority;
  const auto add = [certificate, issuer](int nid, const char* value) {
    return add_extension(certificate, issuer, nid, value);
  };
  bool ok = add(NID_basic_constraints, authority ? "critical,CA:TRUE" : "critical,CA:FALSE") &&
            add(NID_key_usage, authority ? "critical,keyCertSign,cRLSign,digitalSignature"
                                         : "critical,digitalSignature") &&
            add(NID_subject_key_identifier, "hash");
  if (!authority) {
    ok = ok && add(NID_authority_key_identifier, "keyid") &&
         add(NID_ext_key_usage, request.use == Use::kServer ? "serverAuth" : "clientAuth");
  }
  return ok && add_hosts(certificate, request.hosts);
}

bool set_time(ASN1_TIME* place, Instant when) {
  return ASN1_TIME_set(place, static_cast<time_t>(when.ns / 1'000'000'000)) != nullptr;
}

std::string text_of(const ASN1_STRING* value) {
  unsigned char* utf8 = nullptr;
  const int size = ASN1_STRING_to_UTF8(&utf8, value);
  if (size < 0) return {};
  std::string out(reinterpret_cast<char*>(utf8), static_cast<size_t>(size));
  OPENSSL_free(utf8);
  return out;
}

}  // namespace

Result<KeyPtr> make_key() {
  KeyPtr key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  if (key == nullptr) return failed("making a key");
  return key;
}

Result<CertificatePtr> make_certificate(const CertificateRequest& request, const KeyPtr& key,
                                        const CertificatePtr& issuer, const KeyPtr& issuer_key) {
  CertificatePtr certificate(X509_new(), &X509_free);
  X509* x = certificate.get();
  bool ok = x != nullptr && X509_set_version(x, X509_VERSION_3) == 1 && set_random_serial(x);
  ok = ok && set_time(X509_getm_notBefore(x), request.not_before) &&
       set_time(X509_getm_notAfter(x), request.not_after);
  X509_NAME* name = ok ? X509_get_subject_name(x) : nullptr;
  ok = ok && add_name(name, "O", request.organization) && add_name(name, "CN", request.common_name);
  X509* signer = issuer == nullptr ? x : issuer.get();
  ok = ok && X509_set_issuer_name(x, X509_get_subject_name(signer)) == 1 &&
       X509_set_pubkey(x, key.get()) == 1 && add_extensions(x, signer, request) &&
       X509_sign(x, issuer_key == nullptr ? key.get() : issuer_key.get(), EVP_sha256()) > 0;
  if (!ok) return failed("making a certificate");
  return certificate;
}

Result<std::string> to_pem(const CertificatePtr& certificate) {
  const BioPtr bio = memory();
  if (PEM_write_bio_X509(bio.get(), certificate.get()) != 1) return failed("writing a certificate");
  return contents(bio);
}

Result<std::string> to_pem(const KeyPtr& key) {
  const BioPtr bio = memory();
  if (PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return failed("writing a key");
  }
  return contents(bio);
}

Result<CertificatePtr> certificate_from_pem(std::string_view pem) {
  const BioPtr bio = memory(pem);
  CertificatePtr certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), &X509_free);
  if (certificate == nullptr) return failed("not a certificate in PEM");
  return certificate;
}

Result<KeyPtr> key_from_pem(std::string_view pem) {
  const BioPtr bio = memory(pem);
  // A password would be asked for on the terminal: none is given.
  const auto no_password = [](char*, int, int, void*) { return -1; };
  KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr), &EVP_PKEY_free);
  if (key == nullptr) return failed("not a private key in PEM");
  return key;
}

bool covers(const CertificatePtr& certificate, const std::string& host) {
  if (is_address(host)) return X509_check_ip_asc(certificate.get(), host.c_str(), 0) == 1;
  return X509_check_host(certificate.get(), host.data(), host.size(),
                         X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, nullptr) == 1;
}

bool is_signed_by(const CertificatePtr& certificate, const CertificatePtr& issuer) {
  const bool ok = X509_check_issued(issuer.get(), certificate.get()) == X509_V_OK &&
                  X509_verify(certificate.get(), X509_get0_pubkey(issuer.get())) == 1;
  ERR_clear_error();
  return ok;
}

bool belongs_to(const KeyPtr& key, const CertificatePtr& certificate) {
  const bool ok = X509_check_private_key(certificate.get(), key.get()) == 1;
  ERR_clear_error();
  return ok;
}

Instant not_after(const CertificatePtr& certificate) {
  tm parts{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &parts) != 1) return {};
  const int64_t days = days_from_civil({parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday});
  return Instant{} + hours(days * 24 + parts.tm_hour) + minutes(parts.tm_min) +
         seconds(parts.tm_sec);
}

Identity subject_of(const x509_st& certificate) {
  Identity out;
  const X509_NAME* name = X509_get_subject_name(&certificate);
  for (int i = 0; i < X509_NAME_entry_count(name); ++i) {
    const X509_NAME_ENTRY* entry = X509_NAME_get_entry(name, i);
    const int nid = OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry));
    std::string value = text_of(X509_NAME_ENTRY_get_data(entry));
    if (nid == NID_commonName) out.user = std::move(value);
    if (nid == NID_organizationName) out.groups.push_back(std::move(value));
  }
  return out;
}

std::string random_hex(size_t bytes) {
  std::vector<unsigned char> random(bytes);
  WL_ASSERT(RAND_bytes(random.data(), static_cast<int>(bytes)) == 1);
  std::string out;
  out.reserve(bytes * 2);
  for (const unsigned char byte : random) {
    out += "0123456789abcdef"[byte >> 4];
    out += "0123456789abcdef"[byte & 15];
  }
  OPENSSL_cleanse(random.data(), random.size());
  return out;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string hmac_sha256(std::string_view key, std::string_view message) {
  std::array<unsigned char, 32> out{};
  unsigned int size = out.size();
  const auto* bytes = reinterpret_cast<const unsigned char*>(message.data());
  WL_ASSERT(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes, message.size(),
                 out.data(), &size) != nullptr);
  return {reinterpret_cast<const char*>(out.data()), size};
}

}  // namespace windlass::server
