#include "live/signals/pod_scraper.h"

#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "live/signals/answer.h"
#include "live/signals/model_counts.h"

namespace windlass::live::signals {
namespace {

// vLLM says some 100 KB; a server with many models more.
constexpr size_t kLongestPage = 32 << 20;

}  // namespace

struct PodScraper::Impl {
  net::HttpClient& http;
  net::Clock& clock;
  std::string model;
  Duration period;
  std::function<std::vector<ScrapeTarget>()> targets;
  PodScraper* owner;

  ModelCounts counts;
  net::Clock::TimerId timer = 0;
  std::map<net::HttpClient::Id, ScrapeTarget> open;  // of the present round
  bool any_read = false;                             // in the present round
  std::set<std::string> in_trouble;                  // pods whose last answer was none

  // A pod's address may stay while the pod is another; its uid tells, and so does the address.
  static std::string identity(const ScrapeTarget& target) {
    return fmt::format("{} {} {}", target.pod, target.uid, target.url);
  }

  static std::string named(const ScrapeTarget& target) {
    return target.pod.empty() ? target.url.substr(0, target.url.find('?')) : "pod " + target.pod;
  }

  void tick() {
    timer = clock.after(period, [this] { tick(); });
    // Answers are due well before the next round, so this ends only what hangs all the same.
    for (const auto& [id, target] : open) http.cancel(id);
    if (!open.empty()) {
      for (const auto& [id, target] : std::exchange(open, {})) fail(target, "no answer in time");
      end_round();
      if (timer == 0) return;  // stopped by who heard of it
    }
    begin_round();
  }

  void begin_round() {
    counts.begin_round();
    any_read = false;
    const std::vector<ScrapeTarget> now = targets();
    std::set<std::string> names;
    for (const ScrapeTarget& target : now) names.insert(target.pod);
    std::erase_if(in_trouble, [&](const std::string& pod) { return !names.contains(pod); });
    for (const ScrapeTarget& target : now) send(target);
    if (open.empty()) end_round();
  }

  void send(const ScrapeTarget& target) {
    net::HttpRequest request;
    request.url = target.url;
    request.headers = {{"Accept", "text/plain;version=0.0.4"}};
    request.timeout = period - period / 5;
    request.connect_timeout = request.timeout;
    request.max_reply_bytes = kLongestPage;
    const auto id = std::make_shared<net::HttpClient::Id>(0);
    *id = http.send(std::move(request), [this, id](const net::HttpReply& reply) {
      const auto it = open.find(*id);
      if (it == open.end()) return;
      const ScrapeTarget answered = it->second;
      open.erase(it);
      take(answered, reply);
      if (open.empty()) end_round();
    });
    open.emplace(*id, target);
  }

  void take(const ScrapeTarget& target, const net::HttpReply& reply) {
    if (const std::string fault = reply_fault(reply); !fault.empty()) return fail(target, fault);
    const auto samples = parse_exposition(reply.body);
    if (!samples.ok()) return fail(target, samples.error().message());
    const auto reading = read_pod(*samples, model);
    if (!reading.ok()) return fail(target, reading.error().message());
    counts.add(identity(target), *reading);
    any_read = true;
    if (in_trouble.erase(target.pod) > 0) {
      log::info(fmt::format("model {}: metrics of {} are read again", model, named(target)));
    }
  }

  // Said once until it is well again: every few seconds would drown the rest.
  void fail(const ScrapeTarget& target, const std::string& why) {
    counts.missed(identity(target));
    if (in_trouble.insert(target.pod).second) {
      log::warning(fmt::format("model {}: metrics of {}: {}", model, named(target), why));
    }
  }

  void end_round() {
    const cluster::ModelSignals signals = counts.end_round(clock.now());
    if (any_read && owner->on_signals) owner->on_signals(signals);
  }
};

PodScraper::PodScraper(net::HttpClient& http, net::Clock& clock, std::string model, Duration period,
                       std::function<std::vector<ScrapeTarget>()> targets)
    : impl_(new Impl{http,
                     clock,
                     std::move(model),
                     period,
                     std::move(targets),
                     this,
                     ModelCounts(period),
                     0,
                     {},
                     false,
                     {}}) {}

PodScraper::~PodScraper() { stop(); }

void PodScraper::start() {
  if (impl_->timer == 0) impl_->tick();
}

void PodScraper::stop() {
  if (impl_->timer != 0) impl_->clock.cancel(impl_->timer);
  impl_->timer = 0;
  for (const auto& [id, target] : impl_->open) impl_->http.cancel(id);
  impl_->open.clear();
}

}  // namespace windlass::live::signals
