// For tests only: an HTTP server on the test's own loop that answers exactly the bytes a test says,
// when it says so: whole replies, halves, nothing, a reset. Plain or TLS. It also plays a proxy.
#pragma once

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <functional>
#include <map>
#include <memory>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <utility>
#include <vector>

#include "net/clock.h"
#include "net/event_loop.h"

namespace windlass::net {

struct TestRequest {
  std::string method, target, body;
  std::map<std::string, std::string> headers;  // lower case
  int connection = 0;                          // counted from 1
  std::string server_name;                     // SNI
  std::string client_name;                     // CN of the client's certificate
  [[nodiscard]] std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string() : found->second;
  }
};

struct TestTls {
  std::string certificate, key;
  std::string client_ca;  // not empty: a client certificate is demanded
};

// "HTTP/1.1 200 OK" with a length and what is given.
inline std::string http_reply(const std::string& body, const std::string& status = "200 OK",
                              const std::string& headers = "") {
  return "HTTP/1.1 " + status + "\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}
inline std::string http_chunk(std::string_view bytes) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string size;
  for (size_t n = bytes.size(); n > 0 || size.empty(); n /= 16) size.insert(0, 1, kHex[n % 16]);
  return size + "\r\n" + std::string(bytes) + "\r\n";
}

class TestConnection : public std::enable_shared_from_this<TestConnection> {
 public:
  using Ref = std::shared_ptr<TestConnection>;
  using Handler = std::function<void(const TestRequest&, const Ref&)>;

  TestConnection(event_base* base, evutil_socket_t fd, SSL_CTX* tls, int number, Handler handler)
      : base_(base), number_(number), handler_(std::move(handler)) {
    stream_ = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
    if (tls != nullptr) {
      ssl_ = SSL_new(tls);
      SSL_set_bio(ssl_, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
      SSL_set_accept_state(ssl_);
    }
    bufferevent_setcb(stream_, &on_read, &on_written, &on_event, this);
    bufferevent_enable(stream_, EV_READ | EV_WRITE);
  }
  ~TestConnection() { drop(); }
  TestConnection(const TestConnection&) = delete;
  TestConnection& operator=(const TestConnection&) = delete;

  [[nodiscard]] bool open() const { return stream_ != nullptr; }
  void send(std::string_view bytes) {
    if (!open() || bytes.empty()) return;
    if (ssl_ == nullptr) {
      bufferevent_write(stream_, bytes.data(), bytes.size());
    } else {
      SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()));
      flush_tls();
    }
  }
  // In good order, when all is sent.
  void close() {
    if (!open()) return;
    if (ssl_ != nullptr) {
      SSL_shutdown(ssl_);
      flush_tls();
    }
    closing_ = true;
    if (evbuffer_get_length(bufferevent_get_output(stream_)) == 0) drop();
  }
  void reset() {
    if (!open()) return;
    const linger now{1, 0};
    setsockopt(bufferevent_getfd(stream_), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    drop();
  }
  // From here on bytes go to and fro between the peer and a local port.
  void tunnel_to(uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    far_ = bufferevent_socket_new(base_, -1, BEV_OPT_CLOSE_ON_FREE);
    bufferevent_setcb(far_, &on_far_read, nullptr, nullptr, this);
    bufferevent_enable(far_, EV_READ | EV_WRITE);
    bufferevent_socket_connect(far_, reinterpret_cast<sockaddr*>(&address), sizeof address);
  }

 private:
  static void on_read(bufferevent*, void* self) {
    const Ref connection = static_cast<TestConnection*>(self)->shared_from_this();
    connection->read();
  }
  static void on_written(bufferevent*, void* self) {
    auto& connection = *static_cast<TestConnection*>(self);
    if (connection.closing_) connection.drop();
  }
  static void on_event(bufferevent*, short what, void* self) {
    if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0) {
      static_cast<TestConnection*>(self)->drop();
    }
  }
  static void on_far_read(bufferevent* far, void* self) {
    auto& connection = *static_cast<TestConnection*>(self);
    if (connection.open()) bufferevent_write_buffer(connection.stream_, bufferevent_get_input(far));
  }

  void read() {
    evbuffer* input = bufferevent_get_input(stream_);
    if (far_ != nullptr) {
      bufferevent_write_buffer(far_, input);
      return;
    }
    const size_t size = evbuffer_get_length(input);
    const char* bytes = reinterpret_cast<const char*>(evbuffer_pullup(input, -1));
    if (ssl_ == nullptr) {
      input_.append(bytes, size);
    } else {
      BIO_write(SSL_get_rbio(ssl_), bytes, static_cast<int>(size));
      char buffer[4096];
      for (int got = 0; (got = SSL_read(ssl_, buffer, sizeof buffer)) > 0;) {
        input_.append(buffer, static_cast<size_t>(got));
      }
      ERR_clear_error();
      flush_tls();
    }
    evbuffer_drain(input, size);
    while (open() && take_request()) continue;
  }

  bool take_request() {
    const size_t end = input_.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    TestRequest request;
    request.connection = number_;
    const std::string head = input_.substr(0, end + 2);
    const size_t first = head.find(' ');
    request.method = head.substr(0, first);
    request.target = head.substr(first + 1, head.find(' ', first + 1) - first - 1);
    for (size_t at = head.find("\r\n") + 2; at < head.size(); at = head.find("\r\n", at) + 2) {
      const size_t colon = head.find(':', at);
      std::string name = head.substr(at, colon - at);
      for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      const size_t value = head.find_first_not_of(' ', colon + 1);
      request.headers[name] = head.substr(value, head.find("\r\n", at) - value);
    }
    const std::string length = request.header("content-length");
    const size_t body = length.empty() ? 0 : std::stoul(length);
    if (input_.size() < end + 4 + body) return false;
    request.body = input_.substr(end + 4, body);
    input_.erase(0, end + 4 + body);
    if (ssl_ != nullptr) read_tls_names(request);
    handler_(request, shared_from_this());
    return true;
  }

  void read_tls_names(TestRequest& request) const {
    if (const char* name = SSL_get_servername(ssl_, TLSEXT_NAMETYPE_host_name)) {
      request.server_name = name;
    }
    if (X509* peer = SSL_get1_peer_certificate(ssl_)) {
      char text[256] = {};
      X509_NAME_get_text_by_NID(X509_get_subject_name(peer), NID_commonName, text, sizeof text);
      request.client_name = text;
      X509_free(peer);
    }
  }
  void flush_tls() {
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(SSL_get_wbio(ssl_), &bytes);
    if (size > 0) bufferevent_write(stream_, bytes, static_cast<size_t>(size));
    (void)BIO_reset(SSL_get_wbio(ssl_));
  }
  void drop() {
    if (stream_ != nullptr) bufferevent_free(std::exchange(stream_, nullptr));
    if (far_ != nullptr) bufferevent_free(std::exchange(far_, nullptr));
    if (ssl_ != nullptr) SSL_free(std::exchange(ssl_, nullptr));
  }

  event_base* base_;
  int number_;
  Handler handler_;
  bufferevent* stream_ = nullptr;
  bufferevent* far_ = nullptr;
  SSL* ssl_ = nullptr;
  bool closing_ = false;
  std::string input_;
};

