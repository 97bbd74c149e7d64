#include "live/kube/leader.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "base/rng.h"
#include "base/utf8.h"
#include "live/kube/lease.h"

namespace windlass::live::kube {
namespace {

constexpr Duration kNotLeading{-1'000'000'000};
constexpr Duration kQuiet = minutes(1);  // between two lines of log about failures
constexpr int kReleaseTries = 3;

std::string refusal_of(const Reply& reply) {
  if (reply.code == 0) return reply.message.empty() ? "no answer" : printable(reply.message, 256);
  return fmt::format("{} {}", reply.code,
                     printable(reply.message.empty() ? reply.reason : reply.message, 256));
}

}  // namespace

struct LeaderElector::Impl {
  Impl(LeaderElector& owner_in, Api& api_in, net::Clock& clock_in, LeaderOptions options_in,
       uint64_t seed)
      : owner(owner_in),
        api(api_in),
        clock(clock_in),
        options(std::move(options_in)),
        rng(seed, "leader"),
        collection("/apis/coordination.k8s.io/v1/namespaces/" + options.namespace_name +
                   "/leases") {
    // A deadline beyond the lease would allow two leaders.
    options.renew_deadline =
        std::min(options.renew_deadline, options.lease - std::min(options.retry, options.lease));
  }

  LeaderElector& owner;
  Api& api;
  net::Clock& clock;
  LeaderOptions options;
  Rng rng;
  const std::string collection;

  enum class State { kIdle, kRunning, kReleasing };
  State state = State::kIdle;
  bool leading = false;
  Duration certain_until = kNotLeading;

  // The lease as last read or written, and when its record was first seen as it is.
  std::optional<Lease> observed;
  Duration observed_at{};
  bool is_current = false;   // it may be written without reading it again
  bool may_be_ours = false;  // it is, or a write went out that nothing is known of
  std::string reported;      // the last leader told

  // What is under way; anything of an older epoch is too late.
  uint64_t epoch = 0;
  Api::Id request = 0;
  Duration attempt_began{}, asked_at{};
  int rereads = 0;  // in this attempt
  net::Clock::TimerId retry_timer = 0, timeout_timer = 0, deadline_timer = 0, stop_timer = 0;

  int release_tries = 0;
  std::function<void()> stopped;
  Duration logged{INT64_MIN / 2};

  // --- requests ----------------------------------------------------------------------------------

  void drop_request() {
    ++epoch;
    if (request != 0) api.cancel(std::exchange(request, 0));
    clock.cancel(std::exchange(timeout_timer, 0));
    clock.cancel(std::exchange(retry_timer, 0));
  }

  // The time-out is kept here, whatever the Api makes of it (it may try again by itself): what is
  // answered after it is not believed. `done` hears of it as of no answer.
  void ask(Verb verb, std::string body, void (Impl::*done)(const Reply&)) {
    drop_request();
    Request out;
    out.verb = verb;
    out.path = verb == Verb::kPost ? collection : collection + "/" + options.name;
    out.body = std::move(body);
    out.urgent = true;
    out.timeout = options.renew_deadline / 2;
    if (leading) out.timeout = std::min(out.timeout, certain_until - clock.steady());
    out.timeout = std::max(out.timeout, milliseconds(1));
    asked_at = clock.steady();
    may_be_ours = may_be_ours || verb != Verb::kGet;
    const auto answer = [this, done, now = epoch](const Reply& reply) {
      if (now != epoch) return;
      request = 0;
      clock.cancel(std::exchange(timeout_timer, 0));
      (this->*done)(reply);
    };
    const Duration timeout = out.timeout;
    request = api.send(std::move(out), answer);
    timeout_timer = clock.after(timeout, [this, done, now = epoch] {
      if (now != epoch) return;
      timeout_timer = 0;
      drop_request();
      Reply none;
      none.message = "no answer in time";
      (this->*done)(none);
    });
  }

  // --- candidate and leader ----------------------------------------------------------------------

