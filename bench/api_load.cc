// Load on the API of `windlass up --plain-http`: gets, lists, and watchers under writes. A client
// of its own (sockets and epoll), so that it costs little beside the server on the same two cores.
//
//   api_load HOST PORT TOKEN get PATH REQUESTS CONNECTIONS
//   api_load HOST PORT TOKEN list PATH TIMES
//   api_load HOST PORT TOKEN watch WATCHERS WRITES_PER_S SECONDS
//
// `watch` makes ConfigMaps in the namespace "default" and checks that every watcher sees every
// write, in order. One more watcher never reads; large objects of another namespace, which it
// watches as well, bring it over what a server keeps for a peer, and it must have been dropped at
// the end. Exit code 1 if a watcher missed, reordered or doubled an event, or the stalled one
// lives.
#include <algorithm>
#include <arpa/inet.h>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point began) {
  return std::chrono::duration<double>(Clock::now() - began).count();
}

struct Target {
  std::string host;
  int port = 0;
  std::string token;
};

int connect_to(const Target& target, int receive_bytes = 0) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (receive_bytes > 0) {
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(target.port));
  inet_pton(AF_INET, target.host.c_str(), &address.sin_addr);
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    std::perror("connect");
    std::exit(2);
  }
  const int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return fd;
}

std::string head_of(const Target& target, std::string_view method, std::string_view path,
                    size_t body, std::string_view type = "application/json") {
  return fmt::format(
      "{} {} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: {}\r\n"
      "Content-Length: {}\r\n\r\n",
      method, path, target.host, target.token, type, body);
}

bool send_all(int fd, const std::string& bytes) {
  size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t n = send(fd, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) return false;
    sent += static_cast<size_t>(n);
  }
  return true;
}

// One reply (Content-Length or chunked): the status and the size of its body; `body` if asked for.
struct Reply {
  int status = 0;
  size_t bytes = 0;
};
Reply read_reply(int fd, std::string& buffer, std::string* body = nullptr) {
  char piece[65536];
  const auto more = [&] {
    const ssize_t n = recv(fd, piece, sizeof piece, 0);
    if (n <= 0) {
      std::fprintf(stderr, "the connection ended within a reply\n");
      std::exit(2);
    }
    buffer.append(piece, static_cast<size_t>(n));
  };
  size_t end = 0;
  while ((end = buffer.find("\r\n\r\n")) == std::string::npos) more();
  Reply reply;
  reply.status = std::atoi(buffer.c_str() + 9);
  std::string head = buffer.substr(0, end + 2);
  std::transform(head.begin(), head.end(), head.begin(), [](char c) { return c | 0x20; });
  buffer.erase(0, end + 4);
  const size_t length = head.find("content-length:");
  if (length != std::string::npos) {
    reply.bytes = static_cast<size_t>(std::atoll(head.c_str() + length + 15));
    while (buffer.size() < reply.bytes) more();
    if (body != nullptr) *body = buffer.substr(0, reply.bytes);
    buffer.erase(0, reply.bytes);
    return reply;
  }
  while (true) {
    size_t line = 0;
    while ((line = buffer.find("\r\n")) == std::string::npos) more();
    const auto size = static_cast<size_t>(std::strtoul(buffer.c_str(), nullptr, 16));
    while (buffer.size() < line + 2 + size + 2) more();
    if (body != nullptr) body->append(buffer, line + 2, size);
    buffer.erase(0, line + 2 + size + 2);
    reply.bytes += size;
    if (size == 0) return reply;
  }
}

double at_quantile(std::vector<double>& sorted, double q) {
  return sorted[static_cast<size_t>(q * static_cast<double>(sorted.size() - 1))];
}

int gets(const Target& target, const std::string& path, int requests, int connections) {
  std::atomic<int> left{requests};
  const auto began = Clock::now();
  std::vector<std::vector<double>> waits(static_cast<size_t>(connections));
  std::vector<std::thread> threads;
  for (std::vector<double>& mine : waits) {
    threads.emplace_back([&] {
      const int fd = connect_to(target);
      const std::string request = head_of(target, "GET", path, 0);
      std::string buffer;
      while (left.fetch_sub(1) > 0) {
        const auto asked = Clock::now();
        send_all(fd, request);
        if (read_reply(fd, buffer).status != 200) std::exit(2);
        mine.push_back(seconds_since(asked) * 1000);
      }
      close(fd);
    });
  }
  for (std::thread& thread : threads) thread.join();
  const double took = seconds_since(began);
  std::vector<double> all;
  for (const auto& mine : waits) all.insert(all.end(), mine.begin(), mine.end());
  std::sort(all.begin(), all.end());
  fmt::print(
      "get: {} requests over {} connections in {:.2f} s: {:.0f}/s, median {:.2f} ms, p99 {:.2f} "
      "ms, "
      "slowest {:.1f} ms\n",
      requests, connections, took, requests / took, at_quantile(all, 0.5), at_quantile(all, 0.99),
      all.back());
  return 0;
}

