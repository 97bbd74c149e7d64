#include "net/http_client.h"

#include <curl/curl.h>
#include <deque>
#include <event2/event.h>
#include <map>
#include <utility>

#include "base/assert.h"
#include "net/http_transfer.h"

namespace windlass::net {

namespace {

// Idle connections kept, over all hosts.
constexpr long kKeptConnections = 256;

CURLM* make_multi() {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  WL_ASSERT(ready == CURLE_OK);
  CURLM* multi = curl_multi_init();
  WL_ASSERT(multi != nullptr);
  return multi;
}

}  // namespace

const std::string* HttpReply::header(std::string_view lower_case_name) const {
  for (const auto& [name, value] : headers) {
    if (name == lower_case_name) return &value;
  }
  return nullptr;
}

struct HttpClient::Impl {
  using TransferRef = std::shared_ptr<HttpTransfer>;

  explicit Impl(EventLoop& event_loop) : loop(event_loop), multi(make_multi()) {
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &Impl::watch_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &Impl::set_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, kKeptConnections);
    curl_multi_setopt(multi, CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_NOTHING));
    timer = evtimer_new(loop.base(), &Impl::on_timer, this);
    tell_timer = evtimer_new(loop.base(), &Impl::on_tell, this);
  }
  ~Impl() {
    *alive = false;
    for (const auto& [id, transfer] : transfers) drop(*transfer);
    curl_multi_cleanup(multi);  // still reports sockets
    for (const auto& [fd, handle] : sockets) event_free(handle);
    event_free(timer);
    event_free(tell_timer);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Id begin(const TransferRef& transfer) {
    const Id id = ++made;
    transfer->id = id;
    transfer->on_progress = [this, raw = transfer.get()] { queue(*raw); };
    transfers.emplace(id, transfer);
    const Status prepared = prepare(*transfer);
    if (prepared && curl_multi_add_handle(multi, transfer->easy) == CURLM_OK) return id;
    transfer->reply.error = prepared ? "out of memory" : prepared.error().message();
    transfer->finished = true;
    queue(*transfer);
    const timeval now{};
    evtimer_add(tell_timer, &now);
    return id;
  }

  // Takes a transfer's handle from libcurl; nothing will be told any more.
  void drop(HttpTransfer& transfer) const {
    transfer.cancelled = true;
    if (transfer.easy != nullptr && !transfer.finished) {
      curl_multi_remove_handle(multi, transfer.easy);
    }
  }

  void cancel(Id id) {
    const auto found = transfers.find(id);
    if (found == transfers.end()) return;
    drop(*found->second);
    transfers.erase(found);
  }

  void queue(HttpTransfer& transfer) {
    if (transfer.queued) return;
    transfer.queued = true;
    ready.push_back(transfer.id);
  }

  // One step of libcurl, then, outside of it, what callers are to be told.
  void act(curl_socket_t fd, int what) {
    int running = 0;
    curl_multi_socket_action(multi, fd, what, &running);
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      const CURLcode code = message->data.result;
      CURL* easy = message->easy_handle;
      HttpTransfer* transfer = nullptr;
      curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
      conclude(*transfer, code);
      curl_multi_remove_handle(multi, easy);  // `message` is gone with it
      transfer->finished = true;
      queue(*transfer);
    }
    tell_all();
  }

  void tell_all() {
    const std::shared_ptr<const bool> still = alive;
    while (*still && !ready.empty()) {
      const Id id = ready.front();
      ready.pop_front();
      const auto found = transfers.find(id);
      if (found == transfers.end()) continue;
      const TransferRef transfer = found->second;  // lives through its own cancellation
      transfer->queued = false;
      if (transfer->finished) transfers.erase(found);
      if (transfer->stream) {
        tell_stream(*transfer);
      } else if (transfer->finished) {
        transfer->done(std::move(transfer->reply));
      }
    }
  }

  static void tell_stream(HttpTransfer& transfer) {
    const Stream& stream = *transfer.stream;
    if (transfer.head_complete && !transfer.head_told) {
      transfer.head_told = true;
      HttpReply head = transfer.reply;
      head.error.clear();  // of a stream that has broken off meanwhile
      if (stream.on_head) stream.on_head(head);
    }
    if (!transfer.cancelled && !transfer.untold.empty()) {
      const std::string bytes = std::exchange(transfer.untold, {});
      if (stream.on_data) stream.on_data(bytes);
    }
    if (!transfer.cancelled && transfer.finished && stream.on_end) {
      stream.on_end(transfer.reply.error);
    }
  }

  static int watch_socket(CURL*, curl_socket_t fd, int what, void* self, void*) {
    auto& impl = *static_cast<Impl*>(self);
    if (const auto found = impl.sockets.find(fd); found != impl.sockets.end()) {
      event_free(found->second);
      impl.sockets.erase(found);
    }
    if (what == CURL_POLL_REMOVE) return 0;
    const int kind = ((what & CURL_POLL_IN) != 0 ? EV_READ : 0) |
                     ((what & CURL_POLL_OUT) != 0 ? EV_WRITE : 0) | EV_PERSIST;
    event* handle =
        event_new(impl.loop.base(), fd, static_cast<short>(kind), &Impl::on_socket, self);
    event_add(handle, nullptr);
    impl.sockets.emplace(fd, handle);
    return 0;
  }

  static int set_timer(CURLM*, long timeout_ms, void* self) {
    auto& impl = *static_cast<Impl*>(self);
    if (timeout_ms < 0) {
      evtimer_del(impl.timer);
      return 0;
    }
    const timeval wait{timeout_ms / 1000, timeout_ms % 1000 * 1000};
    evtimer_add(impl.timer, &wait);
    return 0;
  }

  static void on_socket(evutil_socket_t fd, short what, void* self) {
    const int bits = ((what & EV_READ) != 0 ? CURL_CSELECT_IN : 0) |
                     ((what & EV_WRITE) != 0 ? CURL_CSELECT_OUT : 0);
    static_cast<Impl*>(self)->act(fd, bits);
  }
  static void on_timer(evutil_socket_t, short, void* self) {
    static_cast<Impl*>(self)->act(CURL_SOCKET_TIMEOUT, 0);
  }
  static void on_tell(evutil_socket_t, short, void* self) { static_cast<Impl*>(self)->tell_all(); }

  EventLoop& loop;
  CURLM* multi;
  event* timer = nullptr;
  event* tell_timer = nullptr;
  std::map<curl_socket_t, event*> sockets;
  std::map<Id, TransferRef> transfers;
  std::deque<Id> ready;  // have something to tell
  Id made = 0;
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);
};

HttpClient::HttpClient(EventLoop& loop) : impl_(std::make_unique<Impl>(loop)) {}
HttpClient::~HttpClient() = default;

HttpClient::Id HttpClient::send(HttpRequest request, std::function<void(HttpReply)> done) {
  const auto transfer = std::make_shared<HttpTransfer>();
  transfer->request = std::move(request);
  transfer->done = std::move(done);
  return impl_->begin(transfer);
}

HttpClient::Id HttpClient::stream(HttpRequest request, Stream stream) {
  const auto transfer = std::make_shared<HttpTransfer>();
  transfer->request = std::move(request);
  transfer->stream = std::move(stream);
  return impl_->begin(transfer);
}

void HttpClient::cancel(Id id) { impl_->cancel(id); }

size_t HttpClient::open() const { return impl_->transfers.size(); }

}  // namespace windlass::net
