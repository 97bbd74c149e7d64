#include "live/external/demand_scaler.h"

#include <algorithm>
#include <deque>
#include <map>
#include <vector>

#include <fmt/format.h>

#include "base/log.h"
#include "live/external/demand_spec.h"
#include "scaling/demand.h"

namespace windlass::live::external {
namespace {

// Where the P95 of lengths isn't asked: log-normal lengths with a coefficient of variation of a
// half have it at twice the mean.
constexpr double kP95OfMean = 2;

using Answer = std::function<void(Result<double>)>;

// One object's samples and what came of them.
struct Tracked {
  DemandSpec spec;
  api::StringMap metadata;  // of the spec
  Duration asked{};         // steady time of the last question
  std::deque<double> arrivals;
  scaling::RequestMix mix;
  int32_t current = 0;
  std::optional<Result<double>> decision;  // of the last sample
  std::vector<Answer> waiting;             // until the first
  bool sampling = false;
  // The sample under way.
  uint64_t round = 0;
  size_t open = 0;
  double values[kSignals] = {};
  std::string error;
};

// A replica for traffic whose requests are unknown yet: the first must be served to be measured.
double decide(const DemandScalerOptions& options, double waiting, Tracked& tracked) {
  const DemandSpec& spec = tracked.spec;
  scaling::DemandInput input;
  input.history.period = options.period;
  input.history.requests.assign(tracked.arrivals.begin(), tracked.arrivals.end());
  input.lead = spec.lead;
  input.queue = waiting;
  input.current = tracked.current;
  input.max = spec.max;
  input.scale_in_headroom = spec.scale_in_headroom;
  if (spec.replica_requests_per_s) {
    input.replica_requests_per_s = *spec.replica_requests_per_s;
  } else if (tracked.mix.output_tokens_mean > 0) {
    input.replica_requests_per_s =
        scaling::capacity_at_slo(spec.profile, tracked.mix, spec.slo.millis() * options.slo_share)
            .requests_per_s;
  }
  int32_t replicas = scaling::evaluate_demand(input).replicas;
  const bool any =
      waiting > 0 || std::ranges::any_of(tracked.arrivals, [](double n) { return n > 0; });
  if (input.replica_requests_per_s <= 0) replicas = any ? std::max(replicas, 1) : 0;
  tracked.current = replicas;
  return replicas;
}

}  // namespace

struct DemandScaler::Impl {
  AskMetric ask;
  net::Clock& clock;
  DemandScalerOptions options;
  std::map<std::string, Tracked> objects{};  // "namespace/name metric"
  net::Clock::TimerId timer = 0;
  uint64_t rounds = 0;
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);

  Result<std::string> metric(const ScaledRef& who);
  void wanted(const ScaledRef& who, Answer done);
  void tick();
  void sample(const std::string& key);
  void take(const std::string& key, uint64_t round, size_t signal,
            const cluster::QueryAnswer& said);
  void conclude(Tracked& tracked);
};

Result<std::string> DemandScaler::Impl::metric(const ScaledRef& who) {
  const auto spec = read_demand_spec(who.metadata);
  if (!spec.ok()) return spec.error();
  return spec->metric;
}

void DemandScaler::Impl::wanted(const ScaledRef& who, Answer done) {
  auto spec = read_demand_spec(who.metadata);
  if (!spec.ok()) {
    done(spec.error());
    return;
  }
  const std::string key = fmt::format("{}/{} {}", who.namespace_name, who.name, spec->metric);
  auto found = objects.find(key);
  if (found == objects.end() && objects.size() >= options.most_objects) {
    done(Error("too many scaled objects"));
    return;
  }
  if (found == objects.end() || found->second.metadata != who.metadata) {
    // What was measured by other queries, or for another model, is not this one's.
    std::vector<Answer> waiting;
    if (found != objects.end()) waiting = std::move(found->second.waiting);
    Tracked fresh;
    fresh.spec = *std::move(spec);
    fresh.metadata = who.metadata;
    fresh.waiting = std::move(waiting);
    found = objects.insert_or_assign(key, std::move(fresh)).first;
  }
  Tracked& tracked = found->second;
  tracked.asked = clock.steady();
  if (tracked.decision) {
    done(*tracked.decision);
    return;
  }
  tracked.waiting.push_back(std::move(done));
  if (!tracked.sampling) sample(key);
  if (timer == 0) timer = clock.after(options.period, [this] { tick(); });
}

