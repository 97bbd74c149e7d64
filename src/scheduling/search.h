// A solve under way: the problem made ready (rows, tables, templates, kinds) and what has been
// placed so far. Plain data; constraints.h says what fits, solve.cc in which order it is tried.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "scheduling/claim_order.h"
#include "scheduling/claim_template.h"
#include "scheduling/pod_kinds.h"
#include "scheduling/reservations.h"
#include "scheduling/topology.h"

namespace windlass::scheduling {

struct NodePlace {
  const ExistingNode* node = nullptr;
  Amounts free;            // less the daemons still to come, less what this solve put there
  bool overdrawn = false;  // something is negative already: nothing fits
  HostPorts ports;         // taken; of interest only if some pod to place wants one
  std::map<std::string, std::set<std::string>> attached;  // volumes by driver, of limited drivers
};

struct OpenClaim {
  uint32_t id = 0;  // its place in Search::claims
  uint32_t template_index = 0;
  int32_t state = ClaimTemplate::kInitial;
  // Types before it do not fit by size any more: a claim only grows.
  size_t first_type = 0;
  TypeSet allowed;   // within the pool's limits when the claim was opened, ports of daemons free
  Amounts requests;  // of the pods
  HostPorts ports;   // likewise
  ReservationIds held;
  std::vector<uint32_t> pods;  // by place in the queue
};

struct QueuedPod {
  const api::Pod* pod = nullptr;
  uint32_t kind = 0;
};

// Where a pod would take a claim's state: worked out once an attempt for all claims in that state.
struct StatePath {
  uint64_t attempt = 0;
  int32_t base = kNoState;    // with what the pod asks
  std::vector<int32_t> ends;  // volumes and domains chosen, best first
};

struct Search {
  explicit Search(const Problem& problem);
  Search(const Search&) = delete;  // templates point into it
  Search& operator=(const Search&) = delete;

  Settings settings;
  ResourceColumns columns;
  InternedRequirements interned;
  std::deque<ClaimTemplate> templates;  // by weight, heaviest first; ties: name, last first
  std::vector<std::string> idle_pools;  // reasons of the pools that take no new claims
  std::vector<NodePlace> nodes;         // initialized first, then by name
  std::vector<PodForm> forms;
  std::vector<PodKind> kinds;
  std::vector<QueuedPod> queue;  // in the order pods are tried
  std::vector<OpenClaim> claims;
  // Claims by the group of the pods they are for (Problem::claim_groups).
  std::map<std::optional<int32_t>, ClaimOrder> order_of_group;
  Topology topology;
  Reservations reservations;

  uint64_t attempt = 0;                       // one a pod and variant
  std::vector<std::vector<StatePath>> paths;  // by template, then state

 private:
  void add_templates(const Problem& problem, const std::vector<Daemon>& daemons);
  void add_nodes(const Problem& problem, const std::vector<Daemon>& daemons,
                 const VolumeIndex& volumes);
  void add_variants(const Problem& problem, const std::vector<Daemon>& daemons);
  void add_pods(const Problem& problem, const std::vector<uint32_t>& kind_of_pod);
};

// Types a claim may still be launched as: requirements, offerings, limits and size.
TypeSet fitting_types(const Search& search, const OpenClaim& claim);

// Whether labels of a node that exists meet a pod's requirements: every label asked for must be
// there, well known or not. The hostname is the node's name where no label says it.
// Null, or the key that is not met.
const std::string* unmet_label(const ExistingNode& node, const api::Requirements& asked);
// The node's value of a label, or null.
const std::string* label_of(const ExistingNode& node, std::string_view key);

}  // namespace windlass::scheduling
