#include "server/http/http_server.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <event2/event.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

#include <climits>
#include <fmt/format.h>

#include "base/log.h"
#include "server/http/connection.h"
#include "server/http/tls_context.h"

namespace windlass::server {
namespace {

constexpr int kBacklog = 512;
constexpr int kAcceptsPerTurn = 64;
constexpr Duration kPauseWithoutDescriptors = milliseconds(100);
constexpr rlim_t kOtherDescriptors = 128;  // the journal, the loop, standard streams
constexpr rlim_t kReserved = 32;           // of them, never given to a connection

struct Address {
  sockaddr_storage storage{};
  socklen_t length = sizeof(sockaddr_storage);
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

Result<Address> resolve(const std::string& host, uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int code = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (code != 0 || found == nullptr) {
    return Error(fmt::format("address {}: {}", host, ::gai_strerror(code)));
  }
  Address out;
  std::memcpy(&out.storage, found->ai_addr, found->ai_addrlen);
  out.length = found->ai_addrlen;
  ::freeaddrinfo(found);
  return out;
}

bool is_loopback(const Address& address) {
  if (address.storage.ss_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&address.storage);
    return (ntohl(v4->sin_addr.s_addr) >> 24) == 127;
  }
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&address.storage);
  return address.storage.ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

uint16_t port_of(const Address& address) {
  const bool v6 = address.storage.ss_family == AF_INET6;
  return ntohs(v6 ? reinterpret_cast<const sockaddr_in6*>(&address.storage)->sin6_port
                  : reinterpret_cast<const sockaddr_in*>(&address.storage)->sin_port);
}

std::string to_text(const Address& address) {
  std::array<char, NI_MAXHOST> host{};
  const int code = ::getnameinfo(address.get(), address.length, host.data(), host.size(), nullptr,
                                 0, NI_NUMERICHOST);
  const bool v6 = address.storage.ss_family == AF_INET6;
  return fmt::format(fmt::runtime(v6 ? "[{}]:{}" : "{}:{}"), code == 0 ? host.data() : "?",
                     port_of(address));
}

// Thousands of connections need more descriptors than the usual soft limit of 1,024; two servers
// share them. The limit then.
rlim_t raise_descriptor_limit(size_t connections) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return RLIM_INFINITY;
  const rlim_t wanted = std::min(limit.rlim_max, 2 * connections + kOtherDescriptors);
  if (limit.rlim_cur < wanted) {
    const rlimit raised{wanted, limit.rlim_max};
    if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  }
  return limit.rlim_cur;
}

// A peer whose machine has vanished is noticed within about a minute.
void tune(int socket) {
  const auto set = [socket](int level, int option, int value) {
    ::setsockopt(socket, level, option, &value, sizeof(value));
  };
  set(IPPROTO_TCP, TCP_NODELAY, 1);
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, 30);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 10);
  set(IPPROTO_TCP, TCP_KEEPCNT, 3);
}

}  // namespace

struct HttpServer::Impl {
  struct Listener {
    Impl* server = nullptr;
    int socket = -1;
    event* acceptable = nullptr;
    event* resume = nullptr;
    TlsContext tls;
    std::shared_ptr<const Service> service;

    ~Listener() {
      if (acceptable != nullptr) event_free(acceptable);
      if (resume != nullptr) event_free(resume);
      if (socket >= 0) ::close(socket);
    }
  };

  Impl(EventLoop& event_loop, HttpLimits http_limits) : loop(event_loop), limits(http_limits) {}

  static void on_acceptable(evutil_socket_t, short, void* argument);
  static void on_resume(evutil_socket_t, short, void* argument);
  bool accept_one(Listener& listener);

  EventLoop& loop;
  HttpLimits limits;
  Registry registry;
  std::vector<std::unique_ptr<Listener>> listeners;
  uint16_t port = 0;
  // Descriptors are handed out from the lowest: from this one on, few are left for the journal.
  int descriptors_reserved_from = INT_MAX;
};

