#include "server/http/tls_context.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "server/http/x509.h"

namespace windlass::server {
namespace {

Error failed(const std::string& file) {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return Error(file + ": " + (reason == nullptr ? "can't be used" : reason));
}

// The pair as texts.
Status use_pair(SSL_CTX* ctx, const TlsFiles& files) {
  const Result<CertificatePtr> certificate = certificate_from_pem(files.certificate_pem);
  if (!certificate.ok()) return certificate.error();
  const Result<KeyPtr> key = key_from_pem(files.key_pem);
  if (!key.ok()) return key.error();
  if (SSL_CTX_use_certificate(ctx, certificate->get()) != 1 ||
      SSL_CTX_use_PrivateKey(ctx, key->get()) != 1) {
    return failed("a certificate made here");
  }
  return {};
}

// The pair in files.
Status use_files(SSL_CTX* ctx, const TlsFiles& files) {
  if (SSL_CTX_use_certificate_chain_file(ctx, files.certificate.c_str()) != 1) {
    return failed(files.certificate);
  }
  if (SSL_CTX_use_PrivateKey_file(ctx, files.key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(ctx) != 1) {
    return failed(files.key);
  }
  return {};
}

// Of what the client offers only HTTP/1.1 is spoken here.
int select_protocol(SSL*, const unsigned char** out, unsigned char* out_length,
                    const unsigned char* offered, unsigned int offered_length, void*) {
  static constexpr unsigned char kHttp11[] = "\x08http/1.1";
  unsigned char* selected = nullptr;
  const int found = SSL_select_next_proto(&selected, out_length, kHttp11, sizeof(kHttp11) - 1,
                                          offered, offered_length);
  if (found != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = selected;
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

Result<TlsContext> make_tls_context(const TlsFiles& files) {
  ERR_clear_error();
  TlsContext context(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free);
  SSL_CTX* ctx = context.get();
  if (ctx == nullptr) return Error("OpenSSL can't be set up");
  SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
  // Buffers are given back while a connection idles; partial writes show a slow peer's progress.
  SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                            SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
                               SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_num_tickets(ctx, 0);
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_alpn_select_cb(ctx, &select_protocol, nullptr);
  const bool made = !files.certificate_pem.empty();
  if (Status used = made ? use_pair(ctx, files) : use_files(ctx, files); !used.ok()) {
    return used.error();
  }
  if (!files.client_ca.empty()) {
    STACK_OF(X509_NAME)* names = SSL_load_client_CA_file(files.client_ca.c_str());
    if (names == nullptr ||
        SSL_CTX_load_verify_locations(ctx, files.client_ca.c_str(), nullptr) != 1) {
      return failed(files.client_ca);
    }
    SSL_CTX_set_client_CA_list(ctx, names);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, nullptr);
  }
  return context;
}

}  // namespace windlass::server
