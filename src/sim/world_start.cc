#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sim/world.h"

namespace windlass::sim {

using controllers::Policy;

// Nodes that are up at time 0: those of a NodePool with a claim of their own, as if launched
// before.
void World::place_first_nodes(const StartSpec& start) {
  int count = 0;
  for (const NodeGroup& group : start.nodes) {
    const api::NodePool* pool = context_->state.node_pools().find(group.pool);
    for (int i = 0; i < group.count; ++i) {
      const std::string name =
          pool == nullptr ? "" : fmt::format("{}-start-{}", group.pool, ++count);
      const Instance& instance = cloud_.start_with(group, name, i);
      if (pool == nullptr) {
        kubelets_.start_with(instance, group, nullptr);
        continue;
      }
      api::NodeClaim claim;
      claim.meta.name = name;
      claim.meta.uid = "claim-" + name;
      claim.meta.created = context_->now;
      claim.meta.finalizers = {std::string(api::kTerminationFinalizer)};
      claim.meta.labels = pool->labels;
      for (const auto& [key, value] : instance.type->requirements.labels()) {
        claim.meta.labels[key] = value;
      }
      claim.meta.labels[std::string(api::kNodePoolLabel)] = group.pool;
      claim.meta.labels[std::string(api::kInstanceTypeLabel)] = instance.type->name;
      claim.meta.labels[std::string(api::kZoneLabel)] = instance.zone;
      claim.meta.labels[std::string(api::kCapacityTypeLabel)] = instance.capacity_type;
      claim.taints = pool->taints;
      claim.requirements = pool->requirements;
      claim.node_class = pool->node_class;
      claim.provider_id = instance.provider_id;
      claim.node_name = instance.node_name;
      const catalog::InstanceType* type =
          context_->state.types_for(pool->node_class.name).find(instance.type->name);
      claim.capacity = type->capacity;
      claim.allocatable = type->allocatable;
      for (const char* condition : {"Launched", "Registered", "Initialized", "Ready"}) {
        claim.conditions.push_back({condition, "True", condition, "", context_->now});
      }
      context_->state.put(claim);
      kubelets_.start_with(instance, group, &claim);
    }
  }
}

void World::start_first_pods() {
  workloads_.sync_all();
  scheduler_.pass();
  std::vector<std::string> bound;
  for (const auto& [key, pod] : context_->state.pods()) {
    if (!pod.spec.node_name.empty()) bound.push_back(key);
  }
  for (const std::string& key : bound) {
    started_.insert(key);
    kubelets_.start_pod_warm(key);
  }
}

// What the API server gives to objects when they are made; those of files have none of it.
void World::stamp(api::Object& object) {
  const std::string_view kind = api::kind_of(object);
  std::visit(
      [&](auto& o) {
        if (o.meta.uid.empty()) o.meta.uid = api_.new_uid(kind, o.meta.key());
        if (o.meta.created == Instant{}) o.meta.created = context_->now;
        if (o.meta.generation == 0) o.meta.generation = 1;
      },
      object);
}

void World::place_objects() {
  for (const api::Object& object : options_.objects ? *options_.objects : scenario_.objects) {
    api::Object placed = object;
    if (options_.keep_raw) stamp(placed);
    if (auto* deployment = std::get_if<api::Deployment>(&placed)) {
      // An object of a file has no uid; its pods are found by it.
      if (!options_.keep_raw) deployment->meta.uid = "deployment-" + deployment->meta.key();
      deployment->meta.created = context_->now;
      const api::PriorityClass* priority =
          context_->state.priority_classes().find(deployment->pod_template.spec.priority_class);
      // In a served world the template stays as its author wrote it.
      if (priority != nullptr && !options_.keep_raw) {
        deployment->pod_template.spec.priority = priority->value;
      }
      const StartSpec& start = policy_ == Policy::kStatic ? scenario_.fixed : scenario_.autoscaled;
      if (const auto it = start.replicas.find(deployment->meta.key()); it != start.replicas.end()) {
        deployment->replicas = it->second;
      }
    } else if (auto* daemon_set = std::get_if<api::DaemonSet>(&placed)) {
      if (!options_.keep_raw) daemon_set->meta.uid = "daemonset-" + daemon_set->meta.key();
    } else if (auto* scaled = std::get_if<api::ScaledObject>(&placed)) {
      scaled->meta.created = context_->now;
    } else if (auto* job = std::get_if<api::Job>(&placed)) {
      if (!options_.keep_raw) job->meta.uid = "job-" + job->meta.key();
      job->meta.created = context_->now;
    }
    context_->state.put(std::move(placed));
  }
}

void World::set_models() {
  std::vector<cluster::InferenceModel> models;
  for (const ModelSpec& spec : scenario_.models) models.push_back(spec.model);
  context_->state.set_models(std::move(models));
}

Status World::set_up() {
  if (!options_.saved.empty()) {
    if (Status status = resume(); !status.ok()) return status;
    options_.saved.clear();
    options_.objects.reset();
  } else {
    place_objects();
    set_models();
    place_first_nodes(policy_ == Policy::kStatic ? scenario_.fixed : scenario_.autoscaled);
    start_first_pods();
  }
  training_.plan();
  exporters_.start();
  recorder_.start();
  if (!options_.foreign_signals) tick_signals();
  ring_.start(context_->state, context_->now);
  return {};
}

}  // namespace windlass::sim
