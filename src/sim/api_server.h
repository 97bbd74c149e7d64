// The parts of the Kubernetes API the simulated world needs: writes with finalizers and graceful
// deletion, scale, and eviction with PodDisruptionBudgets.
#pragma once

#include <functional>
#include <string>

#include "controllers/action.h"
#include "sim/context.h"

namespace windlass::sim {

class ApiServer {
 public:
  explicit ApiServer(Context& context) : context_(context) {}

  // Set by the world: a bound pod was asked to go; its kubelet ends it.
  std::function<void(const std::string& pod)> on_pod_deleted;
  // Set by the world: the pod's kubelet is no part of it; the mark is all that is done here.
  std::function<bool(const api::Pod& pod)> ends_outside;

  void put(api::Object object);
  void remove(const controllers::DeleteObject& request);
  void scale(const std::string& deployment, int32_t replicas);
  // False: a budget refuses it now (429).
  bool evict(const std::string& pod);
  void delete_pod(const std::string& pod);
  // Names of pods: "owner-x7k2p", unique in the run.
  std::string pod_name(const std::string& owner);
  // The world's, see Context.
  std::string new_uid(std::string_view kind, const std::string& name);

 private:
  Context& context_;
  uint64_t names_ = 0;
};

}  // namespace windlass::sim
