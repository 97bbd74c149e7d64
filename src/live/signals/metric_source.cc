#include "live/signals/metric_source.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <span>

#include "live/signals/answer.h"
#include "live/signals/request.h"

namespace windlass::live::signals {
namespace {

using Kind = scaling::TriggerPlan::Kind;

// More different certificates than any cluster has; beyond, the oldest users keep theirs alive.
constexpr size_t kMostTlsOptions = 256;

cluster::QueryAnswer failed(std::string error) {
  cluster::QueryAnswer answer;
  answer.error = std::move(error);
  return answer;
}

cluster::QueryAnswer read_metrics_api_reply(const scaling::TriggerPlan& plan,
                                            const net::HttpReply& reply) {
  if (std::string fault = reply_fault(reply); !fault.empty()) return failed(std::move(fault));
  const auto reading = scaling::read_metrics_api(plan, std::span(&reply.body, 1));
  if (!reading.ok()) return failed(reading.error().message());
  cluster::QueryAnswer answer;
  answer.values.push_back(*reading);
  return answer;
}

}  // namespace

struct MetricSource::Impl {
  using Done = std::function<void(cluster::QueryAnswer)>;

  net::HttpClient& http;
  net::Clock& clock;
  std::set<net::HttpClient::Id> asked;
  std::set<net::Clock::TimerId> timers;
  // One object for equal options: the client reuses connections by it. By content, in PEM.
  std::map<std::array<std::string, 4>, std::shared_ptr<const net::TlsOptions>> tls;

  std::shared_ptr<const net::TlsOptions> shared_tls(const scaling::TriggerPlan& plan) {
    net::TlsOptions options = tls_of(plan);
    std::array<std::string, 4> key{options.ca, options.certificate, options.key,
                                   options.skip_verify ? "skip" : ""};
    if (std::ranges::all_of(key, &std::string::empty)) return nullptr;
    if (tls.size() >= kMostTlsOptions) tls.clear();
    auto& kept = tls[std::move(key)];
    if (!kept) kept = std::make_shared<const net::TlsOptions>(std::move(options));
    return kept;
  }

  // Never inside ask(): callers need not expect an answer while they ask.
  void answer_later(std::string error, Done done) {
    const auto id = std::make_shared<net::Clock::TimerId>(0);
    *id = clock.after({}, [this, id, error = std::move(error), done = std::move(done)] {
      timers.erase(*id);
      done(failed(error));
    });
    timers.insert(*id);
  }

  void send(net::HttpRequest request, const scaling::TriggerPlan& plan, Done done) {
    request.tls = shared_tls(plan);
    const auto id = std::make_shared<net::HttpClient::Id>(0);
    *id = http.send(std::move(request),
                    [this, id, plan, done = std::move(done)](net::HttpReply reply) {
                      asked.erase(*id);
                      // Before it is cut to a line, or half of a secret would stay.
                      const bool good = reply.status / 100 == 2;
                      if (!good) reply.body = without_secrets(plan, std::move(reply.body));
                      cluster::QueryAnswer answer = plan.kind == Kind::kPrometheus
                                                        ? read_query_reply(reply)
                                                        : read_metrics_api_reply(plan, reply);
                      answer.error = without_secrets(plan, std::move(answer.error));
                      done(std::move(answer));
                    });
    asked.insert(*id);
  }
};

MetricSource::MetricSource(net::HttpClient& http, net::Clock& clock)
    : impl_(new Impl{http, clock, {}, {}, {}}) {}

MetricSource::~MetricSource() {
  for (const net::HttpClient::Id id : impl_->asked) impl_->http.cancel(id);
  for (const net::Clock::TimerId id : impl_->timers) impl_->clock.cancel(id);
}

void MetricSource::ask(const scaling::TriggerPlan& plan,
                       std::function<void(cluster::QueryAnswer)> done) {
  if (plan.kind != Kind::kPrometheus && plan.kind != Kind::kMetricsApi) {
    impl_->answer_later("only prometheus and metrics-api triggers are asked by HTTP",
                        std::move(done));
    return;
  }
  auto request = plan.kind == Kind::kPrometheus ? prometheus_request(plan, impl_->clock.now())
                                                : metrics_api_request(plan);
  if (!request.ok()) {
    impl_->answer_later(request.error().message(), std::move(done));
  } else {
    impl_->send(*std::move(request), plan, std::move(done));
  }
}

}  // namespace windlass::live::signals
