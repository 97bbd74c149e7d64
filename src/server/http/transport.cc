#include "server/http/transport.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

#include "server/http/x509.h"

namespace windlass::server {
namespace {

bool would_block(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

constexpr size_t kMaxPerCall = size_t{1} << 30;  // SSL_read and SSL_write count in int

}  // namespace

Transport::Transport(int socket, ssl_ctx_st* tls) : socket_(socket) {
  if (tls == nullptr) return;
  tls_ = SSL_new(tls);
  if (tls_ == nullptr || SSL_set_fd(tls_, socket_) != 1) {
    broken_ = true;
    return;
  }
  SSL_set_accept_state(tls_);
}

Transport::~Transport() { close(); }

void Transport::close() {
  broken_ = true;
  if (tls_ != nullptr) SSL_free(std::exchange(tls_, nullptr));
  if (socket_ >= 0) ::close(std::exchange(socket_, -1));
}

Transport::Io Transport::after_tls(int result) {
  switch (SSL_get_error(tls_, result)) {
    case SSL_ERROR_NONE:
      return Io::kDone;
    case SSL_ERROR_WANT_READ:
      return Io::kWantsRead;
    case SSL_ERROR_WANT_WRITE:
      return Io::kWantsWrite;
    case SSL_ERROR_ZERO_RETURN:
      return Io::kEnd;
    case SSL_ERROR_SYSCALL:
      failure_ = errno != 0 ? std::strerror(errno) : "cut";
      break;
    default: {
      const unsigned long code = ERR_peek_error();
      const char* reason = ERR_reason_error_string(code);
      failure_ = reason == nullptr ? "TLS error" : reason;
      plain_http_ = ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) == SSL_R_HTTP_REQUEST;
    }
  }
  ERR_clear_error();
  broken_ = true;
  return Io::kFailed;
}

Transport::Io Transport::handshake() {
  if (broken_) return Io::kFailed;
  if (tls_ == nullptr) return Io::kDone;
  ERR_clear_error();
  errno = 0;
  return after_tls(SSL_do_handshake(tls_));
}

Transport::Io Transport::read(std::span<char> into, size_t& got) {
  got = 0;
  if (broken_) return Io::kFailed;
  if (tls_ != nullptr) {
    ERR_clear_error();
    errno = 0;
    const auto size = static_cast<int>(std::min(into.size(), kMaxPerCall));
    const int result = SSL_read(tls_, into.data(), size);
    if (result <= 0) return after_tls(result);
    got = static_cast<size_t>(result);
    return Io::kDone;
  }
  const ssize_t result = ::recv(socket_, into.data(), into.size(), 0);
  if (result == 0) return Io::kEnd;
  if (result < 0) {
    if (would_block(errno)) return Io::kWantsRead;
    failure_ = std::strerror(errno);
    broken_ = true;
    return Io::kFailed;
  }
  got = static_cast<size_t>(result);
  return Io::kDone;
}

Transport::Io Transport::write(std::string_view bytes, size_t& put) {
  put = 0;
  if (broken_) return Io::kFailed;
  if (tls_ != nullptr) {
    ERR_clear_error();
    errno = 0;
    const auto size = static_cast<int>(std::min(bytes.size(), kMaxPerCall));
    const int result = SSL_write(tls_, bytes.data(), size);
    if (result <= 0) return after_tls(result);
    put = static_cast<size_t>(result);
    return Io::kDone;
  }
  const ssize_t result = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (result < 0) {
    if (would_block(errno)) return Io::kWantsWrite;
    failure_ = std::strerror(errno);
    broken_ = true;
    return Io::kFailed;
  }
  put = static_cast<size_t>(result);
  return Io::kDone;
}

bool Transport::has_pending() const { return tls_ != nullptr && SSL_pending(tls_) > 0; }

std::optional<Identity> Transport::certificate() const {
  if (tls_ == nullptr || SSL_get_verify_result(tls_) != X509_V_OK) return std::nullopt;
  const X509* certificate = SSL_get0_peer_certificate(tls_);
  if (certificate == nullptr) return std::nullopt;
  return subject_of(*certificate);
}

void Transport::end_sending() {
  if (tls_ != nullptr && !broken_ && SSL_is_init_finished(tls_)) {
    ERR_clear_error();
    SSL_shutdown(tls_);  // best effort: a full socket means that nobody listens
    ERR_clear_error();
  }
  ::shutdown(socket_, SHUT_WR);
}

Transport::Io Transport::discard() {
  std::array<char, 16 << 10> scrap;
  const ssize_t result = ::recv(socket_, scrap.data(), scrap.size(), 0);
  if (result == 0) return Io::kEnd;
  if (result > 0) return Io::kDone;
  return would_block(errno) ? Io::kWantsRead : Io::kFailed;
}

void Transport::write_raw(std::string_view bytes) const {
  [[maybe_unused]] const ssize_t sent =
      ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace windlass::server