void DemandScaler::Impl::tick() {
  timer = 0;
  std::erase_if(objects, [&](const auto& entry) {
    return clock.steady() - entry.second.asked > options.forget;
  });
  std::vector<std::string> keys;
  for (const auto& [key, tracked] : objects) keys.push_back(key);
  for (const std::string& key : keys) {
    const auto found = objects.find(key);
    // One that takes longer than a period is not asked twice at once.
    if (found != objects.end() && !found->second.sampling) sample(key);
  }
  if (!objects.empty()) timer = clock.after(options.period, [this] { tick(); });
}

void DemandScaler::Impl::sample(const std::string& key) {
  Tracked& tracked = objects.at(key);
  tracked.sampling = true;
  tracked.round = ++rounds;
  tracked.error.clear();
  std::fill(std::begin(tracked.values), std::end(tracked.values), 0);
  tracked.open = static_cast<size_t>(std::ranges::count_if(
      tracked.spec.queries, [](const auto& plan) { return plan.has_value(); }));
  const uint64_t round = tracked.round;
  for (size_t i = 0; i < kSignals; ++i) {
    if (!tracked.spec.queries[i]) continue;
    ask(*tracked.spec.queries[i],
        [this, held = std::weak_ptr(alive), key, round, i](const cluster::QueryAnswer& said) {
          if (!held.expired()) take(key, round, i, said);
        });
  }
}

void DemandScaler::Impl::take(const std::string& key, uint64_t round, size_t signal,
                              const cluster::QueryAnswer& said) {
  const auto found = objects.find(key);
  if (found == objects.end() || found->second.round != round) return;
  Tracked& tracked = found->second;
  const scaling::TriggerReading reading =
      scaling::read_prometheus(*tracked.spec.queries[signal], {said.values, said.error});
  if (reading.ok()) {
    tracked.values[signal] = std::max(*reading, 0.0);
  } else if (tracked.error.empty()) {
    tracked.error = reading.error().message();
  }
  if (--tracked.open > 0) return;
  conclude(tracked);
  const std::vector<Answer> waiting = std::exchange(tracked.waiting, {});
  const Result<double> decision = *tracked.decision;  // what is called may forget the object
  for (const Answer& done : waiting) done(decision);
}

void DemandScaler::Impl::conclude(Tracked& tracked) {
  tracked.sampling = false;
  if (!tracked.error.empty()) {
    // Periods are equal and none may be missing: what is not known was as before.
    if (!tracked.arrivals.empty()) tracked.arrivals.push_back(tracked.arrivals.back());
    if (tracked.arrivals.size() > options.periods) tracked.arrivals.pop_front();
    tracked.decision = Result<double>(Error(tracked.error));
    return;
  }
  const double* said = tracked.values;
  tracked.arrivals.push_back(said[kArrivals] * static_cast<double>(options.period.ns) / 1e9);
  if (tracked.arrivals.size() > options.periods) tracked.arrivals.pop_front();
  // Without requests there are no lengths; those of the last ones hold.
  if (said[kInputMean] > 0 && said[kOutputMean] > 0) {
    const auto p95 = [&](Signal signal, double mean) {
      return said[signal] > 0 ? std::max(said[signal], mean) : kP95OfMean * mean;
    };
    tracked.mix = {said[kInputMean], said[kOutputMean], p95(kInputP95, said[kInputMean]),
                   p95(kOutputP95, said[kOutputMean])};
  }
  tracked.decision = Result<double>(decide(options, said[kWaiting], tracked));
}

DemandScaler::DemandScaler(AskMetric ask, net::Clock& clock, DemandScalerOptions options)
    : impl_(std::make_unique<Impl>(Impl{std::move(ask), clock, options})) {}

DemandScaler::~DemandScaler() {
  if (impl_->timer != 0) impl_->clock.cancel(impl_->timer);
}

size_t DemandScaler::objects() const { return impl_->objects.size(); }

Scaler DemandScaler::scaler() {
  return {[this](const ScaledRef& who) { return impl_->metric(who); },
          [this](const ScaledRef& who, Answer done) { impl_->wanted(who, std::move(done)); }};
}

}  // namespace windlass::live::external
