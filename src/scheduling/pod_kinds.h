// Pods that no rule of scheduling can tell apart are of one kind. A Deployment of a thousand
// replicas is a thousand pods and one kind, and everything about a kind is worked out once. A kind
// is a form (what is asked, whom it avoids, who counts it) and a size.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "scheduling/amounts.h"
#include "scheduling/host_ports.h"
#include "scheduling/index_set.h"
#include "scheduling/relaxation.h"
#include "scheduling/solve.h"
#include "scheduling/topology_group.h"
#include "scheduling/type_set.h"
#include "scheduling/volumes.h"

namespace windlass::scheduling {

// A form at one step of its relaxation, with what the solve has found out about it. A place that
// did not suit never suits later, for places only fill up: what is ruled out here is ruled out for
// good. What only the counts of other domains refuse is not ruled out, for those change.
struct Variant {
  Wishes wishes;
  // Requirements of a new claim: the wishes and the joint policy's, interned.
  uint32_t asks = 0;
  bool takes_new_claims = true;  // false: the joint policy contradicts the wishes
  std::vector<TopologyUse> uses;

  IndexSet nodes_out;
  IndexSet claims_out;
  std::vector<bool> templates_out;  // by template; empty before the first try
};

struct PodForm {
  const api::Pod* example = nullptr;
  const api::Requirements* claim_extra = nullptr;  // null: the joint policy says nothing
  std::optional<int32_t> claim_group;              // new claims are shared within it only
  VolumeNeeds volumes;
  std::vector<uint32_t> volume_asks;  // the alternatives, interned
  HostPorts ports;
  std::vector<TypeSet> port_clashes;  // by template: types whose daemons take a port of these
  std::string rejected;               // why it is not even tried, or empty
  std::vector<Variant> variants;      // in the order they are tried
  std::vector<uint32_t> counted_by;   // topology groups that count it where it lands
};

struct PodKind {
  uint32_t form = 0;
  api::ResourceList requests;
  Amounts amounts;
  // By variant: places that suit the form but are too full for the size.
  std::vector<IndexSet> nodes_full;
  std::vector<IndexSet> claims_full;
  std::vector<bool> templates_full;  // by variant, then template; empty before the first try
};

struct PodKinds {
  std::vector<PodForm> forms;
  std::vector<PodKind> kinds;
  std::vector<uint32_t> of_pod;  // by index into Problem::pods
};

// Forms and kinds without amounts and variants; those need what only all kinds together tell.
PodKinds group_pods(const Problem& problem, const VolumeIndex& volumes);

}  // namespace windlass::scheduling
