#include "live/kube/events.h"

#include <algorithm>
#include <deque>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/rng.h"
#include "base/utf8.h"
#include "live/kube/correlator.h"

namespace windlass::live::kube {
namespace {

constexpr size_t kMaxMessageBytes = 1024;
constexpr size_t kMaxName = 253;
constexpr int kTries = 4;  // the first and three more
constexpr Duration kFirstPause = seconds(1);
constexpr Duration kTimeout = seconds(15);
constexpr Duration kLogEvery = minutes(1);

// A text of at most `most` bytes that ends between characters. Bytes that are no UTF-8 would make
// the server refuse all of it.
std::string cut(std::string_view text, size_t most) {
  std::string out;
  for (std::string_view rest = text; !rest.empty();) {
    const size_t bad = std::min(invalid_utf8_at(rest), rest.size());
    out += rest.substr(0, bad);
    if (bad < rest.size()) out += '?';
    rest.remove_prefix(std::min(bad + 1, rest.size()));
  }
  if (out.size() <= most) return out;
  size_t end = most;
  while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xC0) == 0x80) --end;
  out.resize(end);
  return out;
}

// metav1.Time has no fractions.
std::string whole_seconds(Instant t) {
  constexpr int64_t kSecond = 1'000'000'000;
  return to_rfc3339(Instant{t.ns - (t.ns % kSecond + kSecond) % kSecond});
}

}  // namespace

struct EventRecorder::Impl {
  Impl(Api& api_in, net::Clock& clock_in, std::string instance_in, uint64_t seed, size_t queue)
      : api(api_in),
        clock(clock_in),
        instance(std::move(instance_in)),
        rng(seed, "events"),
        most(queue) {}

  // What goes with the event when it is made.
  struct Job {
    KnownEventPtr event;
    Involved involved;
    std::string type, reason, component;
    int tries = 0;
  };

  Api& api;
  net::Clock& clock;
  const std::string instance;
  Rng rng;
  const size_t most;
  Correlator correlator;
  std::deque<Job> jobs;  // the first is under way
  Api::Id request = 0;
  net::Clock::TimerId timer = 0;
  Duration logged{INT64_MIN / 2};

  void add(Job job) {
    // One that waits is written as it stands when its turn comes.
    if (job.event->is_waiting || jobs.size() > most) return;
    if (job.event->name.empty()) job.event->name = new_name(job.involved.name);
    job.event->is_waiting = true;
    jobs.push_back(std::move(job));
    if (jobs.size() == 1) send_first();
  }

  // NAME.HEX as client-go makes it, of the time; a few random bits keep two processes apart.
  std::string new_name(const std::string& about) {
    constexpr uint64_t kRandomBits = 0xFFFFF;  // about a millisecond
    const auto now = static_cast<uint64_t>(clock.now().ns);
    const std::string hex = fmt::format(".{:x}", (now & ~kRandomBits) | (rng.next() & kRandomBits));
    return about.substr(0, kMaxName - hex.size()) + hex;
  }

  static std::string collection(const Job& job) {
    const std::string& name = job.involved.namespace_name;
    return "/api/v1/namespaces/" + (name.empty() ? "default" : name) + "/events";
  }

  void send_first() {
    Job& job = jobs.front();
    job.event->is_waiting = false;
    Request out;
    out.timeout = kTimeout;
    out.path = collection(job);
    if (job.event->is_written) {
      out.verb = Verb::kPatch;
      out.path += "/" + job.event->name;
      out.content_type = "application/merge-patch+json";
      out.body = patch_of(*job.event);
    } else {
      out.verb = Verb::kPost;
      out.body = body_of(job);
    }
    request = api.send(std::move(out), [this](const Reply& reply) { on_reply(reply); });
  }

  static std::string text_of(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
  }

  static std::string patch_of(const KnownEvent& event) {
    return text_of({{"count", event.count},
                    {"lastTimestamp", whole_seconds(event.last)},
                    {"message", event.message}});
  }

  [[nodiscard]] std::string body_of(const Job& job) const {
    const Involved& about = job.involved;
    const std::string space = about.namespace_name.empty() ? "default" : about.namespace_name;
    Json involved{{"apiVersion", about.api_version}, {"kind", about.kind}, {"name", about.name}};
    if (!about.namespace_name.empty()) involved["namespace"] = about.namespace_name;
    if (!about.uid.empty()) involved["uid"] = about.uid;
    if (!about.resource_version.empty()) involved["resourceVersion"] = about.resource_version;
    return text_of({{"apiVersion", "v1"},
                    {"kind", "Event"},
                    {"metadata", {{"name", job.event->name}, {"namespace", space}}},
                    {"involvedObject", std::move(involved)},
                    {"type", job.type},
                    {"reason", job.reason},
                    {"message", job.event->message},
                    {"source", {{"component", job.component}}},
                    {"reportingComponent", job.component},
                    {"reportingInstance", instance},
                    {"firstTimestamp", whole_seconds(job.event->first)},
                    {"lastTimestamp", whole_seconds(job.event->last)},
                    {"count", job.event->count}});
  }

  void on_reply(const Reply& reply) {
    request = 0;
    Job& job = jobs.front();
    const bool was_patch = job.event->is_written;
    if (reply.ok()) {
      job.event->is_written = true;
      return next();
    }
    // Events live for an hour; one that is gone is made again, with its count.
    if (was_patch && reply.code == 404) {
      job.event->is_written = false;
      job.event->name = new_name(job.involved.name);
      return send_first();
    }
    const bool may_pass = reply.code == 0 || reply.code == 429 || reply.code >= 500;
    if (may_pass && ++job.tries < kTries) {
      timer = clock.after(kFirstPause * (int64_t{1} << (job.tries - 1)), [this] {
        timer = 0;
        send_first();
      });
      return;
    }
    // Not ours to say (403), no such namespace, or it is being deleted: nothing to be done. A
    // creation whose answer was lost is there already.
    if (reply.code == 409 && reply.reason == "AlreadyExists") job.event->is_written = true;
    drop_first(reply);
  }

  void drop_first(const Reply& reply) {
    if (clock.steady() - logged >= kLogEvery && reply.code != 409) {
      logged = clock.steady();
      log::warning(fmt::format("an Event about {} {} was dropped: {} {}",
                               jobs.front().involved.kind, jobs.front().involved.name, reply.code,
                               printable(reply.message, 256)));
    }
    next();
  }

  void next() {
    jobs.pop_front();
    if (!jobs.empty()) send_first();
  }
};

EventRecorder::EventRecorder(Api& api, net::Clock& clock, std::string instance, uint64_t seed,
                             size_t queue)
    : impl_(std::make_unique<Impl>(api, clock, std::move(instance), seed, queue)) {}

EventRecorder::~EventRecorder() {
  if (impl_->request != 0) impl_->api.cancel(impl_->request);
  impl_->clock.cancel(impl_->timer);
}

void EventRecorder::record(const Involved& involved, std::string_view type, std::string_view reason,
                           std::string message, std::string_view component) {
  KnownEventPtr event =
      impl_->correlator.correlate(involved, type, reason, cut(message, kMaxMessageBytes), component,
                                  impl_->clock.now(), impl_->clock.steady());
  if (event == nullptr) return;
  event->message = cut(event->message, kMaxMessageBytes);
  impl_->add({std::move(event), involved, std::string(type), std::string(reason),
              std::string(component), 0});
}

}  // namespace windlass::live::kube