// False: none is waiting, or none can be taken now.
bool HttpServer::Impl::accept_one(Listener& listener) {
  Address peer;
  const int socket =
      ::accept4(listener.socket, peer.get(), &peer.length, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (socket < 0) {
    if (errno == EINTR || errno == ECONNABORTED) return true;
    const bool exhausted =
        errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
    if (exhausted && !registry.close_longest_idle()) {
      // The event would fire without end; what waits in the backlog waits a little longer.
      event_del(listener.acceptable);
      const timeval pause{0, static_cast<suseconds_t>(kPauseWithoutDescriptors.ns / 1000)};
      event_add(listener.resume, &pause);
    }
    return false;
  }
  const bool full = registry.size() >= limits.connections || socket >= descriptors_reserved_from;
  if (full && !registry.close_longest_idle()) {
    ::close(socket);
    log::warning(fmt::format("{} connections are busy: one more from {} is refused",
                             registry.size(), to_text(peer)));
    return true;
  }
  tune(socket);
  auto connection = std::make_shared<Connection>(listener.service, socket, to_text(peer));
  registry.add(connection);
  connection->start();
  return true;
}

void HttpServer::Impl::on_acceptable(evutil_socket_t, short, void* argument) {
  auto& listener = *static_cast<Listener*>(argument);
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    if (!listener.server->accept_one(listener)) return;
  }
}

void HttpServer::Impl::on_resume(evutil_socket_t, short, void* argument) {
  event_add(static_cast<Listener*>(argument)->acceptable, nullptr);
}

HttpServer::HttpServer(EventLoop& loop, HttpLimits limits)
    : impl_(std::make_unique<Impl>(loop, limits)) {}

HttpServer::~HttpServer() { impl_->registry.close_all(); }

Status HttpServer::listen(const Listen& listen, Authenticate authenticate, Handler handler) {
  const Result<Address> address = resolve(listen.host, listen.port);
  if (!address.ok()) return address.error();
  if (!listen.tls && !listen.plain_anywhere && !is_loopback(*address)) {
    return Error(fmt::format("address {}: without TLS only this machine (127.0.0.1, ::1) is served",
                             listen.host));
  }
  auto listener = std::make_unique<Impl::Listener>();
  listener->server = impl_.get();
  if (listen.tls) {
    Result<TlsContext> tls = make_tls_context(*listen.tls);
    if (!tls.ok()) return tls.error();
    listener->tls = *std::move(tls);
  }
  const auto failed = [&listen](const char* what) {
    return Error(fmt::format("address {} port {}: {}: {}", listen.host, listen.port, what,
                             std::strerror(errno)));
  };
  listener->socket =
      ::socket(address->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
  if (listener->socket < 0) return failed("socket");
  const int yes = 1;
  ::setsockopt(listener->socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  if (::bind(listener->socket, address->get(), address->length) != 0) return failed("bind");
  if (::listen(listener->socket, kBacklog) != 0) return failed("listen");
  Address bound;
  if (::getsockname(listener->socket, bound.get(), &bound.length) != 0) return failed("bind");
  impl_->port = port_of(bound);
  const rlim_t descriptors = raise_descriptor_limit(impl_->limits.connections);
  impl_->descriptors_reserved_from =
      static_cast<int>(std::clamp<rlim_t>(descriptors, 2 * kReserved, rlim_t{INT_MAX}) - kReserved);

  listener->service = std::make_shared<const Service>(
      Service{&impl_->loop, &impl_->registry, impl_->limits, std::move(authenticate),
              std::move(handler), listener->tls.get()});
  event_base* base = impl_->loop.base();
  listener->acceptable =
      event_new(base, listener->socket, EV_READ | EV_PERSIST, &Impl::on_acceptable, listener.get());
  listener->resume = evtimer_new(base, &Impl::on_resume, listener.get());
  event_add(listener->acceptable, nullptr);
  impl_->listeners.push_back(std::move(listener));
  return {};
}

uint16_t HttpServer::port() const { return impl_->port; }
size_t HttpServer::connections() const { return impl_->registry.size(); }

}  // namespace windlass::server