  // Attempts begin a period apart, however long each takes.
  void try_later() {
    const double factor = 1 + 0.2 * rng.uniform();
    const Duration period = from_seconds(options.retry.seconds() * factor);
    const Duration delay = std::max(attempt_began + period - clock.steady(), options.retry / 4);
    clock.cancel(retry_timer);
    retry_timer = clock.after(delay, [this] {
      retry_timer = 0;
      attempt();
    });
  }

  void attempt() {
    attempt_began = clock.steady();
    rereads = 0;
    const bool ours = observed && observed->record.holder == options.identity;
    if (leading && is_current && ours) return write();
    read();
  }

  void read() { ask(Verb::kGet, "", &Impl::on_read); }

  void on_read(const Reply& reply) {
    if (reply.code == 404) return on_missing();
    if (!reply.ok()) return on_failure(reply);
    auto lease = read_lease(reply.body);
    if (!lease) return on_failure(lease.error().message());
    if (!observe(std::move(*lease))) return;
    decide();
  }

  // Returns whether to go on: a handler may have stopped it all.
  bool observe(Lease lease) {
    if (!observed || observed->record != lease.record) observed_at = clock.steady();
    observed = std::move(lease);
    is_current = true;
    may_be_ours = observed->record.holder == options.identity;
    return report(observed->record.holder);
  }

  bool report(const std::string& holder) {
    if (holder == reported) return true;
    reported = holder;
    const uint64_t now = epoch;
    if (owner.on_new_leader) owner.on_new_leader(holder);
    return now == epoch;
  }

  // Whether another may still believe in the record that we saw, by our stopwatch alone.
  [[nodiscard]] bool is_held() const {
    if (!observed || observed->record.holder.empty()) return false;
    const int64_t duration_s = observed->record.duration_s;
    const Duration held = duration_s > 0 ? seconds(duration_s) : options.lease;
    return clock.steady() - observed_at < held;
  }

  void decide() {
    const std::string& holder = observed->record.holder;
    if (holder == options.identity) return write();
    if (leading) {
      return lose(holder.empty()
                      ? "the lease was taken away"
                      : fmt::format("the lease was taken by {}", printable(holder, 128)));
    }
    is_held() ? try_later() : write();
  }

  // Deleted by somebody. Who held it doesn't know yet, so it is waited for as if it stood there.
  void on_missing() {
    if (!leading && observed && observed->record.holder != options.identity && is_held()) {
      return try_later();
    }
    ask(Verb::kPost, write_lease(nullptr, next_record(), options.namespace_name, options.name),
        &Impl::on_written);
  }

  [[nodiscard]] LeaseRecord next_record() const {
    LeaseRecord out;
    if (observed) out = observed->record;
    std::string now = micro_time(clock.now());
    // Others know a renewal by its time alone, and the wall clock may have been set back.
    if (now == out.renew_time) now = micro_time(clock.now() + nanoseconds(1000));
    if (out.holder != options.identity) {
      out.acquire_time = now;
      if (observed) ++out.transitions;
    }
    out.holder = options.identity;
    out.duration_s = options.lease.ns / seconds(1).ns;
    out.renew_time = now;
    return out;
  }

  void write() {
    ask(Verb::kPut,
        write_lease(observed->object, next_record(), options.namespace_name, options.name),
        &Impl::on_written);
  }

  void on_written(const Reply& reply) {
    is_current = false;
    if (reply.code == 409 || reply.code == 404) {
      // Written by another since, or deleted: a leader must know at once by whom.
      leading&& rereads++ == 0 ? read() : try_later();
      return;
    }
    if (!reply.ok()) return on_failure(reply);
    auto lease = read_lease(reply.body);
    if (!lease || lease->record.holder != options.identity) {
      return on_failure("the answer to a write is not the lease as it was written");
    }
    if (!observe(std::move(*lease))) return;
    lead();
  }

