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

  void start_pod(const std::string& pod);
  // Image present and program running at once: for the pods a run begins with.
  void start_pod_warm(const std::string& pod);
  void stop_pod(const std::string& pod);
  void finish_pod(const std::string& pod);

  // When the node of an instance became Ready.
  [[nodiscard]] std::optional<Instant> ready_at(const std::string& provider_id) const;

 private:
  struct NodeState {
    std::map<std::string, Instant> images;  // present from
    std::optional<Instant> ready_at;
  };
  api::Node make_node(const Instance& instance) const;
  void join(const std::string& provider_id);
  void make_ready(const std::string& pod);
  // Until image and program of the pod are up.
  Duration startup(const api::Pod& pod, NodeState& node);

  Context& context_;
  Rng delays_;
  Rng pod_delays_;
  std::map<std::string, NodeState> nodes_;          // by node name
  std::map<std::string, std::string> instance_of_;  // node name -> provider id
  std::map<std::string, Instant> ready_by_instance_;
  std::map<std::string, const Instance*> booting_;  // by provider id
};

}  // namespace windlass::sim
