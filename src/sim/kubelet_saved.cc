// What a node's disk keeps when its power is off, the images; and how nodes and pods go on after.
#include <nlohmann/json.hpp>

#include "api/json_reader.h"
#include "sim/kubelet.h"
#include "sim/saved.h"

namespace windlass::sim {

void Kubelets::save(SavedParts& parts) const {
  for (const auto& [name, node] : nodes_) {
    Json images = Json::object();
    // A pull under way begins again.
    for (const auto& [image, from] : node.images) {
      if (from <= context_.now) images[image] = from.ns;
    }
    parts.set(kKubeletPart + name, {{"images", std::move(images)}});
  }
}

Status Kubelets::read(const std::map<std::string, Json>& saved) {
  for (auto it = saved.lower_bound(kKubeletPart);
       it != saved.end() && it->first.starts_with(kKubeletPart); ++it) {
    const std::string node = it->first.substr(std::string(kKubeletPart).size());
    if (context_.state.nodes().find(node) == nullptr) continue;
    api::ReadLog log;
    api::Reader root(it->second, it->first, log);
    for (const auto& [image, from] : root.at("images").entries()) {
      if (const auto at = read_instant(from)) nodes_[node].images[image] = *at;
    }
    if (!log.errors.empty()) return Error(log.joined_errors());
  }
  return {};
}

void Kubelets::resume_node(const Instance& instance) {
  const api::Node& node = *context_.state.node_by_provider_id(instance.provider_id);
  NodeState& known = nodes_[node.meta.name];
  known.ready_at = ready_at(instance.provider_id).value_or(context_.now);
  const bool lacks_gpus =
      instance.type->gpu_count > 0 && node.allocatable.milli(api::kNvidiaGpu) == 0;
  if (lacks_gpus) await_device_plugin(node.meta.name, make_node(instance).allocatable);
}

void Kubelets::resume_pod(const std::string& key) {
  const api::Pod pod = context_.state.pods().at(key);  // the table moves under us
  if (pod.terminal()) return;
  if (context_.state.nodes().find(pod.spec.node_name) == nullptr) {
    finish_pod(key);
  } else if (pod.meta.deleted) {
    stop_pod(key);
  } else if (pod.phase == api::PodPhase::kRunning && pod.ready) {
    starts_[key] = {context_.now, context_.now, context_.now};
    on_ready(key);
  } else {
    start_pod(key);
  }
}

}  // namespace windlass::sim
