#include "sim/kubelet.h"

#include <algorithm>

namespace windlass::sim {
namespace {

using cluster::Kind;

constexpr Duration kPlainStart = seconds(2);  // a program that is neither a model nor training

// The model whose Deployment made the pod, if any.
const ModelSpec* model_of(const Context& context, const api::Pod& pod) {
  const api::Deployment* deployment = context.state.deployment_of(pod);
  if (deployment == nullptr) return nullptr;
  for (const ModelSpec& spec : context.scenario.models) {
    if (spec.model.deployment == deployment->meta.key()) return &spec;
  }
  return nullptr;
}

bool of_job(const api::Pod& pod) {
  return std::any_of(pod.meta.owners.begin(), pod.meta.owners.end(),
                     [](const api::OwnerReference& o) { return o.kind == "Job"; });
}

}  // namespace

Kubelets::Kubelets(Context& context)
    : context_(context),
      delays_(context.stream("node delays")),
      pod_delays_(context.stream("pod delays")) {}

api::Node Kubelets::make_node(const Instance& instance) const {
  api::Node node;
  node.meta.name = instance.node_name;
  node.meta.uid = "node-" + instance.provider_id;
  node.meta.created = context_.now;
  node.meta.labels = instance.type->requirements.labels();
  node.meta.labels[std::string(api::kInstanceTypeLabel)] = instance.type->name;
  node.meta.labels[std::string(api::kZoneLabel)] = instance.zone;
  node.meta.labels[std::string(api::kCapacityTypeLabel)] = instance.capacity_type;
  node.meta.labels[std::string(api::kHostnameLabel)] = instance.node_name;
  node.provider_id = instance.provider_id;
  const api::NodeClaim* claim = context_.state.claim_by_provider_id(instance.provider_id);
  const catalog::InstanceType* type = instance.type;
  if (claim != nullptr) {
    if (const auto* seen = context_.state.types_for(claim->node_class.name).find(type->name)) {
      type = seen;
    }
  }
  node.capacity = type->capacity;
  node.allocatable = type->allocatable;
  return node;
}

void Kubelets::boot(const Instance& instance) {
  booting_[instance.provider_id] = &instance;
  context_.after(context_.scenario.cloud.boot.draw(delays_),
                 [this, id = instance.provider_id] { join(id); });
}

void Kubelets::join(const std::string& provider_id) {
  const auto it = booting_.find(provider_id);
  if (it == booting_.end()) return;  // terminated while it booted
  const Instance& instance = *it->second;
  booting_.erase(it);
  api::Node node = make_node(instance);
  const api::ResourceList complete = node.allocatable;
  // The GPUs are there only when their device plugin has registered.
  const bool has_gpus = complete.milli(api::kNvidiaGpu) > 0;
  if (has_gpus) {
    node.allocatable.set(api::kNvidiaGpu, 0);
    node.capacity.set(api::kNvidiaGpu, 0);
  }
  if (!instance.claim.empty()) {
    node.taints.push_back({std::string(api::kUnregisteredTaint), "", "NoExecute"});
  }
  node.conditions.push_back({"Ready", "True", "KubeletReady", "", context_.now});
  nodes_[node.meta.name].ready_at = context_.now;
  instance_of_[node.meta.name] = provider_id;
  ready_by_instance_[provider_id] = context_.now;
  context_.note("node ready", node.meta.name);
  context_.state.put(node);
  if (has_gpus) await_device_plugin(node.meta.name, complete);
}

void Kubelets::await_device_plugin(const std::string& node, const api::ResourceList& complete) {
  context_.after(context_.scenario.cloud.device_plugin.draw(delays_),
                 [this, name = node, complete] {
                   const api::Node* joined = context_.state.nodes().find(name);
                   if (joined == nullptr) return;
                   api::Node with_gpus = *joined;
                   with_gpus.allocatable = complete;
                   with_gpus.capacity.set(api::kNvidiaGpu, complete.milli(api::kNvidiaGpu));
                   context_.state.put(std::move(with_gpus));
                 });
}

void Kubelets::start_with(const Instance& instance, const NodeGroup& group,
                          const api::NodeClaim* claim) {
  api::Node node = make_node(instance);
  for (const auto& [key, value] : group.labels) node.meta.labels[key] = value;
  node.taints = group.taints;
  if (claim != nullptr) {
    for (const auto& [key, value] : claim->meta.labels) node.meta.labels[key] = value;
    node.meta.labels[std::string(api::kRegisteredLabel)] = "true";
    node.meta.labels[std::string(api::kInitializedLabel)] = "true";
    node.meta.finalizers = {std::string(api::kTerminationFinalizer)};
    node.taints.insert(node.taints.end(), claim->taints.begin(), claim->taints.end());
  }
  node.conditions.push_back({"Ready", "True", "KubeletReady", "", context_.now});
  nodes_[node.meta.name].ready_at = context_.now;
  instance_of_[node.meta.name] = instance.provider_id;
  context_.state.put(std::move(node));
}

void Kubelets::remove_node(const Instance& instance) {
  booting_.erase(instance.provider_id);
  drop_node(instance.node_name);
}

void Kubelets::drop_node(const std::string& node) {
  nodes_.erase(node);
  const std::set<std::string> pods = context_.state.pods_on(node);
  for (const std::string& pod : pods) {
    on_gone(pod);
    context_.state.remove(Kind::kPod, pod);
  }
  context_.note("node gone", node);
  context_.state.remove(Kind::kNode, node);
}

PodStart Kubelets::startup(const api::Pod& pod, NodeState& node) {
  const std::string image = pod.spec.containers.empty() ? "" : pod.spec.containers.front().image;
  auto [it, absent] = node.images.try_emplace(image, context_.now);
  if (absent) {
    const auto declared = context_.scenario.image_pull.find(image);
    const Delay& pull = declared == context_.scenario.image_pull.end()
                            ? context_.scenario.default_image_pull
                            : declared->second;
    it->second = context_.now + pull.draw(pod_delays_);
  }
  PodStart start;
  start.pull_until = std::max(it->second, context_.now);
  start.load_until = start.pull_until;
  if (const ModelSpec* model = model_of(context_, pod)) {
    // In this order, so that runs stay what they were.
    const Duration engine = model->engine_start.draw(pod_delays_);
    start.load_until = start.pull_until + model->weights.draw(pod_delays_);
    start.ready_at = start.load_until + engine;
  } else if (of_job(pod)) {
    start.ready_at = start.load_until + context_.scenario.training.start.draw(pod_delays_);
  } else {
    start.ready_at = start.load_until + kPlainStart;
  }
  return start;
}

void Kubelets::start_pod(const std::string& key) {
  const api::Pod& pod = context_.state.pods().at(key);
  const PodStart start = startup(pod, nodes_[pod.spec.node_name]);
  starts_[key] = start;
  context_.events.at(start.ready_at, [this, key, uid = pod.meta.uid] {
    const api::Pod* started = context_.state.pods().find(key);
    if (started != nullptr && started->meta.uid == uid && !started->meta.deleted) make_ready(key);
  });
}

void Kubelets::start_pod_warm(const std::string& key) {
  const api::Pod& pod = context_.state.pods().at(key);
  for (const api::Container& container : pod.spec.containers) {
    nodes_[pod.spec.node_name].images[container.image] = context_.now;
  }
  starts_[key] = {context_.now, context_.now, context_.now};
  make_ready(key);
}

std::optional<PodStart> Kubelets::start_of(const std::string& pod) const {
  const auto it = starts_.find(pod);
  return it == starts_.end() ? std::nullopt : std::optional(it->second);
}

void Kubelets::make_ready(const std::string& key) {
  api::Pod pod = context_.state.pods().at(key);
  pod.phase = api::PodPhase::kRunning;
  pod.ready = true;
  pod.started_at = context_.now;
  pod.ready_at = context_.now;
  context_.note("pod ready", key);
  context_.state.put(std::move(pod));
  on_ready(key);
}

void Kubelets::stop_pod(const std::string& key) {
  const api::Pod* pod = context_.state.pods().find(key);
  if (pod == nullptr) return;
  if (on_stop(key)) {
    // A process that ends on SIGTERM is away within about a second.
    context_.after(seconds(1), [this, key, uid = pod->meta.uid] {
      const api::Pod* late = context_.state.pods().find(key);
      if (late != nullptr && late->meta.uid == uid) finish_pod(key);
    });
    return;
  }
  context_.after(pod->spec.termination_grace, [this, key, uid = pod->meta.uid] {
    const api::Pod* late = context_.state.pods().find(key);
    if (late != nullptr && late->meta.uid == uid) finish_pod(key);
  });
}

void Kubelets::finish_pod(const std::string& key) {
  if (context_.state.pods().find(key) == nullptr) return;
  on_gone(key);
  context_.note("pod gone", key);
  context_.state.remove(Kind::kPod, key);
}

std::optional<Instant> Kubelets::ready_at(const std::string& provider_id) const {
  const auto it = ready_by_instance_.find(provider_id);
  return it == ready_by_instance_.end() ? std::nullopt : std::optional(it->second);
}

}  // namespace windlass::sim
