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

  void put(api::Object object);
  void remove(const controllers::DeleteObject& request);
  void scale(const std::string& deployment, int32_t replicas);
  // False: a budget refuses it now (429).
  bool evict(const std::string& pod);
  void delete_pod(const std::string& pod);
  // Names of pods: "owner-x7k2p", unique in the run.
  std::string pod_name(const std::string& owner);
  // "kind-name", where names never come twice; in a served world a UUID.
  std::string new_uid(std::string_view kind, const std::string& name);

 private:
  Context& context_;
  uint64_t names_ = 0;
  uint64_t uids_ = 0;
};

}  // namespace windlass::sim
