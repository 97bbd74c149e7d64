#include "server/embedded/shadows.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace windlass::server::embedded {
namespace {

using controllers::Policy;

// What people write of workloads and pools. Pods, nodes and claims are made by each world itself.
bool concerns_all(const api::Object& object) {
  return !std::holds_alternative<api::Pod>(object) && !std::holds_alternative<api::Node>(object) &&
         !std::holds_alternative<api::NodeClaim>(object);
}

// Whether policies could come to different ends.
bool leaves_a_choice(const sim::Scenario& scenario) {
  if (!scenario.models.empty() || scenario.fixed != scenario.autoscaled) return true;
  return std::any_of(scenario.objects.begin(), scenario.objects.end(), [](const auto& object) {
    return std::holds_alternative<api::NodePool>(object) ||
           std::holds_alternative<api::ScaledObject>(object) ||
           std::holds_alternative<api::ScaledJob>(object) ||
           std::holds_alternative<api::HorizontalPodAutoscaler>(object);
  });
}

double usd_per_hour(const sim::World& world) {
  double sum = 0;
  for (const auto& [id, instance] : world.cloud().instances()) {
    if (!instance.terminated) sum += instance.usd_per_hour;
  }
  return sum;
}

// A world that has begun anew plays the same time again: until it is past where its predecessor
// stood, that one's cost is the better guess, and never both.
double usd_of(const sim::World& world, double usd_before) {
  return std::max(usd_before, world.cloud().cost_usd());
}

std::string part_name(const sim::World& world) {
  return kShadowPart + std::string(controllers::to_string(world.policy()));
}

}  // namespace

Result<Shadows> Shadows::open(const sim::Scenario& scenario, Policy shown,
                              const std::map<std::string, Json>& saved) {
  Shadows out;
  if (!leaves_a_choice(scenario)) return out;
  for (const Policy policy : {Policy::kStatic, Policy::kStock, Policy::kWindlass}) {
    if (policy == shown) continue;
    auto world = sim::World::open(scenario, policy, {});
    if (!world.ok()) return world.error();
    Shadow shadow{*std::move(world), 0};
    const auto before = saved.find(part_name(*shadow.world));
    if (before != saved.end() && before->second.is_number()) {
      shadow.usd_before = before->second.get<double>();
    }
    out.shadows_.push_back(std::move(shadow));
  }
  return out;
}

Status Shadows::run_until(Instant to, const std::function<bool()>& enough) {
  for (Shadow& shadow : shadows_) {
    if (shadow.world->now() >= to) continue;
    if (Status status = shadow.world->run_until(to, enough); !status.ok()) return status;
  }
  return {};
}

Instant Shadows::slowest(Instant otherwise) const {
  Instant out = otherwise;
  for (const Shadow& shadow : shadows_) out = std::min(out, shadow.world->now());
  return out;
}

void Shadows::client_wrote(const api::Object& object) {
  if (!concerns_all(object)) return;
  for (Shadow& shadow : shadows_) {
    api::Object seen = object;
    if (auto* deployment = std::get_if<api::Deployment>(&seen)) {
      // Replicas of a Deployment that is there already are each policy's own to decide.
      const auto* own = shadow.world->state().deployments().find(deployment->meta.key());
      if (own != nullptr) deployment->replicas = own->replicas;
    }
    shadow.world->put(std::move(seen));
  }
}

void Shadows::client_removed(cluster::Kind kind, const std::string& key) {
  if (kind == cluster::Kind::kPod || kind == cluster::Kind::kNode ||
      kind == cluster::Kind::kNodeClaim) {
    return;
  }
  for (Shadow& shadow : shadows_) shadow.world->remove(kind, key);
}

void Shadows::each(const std::function<void(sim::World&)>& control) {
  for (Shadow& shadow : shadows_) control(*shadow.world);
}

std::vector<observe::PolicyCost> Shadows::costs() const {
  std::vector<observe::PolicyCost> out;
  for (const Shadow& shadow : shadows_) {
    out.push_back({std::string(controllers::to_string(shadow.world->policy())),
                   usd_per_hour(*shadow.world), usd_of(*shadow.world, shadow.usd_before)});
  }
  return out;
}

std::map<std::string, Json> Shadows::saved() const {
  std::map<std::string, Json> out;
  for (const Shadow& shadow : shadows_) {
    out[part_name(*shadow.world)] = usd_of(*shadow.world, shadow.usd_before);
  }
  return out;
}

std::vector<sim::RunResult> Shadows::results(bool partial) {
  std::vector<sim::RunResult> out;
  for (Shadow& shadow : shadows_) out.push_back(shadow.world->result(partial));
  return out;
}

}  // namespace windlass::server::embedded
