#include "live/kube/watcher.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/log.h"
#include "base/utf8.h"
#include "live/kube/backoff.h"
#include "live/kube/list_watch.h"

namespace windlass::live::kube {
namespace {

// A server that takes sendInitialEvents for nothing sends its objects and never says that they were
// all; this long without a word, its list is asked for in pages instead.
constexpr Duration kInitialSilence = seconds(20);
// The server gives up on a list after 60 s.
constexpr Duration kListTimeout = seconds(75);
constexpr Duration kHeadTimeout = seconds(30);  // until a watch is answered; then it goes on
constexpr Duration kShortWatch = seconds(1);
constexpr Duration kLogPeriod = minutes(1);
constexpr Duration kMaxRetryAfter = minutes(5);
// So many bad lines, or WatchLists that broke off, in a row: another way is taken.
constexpr int kPatience = 3;

std::string words_of(const Reply& reply) {
  if (reply.code == 0) return reply.message.empty() ? "no answer" : printable(reply.message, 256);
  return fmt::format("{} ({}): {}", reply.reason.empty() ? "HTTP" : reply.reason, reply.code,
                     printable(reply.message, 256));
}

bool is_expired(int code, std::string_view reason) {
  return code == 410 || reason == "Expired" || reason == "Gone";
}

// 504: the server has not come to this version yet, or never will (it was restored).
bool is_too_new(const Reply& reply) {
  return std::ranges::any_of(
             reply.causes,
             [](const Reply::Cause& cause) { return cause.reason == "ResourceVersionTooLarge"; }) ||
         (reply.code == 504 &&
          reply.message.find("Too large resource version") != std::string::npos);
}

}  // namespace

struct Watcher::Impl {
  Impl(Api& api_in, net::Clock& clock_in, WatchSpec spec_in, Handlers handlers_in, uint64_t seed)
      : api(api_in),
        clock(clock_in),
        spec(std::move(spec_in)),
        handlers(std::move(handlers_in)),
        rng(seed, "watcher"),
        use_watch_list(spec.watch_list) {}

  Api& api;
  net::Clock& clock;
  const WatchSpec spec;
  const Handlers handlers;
  Rng rng;
  Backoff backoff;
  WireReader reader;

  Phase phase = Phase::kIdle;
  Stats stats;
  std::map<std::string, Seen, std::less<>> seen;
  bool synced = false;
  bool use_watch_list;  // until the server refuses it

  // What is under way. Every request and timer belongs to an epoch; what comes from an older one
  // is too late. Handlers may stop the watcher, so the epoch is looked at after each call.
  uint64_t epoch = 0;
  Api::Id request = 0;
  net::Clock::TimerId wait_timer = 0;
  net::Clock::TimerId silence_timer = 0;

  std::string version;    // the last one seen; a watch goes on from here
  bool must_list = true;  // there is no version to watch from

  // Of a list under way.
  bool in_initial = false;  // it comes as a watch, whose end has not been said
  bool in_one_piece = false;
  std::string continue_token;
  std::vector<std::string> listed;

  // Of the stream under way.
  Duration began{}, last_heard{};
  uint64_t lines = 0;

  // In a row.
  int not_found = 0, bad_lines = 0, incomplete = 0;
  Duration logged = Duration{INT64_MIN / 2};

  // Nothing that was under way will be heard of again.
  void drop_all() {
    ++epoch;
    if (request != 0) api.cancel(std::exchange(request, 0));
    clock.cancel(std::exchange(wait_timer, 0));
    clock.cancel(std::exchange(silence_timer, 0));
  }

  // From waiting (or idle) to whatever comes next.
  void begin() {
    if (!must_list) return begin_stream(false);
    listed.clear();
    continue_token.clear();
    in_one_piece = false;
    phase = Phase::kListing;
    ++stats.lists;
    use_watch_list ? begin_stream(true) : ask_page();
  }

  void wait(Duration delay, Phase meanwhile) {
    drop_all();
    in_initial = false;
    phase = meanwhile;
    wait_timer = clock.after(delay, [this] {
      wait_timer = 0;
      begin();
    });
  }

  void wait_back_off(std::optional<Duration> retry_after) {
    Duration delay = backoff.next(clock.steady(), rng);
    if (retry_after) delay = std::max(delay, std::min(*retry_after, kMaxRetryAfter));
    wait(delay, Phase::kWaiting);
  }

  void fail(std::string why, std::optional<Duration> retry_after = std::nullopt) {
    ++stats.errors;
    stats.last_error = std::move(why);
    if (clock.steady() - logged >= kLogPeriod) {
      logged = clock.steady();
      log::warning(fmt::format("watching {}: {}", spec.path, stats.last_error));
    }
    wait_back_off(retry_after);
  }

  // The version is gone; only a list helps. That is no fault, but storms of lists are held back.
  void expire() {
    ++stats.expired;
    must_list = true;
    wait_back_off(std::nullopt);
  }

