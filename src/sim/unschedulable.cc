#include "sim/unschedulable.h"

#include <algorithm>
#include <map>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"

namespace windlass::sim {
namespace {

struct Refusal {
  std::vector<std::string> reasons;
  bool resolvable = false;  // by taking other pods' room
};

// In kube-scheduler's words; empty if they don't stand in the way.
const char* words_of(scheduling::Refusal why) {
  switch (why) {
    case scheduling::Refusal::kPorts:
      return "node(s) didn't have free ports for the requested pod ports";
    case scheduling::Refusal::kAffinity:
      return "node(s) didn't match pod affinity rules";
    case scheduling::Refusal::kAntiAffinity:
      return "node(s) didn't match pod anti-affinity rules";
    case scheduling::Refusal::kAvoided:
      return "node(s) didn't satisfy existing pods anti-affinity rules";
    case scheduling::Refusal::kSpread:
      return "node(s) didn't match pod topology spread constraints";
    case scheduling::Refusal::kNone:
      break;
  }
  return "";
}

Refusal refusal(const cluster::State& state, const api::Node& node, const api::Pod& pod,
                const api::ResourceList& requests, scheduling::Refusal beside) {
  if (node.unschedulable || node.meta.deleted) return {{"node(s) were unschedulable"}};
  if (!api::is_true(node.conditions, "Ready")) {
    return {{"node(s) had untolerated taint {node.kubernetes.io/not-ready: }"}};
  }
  if (const auto* taint = api::first_untolerated(node.taints, pod.spec.tolerations, false)) {
    return {{fmt::format("node(s) had untolerated taint {{{}: {}}}", taint->key, taint->value)}};
  }
  if (!affinity_admits(pod, node.meta.labels)) {
    return {{"node(s) didn't match Pod's node affinity/selector"}};
  }
  Refusal out;
  out.resolvable = beside != scheduling::Refusal::kAffinity;
  if (beside == scheduling::Refusal::kPorts) {
    out.reasons.emplace_back(words_of(beside));
    return out;
  }
  const api::ResourceList free = state.free_on(node);
  for (const auto& [name, milli] : requests) {
    if (milli <= free.milli(name)) continue;
    out.reasons.push_back(name == api::kPods ? "Too many pods" : "Insufficient " + name);
    // More than the whole node has: no victim would help.
    if (milli > node.allocatable.milli(name)) out.resolvable = false;
  }
  const bool has_room = out.reasons.empty();
  if (has_room && beside != scheduling::Refusal::kNone) out.reasons.emplace_back(words_of(beside));
  return out;
}

std::string counted(const std::map<std::string, int>& reasons) {
  std::vector<std::string> parts;
  for (const auto& [reason, nodes] : reasons) parts.push_back(fmt::format("{} {}", nodes, reason));
  std::sort(parts.begin(), parts.end());
  return join(parts, ", ");
}

}  // namespace

bool affinity_admits(const api::Pod& pod, const api::StringMap& labels) {
  const auto meets = [&](const std::vector<api::RequirementSpec>& specs) {
    const auto node = api::Requirements::from_labels(labels);
    return node.why_incompatible(api::Requirements::from_specs(specs), false).empty();
  };
  for (const auto& [key, value] : pod.spec.node_selector) {
    const auto it = labels.find(key);
    if (it == labels.end() || it->second != value) return false;
  }
  const auto& terms = pod.spec.required_node_terms;
  return terms.empty() || std::any_of(terms.begin(), terms.end(), [&](const auto& term) {
           return meets(term.match_expressions);
         });
}

std::string why_unschedulable(const cluster::State& state, const api::Pod& pod,
                              const api::ResourceList& requests, const PodNeighbours* neighbours) {
  const size_t nodes = state.nodes().size();
  if (nodes == 0) return "no nodes available to schedule pods";
  std::map<std::string, int> reasons;
  std::map<std::string, int> preemption;
  for (const auto& [name, node] : state.nodes()) {
    const auto beside =
        neighbours == nullptr ? scheduling::Refusal::kNone : neighbours->why_not(pod, name);
    const Refusal why = refusal(state, node, pod, requests, beside);
    for (const std::string& reason : why.reasons) ++reasons[reason];
    ++preemption[why.resolvable ? "No preemption victims found for incoming pod"
                                : "Preemption is not helpful for scheduling"];
  }
  return fmt::format("0/{0} nodes are available: {1}. preemption: 0/{0} nodes are available: {2}.",
                     nodes, counted(reasons), counted(preemption));
}

}  // namespace windlass::sim
