#include "server/http/connection.h"

#include <algorithm>
#include <array>
#include <event2/event.h>
#include <utility>

#include <fmt/format.h>

#include "base/assert.h"
#include "base/log.h"
#include "server/http/response_head.h"
#include "server/http/stream.h"

namespace windlass::server {
namespace {

constexpr size_t kRecordBytes = 16 << 10;  // the largest TLS record
// What one connection may move before the others get their turn.
constexpr size_t kReadPerTurn = 64 << 10;
constexpr size_t kWritePerTurn = 256 << 10;
constexpr Duration kLinger = seconds(2);
constexpr size_t kBurst = 8;  // a stream may be behind by so many times its bound, for a moment

timeval to_timeval(Duration d) {
  const int64_t us = std::max<int64_t>(0, d.ns / 1000);
  return {static_cast<time_t>(us / 1'000'000), static_cast<suseconds_t>(us % 1'000'000)};
}

}  // namespace

Connection::Connection(std::shared_ptr<const Service> service, int socket, std::string remote)
    : service_(std::move(service)),
      transport_(socket, service_->tls),
      remote_(std::move(remote)),
      parser_(service_->limits.header_bytes, service_->limits.body_bytes) {
  event_base* base = service_->loop->base();
  readable_ = event_new(base, socket, EV_READ | EV_PERSIST, &Connection::on_event, this);
  writable_ = event_new(base, socket, EV_WRITE, &Connection::on_event, this);
  timer_ = evtimer_new(base, &Connection::on_timer, this);
}

Connection::~Connection() { WL_ASSERT(closed_); }

void Connection::start() {
  set_timer(service_->tls == nullptr ? service_->limits.idle : service_->limits.request);
  event_add(readable_, nullptr);
  if (service_->tls == nullptr) phase_ = Phase::kReading;
}

void Connection::on_event(int, short what, void* self) {
  const auto held = static_cast<Connection*>(self)->shared_from_this();
  held->pumping_ = true;
  // A peer that watches says nothing: most of what happens then is that there is more to send.
  held->pump(held->phase_ != Phase::kStreaming || (what & EV_READ) != 0 || held->again_);
  held->pumping_ = false;
  if (!held->closed_ && held->again_) held->wake();
}

void Connection::on_timer(int, short, void* self) {
  const auto held = static_cast<Connection*>(self)->shared_from_this();
  held->timed_out();
}

void Connection::wake() {
  if (!closed_ && !pumping_) event_active(writable_, EV_WRITE, 0);
}

void Connection::wake_stream() {
  if (closed_ || paced_) return;
  paced_ = true;
  service_->registry->pace(*service_->loop, shared_from_this());
  wake();
}

void Connection::set_timer(Duration delay) {
  const timeval wait = to_timeval(delay);
  evtimer_add(timer_, &wait);
}

void Connection::clear_timer() { evtimer_del(timer_); }

// All that can be done now; then waits for what the transport lacks.
void Connection::pump(bool reads) {
  if (closed_) return;
  wants_write_ = false;
  again_ = false;
  if (phase_ == Phase::kHandshake && !shake_hands()) return;
  if (phase_ == Phase::kLingering) {
    Transport::Io io = Transport::Io::kDone;
    for (size_t moved = 0; io == Transport::Io::kDone && moved < kReadPerTurn;) {
      io = transport_.discard();
      moved += kRecordBytes;
    }
    if (io == Transport::Io::kEnd || io == Transport::Io::kFailed) cut();
    return;
  }
  if (reads) read_some();
  if (!closed_ && phase_ == Phase::kReading) read_requests();
  if (!closed_) write_some();
  if (!closed_) wait_for_events();
}

bool Connection::shake_hands() {
  switch (transport_.handshake()) {
    case Transport::Io::kDone:
      certificate_ = transport_.certificate();
      phase_ = Phase::kReading;
      set_timer(service_->limits.idle);
      return true;
    case Transport::Io::kWantsWrite:
      event_add(writable_, nullptr);
      return false;
    case Transport::Io::kWantsRead:
      return false;
    case Transport::Io::kEnd:
    case Transport::Io::kFailed:
      break;
  }
  log::debug(fmt::format("TLS handshake with {}: {}", remote_, transport_.failure()));
  if (transport_.peer_spoke_plain_http()) {
    Response response = fault_response({400, "this is an HTTPS address; it was asked by HTTP"});
    transport_.write_raw(response_head(response, {.keep_alive = false}) + response.body);
    linger();
  } else {
    cut();
  }
  return false;
}

void Connection::read_some() {
  std::array<char, kRecordBytes> bytes;
  for (size_t moved = 0; moved < kReadPerTurn && !input_ended_;) {
    // Bytes of later requests wait here up to this much, then in the socket.
    const bool in_hand = phase_ != Phase::kReading;
    if (in_hand && parser_.buffered() >= service_->limits.header_bytes) {
      if (phase_ == Phase::kStreaming) cut();  // nobody has that much to say during a watch
      return;
    }
    size_t got = 0;
    const Transport::Io io = transport_.read(bytes, got);
    if (io == Transport::Io::kWantsRead) return;
    if (io == Transport::Io::kWantsWrite) {
      wants_write_ = true;
      return;
    }
    if (io == Transport::Io::kFailed) return cut();
    if (io == Transport::Io::kEnd) return on_end_of_input();
    parser_.append(std::string_view(bytes.data(), got));
    moved += got;
  }
}

// A peer that ends its side while an answer is being made may still wait for it (for a while); one
// that watches has gone.
void Connection::on_end_of_input() {
  input_ended_ = true;
  if (phase_ == Phase::kStreaming) {
    cut();
  } else if (phase_ == Phase::kWorking) {
    set_timer(service_->limits.request);
  }
  keep_alive_ = keep_alive_ && parser_.begun();
}

void Connection::read_requests() {
  switch (parser_.advance()) {
    case RequestParser::Progress::kRequest:
      take_request();
      return;
    case RequestParser::Progress::kFault:
      refuse(parser_.fault());
      return;
    case RequestParser::Progress::kMore:
      break;
  }
  if (input_ended_) {  // nothing more will come
    if (out_.empty()) cut();
    return;
  }
  if (parser_.take_wants_continue()) out_.add(std::string("HTTP/1.1 100 Continue\r\n\r\n"));
  if (parser_.begun() && !request_begun_) {
    request_begun_ = true;
    service_->registry->set_idle(*this, false);
    set_timer(service_->limits.request);
  }
}

void Connection::take_request() {
  clear_timer();
  request_begun_ = false;
  service_->registry->set_idle(*this, false);
  RequestParser::Taken taken = parser_.take();
  Request& request = taken.request;
  request.remote = remote_;
  head_only_ = request.method == "HEAD";
  chunked_ = !taken.http_1_0;
  keep_alive_ = taken.keep_alive && (!input_ended_ || parser_.begun());
  phase_ = Phase::kWorking;
  if (input_ended_) set_timer(service_->limits.request);
  request.identity = service_->authenticate(request, certificate_);
  service_->handler(request, std::make_shared<ConnectionExchange>(weak_from_this()));
}

void Connection::refuse(const HttpFault& fault) {
  clear_timer();
  keep_alive_ = false;
  head_only_ = false;
  queue_reply(fault_response(fault));
}

void Connection::reply(Response response) {
  if (closed_ || phase_ != Phase::kWorking) return;
  queue_reply(std::move(response));
  wake();
}

void Connection::queue_reply(Response response) {
  const bool no_body = head_only_ || response.status == 204 || response.status == 304;
  out_.add(response_head(response, {.keep_alive = keep_alive_}));
  if (!no_body) {
    out_.add(std::move(response.body));
    for (auto& part : response.parts) out_.add(std::move(part));
  }
  phase_ = Phase::kReplying;
  set_timer(service_->limits.request);
}

std::shared_ptr<Stream> Connection::open_stream(int status, std::string content_type) {
  auto stream = std::make_shared<ConnectionStream>(weak_from_this());
  if (closed_ || phase_ != Phase::kWorking) {
    stream->mark_closed();
    return stream;
  }
  keep_alive_ = keep_alive_ && chunked_;  // without chunks the body ends with the connection
  Response head;
  head.status = status;
  head.content_type = std::move(content_type);
  head.headers.emplace_back("Cache-Control", "no-cache, private");
  out_.add(response_head(head, {.keep_alive = keep_alive_, .stream = true, .chunked = chunked_}));
  clear_timer();
  phase_ = Phase::kStreaming;
  stream_ = stream;
  if (input_ended_) {
    cut();
  } else if (head_only_) {
    finish_stream();
  }
  wake();
  return stream;
}

bool Connection::send_piece(std::shared_ptr<const std::string> piece) {
  if (closed_ || phase_ != Phase::kStreaming) return false;
  if (piece == nullptr || piece->empty()) return true;  // an empty chunk would end the body
  if (chunked_) out_.add(fmt::format("{:x}\r\n", piece->size()));
  out_.add(std::move(piece));
  if (chunked_) out_.add(std::string("\r\n"));
  const size_t bound = service_->limits.stream_unsent_bytes;
  if (out_.size() > bound * kBurst) {
    cut_laggard();
    return false;
  }
  if (out_.size() > bound && !lagging_) {
    lagging_ = true;
    set_timer(service_->limits.stream_lag);
  }
  wake_stream();
  return true;
}

void Connection::cut_laggard() {
  log::info(fmt::format("a stream to {} is cut: its reader lags too far behind", remote_));
  cut();
}

void Connection::finish_stream() {
  if (closed_ || phase_ != Phase::kStreaming) return;
  if (chunked_ && !head_only_) out_.add(std::string("0\r\n\r\n"));
  phase_ = Phase::kReplying;
  lagging_ = false;
  set_timer(service_->limits.request);
  const auto stream = std::exchange(stream_, nullptr);
  if (stream->mark_closed()) {
    service_->registry->later(*service_->loop, [stream] { stream->tell(); });
  }
  wake();
}

void Connection::write_some() {
  std::array<char, kRecordBytes> scratch;
  size_t moved = 0;
  while (!out_.empty() && moved < kWritePerTurn) {
    size_t put = 0;
    const Transport::Io io = transport_.write(out_.next(scratch), put);
    if (io == Transport::Io::kWantsWrite) {
      wants_write_ = true;
      break;
    }
    if (io == Transport::Io::kWantsRead) return;  // the read event brings us back
    if (io != Transport::Io::kDone) return cut();
    out_.consume(put);
    moved += put;
  }
  if (moved > 0 && phase_ == Phase::kReplying) set_timer(service_->limits.request);
  if (lagging_ && out_.size() <= service_->limits.stream_unsent_bytes) {
    lagging_ = false;
    clear_timer();
  }
  if (!out_.empty()) {
    wants_write_ = true;
  } else if (phase_ == Phase::kReplying) {
    after_written();
  }
}

// The answer has left: on to the next request, or to the end.
void Connection::after_written() {
  if (!keep_alive_) return linger();
  phase_ = Phase::kReading;
  request_begun_ = false;
  service_->registry->set_idle(*this, true);
  set_timer(service_->limits.idle);
  again_ = parser_.begun();  // a request that came early
}

// Closing with unread bytes would reset the connection and could take the answer with it.
void Connection::linger() {
  phase_ = Phase::kLingering;
  transport_.end_sending();
  if (input_ended_) return cut();
  event_del(writable_);
  event_add(readable_, nullptr);
  set_timer(std::min(kLinger, service_->limits.request));
}

void Connection::timed_out() {
  if (closed_) return;
  if (phase_ == Phase::kReading && request_begun_) {
    refuse({408, "the request took too long to arrive"});
    wake();
    return;
  }
  if (phase_ == Phase::kStreaming) return cut_laggard();
  if (phase_ == Phase::kReading) transport_.end_sending();
  cut();
}

void Connection::wait_for_events() {
  if (phase_ == Phase::kLingering) return;
  const bool full =
      phase_ != Phase::kReading && parser_.buffered() >= service_->limits.header_bytes;
  if (input_ended_ || full) {
    event_del(readable_);
  } else {
    event_add(readable_, nullptr);
    again_ = again_ || transport_.has_pending();
  }
  if (wants_write_) event_add(writable_, nullptr);
}

void Connection::cut() {
  if (std::exchange(closed_, true)) return;
  const auto held = shared_from_this();
  for (event** e : {&readable_, &writable_, &timer_}) {
    event_free(*e);
    *e = nullptr;
  }
  transport_.close();
  out_.clear();
  service_->registry->remove(*this);
  if (const auto stream = std::exchange(stream_, nullptr); stream && stream->mark_closed()) {
    service_->registry->later(*service_->loop, [stream] { stream->tell(); });
  }
}

}  // namespace windlass::server
