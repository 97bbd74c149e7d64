// A solve under way: the problem made ready (rows, tables, templates, kinds) and what has been
// placed so far. Plain data; constraints.h says what fits, solve.cc in which order it is tried.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "scheduling/claim_template.h"
#include "scheduling/pod_kinds.h"
#include "scheduling/topology_spread.h"

namespace windlass::scheduling {

struct NodePlace {
  const ExistingNode* node = nullptr;
  Amounts free;            // less the daemons still to come, less what this solve put there
  bool overdrawn = false;  // something is negative already: nothing fits
};

struct OpenClaim {
  uint32_t id = 0;  // its place in Search::claims
  uint32_t template_index = 0;
  int32_t state = ClaimTemplate::kInitial;
  // Types before it do not fit by size any more: a claim only grows.
  size_t first_type = 0;
  TypeSet allowed;             // within the pool's limits when the claim was opened
  Amounts requests;            // of the pods
  std::vector<uint32_t> pods;  // by place in the queue
};

struct QueuedPod {
  const api::Pod* pod = nullptr;
  uint32_t kind = 0;
};

struct Search {
  explicit Search(const Problem& problem);
  Search(const Search&) = delete;  // templates point into it
  Search& operator=(const Search&) = delete;

  ResourceColumns columns;
  InternedRequirements interned;
  std::deque<ClaimTemplate> templates;  // by weight, heaviest first; ties: name, last first
  std::vector<std::string> idle_pools;  // reasons of the pools that take no new claims
  std::vector<NodePlace> nodes;         // initialized first, then by name
  std::vector<PodKind> kinds;
  std::vector<QueuedPod> queue;  // in the order pods are tried
  std::vector<OpenClaim> claims;
  // Claims by the group of the pods they are for (Problem::claim_groups), in order of opening.
  std::map<std::optional<int32_t>, std::vector<uint32_t>> claims_of_group;
  std::vector<SpreadGroup> spread;

 private:
  void add_templates(const Problem& problem, const std::vector<Daemon>& daemons);
  void add_nodes(const Problem& problem, const std::vector<Daemon>& daemons);
  void add_pods(const Problem& problem, std::vector<uint32_t> kind_of_pod);
};

// Types a claim may still be launched as: requirements, offerings, limits and size.
TypeSet fitting_types(const Search& search, const OpenClaim& claim);

// Whether labels of a node that exists meet a pod's requirements: every label asked for must be
// there, well known or not. The hostname is the node's name where no label says it.
// Null, or the key that is not met.
const std::string* unmet_label(const ExistingNode& node, const api::Requirements& asked);

}  // namespace windlass::scheduling
