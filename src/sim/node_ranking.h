// Which node a pod would be bound to, over one pass of the scheduler: what is free on each node is
// counted once and kept up with what the pass binds, and pods of one shape (requests, selectors,
// tolerations) share one row of scores. 10,000 pods over 1,000 nodes take tens of milliseconds, and
// every choice is the one that a walk over all nodes for each pod makes.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "cluster/state.h"

namespace windlass::sim {

// Whether the node takes the pod at all, its room apart.
bool admits(const api::Node& node, const api::Pod& pod);

// Holds for one pass: nodes must not change meanwhile, and every bind is to be told.
class NodeRanking {
 public:
  explicit NodeRanking(const cluster::State& state) : state_(state) {}

  // The node that is emptiest with the pod on it, the first by name of equals, of those that
  // `takes` says yes to (empty: all); nullptr: none.
  using Takes = std::function<bool(const api::Node&)>;
  const api::Node* choose(const api::Pod& pod, const api::ResourceList& requests,
                          const Takes& takes = {});
  // Whether a pod of lower priority sits on any node: without one, preemption can't help.
  bool may_preempt(const api::Pod& pod);
  // Why no node takes the pod, for its condition.
  const std::string& why_none(const api::Pod& pod, const api::ResourceList& requests);

  void bound(const api::Node& node, const api::Pod& pod, const api::ResourceList& requests);
  // Pods were evicted: all is counted afresh.
  void forget();

 private:
  struct Shape {
    api::ResourceList requests;
    api::StringMap node_selector;
    std::vector<api::NodeSelectorTerm> required_node_terms;
    std::vector<api::Toleration> tolerations;
    std::vector<double> fill;        // of every node, by place; kFull where it can't go
    std::optional<std::string> why;  // none takes it, until the next bind
  };
  void count();
  Shape& shape_of(const api::Pod& pod, const api::ResourceList& requests);
  [[nodiscard]] double score(const Shape& shape, size_t place) const;

  const cluster::State& state_;
  bool counted_ = false;
  std::vector<const api::Node*> nodes_;  // by name
  std::vector<api::ResourceList> free_;
  std::unordered_map<const api::Node*, size_t> place_;  // looked up only, never walked
  std::vector<Shape> shapes_;
  std::optional<int32_t> lowest_;  // priority of a bound pod
};

}  // namespace windlass::sim
