#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/log.h"
#include "live/external/calls.h"
#include "live/external/channels.h"
#include "live/external/client.h"
#include "live/external/read_answer.h"

namespace windlass::live::external {
namespace {

constexpr Duration kFirstWait = seconds(2);
constexpr Duration kLastWait = seconds(60);

externalscaler::ScaledObjectRef message_of(const ScaledRef& who) {
  externalscaler::ScaledObjectRef out;
  out.set_name(who.name);
  out.set_namespace_(who.namespace_name);
  for (const auto& [key, value] : who.metadata) (*out.mutable_scalermetadata())[key] = value;
  return out;
}

cluster::QueryAnswer answer_of(const Question& question) {
  cluster::QueryAnswer answer;
  answer.error = question.error;
  if (!answer.error.empty()) return answer;
  const auto values = read_values(question.metrics);
  const auto target = read_target(question.spec);
  if (!values.ok() || !target.ok()) {
    answer.error = values.ok() ? target.error().message() : values.error().message();
    return answer;
  }
  answer.values = *values;
  answer.active = question.active.result();
  answer.target_milli = target->milli;
  return answer;
}

}  // namespace

bool has_grpc() { return true; }

struct ExternalScalers::Impl {
  struct Watching {
    ConnectOptions connect;
    externalscaler::ScaledObjectRef who;
    std::function<void(bool)> on_active;
    std::shared_ptr<ActiveStream> stream;
    net::Clock::TimerId timer = 0;
    Duration wait = kFirstWait;
  };

  net::EventLoop& loop;
  net::Clock& clock;
  Channels channels{};
  Stats stats{};
  std::shared_ptr<Gate> gate = std::make_shared<Gate>();
  // Emptied at the end: what was posted before finds nobody.
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);
  std::set<std::shared_ptr<Question>> questions{};
  WatchId last_watch = 0;
  std::map<WatchId, Watching> watches{};

  void ask(const ConnectOptions& connect, Duration timeout, const ScaledRef& who,
           std::function<void(cluster::QueryAnswer)> done);
  void fail(const std::string& error, std::function<void(cluster::QueryAnswer)> done);
  void stream(WatchId id);
  void heard(WatchId id, bool active);
  void ended(WatchId id, const std::string& why);
};

void ExternalScalers::Impl::fail(const std::string& error,
                                 std::function<void(cluster::QueryAnswer)> done) {
  ++stats.failed;
  loop.post([held = std::weak_ptr(alive), error, done = std::move(done)] {
    if (held.expired()) return;
    cluster::QueryAnswer answer;
    answer.error = error;
    done(std::move(answer));
  });
}

void ExternalScalers::Impl::ask(const ConnectOptions& connect, Duration timeout,
                                const ScaledRef& who,
                                std::function<void(cluster::QueryAnswer)> done) {
  const auto question =
      std::make_shared<Question>(loop, gate, channels.to(connect), message_of(who));
  questions.insert(question);
  // The question is held by its calls; held by what they call, too, it would never go.
  question->start(timeout, [this, held = std::weak_ptr(alive), weak = std::weak_ptr(question),
                            done = std::move(done)] {
    const auto asked = weak.lock();
    if (held.expired() || !asked) return;
    questions.erase(asked);
    cluster::QueryAnswer answer = answer_of(*asked);
    if (!answer.error.empty()) ++stats.failed;
    done(std::move(answer));
  });
}

void ExternalScalers::Impl::stream(WatchId id) {
  Watching& watching = watches.at(id);
  watching.timer = 0;
  ++stats.streams;
  const std::weak_ptr held(alive);
  watching.stream = ActiveStream::start(loop, gate, channels.to(watching.connect), watching.who,
                                        {[this, held, id](bool active) {
                                           if (!held.expired()) heard(id, active);
                                         },
                                         [this, held, id](const std::string& why) {
                                           if (!held.expired()) ended(id, why);
                                         }});
}

void ExternalScalers::Impl::heard(WatchId id, bool active) {
  const auto found = watches.find(id);
  if (found == watches.end()) return;
  found->second.wait = kFirstWait;
  const auto tell = found->second.on_active;  // which may end the watch
  tell(active);
}

void ExternalScalers::Impl::ended(WatchId id, const std::string& why) {
  const auto found = watches.find(id);
  if (found == watches.end()) return;
  Watching& watching = found->second;
  watching.stream = nullptr;
  log::debug(fmt::format("external scaler {}: {}; again in {} s", watching.connect.address, why,
                         watching.wait.ns / seconds(1).ns));
  watching.timer = clock.after(watching.wait, [this, id] { stream(id); });
  watching.wait = std::min(watching.wait * 2, kLastWait);
}

ExternalScalers::ExternalScalers(net::EventLoop& loop, net::Clock& clock)
    : impl_(std::make_unique<Impl>(Impl{loop, clock})) {}

ExternalScalers::~ExternalScalers() {
  impl_->alive = nullptr;
  for (const auto& question : impl_->questions) question->cancel();
  for (auto& [id, watching] : impl_->watches) {
    if (watching.timer != 0) impl_->clock.cancel(watching.timer);
    if (watching.stream) watching.stream->cancel();
  }
  impl_->gate->wait_empty();
}

void ExternalScalers::ask(const scaling::TriggerPlan& plan, const ScaledRef& who,
                          std::function<void(cluster::QueryAnswer)> done) {
  ++impl_->stats.asked;
  const auto connect = connect_options(plan.server_address, who);
  if (!connect.ok()) {
    impl_->fail(connect.error().message(), std::move(done));
    return;
  }
  impl_->ask(*connect, plan.timeout, who, std::move(done));
}

ExternalScalers::WatchId ExternalScalers::watch(const scaling::TriggerPlan& plan,
                                                const ScaledRef& who,
                                                std::function<void(bool active)> on_active) {
  const WatchId id = ++impl_->last_watch;
  const auto connect = connect_options(plan.server_address, who);
  if (!connect.ok()) return id;  // ask() says what is wrong, at every poll
  impl_->watches[id] = {*connect, message_of(who), std::move(on_active), nullptr, 0, kFirstWait};
  impl_->stream(id);
  return id;
}

void ExternalScalers::unwatch(WatchId watch) {
  const auto found = impl_->watches.find(watch);
  if (found == impl_->watches.end()) return;
  if (found->second.timer != 0) impl_->clock.cancel(found->second.timer);
  if (found->second.stream) found->second.stream->cancel();
  impl_->watches.erase(found);
}

ExternalScalers::Stats ExternalScalers::stats() const {
  Stats out = impl_->stats;
  out.open = impl_->questions.size();
  out.channels = impl_->channels.size();
  return out;
}

}  // namespace windlass::live::external
