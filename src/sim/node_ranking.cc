#include "sim/node_ranking.h"

#include <algorithm>
#include <limits>

#include "sim/unschedulable.h"

namespace windlass::sim {
namespace {

constexpr double kFull = std::numeric_limits<double>::infinity();
// Shapes beyond this start the list anew: a pass over pods that all differ costs what it must.
constexpr size_t kShapes = 32;

// Share of the node that is taken, by its fullest resource the pod asks for.
double fill(const api::ResourceList& requests, const api::ResourceList& free,
            const api::ResourceList& allocatable) {
  double fullest = 0;
  for (const auto& [name, milli] : requests) {
    const int64_t total = allocatable.milli(name);
    if (milli == 0 || total == 0) continue;
    const auto left = static_cast<double>(free.milli(name) - milli);
    fullest = std::max(fullest, 1 - left / static_cast<double>(total));
  }
  return fullest;
}

}  // namespace

bool admits(const api::Node& node, const api::Pod& pod) {
  if (node.unschedulable || node.meta.deleted) return false;
  if (!api::is_true(node.conditions, "Ready")) return false;
  return api::first_untolerated(node.taints, pod.spec.tolerations, false) == nullptr &&
         affinity_admits(pod, node.meta.labels);
}

void NodeRanking::count() {
  if (counted_) return;
  counted_ = true;
  for (const auto& [name, node] : state_.nodes()) {
    place_.emplace(&node, nodes_.size());
    nodes_.push_back(&node);
    free_.push_back(state_.free_on(node));
  }
}

double NodeRanking::score(const Shape& shape, size_t place) const {
  if (!shape.requests.fits(free_[place])) return kFull;
  return fill(shape.requests, free_[place], nodes_[place]->allocatable);
}

NodeRanking::Shape& NodeRanking::shape_of(const api::Pod& pod, const api::ResourceList& requests) {
  const api::PodSpec& spec = pod.spec;
  for (Shape& shape : shapes_) {
    if (shape.requests == requests && shape.node_selector == spec.node_selector &&
        shape.required_node_terms == spec.required_node_terms &&
        shape.tolerations == spec.tolerations) {
      return shape;
    }
  }
  count();
  if (shapes_.size() == kShapes) shapes_.clear();
  Shape& shape = shapes_.emplace_back();
  shape.requests = requests;
  shape.node_selector = spec.node_selector;
  shape.required_node_terms = spec.required_node_terms;
  shape.tolerations = spec.tolerations;
  shape.fill.resize(nodes_.size(), kFull);
  for (size_t i = 0; i < nodes_.size(); ++i) {
    if (admits(*nodes_[i], pod)) shape.fill[i] = score(shape, i);
  }
  return shape;
}

const api::Node* NodeRanking::choose(const api::Pod& pod, const api::ResourceList& requests,
                                     const Takes& takes) {
  const Shape& shape = shape_of(pod, requests);
  if (takes) {
    const api::Node* found = nullptr;
    double least = kFull;
    for (size_t i = 0; i < nodes_.size(); ++i) {
      if (shape.fill[i] >= least || !takes(*nodes_[i])) continue;
      found = nodes_[i];
      least = shape.fill[i];
    }
    return found;
  }
  const auto best = std::min_element(shape.fill.begin(), shape.fill.end());
  if (best == shape.fill.end() || *best == kFull) return nullptr;
  return nodes_[static_cast<size_t>(best - shape.fill.begin())];
}

bool NodeRanking::may_preempt(const api::Pod& pod) {
  if (!lowest_) {
    lowest_ = std::numeric_limits<int32_t>::max();
    for (const auto& [key, other] : state_.pods()) {
      if (other.spec.node_name.empty() || other.terminal()) continue;
      lowest_ = std::min(*lowest_, other.spec.priority.value_or(0));
    }
  }
  return *lowest_ < pod.spec.priority.value_or(0);
}

const std::string& NodeRanking::why_none(const api::Pod& pod, const api::ResourceList& requests) {
  Shape& shape = shape_of(pod, requests);
  if (!shape.why) shape.why = why_unschedulable(state_, pod, requests);
  return *shape.why;
}

void NodeRanking::bound(const api::Node& node, const api::Pod& pod,
                        const api::ResourceList& requests) {
  if (lowest_) lowest_ = std::min(*lowest_, pod.spec.priority.value_or(0));
  if (!counted_) return;
  const size_t place = place_.at(&node);
  free_[place] -= requests;
  for (Shape& shape : shapes_) {
    shape.why.reset();
    // A node that refused the shape, or was full, stays so: room only shrinks within a pass.
    if (shape.fill[place] != kFull) shape.fill[place] = score(shape, place);
  }
}

void NodeRanking::forget() {
  counted_ = false;
  nodes_.clear();
  free_.clear();
  place_.clear();
  shapes_.clear();
  lowest_.reset();
}

}  // namespace windlass::sim