  // Certain from when the request began: it took effect no sooner, so that others wait longer.
  void lead() {
    const Duration until = asked_at + options.renew_deadline;
    const Duration left = until - clock.steady();
    if (left <= Duration{}) return try_later();
    certain_until = until;
    clock.cancel(deadline_timer);
    deadline_timer = clock.after(left, [this] {
      deadline_timer = 0;
      lose(fmt::format("no renewal succeeded for {}", to_string(options.renew_deadline)));
    });
    try_later();
    if (!std::exchange(leading, true) && owner.on_leading) owner.on_leading();
  }

  void lose(const std::string& why) {
    drop_request();
    clock.cancel(std::exchange(deadline_timer, 0));
    leading = false;
    is_current = false;
    certain_until = kNotLeading;
    try_later();
    if (owner.on_lost) owner.on_lost(why);
  }

  void on_failure(const Reply& reply) { on_failure(refusal_of(reply)); }
  void on_failure(const std::string& why) {
    is_current = false;
    if (clock.steady() - logged >= kQuiet) {
      logged = clock.steady();
      log::warning(fmt::format("lease {}/{}: {}", options.namespace_name, options.name, why));
    }
    try_later();
  }

  // --- the end -----------------------------------------------------------------------------------

  void stop(std::function<void()> done) {
    if (state == State::kReleasing) {
      stopped = [first = std::move(stopped), second = std::move(done)] {
        if (first) first();
        if (second) second();
      };
      return;
    }
    const bool was_running = std::exchange(state, State::kReleasing) == State::kRunning;
    drop_all();
    stopped = std::move(done);
    if (!was_running || !may_be_ours) {
      stop_timer = clock.after(Duration{}, [this] { finish(); });
      return;
    }
    release_tries = 0;
    stop_timer = clock.after(options.renew_deadline / 2, [this] { finish(); });
    ask(Verb::kGet, "", &Impl::on_release_read);
  }

  void on_release_read(const Reply& reply) {
    if (!reply.ok()) return release_again(reply.code == 0 || reply.code >= 500);
    const auto lease = read_lease(reply.body);
    if (!lease || lease->record.holder != options.identity) return finish();
    LeaseRecord record = lease->record;
    record.holder.clear();
    record.duration_s = 1;
    record.renew_time = record.acquire_time = micro_time(clock.now());
    ask(Verb::kPut, write_lease(lease->object, record, options.namespace_name, options.name),
        &Impl::on_released);
  }

  void on_released(const Reply& reply) { release_again(!reply.ok() && reply.code != 403); }

  void release_again(bool wanted) {
    if (!wanted || ++release_tries >= kReleaseTries) return finish();
    ask(Verb::kGet, "", &Impl::on_release_read);
  }

  void finish() {
    drop_all();
    state = State::kIdle;
    observed.reset();
    may_be_ours = false;
    if (const auto done = std::exchange(stopped, nullptr)) done();
  }

  void drop_all() {
    drop_request();
    clock.cancel(std::exchange(deadline_timer, 0));
    clock.cancel(std::exchange(stop_timer, 0));
    leading = false;
    is_current = false;
    certain_until = kNotLeading;
  }
};

LeaderElector::LeaderElector(Api& api, net::Clock& clock, LeaderOptions options, uint64_t seed)
    : impl_(std::make_unique<Impl>(*this, api, clock, std::move(options), seed)) {}

LeaderElector::~LeaderElector() { impl_->drop_all(); }

void LeaderElector::start() {
  if (impl_->state != Impl::State::kIdle) return;
  impl_->state = Impl::State::kRunning;
  impl_->retry_timer = impl_->clock.after(Duration{}, [impl = impl_.get()] {
    impl->retry_timer = 0;
    impl->attempt();
  });
}

void LeaderElector::stop(std::function<void()> done) { impl_->stop(std::move(done)); }

// The deadline's timer may be late when the loop is busy; the stopwatch is not.
bool LeaderElector::leading() const {
  return impl_->leading && impl_->clock.steady() < impl_->certain_until;
}

Duration LeaderElector::certain_until() const { return impl_->certain_until; }

}  // namespace windlass::live::kube