class TestServer {
 public:
  using Connection = TestConnection::Ref;
  using Handler = TestConnection::Handler;

  TestServer(EventLoop& loop, Handler handler, const TestTls* tls = nullptr)
      : loop_(loop), handler_(std::move(handler)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener_ = evconnlistener_new_bind(loop.base(), &on_accept, this,
                                        LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 4096,
                                        reinterpret_cast<sockaddr*>(&address), sizeof address);
    socklen_t size = sizeof address;
    getsockname(evconnlistener_get_fd(listener_), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    if (tls != nullptr) use_tls(*tls);
  }
  ~TestServer() {
    connections_.clear();
    if (listener_ != nullptr) evconnlistener_free(listener_);
    SSL_CTX_free(tls_);
  }
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  [[nodiscard]] uint16_t port() const { return port_; }
  [[nodiscard]] std::string url(const std::string& target = "") const {
    return (tls_ != nullptr ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(port_) +
           target;
  }
  [[nodiscard]] int accepted() const { return static_cast<int>(connections_.size()); }
  [[nodiscard]] int open() const {
    return static_cast<int>(std::count_if(connections_.begin(), connections_.end(),
                                          [](const Connection& c) { return c->open(); }));
  }
  // Nobody listens at the port any more; connections stay.
  void stop_listening() { evconnlistener_free(std::exchange(listener_, nullptr)); }

 private:
  static void on_accept(evconnlistener*, evutil_socket_t fd, sockaddr*, int, void* self) {
    auto& server = *static_cast<TestServer*>(self);
    const int number = server.accepted() + 1;
    server.connections_.push_back(std::make_shared<TestConnection>(
        server.loop_.base(), fd, server.tls_, number, server.handler_));
  }
  void use_tls(const TestTls& tls) {
    const auto certificate_in = [](const std::string& pem) {
      BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
      X509* out = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
      BIO_free(bio);
      return out;
    };
    tls_ = SSL_CTX_new(TLS_server_method());
    X509* certificate = certificate_in(tls.certificate);
    SSL_CTX_use_certificate(tls_, certificate);
    X509_free(certificate);
    BIO* bio = BIO_new_mem_buf(tls.key.data(), static_cast<int>(tls.key.size()));
    EVP_PKEY* key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
    SSL_CTX_use_PrivateKey(tls_, key);
    EVP_PKEY_free(key);
    BIO_free(bio);
    if (tls.client_ca.empty()) return;
    X509* authority = certificate_in(tls.client_ca);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(tls_), authority);
    X509_free(authority);
    SSL_CTX_set_verify(tls_, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    SSL_CTX_set_session_cache_mode(tls_, SSL_SESS_CACHE_OFF);
  }

  EventLoop& loop_;
  Handler handler_;
  evconnlistener* listener_ = nullptr;
  SSL_CTX* tls_ = nullptr;
  uint16_t port_ = 0;
  std::vector<Connection> connections_;
};

// Turns the loop until it is so. False: it took too long.
template <typename Predicate>
bool run_until(EventLoop& loop, const Predicate& is_so, Duration limit = seconds(20)) {
  const std::unique_ptr<Clock> clock = system_clock_on(loop);
  bool late = false;
  clock->after(limit, [&] { late = true; });
  while (!is_so() && !late) loop.turn();
  return is_so();
}

}  // namespace windlass::net
