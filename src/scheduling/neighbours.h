// Whom a pod may stand beside on nodes that exist: host ports, required pod affinity, required
// anti-affinity of either side, hard topology spread. For who binds pods one by one
// (kube-scheduler); the rules are the solve's own. Room, taints and node affinity are the caller's.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "api/core.h"
#include "scheduling/solve.h"

namespace windlass::scheduling {

// Whether a pod's place depends on other pods by its own spec.
bool minds_neighbours(const api::PodSpec& spec);

// In the order kube-scheduler asks; of several the first is named.
enum class Refusal : uint8_t { kNone, kPorts, kSpread, kAffinity, kAntiAffinity, kAvoided };

// Made for the pods of one pass. `waiting` and borrowed labels must live as long; pods on the nodes
// and namespaces are read when it is made, and not later.
class Neighbours {
 public:
  // `waiting` are bound to no node. `nodes` are all there are, with the pods on them; their room is
  // not looked at. Namespaces are what namespaceSelectors select from.
  Neighbours(std::vector<const api::Pod*> waiting, std::vector<ExistingNode> nodes,
             std::vector<const api::Namespace*> namespaces);
  ~Neighbours();

  // Why the node doesn't take the pod (one of `waiting`), or kNone.
  [[nodiscard]] Refusal why_not(const api::Pod& pod, const std::string& node) const;
  // The pod, one of `waiting`, is on the node now.
  void bound(const api::Pod& pod, const std::string& node);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace windlass::scheduling
