// For tests: a server on a free port and blocking clients in a thread beside the loop.
#pragma once

#include <arpa/inet.h>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <functional>
#include <memory>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include "server/http/http_server.h"

namespace windlass::server {

struct ClientTls {
  std::string ca;             // PEM path
  std::string certificate{};  // of the client, none if empty
  std::string key{};
  std::string host = "localhost";  // checked against the certificate
  int max_version = 0;
  std::string alpn{};  // as on the wire
};

// Blocking, with a time limit of 5 s a read. Not a good HTTP client: it shows what comes.
class TestClient {
 public:
  explicit TestClient(uint16_t port, int receive_buffer = 0) {
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval limit{5, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    const int yes = 1;  // as real clients; else a small request waits for a delayed ACK
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    if (receive_buffer > 0) {
      ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  }
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;
  ~TestClient() { close(); }

  [[nodiscard]] bool connected() const { return connected_; }

  bool handshake(const ClientTls& how) {
    context_.reset(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_load_verify_locations(context_.get(), how.ca.c_str(), nullptr);
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    if (how.max_version != 0) {
      SSL_CTX_set_security_level(context_.get(), 0);
      SSL_CTX_set_max_proto_version(context_.get(), how.max_version);
    }
    if (!how.certificate.empty()) {
      SSL_CTX_use_certificate_chain_file(context_.get(), how.certificate.c_str());
      SSL_CTX_use_PrivateKey_file(context_.get(), how.key.c_str(), SSL_FILETYPE_PEM);
    }
    tls_.reset(SSL_new(context_.get()));
    SSL_set1_host(tls_.get(), how.host.c_str());
    if (!how.alpn.empty()) {
      SSL_set_alpn_protos(tls_.get(), reinterpret_cast<const unsigned char*>(how.alpn.data()),
                          static_cast<unsigned>(how.alpn.size()));
    }
    SSL_set_fd(tls_.get(), socket_);
    const bool ok = SSL_connect(tls_.get()) == 1;
    ERR_clear_error();
    return ok;
  }
  [[nodiscard]] std::string protocol() const { return SSL_get_version(tls_.get()); }

  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto size = bytes.size();
      const ssize_t put = tls_ ? SSL_write(tls_.get(), bytes.data(), static_cast<int>(size))
                               : ::send(socket_, bytes.data(), size, MSG_NOSIGNAL);
      if (put <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(put));
    }
    return true;
  }
  void end_sending() { ::shutdown(socket_, SHUT_WR); }

  // Whatever comes next; empty at the end, or when nothing comes within the limit.
  std::string receive() {
    std::string out(64 << 10, '\0');
    const ssize_t got = tls_ ? SSL_read(tls_.get(), out.data(), static_cast<int>(out.size()))
                             : ::recv(socket_, out.data(), out.size(), 0);
    timed_out_ = got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    out.resize(got > 0 ? static_cast<size_t>(got) : 0);
    ERR_clear_error();
    return out;
  }
  [[nodiscard]] bool timed_out() const { return timed_out_; }

  std::string receive_all() {
    std::string out = std::exchange(rest_, {});
    for (std::string piece = receive(); !piece.empty(); piece = receive()) out += piece;
    return out;
  }
  // Up to and with `mark`, or all there was.
  std::string receive_until(std::string_view mark) {
    std::string out = std::exchange(rest_, {});
    size_t at = out.find(mark);
    while (at == std::string::npos) {
      const std::string piece = receive();
      if (piece.empty()) return out;
      out += piece;
      at = out.find(mark);
    }
    rest_ = out.substr(at + mark.size());
    return out.substr(0, at + mark.size());
  }
  // One response with a Content-Length: head and body.
  std::pair<std::string, std::string> response() {
    std::string head = receive_until("\r\n\r\n");
    size_t length = 0;
    if (const size_t at = head.find("Content-Length: "); at != std::string::npos) {
      length = std::stoul(head.substr(at + 16));
    }
    std::string body = std::exchange(rest_, {});
    while (body.size() < length) {
      const std::string piece = receive();
      if (piece.empty()) break;
      body += piece;
    }
    rest_ = body.substr(std::min(length, body.size()));
    body.resize(std::min(length, body.size()));
    return {std::move(head), std::move(body)};
  }
  std::pair<std::string, std::string> get(const std::string& target, const std::string& more = "") {
    send("GET " + target + " HTTP/1.1\r\nHost: h\r\n" + more + "\r\n");
    return response();
  }
  void close() {
    tls_.reset();
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  }

 private:
  struct Free {
    void operator()(SSL_CTX* p) const { SSL_CTX_free(p); }
    void operator()(SSL* p) const { SSL_free(p); }
  };
  int socket_ = -1;
  bool connected_ = false;
  bool timed_out_ = false;
  std::unique_ptr<SSL_CTX, Free> context_;
  std::unique_ptr<SSL, Free> tls_;
  std::string rest_;
};

inline int status_of(const std::string& head) {
  return head.starts_with("HTTP/1.1 ") ? std::atoi(head.c_str() + 9) : 0;
}

// The loop in this thread, `clients` in another, until they are done.
inline void run_beside(EventLoop& loop, const std::function<void()>& clients) {
  std::atomic<bool> done = false;
  std::thread thread([&] {
    clients();
    done = true;
  });
  const std::function<void()> look = [&] {
    if (done) {
      loop.stop();
    } else {
      loop.after(milliseconds(2), look);
    }
  };
  loop.after(milliseconds(2), look);
  loop.run();
  thread.join();
}

}  // namespace windlass::server