  // The server doesn't have the resource. While objects are known it has to say so twice: a server
  // that just started may not have read its definitions yet.
  void absent(std::string why) {
    must_list = true;
    if (!seen.empty() && ++not_found < 2) return fail(std::move(why));
    if (stats.last_error != why) log::info(fmt::format("watching {}: {}", spec.path, why));
    stats.last_error = std::move(why);
    wait(spec.absent_retry, Phase::kAbsent);
    listed.clear();
    tell_vanished_and_sync();
  }

  // --- lists -------------------------------------------------------------------------------------

  [[nodiscard]] Request new_request() const {
    Request out;
    out.path = spec.path;
    if (!spec.label_selector.empty()) out.query.emplace_back("labelSelector", spec.label_selector);
    if (!spec.field_selector.empty()) out.query.emplace_back("fieldSelector", spec.field_selector);
    return out;
  }

  // Without a resourceVersion, so that the list is as new as the store: whoever takes over from
  // another must not see less than the other wrote, and limits are kept to.
  void ask_page() {
    drop_all();
    phase = Phase::kListing;
    Request page = new_request();
    page.timeout = kListTimeout;
    if (!in_one_piece) page.query.emplace_back("limit", std::to_string(spec.page));
    if (!continue_token.empty()) page.query.emplace_back("continue", continue_token);
    request = api.send(std::move(page), [this, now = epoch](Reply reply) {
      if (now == epoch) on_page(std::move(reply));
    });
  }

  void on_page(Reply reply) {
    request = 0;
    if (reply.code == 404) return absent(words_of(reply));
    if (is_expired(reply.code, reply.reason) && !continue_token.empty()) {
      // The rest would be of another time than the pages before, and changes between would be
      // missed: all of it once more, in one piece that can't expire.
      ++stats.expired;
      listed.clear();
      continue_token.clear();
      in_one_piece = true;
      return ask_page();
    }
    if (!reply.ok()) return fail(words_of(reply), reply.retry_after);
    const uint64_t now = epoch;
    const auto page = read_list(reply.body, [&](const WireObject& object) {
      put_listed(object);
      return now == epoch;
    });
    if (now != epoch) return;
    if (!page) return fail(page.error().message());
    continue_token = page->continue_token;
    if (!continue_token.empty()) return ask_page();
    end_list(page->resource_version);
    if (now == epoch) begin_stream(false);
  }

  // What is known but was not listed is gone.
  void tell_vanished_and_sync() {
    const uint64_t now = epoch;
    std::sort(listed.begin(), listed.end());
    std::vector<std::string> vanished;
    for (const auto& [key, object] : seen) {
      if (!std::binary_search(listed.begin(), listed.end(), key)) vanished.push_back(key);
    }
    listed = {};
    for (const std::string& key : vanished) {
      tell_gone(key);
      if (now != epoch) return;
    }
    if (!std::exchange(synced, true) && handlers.on_synced) handlers.on_synced();
  }

  void end_list(const std::string& at_version) {
    version = at_version;
    must_list = false;
    in_initial = false;
    not_found = bad_lines = incomplete = 0;
    tell_vanished_and_sync();
  }

  // --- what handlers hear ------------------------------------------------------------------------

  void tell_gone(const std::string& key) {
    if (seen.erase(key) != 0 && handlers.on_gone) handlers.on_gone(key);
  }

  void put(const WireObject& object) {
    const uint64_t now = epoch;
    auto known = seen.find(object.key);
    if (known != seen.end() && known->second.uid != object.uid) {
      tell_gone(object.key);
      if (now != epoch) return;
      known = seen.end();
    }
    const bool same = known != seen.end() && !object.resource_version.empty() &&
                      known->second.resource_version == object.resource_version;
    if (same) return;
    seen[object.key] = {object.uid, object.resource_version};
    if (handlers.on_put) handlers.on_put(object.key, object.json);
  }

  void put_listed(const WireObject& object) {
    listed.push_back(object.key);
    put(object);
  }

  // --- watches -----------------------------------------------------------------------------------

  void begin_stream(bool with_list) {
    drop_all();
    in_initial = with_list;
    phase = with_list ? Phase::kListing : Phase::kWatching;
    ++stats.watches;
    Request watch = new_request();
    watch.timeout = kHeadTimeout;
    watch.query.emplace_back("watch", "true");
    watch.query.emplace_back("allowWatchBookmarks", "true");
    watch.query.emplace_back("timeoutSeconds", std::to_string(300 + rng.below(300)));
    if (with_list) {
      watch.query.emplace_back("sendInitialEvents", "true");
      watch.query.emplace_back("resourceVersionMatch", "NotOlderThan");
    } else {
      watch.query.emplace_back("resourceVersion", version);
    }
    began = last_heard = clock.steady();
    lines = 0;
    request = api.stream(std::move(watch), {[this, now = epoch](std::string_view line) {
                                              if (now == epoch) on_line(line);
                                            },
                                            [this, now = epoch](const Reply& reply) {
                                              if (now == epoch) on_end(reply);
                                            }});
    listen();
  }

