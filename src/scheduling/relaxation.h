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
  // Required terms, then the preferred ones that are left.
  std::vector<api::PodAffinityTerm> affinity;
  std::vector<api::PodAffinityTerm> anti_affinity;
  // The label of which these wishes ask what excludes itself (a preference against a requirement,
  // say); mostly empty. The algebra would take it for DoesNotExist and put the pod on a node
  // without the label, where kube-scheduler refuses it. A deviation from Karpenter, which does so.
  std::string contradiction;
};

struct RelaxationOptions {
  // Some node pool has a PreferNoSchedule taint: tolerating it is the last step.
  bool prefer_no_schedule = false;
  // PREFERENCE_POLICY=Ignore: preferences and ScheduleAnyway are given up before the first step.
  bool ignore_preferences = false;
};

// The pod as it is, then one thing less at a time: required OR terms from the first (the last one
// stays), preferred pod affinity, pod anti-affinity and node terms, each from the heaviest (ties:
// the first), ScheduleAnyway spread constraints, and at last PreferNoSchedule taints are tolerated.
std::vector<Wishes> relaxation_steps(const api::PodSpec& spec, const RelaxationOptions& options);

}  // namespace windlass::scheduling
