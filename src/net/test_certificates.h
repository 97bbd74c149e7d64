// For tests only: a certificate authority that lives as long as a test, and what it signs. PEM.
#pragma once

#include <memory>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string>

namespace windlass::net {

class TestAuthority {
 public:
  struct Pair {
    std::string certificate, key;
  };
  explicit TestAuthority(const std::string& name) : key_(EVP_EC_gen("P-256")) {
    self_ = make(name, "", key_, nullptr, "critical,CA:TRUE");
  }
  ~TestAuthority() {
    X509_free(self_);
    EVP_PKEY_free(key_);
  }
  TestAuthority(const TestAuthority&) = delete;
  TestAuthority& operator=(const TestAuthority&) = delete;

  [[nodiscard]] std::string certificate() const { return pem_of(self_); }
  // `names`: as in openssl.cnf, "DNS:api.test,IP:127.0.0.1"; empty for a client.
  [[nodiscard]] Pair issue(const std::string& name, const std::string& names = "") const {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* made = make(name, names, key, self_, "critical,CA:FALSE");
    Pair out{pem_of(made), pem_of(key)};
    X509_free(made);
    EVP_PKEY_free(key);
    return out;
  }

 private:
  static std::string text_in(BIO* bio) {
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(bio, &bytes);
    std::string out(bytes, static_cast<size_t>(size));
    BIO_free(bio);
    return out;
  }
  static std::string pem_of(X509* certificate) {
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, certificate);
    return text_in(bio);
  }
  static std::string pem_of(EVP_PKEY* key) {
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
    return text_in(bio);
  }

  // Null `issuer`: signed by itself.
  X509* make(const std::string& name, const std::string& names, EVP_PKEY* key, X509* issuer,
             const char* constraints) const {
    X509* out = X509_new();
    X509_set_version(out, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(out), ++serial_);
    X509_gmtime_adj(X509_getm_notBefore(out), -3600);
    X509_gmtime_adj(X509_getm_notAfter(out), 3600);
    X509_set_pubkey(out, key);
    const auto* bytes = reinterpret_cast<const unsigned char*>(name.c_str());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(out), "CN", MBSTRING_UTF8, bytes, -1, -1, 0);
    X509_set_issuer_name(out, X509_get_subject_name(issuer == nullptr ? out : issuer));
    add(out, NID_basic_constraints, constraints);
    if (!names.empty()) add(out, NID_subject_alt_name, names.c_str());
    X509_sign(out, key_, EVP_sha256());
    return out;
  }
  static void add(X509* certificate, int nid, const char* value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }

  EVP_PKEY* key_;
  X509* self_ = nullptr;
  mutable long serial_ = 0;
};

}  // namespace windlass::net
