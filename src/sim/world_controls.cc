#include <algorithm>

#include "sim/world.h"

namespace windlass::sim {

double World::Controls::traffic() const {
  double factor = traffic_factor;
  for (const Burst& burst : bursts) factor *= burst.factor;
  return factor;
}

void World::set_traffic_factor(double factor) {
  controls_.traffic_factor = factor;
  inference_.set_traffic_factor(controls_.traffic());
}

void World::burst(double factor, Duration length) {
  if (length <= Duration{}) return;
  controls_.bursts.push_back({factor, context_->now + length});
  plan_burst_end(controls_.bursts.back());
  inference_.set_traffic_factor(controls_.traffic());
}

void World::plan_burst_end(const Burst& burst) {
  context_->events.at(burst.until, [this] {
    std::erase_if(controls_.bursts, [&](const Burst& b) { return b.until <= context_->now; });
    inference_.set_traffic_factor(controls_.traffic());
  });
}

bool World::interrupt(const std::string& node) {
  const api::Node* found = context_->state.nodes().find(node);
  if (found == nullptr || !cloud_.interrupt(found->provider_id)) return false;
  settle();
  return true;
}

void World::block_capacity(const std::string& instance_type, std::optional<Instant> until) {
  cloud_.block(instance_type, until.value_or(kNever));
}

void World::unblock_capacity(const std::string& instance_type) { cloud_.unblock(instance_type); }

void World::prometheus_outage(Duration length) { exporters_.fail_until(context_->now + length); }

}  // namespace windlass::sim
