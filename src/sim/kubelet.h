// The nodes' kubelets: a node joins, becomes Ready, offers its GPUs; a pod's image is pulled, its
// program starts, it becomes Ready; it ends within its grace period.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include "sim/cloud.h"
#include "sim/context.h"

namespace windlass::sim {

// How a pod's start goes on: each step ends where the next one begins. A pod that serves no model
// loads nothing.
struct PodStart {
  Instant pull_until{};  // the image is there
  Instant load_until{};  // weights are loaded
  Instant ready_at{};    // the engine (or program) is up
};

class Kubelets {
 public:
  explicit Kubelets(Context& context);

  // Set by the world. A pod is Ready; a pod must stop (true: it is gone by itself at once, false:
  // finish_pod() follows when it has finished); a pod is gone, with its node or after its grace.
  std::function<void(const std::string& pod)> on_ready;
  std::function<bool(const std::string& pod)> on_stop;
  std::function<void(const std::string& pod)> on_gone;

  // The instance boots; its node joins when it is up.
  void boot(const Instance& instance);
  // A node that is up and warm when the run begins. `labels` and `taints` beside the type's own.
  void start_with(const Instance& instance, const NodeGroup& group, const api::NodeClaim* claim);
  void remove_node(const Instance& instance);
  // The Node and all its pods are gone, whatever became of the instance.
  void drop_node(const std::string& node);

  void start_pod(const std::string& pod);
  // Image present and program running at once: for the pods a run begins with.
  void start_pod_warm(const std::string& pod);
  void stop_pod(const std::string& pod);
  void finish_pod(const std::string& pod);

  // For a restart (kubelet_saved.cc).
  void save(SavedParts& parts) const;
  Status read(const std::map<std::string, Json>& saved);
  void set_ready_at(const std::string& provider_id, Instant at) {
    ready_by_instance_[provider_id] = at;
  }
  // A node that is there goes on, with its instance.
  void resume_node(const Instance& instance);
  // A bound pod: a Ready one is up at once, any other starts again, one on its way out goes.
  void resume_pod(const std::string& pod);

  // The pod is gone from the API.
  void forget_pod(const std::string& pod) { starts_.erase(pod); }
  // Of a pod whose kubelet has begun; also when it is up.
  [[nodiscard]] std::optional<PodStart> start_of(const std::string& pod) const;

  // When the node of an instance became Ready.
  [[nodiscard]] std::optional<Instant> ready_at(const std::string& provider_id) const;

 private:
  struct NodeState {
    std::map<std::string, Instant> images;  // present from
    std::optional<Instant> ready_at;
  };
  api::Node make_node(const Instance& instance) const;
  void join(const std::string& provider_id);
  void await_device_plugin(const std::string& node, const api::ResourceList& complete);
  void make_ready(const std::string& pod);
  // When image and program of the pod will be up.
  PodStart startup(const api::Pod& pod, NodeState& node);

  Context& context_;
  Rng delays_;
  Rng pod_delays_;
  std::map<std::string, PodStart> starts_;          // by pod
  std::map<std::string, NodeState> nodes_;          // by node name
  std::map<std::string, std::string> instance_of_;  // node name -> provider id
  std::map<std::string, Instant> ready_by_instance_;
  std::map<std::string, const Instance*> booting_;  // by provider id
};

}  // namespace windlass::sim