int lists(const Target& target, const std::string& path, int times) {
  const int fd = connect_to(target);
  std::string buffer;
  std::vector<double> took;
  size_t bytes = 0;
  for (int i = 0; i < times; ++i) {
    const auto began = Clock::now();
    send_all(fd, head_of(target, "GET", path, 0));
    const Reply reply = read_reply(fd, buffer);
    if (reply.status != 200) std::exit(2);
    bytes = reply.bytes;
    took.push_back(seconds_since(began) * 1000);
  }
  std::sort(took.begin(), took.end());
  fmt::print("list: {} bytes, median {:.1f} ms, slowest {:.1f} ms of {}\n", bytes,
             took[took.size() / 2], took.back(), times);
  return 0;
}

struct Watcher {
  int fd = -1;
  std::string buffer;
  uint64_t version = 0;
  std::atomic<uint64_t> events{0};  // read by the writer's thread
  uint64_t bytes = 0;
  bool wrong = false;
};

// Takes the versions out of the event lines, wherever chunks cut them.
void take_events(Watcher& watcher) {
  static constexpr std::string_view kMark = "\"resourceVersion\":\"";
  size_t line = 0;
  size_t end = 0;
  while ((end = watcher.buffer.find('\n', line)) != std::string::npos) {
    const std::string_view event(watcher.buffer.data() + line, end - line);
    line = end + 1;
    const size_t at = event.rfind(kMark);
    if (event.find("\"type\":\"") == std::string_view::npos || at == std::string_view::npos)
      continue;
    const uint64_t version = std::strtoull(event.data() + at + kMark.size(), nullptr, 10);
    if (event.find("BOOKMARK") != std::string_view::npos) continue;
    watcher.wrong = watcher.wrong || version <= watcher.version;
    watcher.version = version;
    ++watcher.events;
  }
  watcher.buffer.erase(0, line);
}

int start_watch(const Target& target, const std::string& path, uint64_t version,
                int receive_bytes = 0) {
  const int fd = connect_to(target, receive_bytes);
  send_all(fd,
           head_of(target, "GET", fmt::format("{}?watch=1&resourceVersion={}", path, version), 0));
  return fd;
}

