#include "live/kube/client.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "base/log.h"
#include "base/text.h"
#include "base/utf8.h"
#include "live/kube/credentials.h"
#include "live/kube/line_splitter.h"
#include "live/kube/token_bucket.h"
#include "live/kube/wire.h"
#include "net/http_client.h"

namespace windlass::live::kube {

namespace {

constexpr int kMaxRetries = 10;            // client-go's
constexpr size_t kLongestLine = 64 << 20;  // an object is at most some MiB
constexpr size_t kMaxErrorBody = 1 << 20;  // of a stream that didn't begin
constexpr size_t kMaxWarnings = 1000;      // told ones remembered

// One request or stream from its start to its end, over all attempts.
struct Call {
  Api::Id id = 0;
  Request request;
  std::function<void(Reply)> done;
  std::optional<Api::Stream> stream;

  bool ended = false;      // nothing is told any more
  bool counted = false;    // holds one of the connections
  bool refreshed = false;  // had its second try after a 401
  int retries = 0;
  uint64_t generation = 0;
  net::HttpClient::Id http = 0;
  net::Clock::TimerId timer = 0;     // until the next attempt, or a stream's head
  std::optional<Duration> deadline;  // steady time, of all attempts

  net::HttpReply head;  // of a stream
  LineSplitter lines{kLongestLine};
  std::string error_body;
};
using CallRef = std::shared_ptr<Call>;

}  // namespace

struct HttpApi::Impl {
  Impl(net::EventLoop& event_loop, net::Clock& the_clock, Access the_access,
       ClientOptions the_options)
      : clock(the_clock),
        options(std::move(the_options)),
        server(the_access.server),
        proxy(the_access.proxy),
        http(event_loop),
        credentials(event_loop, the_clock, std::move(the_access)),
        bucket(options.requests_per_s, options.burst, the_clock.steady()) {}
  ~Impl() {
    for (const auto& [id, call] : calls) {
      call->ended = true;
      if (call->timer != 0) clock.cancel(call->timer);
    }
    if (pump_timer != 0) clock.cancel(pump_timer);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Id begin(const CallRef& call) {
    call->id = ++made;
    calls.emplace(call->id, call);
    enqueue(call);
    return call->id;
  }

  void enqueue(const CallRef& call) {
    if (call->stream || call->request.urgent) return authorize(call);
    queue.push_back(call->id);
    pump();
    if (!queue.empty() && queue.back() == call->id) ++stats.throttled;
  }

  // Starts what the rate limit and the number of connections allow.
  void pump() {
    while (!queue.empty() && in_flight < options.connections) {
      const auto found = calls.find(queue.front());
      if (found == calls.end()) {  // cancelled while it waited
        queue.pop_front();
        continue;
      }
      if (!bucket.take(clock.steady())) return pump_later();
      queue.pop_front();
      const CallRef call = found->second;
      call->counted = true;
      ++in_flight;
      authorize(call);
    }
  }
  void pump_later() {
    if (pump_timer != 0) return;
    pump_timer = clock.after(bucket.wait(clock.steady()), [this] {
      pump_timer = 0;
      pump();
    });
  }

  void authorize(const CallRef& call) {
    credentials.get([this, call](const Result<Identity>& identity) {
      if (call->ended) return;
      if (!identity.ok()) return fail_later(call, identity.error().message());
      if (call->request.may_send && !call->request.may_send()) {
        return fail_later(call, "not sent: no longer leading");
      }
      attempt(call, *identity);
    });
  }

  // It may still be inside send().
  void fail_later(const CallRef& call, std::string why) {
    Reply reply;
    reply.message = credentials.hide(std::move(why));
    call->timer = clock.after(Duration{}, [this, call, reply] {
      call->timer = 0;
      finish(call, reply);
    });
  }

  void attempt(const CallRef& call, const Identity& identity) {
    ++stats.requests;
    const Duration now = clock.steady();
    if (!call->deadline) call->deadline = now + call->request.timeout;
    call->generation = identity.generation;
    net::HttpRequest request = to_http(call->request, call->stream.has_value());
    request.url = server + request.url;
    request.proxy = proxy;
    request.tls = identity.tls;
    request.headers.emplace_back("User-Agent", options.user_agent);
    if (!identity.authorization.empty()) {
      request.headers.emplace_back("Authorization", identity.authorization);
    }
    if (call->stream) return attempt_stream(call, std::move(request));
    // A retry just before the end still gets a moment.
    request.timeout = std::max(*call->deadline - now, std::min(call->request.timeout, seconds(1)));
    call->http = http.send(std::move(request), [this, call](net::HttpReply reply) {
      if (!call->ended) on_reply(call, std::move(reply));
    });
  }

  void on_reply(const CallRef& call, net::HttpReply answer) {
    call->http = 0;
    release(*call);
    tell_warnings(answer);
    if (answer.status == 401 && try_fresh(call)) return pump();
    if (retry_later(call, answer)) return pump();
    finish(call, to_reply(std::move(answer)));
  }

  // The second try after a 401, if credentials can be made anew.
  bool try_fresh(const CallRef& call) {
    if (call->refreshed || !credentials.refused(call->generation)) return false;
    call->refreshed = true;
    ++stats.retries;
    enqueue(call);
    return true;
  }

  bool retry_later(const CallRef& call, const net::HttpReply& answer) {
    const bool may = answer.status == 429 || answer.status / 100 == 5;
    const std::optional<Duration> wait = may ? retry_after(answer) : std::nullopt;
    if (!wait || call->retries >= kMaxRetries || clock.steady() + *wait >= *call->deadline) {
      return false;
    }
    ++call->retries;
    ++stats.retries;
    call->timer = clock.after(*wait, [this, call] {
      call->timer = 0;
      enqueue(call);
    });
    return true;
  }

  Reply to_reply(net::HttpReply answer) {
    Reply reply;
    reply.code = answer.status;
    if (reply.code == 0) {
      credentials.doubt_ca();
      reply.message = credentials.hide(std::move(answer.error));
      return reply;
    }
    reply.retry_after = retry_after(answer);
    reply.body = std::move(answer.body);
    if (reply.ok()) return reply;
    read_status(reply);
    reply.message = credentials.hide(std::move(reply.message));
    for (Reply::Cause& cause : reply.causes) {
      cause.message = credentials.hide(std::move(cause.message));
    }
    return reply;
  }

  void attempt_stream(const CallRef& call, net::HttpRequest request) {
    call->head = {};
    call->error_body.clear();
    request.timeout = Duration{};
    net::HttpClient::Stream stream;
    stream.on_head = [this, call](const net::HttpReply& head) {
      if (!call->ended) on_head(call, head);
    };
    stream.on_data = [this, call](std::string_view bytes) {
      if (!call->ended) on_data(call, bytes);
    };
    stream.on_end = [this, call](const std::string& error) {
      if (!call->ended) on_end(call, error);
    };
    call->http = http.stream(std::move(request), std::move(stream));
    call->timer = clock.after(call->request.timeout, [this, call] {
      call->timer = 0;
      end_stream(call, "no answer within " + to_string(call->request.timeout));
    });
  }

  void on_head(const CallRef& call, const net::HttpReply& head) {
    clock.cancel(std::exchange(call->timer, 0));
    call->head = head;
    tell_warnings(head);
  }

  void on_data(const CallRef& call, std::string_view bytes) {
    if (call->head.status / 100 != 2) {
      call->error_body += bytes;
      if (call->error_body.size() > kMaxErrorBody) on_end(call, {});
      return;
    }
    const bool fits = call->lines.feed(bytes, [&](std::string_view line) {
      if (call->stream->on_line) call->stream->on_line(line);
      return !call->ended;
    });
    if (!fits && !call->ended) {
      end_stream(call, "a line of the stream is longer than " + std::to_string(kLongestLine >> 20) +
                           " MiB");
    }
  }

  void on_end(const CallRef& call, const std::string& error) {
    if (call->timer != 0) clock.cancel(std::exchange(call->timer, 0));
    const int status = call->head.status;
    if (status == 401 && try_fresh(call)) return;
    if (status != 0 && status / 100 != 2) {
      call->head.body = std::move(call->error_body);
      return finish(call, to_reply(std::move(call->head)));
    }
    if (!error.empty() || status == 0) return end_stream(call, error);
    if (!call->lines.rest().empty() && call->stream->on_line) {
      call->stream->on_line(call->lines.rest());
      if (call->ended) return;
    }
    Reply reply;
    reply.code = status;
    finish(call, reply);
  }

  void end_stream(const CallRef& call, const std::string& why) {
    net::HttpReply broken;
    broken.error = why;
    finish(call, to_reply(std::move(broken)));
  }

  // The server's advice, each once: deprecated versions, unknown fields.
  void tell_warnings(const net::HttpReply& answer) {
    for (const std::string& text : warnings_of(answer)) {
      if (told.size() >= kMaxWarnings || !told.insert(text).second) continue;
      log::warning("API server: " + credentials.hide(printable(text, 500)));
    }
  }

  void release(Call& call) {
    if (std::exchange(call.counted, false)) --in_flight;
  }
  void forget(Call& call) {
    call.ended = true;
    if (call.http != 0) http.cancel(call.http);
    if (call.timer != 0) clock.cancel(call.timer);
    release(call);
    calls.erase(call.id);
    pump();
  }
  // Last thing that happens to a call; its owner may end all of this in its callback.
  void finish(const CallRef& call, const Reply& reply) {
    if (!reply.ok()) ++stats.failed;
    forget(*call);
    if (call->stream) {
      if (call->stream->on_end) call->stream->on_end(reply);
    } else {
      call->done(reply);
    }
  }
  void cancel(Id id) {
    const auto found = calls.find(id);
    if (found == calls.end()) return;
    const CallRef call = found->second;
    forget(*call);
  }

  net::Clock& clock;
  ClientOptions options;
  std::string server;
  std::string proxy;
  std::map<Id, CallRef> calls;
  std::deque<Id> queue;
  int in_flight = 0;
  net::Clock::TimerId pump_timer = 0;
  Id made = 0;
  std::set<std::string> told;
  ClientStats stats;
  net::HttpClient http;
  Credentials credentials;
  TokenBucket bucket;
};

HttpApi::HttpApi(net::EventLoop& loop, net::Clock& clock, Access access, ClientOptions options)
    : impl_(std::make_unique<Impl>(loop, clock, std::move(access), std::move(options))) {}
HttpApi::~HttpApi() = default;

Api::Id HttpApi::send(Request request, std::function<void(Reply)> done) {
  const auto call = std::make_shared<Call>();
  call->request = std::move(request);
  call->done = std::move(done);
  return impl_->begin(call);
}

Api::Id HttpApi::stream(Request request, Stream stream) {
  const auto call = std::make_shared<Call>();
  call->request = std::move(request);
  call->stream = std::move(stream);
  return impl_->begin(call);
}

void HttpApi::cancel(Id id) { impl_->cancel(id); }

const ClientStats& HttpApi::stats() const { return impl_->stats; }

}  // namespace windlass::live::kube
