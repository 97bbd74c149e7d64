// For tests: whether a plan keeps every rule, read off the plan and the problem alone, the slow and
// obvious way: node by node, pod by pod, pair by pair, as kube-scheduler and the cloud would see
// the nodes the plan asks for. It shares no code with the solver but the api room's.
#pragma once

#include <string>
#include <vector>

#include "scheduling/test_world.h"

namespace windlass::scheduling::test {

// One sentence a broken rule; empty if the plan holds.
std::vector<std::string> broken_rules(const Problem& problem, const Plan& plan);

const api::Pod* pod_named(const Problem& problem, const std::string& key);

// A node of the plan, there or to come, with everything that would be on it.
struct Spot {
  std::string name;
  std::vector<api::StringMap> labels;  // one for each way it may be launched; one for a node
  std::vector<api::Taint> taints;
  std::vector<const api::Pod*> there;  // pods on it already that stay
  std::vector<const api::Pod*> put;    // by the plan
  std::map<std::string, int32_t> attach_limits;

  // The values a label may come to have; empty: it will not be there.
  [[nodiscard]] std::set<std::string> values(const std::string& key) const;
};
std::vector<Spot> spots_of(const Problem& problem, const Plan& plan);

bool kube_accepts(const api::PodSpec& spec, const api::StringMap& labels,
                  const std::vector<api::Taint>& taints);
bool term_accepts(const api::NodeSelectorTerm& term, const api::StringMap& labels);

// The part that is about pods looking at each other.
void check_topology(const Problem& problem, const std::vector<Spot>& spots,
                    std::vector<std::string>& broken);

}  // namespace windlass::scheduling::test
