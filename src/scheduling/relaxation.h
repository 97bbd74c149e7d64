// What a pod asks of a node, and what it gives up, step by step, when nothing is found (reference
// karpenter.md 2.5). Preferences count as hard until they are given up.
#pragma once

#include <string>
#include <vector>

#include "api/core.h"

namespace windlass::scheduling {

// A pod's wishes at one step.
struct Wishes {
  api::Requirements requirements;  // node selector, first OR term, heaviest preference
  api::Requirements required;      // the same without the preference
  std::vector<api::Toleration> tolerations;
  std::vector<api::TopologySpreadConstraint> spread;
  // The label of which these wishes ask what excludes itself (a preference against a requirement,
  // say); mostly empty. The algebra would take it for DoesNotExist and put the pod on a node
  // without the label, where kube-scheduler refuses it. A deviation from Karpenter, which does so.
  std::string contradiction;
};

// The pod as it is, then one thing less at a time: required OR terms from the first (the last one
// stays), preferred node terms from the heaviest, ScheduleAnyway spread constraints, and at last
// PreferNoSchedule taints are tolerated (if `prefer_no_schedule`: some node pool has one).
std::vector<Wishes> relaxation_steps(const api::PodSpec& spec, bool prefer_no_schedule);

}  // namespace windlass::scheduling
