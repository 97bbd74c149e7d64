// Where pods go: onto nodes there are, onto claims on their way, onto new claims. Karpenter's rules
// (reference karpenter.md 2), as one pure function with one stated order where Karpenter leaves it
// to map order. The constraint families of one pod are a list (constraints.cc), so that volumes can
// join it without a change of shape.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "api/borrowed_labels.h"
#include "api/karpenter.h"
#include "api/storage.h"
#include "base/time.h"
#include "catalog/catalog.h"

namespace windlass::scheduling {

// A node or a claim whose node has not come. Values as the scheduler should see them: an
// uninitialized node already carries its claim's expected resources.
struct ExistingNode {
  std::string name;   // of the node, else of the claim
  std::string claim;  // empty for nodes no claim made
  std::string pool;
  bool initialized = false;
  api::BorrowedLabels labels;
  std::vector<api::Taint> taints;     // without startup and ephemeral taints if not initialized
  api::ResourceList available;        // allocatable - pods' requests
  api::ResourceList daemons_running;  // requests of daemon pods already on it
  std::vector<const api::Pod*> pods;  // on it already: topology, host ports, volumes
  std::map<std::string, int32_t> attach_limits;  // volumes by CSI driver; absent: no limit
};

struct Pool {
  const api::NodePool* pool = nullptr;
  // As the pool's node class sees the catalogue, with unavailable offerings marked.
  const catalog::Catalog* types = nullptr;
  api::ResourceList used;  // capacity of the pool's nodes and claims, for limits; key "nodes" too
};

// What pods' volumes and affinity terms refer to.
struct Surroundings {
  std::vector<const api::Namespace*> namespaces;
  std::vector<const api::PersistentVolumeClaim*> claims;
  std::vector<const api::PersistentVolume*> volumes;
  std::vector<const api::StorageClass*> classes;
};

// Karpenter's settings PREFERENCE_POLICY and MIN_VALUES_POLICY, and its reserved-offering modes:
// strict defers a pod whose reservation is taken, else the pod falls back (karpenter.md 2.5, 2.7).
struct Settings {
  bool ignore_preferences = false;
  bool best_effort_min_values = false;
  bool strict_reservations = true;
  // kube-scheduler's view: the nodes are all there are, so no rule counts on an empty host to come.
  bool no_new_nodes = false;
};

struct Problem {
  std::vector<const api::Pod*> pods;
  std::vector<ExistingNode> nodes;
  std::vector<Pool> pools;
  std::vector<const api::DaemonSet*> daemon_sets;
  // Joint policy: requirements put on new claims for a pod over those of the pod itself, by pod key
  // (e.g. instance types chosen by cost at the SLO). Existing nodes are not touched by it.
  std::map<std::string, api::Requirements> claim_requirements;
  // Cost objective: pods by key to the number of the new claim they belong to. A pod with a number
  // shares a new claim with pods of its number only, a pod without one with pods without one.
  // Existing nodes are not touched by it.
  std::map<std::string, int32_t> claim_groups;
  Surroundings surroundings;
  Settings settings;
};

struct NewClaim {
  std::string pool;
  api::Requirements requirements;                   // what the NodeClaim will say
  std::vector<const catalog::InstanceType*> types;  // that still fit, cheapest first (ties: name)
  std::vector<std::string> pods;                    // keys
  api::ResourceList requests;                       // of the pods and daemons
  double usd_per_hour = 0;                          // cheapest offering of the cheapest type
  bool min_values_relaxed = false;                  // best effort gave some minValues up
};

struct Placement {
  std::string pod;
  std::string node;  // ExistingNode::name
};
struct Unschedulable {
  std::string pod;
  std::vector<std::string> reasons;  // one a pool or constraint family
};

struct Plan {
  std::vector<NewClaim> claims;
  std::vector<Placement> placements;
  std::vector<Unschedulable> unschedulable;  // in queue order
};

Plan solve(const Problem& problem);

// The NodeClaim a NewClaim becomes: requirements, requests, taints, node class, labels and
// annotations of the pool, owner reference, finalizer; instance types cut to 600. No name: the
// caller gives it.
api::NodeClaim to_node_claim(const NewClaim& claim, const api::NodePool& pool);

}  // namespace windlass::scheduling
