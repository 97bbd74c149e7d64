#include "server/embedded/plain_cluster.h"

#include <algorithm>

#include "server/embedded/world_api.h"

namespace windlass::server::embedded {
namespace {

// Longer than any test: the world's parts look ahead no further than their next event.
constexpr Duration kOpenEnd = hours(24 * 3650);

}  // namespace

PlainCluster::PlainCluster(PlainClusterOptions options) {
  scenario_.name = "plain";
  scenario_.start = options.start;
  scenario_.duration = kOpenEnd;
  scenario_.seed = options.seed;
}

Result<std::unique_ptr<PlainCluster>> PlainCluster::open(PlainClusterOptions options) {
  std::vector<api::Object> objects = admitted(options.objects);
  std::unique_ptr<PlainCluster> cluster(new PlainCluster(std::move(options)));
  if (Status status = cluster->begin(std::move(objects)); !status.ok()) return status.error();
  return cluster;
}

Status PlainCluster::begin(std::vector<api::Object> objects) {
  sim::WorldOptions world_options;
  world_options.keep_raw = true;
  world_options.external = true;
  world_options.objects = std::move(objects);
  auto opened = sim::World::open(scenario_, controllers::Policy::kStatic, std::move(world_options));
  if (!opened.ok()) return opened.error();
  world_ = *std::move(opened);
  rest::ApiOptions options;
  options.now = [this] { return world_->now(); };
  options.wall_now = options.now;
  options.after = [this](Duration delay, std::function<void()> work) {
    timers_.emplace(world_->now() + delay, std::move(work));
  };
  set_world_rules(options);
  options.seed = scenario_.seed;
  api_ = std::make_unique<rest::KubeApi>(store_, std::move(options));
  api_->bootstrap();
  bridge_ = std::make_unique<Bridge>(*world_, store_, *api_);
  bridge_->mirror_all();
  turn();
  return {};
}

// What clients wrote goes in, what came of it goes out.
void PlainCluster::turn() {
  bridge_->take_in();
  bridge_->give_out();
  api_->flush();
}

void PlainCluster::handle(Request request, const std::shared_ptr<Exchange>& exchange) {
  if (request.identity.user.empty()) {
    request.identity = {"kubernetes-admin", {"system:masters", "system:authenticated"}, ""};
  }
  api_->handle(request, exchange);
  turn();
}

Instant PlainCluster::next_due() const {
  const Instant timer = timers_.empty() ? kNever : timers_.begin()->first;
  return std::min(world_->next_due(), timer);
}

Status PlainCluster::advance(Instant to) {
  while (world_->now() < to) {
    const Instant timer = timers_.empty() ? kNever : timers_.begin()->first;
    // Every event is told before the next one happens, as watchers would see it.
    const Instant next = std::max(std::min(world_->next_due(), timer), world_->now());
    const Instant stop = next >= to ? to : next + nanoseconds(1);
    if (Status status = world_->run_until(stop, {}); !status.ok()) return status;
    while (!timers_.empty() && timers_.begin()->first < world_->now()) {
      const auto work = std::move(timers_.begin()->second);
      timers_.erase(timers_.begin());
      work();
    }
    turn();
  }
  return {};
}

}  // namespace windlass::server::embedded
