#include "cli/replay_reader.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "base/json.h"
#include "live/signals/answer.h"
#include "live/signals/request.h"

namespace windlass::cli {
namespace {

namespace fs = std::filesystem;

constexpr int kTries = 6;  // waits of 1, 2, 4, 8, 16 s between them
// A window's answer of a thousand series is some 40 MB.
constexpr size_t kLongestAnswer = 1ull << 30;

}  // namespace

std::string shown_url(const std::string& url) {
  const size_t host = url.find("://");
  if (host == url.npos) return url;
  const size_t path = url.find('/', host + 3);
  const size_t at = url.rfind('@', path);
  if (at == url.npos || at < host) return url;
  return url.substr(0, host + 3) + url.substr(at + 1);
}

struct PrometheusReader::Impl {
  Impl(PrometheusAccess source, fs::path directory)
      : access(std::move(source)), cache(std::move(directory)) {}

  PrometheusAccess access;
  fs::path cache;
  net::EventLoop loop;
  net::HttpClient http{loop};
  bool stopped = false;
  bool query_refused = false;
  bool reached = false;  // it has answered before: a silence will pass
  bool by_get = false;
  size_t asked = 0;
  size_t reused = 0;

  void wait(Duration length) {
    const auto over = std::make_shared<bool>(false);
    loop.after(length, [over] { *over = true; });
    while (!*over && !stopped) loop.turn();
  }

  net::HttpReply send(const std::string& query, const RangeWindow& window) {
    const std::string form =
        fmt::format("query={}&start={}&end={}&step={}", live::signals::query_escape(query),
                    window.from, window.to - window.step, window.step);
    net::HttpRequest request;
    request.url = access.url + "/api/v1/query_range";
    request.headers = access.headers;
    // These queries are long, and addresses may not be.
    if (by_get) {
      request.url += "?" + form;
    } else {
      request.method = "POST";
      request.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
      request.body = form;
    }
    request.tls = access.tls;
    request.timeout = minutes(5);
    request.max_reply_bytes = kLongestAnswer;
    net::HttpReply reply;
    bool done = false;
    ++asked;
    const auto id = http.send(std::move(request), [&](net::HttpReply got) {
      reply = std::move(got);
      done = true;
    });
    while (!done && !stopped) loop.turn();
    if (!done) http.cancel(id);
    return reply;
  }

  // The body of an answer, nothing where a smaller window must be asked for, or why there is none.
  Result<std::optional<std::string>> ask(const std::string& query, const RangeWindow& window) {
    Duration pause = seconds(1);
    for (int attempt = 1;; ++attempt) {
      net::HttpReply reply = send(query, window);
      if (stopped) return Error("stopped");
      const ReplyFault fault = fault_of(reply);
      const std::string why = live::signals::reply_fault(reply);
      // Whatever it says, it is there.
      const bool first = !reached;
      reached = reached || reply.status != 0;
      if (fault == ReplyFault::kNone) return std::optional(std::move(reply.body));
      if (fault == ReplyFault::kTooMuch) return std::optional<std::string>();
      if (fault == ReplyFault::kNoPost && !by_get) {
        by_get = true;
        continue;
      }
      if (fault == ReplyFault::kRefused) {
        return Error(
            fmt::format("{} refuses: {}. Credentials are given by --bearer-token-file FILE "
                        "or --header NAME=VALUE",
                        shown_url(access.url), why));
      }
      if (reply.status == 0 && first) {
        return Error(fmt::format("{} can't be reached: {}", shown_url(access.url), why));
      }
      query_refused = fault == ReplyFault::kOther && reply.status != 404;
      if (fault != ReplyFault::kPassing || attempt == kTries) {
        return Error(fmt::format("{}: {}{}", shown_url(access.url), why,
                                 attempt > 1 ? fmt::format(" (tried {} times)", attempt) : ""));
      }
      wait(pause);
      pause = pause * 2;
      if (stopped) return Error("stopped");
    }
  }

  // ---- what is kept: a file a window, a line that says what it is, then the answer as it came
  // ----