// A watcher that reads nothing: whether the server has hung up. What the kernels hold comes first.
bool was_dropped(int fd) {
  static char piece[1 << 18];
  const timeval limit{5, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  while (true) {
    const ssize_t n = recv(fd, piece, sizeof piece, 0);
    if (n == 0) return true;
    if (n < 0) return errno != EAGAIN && errno != EWOULDBLOCK;
  }
}

void read_watches(std::vector<Watcher>& watchers, const std::atomic<bool>& stop) {
  const int poll = epoll_create1(0);
  for (size_t i = 0; i < watchers.size(); ++i) {
    epoll_event event{EPOLLIN, {.u64 = i}};
    fcntl(watchers[i].fd, F_SETFL, O_NONBLOCK);
    epoll_ctl(poll, EPOLL_CTL_ADD, watchers[i].fd, &event);
  }
  static char piece[1 << 18];
  epoll_event ready[64];
  while (!stop) {
    const int count = epoll_wait(poll, ready, 64, 50);
    for (int i = 0; i < count; ++i) {
      Watcher& watcher = watchers[ready[i].data.u64];
      const ssize_t n = recv(watcher.fd, piece, sizeof piece, 0);
      if (n <= 0) {
        epoll_ctl(poll, EPOLL_CTL_DEL, watcher.fd, nullptr);
        continue;
      }
      watcher.bytes += static_cast<uint64_t>(n);
      watcher.buffer.append(piece, static_cast<size_t>(n));
      take_events(watcher);
    }
  }
  close(poll);
}

// Writes ConfigMaps of one namespace, one after the other; exits when one is refused.
class Writer {
 public:
  Writer(const Target& target, std::string space, size_t bytes)
      : target_(target),
        path_("/api/v1/namespaces/" + space + "/configmaps"),
        filler_(bytes, 'x'),
        fd_(connect_to(target)) {}
  ~Writer() { close(fd_); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // A hundred objects, again and again.
  void write() {
    const bool fresh = count_ < 100;
    const std::string name = fmt::format("load-{}", count_ % 100);
    const std::string object = fmt::format(
        R"({{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"{}"}},"data":{{"n":"{}","f":"{}"}}}})",
        name, count_, filler_);
    const std::string head =
        head_of(target_, fresh ? "POST" : "PUT", path_ + (fresh ? "" : "/" + name), object.size());
    send_all(fd_, head + object);
    std::string body;
    const Reply reply = read_reply(fd_, buffer_, &body);
    if (reply.status != 200 && reply.status != 201) {
      fmt::print(stderr, "write {}: {} {}\n", count_, reply.status, body);
      std::exit(2);
    }
    ++count_;
  }

 private:
  const Target& target_;
  std::string path_;
  std::string filler_;
  int fd_;
  int count_ = 0;
  std::string buffer_;
};

uint64_t current_version(const Target& target) {
  const int fd = connect_to(target);
  std::string buffer;
  std::string body;
  send_all(fd, head_of(target, "GET", "/api/v1/namespaces/default/configmaps?limit=1", 0));
  read_reply(fd, buffer, &body);
  close(fd);
  // The list's own version stands in its metadata; the largest version there is does as well.
  uint64_t version = 0;
  for (size_t i = 0; (i = body.find("\"resourceVersion\":\"", i)) != std::string::npos; ++i) {
    version = std::max<uint64_t>(version, std::strtoull(body.c_str() + i + 19, nullptr, 10));
  }
  return version;
}

// At the rate asked for, or as fast as it goes; the seconds it took.
double write_all(const Target& target, int writes, int rate) {
  Writer small(target, "default", 200);
  Writer large(target, "kube-system", 200'000);
  const int large_every = std::max(1, writes / 120);  // 24 MB in all
  const auto began = Clock::now();
  for (int done = 0; done < writes; ++done) {
    const double early = static_cast<double>(done) / rate - seconds_since(began);
    if (early > 0.0005) std::this_thread::sleep_for(std::chrono::duration<double>(early));
    small.write();
    if (done % large_every == 0) large.write();
  }
  return seconds_since(began);
}

int watches(const Target& target, int count, int rate, int length_s) {
  const uint64_t version = current_version(target);
  std::vector<Watcher> watchers(static_cast<size_t>(count));
  for (Watcher& watcher : watchers) {
    watcher.fd = start_watch(target, "/api/v1/namespaces/default/configmaps", version);
  }
  const int stalled = start_watch(target, "/api/v1/configmaps", version, 1 << 16);
  std::atomic<bool> stop{false};
  std::thread reader([&] { read_watches(watchers, stop); });

  const int writes = rate * length_s;
  const double took = write_all(target, writes, rate);
  const auto all_there = [&] {
    return std::all_of(watchers.begin(), watchers.end(), [&](const Watcher& w) {
      return w.events.load() >= static_cast<uint64_t>(writes);
    });
  };
  const auto waiting = Clock::now();
  while (!all_there() && seconds_since(waiting) < 10) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  const double lag = seconds_since(waiting);
  stop = true;
  reader.join();
  int faults = 0;
  uint64_t bytes = 0;
  for (const Watcher& watcher : watchers) {
    faults += watcher.wrong || watcher.events != static_cast<uint64_t>(writes) ? 1 : 0;
    bytes += watcher.bytes;
  }
  // A peer may lag for ten seconds before it is dropped.
  const double rest = 12 - lag;
  if (rest > 0) std::this_thread::sleep_for(std::chrono::duration<double>(rest));
  const bool dropped = was_dropped(stalled);
  close(stalled);
  fmt::print(
      "watch: {} watchers, {} writes in {:.2f} s ({:.0f}/s), {:.0f} events/s, {:.0f} MB/s; "
      "last event {:.0f} ms after the last write; watchers with faults: {}; the stalled one {}\n",
      count, writes, took, writes / took, count * (writes / took),
      static_cast<double>(bytes) / 1e6 / took, lag * 1000, faults,
      dropped ? "was dropped" : "LIVES");
  return faults == 0 && dropped ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) {
    fmt::print(stderr, "usage: api_load HOST PORT TOKEN get|list|watch ...\n");
    return 2;
  }
  const Target target{argv[1], std::atoi(argv[2]), argv[3]};
  const std::string mode = argv[4];
  if (mode == "get" && argc == 8)
    return gets(target, argv[5], std::atoi(argv[6]), std::atoi(argv[7]));
  if (mode == "list" && argc == 7) return lists(target, argv[5], std::atoi(argv[6]));
  if (mode == "watch" && argc == 8) {
    return watches(target, std::atoi(argv[5]), std::atoi(argv[6]), std::atoi(argv[7]));
  }
  fmt::print(stderr, "unknown mode or wrong number of arguments: {}\n", mode);
  return 2;
}
