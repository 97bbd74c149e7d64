#include "sim/pod_neighbours.h"

#include <algorithm>

namespace windlass::sim {
namespace {

bool anybody_minds(const cluster::State& state, const std::vector<std::string>& waiting) {
  const auto minds = [&](const std::string& key) {
    return scheduling::minds_neighbours(state.pods().at(key).spec);
  };
  if (std::any_of(waiting.begin(), waiting.end(), minds)) return true;
  // Those that are there mind newcomers by their anti-affinity alone.
  const auto& nodes = state.nodes();
  return std::any_of(nodes.begin(), nodes.end(), [&](const auto& entry) {
    const auto& pods = state.load_of(entry.first).pods;
    return std::any_of(pods.begin(), pods.end(), [](const api::Pod* pod) {
      return !pod->spec.anti_affinity.required.empty();
    });
  });
}

}  // namespace

PodNeighbours::PodNeighbours(const cluster::State& state, const std::vector<std::string>& waiting) {
  if (waiting.empty() || !anybody_minds(state, waiting)) return;
  for (const std::string& key : waiting) waiting_.push_back(state.pods().at(key));
  std::vector<const api::Pod*> pods;
  for (const api::Pod& pod : waiting_) pods.push_back(&pod);
  std::vector<scheduling::ExistingNode> nodes;
  for (const auto& [name, node] : state.nodes()) {
    scheduling::ExistingNode& one = nodes.emplace_back();
    one.name = name;
    one.initialized = true;
    one.labels = api::BorrowedLabels::of(node.meta.labels);
    one.taints = node.taints;
    one.pods = state.load_of(name).pods;
  }
  std::vector<const api::Namespace*> namespaces;
  for (const auto& [name, one] : state.all<api::Namespace>()) namespaces.push_back(&one);
  rules_ = std::make_unique<scheduling::Neighbours>(std::move(pods), std::move(nodes),
                                                    std::move(namespaces));
}

scheduling::Refusal PodNeighbours::why_not(const api::Pod& pod, const std::string& node) const {
  return rules_ == nullptr ? scheduling::Refusal::kNone : rules_->why_not(pod, node);
}

void PodNeighbours::bound(const api::Pod& pod, const std::string& node) {
  if (rules_ != nullptr) rules_->bound(pod, node);
}

}  // namespace windlass::sim