  static std::string head_of(const std::string& query, const RangeWindow& window) {
    return Json{{"query", query}, {"from", window.from}, {"to", window.to}, {"step", window.step}}
        .dump(-1, ' ', true, Json::error_handler_t::replace);
  }
  [[nodiscard]] fs::path path_of(const std::string& head) const {
    Hash64 hash;
    hash.add(head);
    return cache / (hash.hex() + ".answer");
  }
  // An empty body stands for "too much, see its halves".
  [[nodiscard]] std::optional<std::string> kept(const std::string& head) const {
    if (cache.empty()) return std::nullopt;
    std::ifstream file(path_of(head), std::ios::binary);
    std::string line;
    if (!file || !std::getline(file, line) || line != head) return std::nullopt;
    std::ostringstream body;
    body << file.rdbuf();
    return std::move(body).str();
  }
  void keep(const std::string& head, const std::string& body) const {
    if (cache.empty()) return;
    const fs::path path = path_of(head);
    // Whole or not at all: a stop in between leaves the old name.
    const fs::path fresh = path.string() + fmt::format(".{}", getpid());
    std::ofstream file(fresh, std::ios::binary | std::ios::trunc);
    file << head << "\n" << body;
    file.close();
    std::error_code error;
    if (file) {
      fs::rename(fresh, path, error);
    } else {
      fs::remove(fresh, error);
    }
  }

  Result<std::vector<RangeSeries>> read_halves(const std::string& query,
                                               const RangeWindow& window) {
    const std::vector<RangeWindow> halves = halves_of(window);
    if (halves.empty()) {
      query_refused = true;
      return Error(
          "one moment of it is more than this Prometheus answers (its "
          "--query.max-samples or a limit before it)");
    }
    std::vector<RangeSeries> all;
    for (const RangeWindow& half : halves) {
      auto part = read(query, half);
      if (!part.ok()) return part.error();
      merge_series(all, *std::move(part));
    }
    return all;
  }

  // Halving ends at one point, so this nests no deeper than a window's points have bits.
  Result<std::vector<RangeSeries>> read(const std::string& query, const RangeWindow& window) {
    const std::string head = head_of(query, window);
    if (auto body = kept(head)) {
      if (body->empty()) return read_halves(query, window);
      if (auto series = read_range_body(*body); series.ok()) {
        ++reused;
        return series;
      }
    }
    auto body = ask(query, window);
    if (!body.ok()) return body.error();
    if (!body->has_value()) {
      keep(head, "");
      return read_halves(query, window);
    }
    auto series = read_range_body(**body);
    if (series.ok()) keep(head, **body);
    return series;
  }
};

PrometheusReader::PrometheusReader(PrometheusAccess access, std::string cache)
    : impl_(std::make_unique<Impl>(std::move(access), std::move(cache))) {
  while (impl_->access.url.ends_with('/')) impl_->access.url.pop_back();
  for (const int number : {SIGINT, SIGTERM}) {
    impl_->loop.on_signal(number, [this] { impl_->stopped = true; });
  }
}

PrometheusReader::~PrometheusReader() = default;

bool PrometheusReader::stopped() const { return impl_->stopped; }
bool PrometheusReader::query_refused() const { return impl_->query_refused; }
size_t PrometheusReader::asked() const { return impl_->asked; }
size_t PrometheusReader::reused() const { return impl_->reused; }

Result<std::vector<RangeSeries>> PrometheusReader::read(const std::string& query_name,
                                                        const std::string& query,
                                                        const RangeWindow& span) {
  impl_->query_refused = false;
  std::vector<RangeSeries> all;
  for (const RangeWindow& window : windows_of(span)) {
    if (on_window) on_window();
    auto part = impl_->read(query, window);
    if (!part.ok()) return part.error().in(query_name);
    merge_series(all, *std::move(part));
  }
  // The first window may have begun before the span.
  for (RangeSeries& series : all) {
    series.points.erase(series.points.begin(), series.points.lower_bound(span.from));
  }
  std::erase_if(all, [](const RangeSeries& series) { return series.points.empty(); });
  return all;
}

}  // namespace windlass::cli
