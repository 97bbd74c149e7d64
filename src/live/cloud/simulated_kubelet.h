// The kubelets of simulated nodes: what becomes of a pod that is bound to one. Its image is pulled,
// it runs, it becomes Ready, it ends; all of it written to its status as a kubelet would. The pods
// come from the caller's informers; a pod found half-way (after a restart) goes on from there.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "api/core.h"
#include "live/cloud/errands.h"

namespace windlass::live::cloud {

// On a Job's pod, or one that nothing owns: it succeeds after so many seconds of running.
inline constexpr std::string_view kRunSeconds = "windlass.dev/run-seconds";

struct KubeletTimes {
  Duration pull{};   // of an image, once a node
  Duration ready{};  // from running to Ready
  Duration stop{};   // at most, from the request to delete it
};

class SimulatedKubelets {
 public:
  SimulatedKubelets(kube::Api& api, net::Clock& clock, KubeletTimes times);
  ~SimulatedKubelets();

  // Pods may be known before; they begin now.
  void add_node(const std::string& node);
  // The machine is gone: whatever ran there is no more, and nothing more is said of it.
  void remove_node(const std::string& node);
  [[nodiscard]] bool has_node(const std::string& node) const { return nodes_.contains(node); }
  // A pod of any node; those of other nodes are kept in mind for add_node() while `expected`.
  void pod_changed(const api::Pod& pod, bool expected);
  void pod_gone(const std::string& key);
  // Pods of nodes that nobody expects any more are forgotten.
  void forget_others(const std::set<std::string>& expected_nodes);
  [[nodiscard]] size_t pods() const;

 private:
  enum class Stage { kFound, kCreating, kRunning, kReady, kSucceeded };
  struct Container {
    std::string name, image;
  };
  struct Pod {
    std::string key, name, namespace_name, uid, node;
    std::vector<Container> containers;
    Duration grace{};
    std::optional<Duration> runs;
    Stage stage = Stage::kFound;
    Stage written = Stage::kFound;
    bool writing = false, deleting = false;
    Instant began{}, ran{}, was_ready{}, ended{};
    Errands errands;
    Pod(kube::Api& api, net::Clock& clock) : errands(api, clock) {}
    [[nodiscard]] std::string path() const;
  };
  struct Node {
    bool up = false;
    std::map<std::string, Duration> images;  // there from (steady time)
    std::set<std::string> pods;
  };
  void take_up(const api::Pod& pod);
  void begin(Pod& pod);
  void reach(Pod& pod, Stage stage);
  void plan_next(Pod& pod);
  void write(Pod& pod);
  void who_is_it(Pod& pod);
  void stop(Pod& pod);
  void forget(const std::string& key);
  [[nodiscard]] Json status_of(const Pod& pod) const;

  kube::Api& api_;
  net::Clock& clock_;
  KubeletTimes times_;
  std::map<std::string, Node> nodes_;
  std::map<std::string, std::unique_ptr<Pod>> pods_;  // by key; of nodes that are up
  std::map<std::string, api::Pod> waiting_;           // of nodes that are not, yet
};

}  // namespace windlass::live::cloud