  // One timer looks at when something was last heard; setting one for each line would cost more
  // than reading it.
  void listen() {
    const Duration quiet = in_initial ? std::min(spec.silence, kInitialSilence) : spec.silence;
    const Duration left = last_heard + quiet - clock.steady();
    if (left > Duration{}) {
      silence_timer = clock.after(left, [this] { listen(); });
      return;
    }
    ++stats.stalls;
    stats.last_error = "nothing heard for " + to_string(quiet);
    if (in_initial) use_watch_list = false;
    begin();
  }

  void on_line(std::string_view line) {
    ++lines;
    last_heard = clock.steady();
    const auto event = reader.read(line);
    if (!event) {
      // A line that is bad each time would be asked for without end.
      if (++bad_lines % kPatience == 0) must_list = true;
      return fail("bad event: " + event.error().message());
    }
    if (event->type == WireEvent::Type::kError) return on_error_event(*event);
    const WireObject& object = event->object;
    if (!in_initial && is_earlier_version(object.resource_version, version)) {
      must_list = true;
      return fail(fmt::format("resource versions went back from {} to {}", version,
                              printable(object.resource_version, 32)));
    }
    on_object(*event);
  }

  void on_object(const WireEvent& event) {
    const WireObject& object = event.object;
    if (event.type == WireEvent::Type::kBookmark) {
      ++stats.bookmarks;
      if (in_initial && !object.initial_events_end) return;
      if (!in_initial) return advance(object.resource_version);
      phase = Phase::kWatching;
      return end_list(object.resource_version);
    }
    ++stats.events;
    bad_lines = 0;
    if (!in_initial) advance(object.resource_version);
    if (event.type == WireEvent::Type::kDeleted) return tell_gone(object.key);
    in_initial ? put_listed(object) : put(object);
  }

  void advance(const std::string& to) {
    if (!to.empty()) version = to;
  }

  void on_error_event(const WireEvent& event) {
    Reply reply;
    reply.code = event.code;
    reply.reason = event.reason;
    reply.message = event.message;
    if (in_initial && event.code == 500) return refuse_watch_list(words_of(reply));
    on_refused(reply);
  }

  void on_end(const Reply& reply) {
    request = 0;
    const Duration lived = clock.steady() - began;
    if (in_initial && (reply.ok() || (reply.code == 0 && lines > 0))) {
      if (++incomplete >= kPatience) use_watch_list = false;
      return fail(reply.ok() ? "the watch ended before its list was complete" : words_of(reply));
    }
    if (!reply.ok()) return on_refused(reply);
    if (lived >= kShortWatch) return begin();
    if (lines == 0) return fail("the watch ended at once, without an event");
    wait(kShortWatch - lived, Phase::kWatching);
  }

  void refuse_watch_list(const std::string& why) {
    log::info(
        fmt::format("{} is listed in pages, as the server refuses to send the list as a "
                    "watch: {}",
                    spec.path, why));
    use_watch_list = false;
    begin();
  }

  // A watch that did not begin, broke off, or said why it can't go on.
  void on_refused(const Reply& reply) {
    if (is_expired(reply.code, reply.reason)) return expire();
    if (reply.code == 404) return absent(words_of(reply));
    if (in_initial && (reply.code == 400 || reply.code == 422)) {
      return refuse_watch_list(words_of(reply));
    }
    // No answer, overload or a fault of the server's: the version is as good as before. So it is
    // when we may not (401, 403). Other refusals mean what was asked for.
    const bool keeps = reply.code == 0 || reply.code == 401 || reply.code == 403 ||
                       reply.code == 429 || reply.code >= 500;
    if (!keeps || is_too_new(reply)) must_list = true;
    fail(words_of(reply), reply.retry_after);
  }
};

Watcher::Watcher(Api& api, net::Clock& clock, WatchSpec spec, Handlers handlers, uint64_t seed)
    : impl_(std::make_unique<Impl>(api, clock, std::move(spec), std::move(handlers), seed)) {}

Watcher::~Watcher() { stop(); }

void Watcher::start() {
  if (impl_->phase == Phase::kIdle) impl_->begin();
}

void Watcher::stop() {
  impl_->drop_all();
  impl_->must_list = true;
  impl_->in_initial = false;
  impl_->phase = Phase::kIdle;
}

void Watcher::relist() {
  if (impl_->phase == Phase::kIdle || impl_->must_list) return;  // it does so anyway
  impl_->must_list = true;
  impl_->begin();
}

bool Watcher::synced() const { return impl_->synced; }
Watcher::Phase Watcher::phase() const { return impl_->phase; }
const Watcher::Stats& Watcher::stats() const { return impl_->stats; }
const std::map<std::string, Seen, std::less<>>& Watcher::seen() const { return impl_->seen; }

}  // namespace windlass::live::kube
