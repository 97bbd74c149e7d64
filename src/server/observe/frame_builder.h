// Builds frames from the world. Phases are derived from the objects, as the page's contract says
// (docs/reference/dashboard-data.md); nothing is remembered but the last frame, for sharing, and
// what reading a ScaledObject's triggers came to.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "server/observe/decision_feed.h"
#include "server/observe/frame.h"
#include "server/observe/model_rates.h"
#include "server/observe/sources.h"

namespace windlass::scaling {
struct ScaledObjectPlan;
}

namespace windlass::server::observe {

class FrameBuilder {
 public:
  FrameBuilder(const Sources& sources, const DecisionFeed& decisions)
      : sources_(sources), decisions_(decisions) {}

  // The world as it is now. `before` (may be null): where to take equal elements from.
  FramePtr build(const FramePtr& before, const ModelRates& rates);

 private:
  struct CachedPlan {
    uint64_t resource_version = 0;
    std::shared_ptr<const scaling::ScaledObjectPlan> plan;  // null: refused
  };

  Elements nodes() const;
  Elements pods(const Elements& before) const;
  Elements scaled();
  Elements models(const ModelRates& rates) const;
  [[nodiscard]] std::string cost() const;
  [[nodiscard]] std::string controls() const;
  const scaling::ScaledObjectPlan* plan_of(const api::ScaledObject& object);

  const Sources& sources_;
  const DecisionFeed& decisions_;
  std::map<std::string, CachedPlan> plans_;  // by ScaledObject
};

// --- the parts, in files of their own ---

// frame_nodes.cc
enum class NodePhase { kLaunching, kBooting, kRegistered, kReady, kDraining, kTerminating };
std::string_view to_string(NodePhase phase);
// One node: what there is of its claim, instance and Node; at least one of the three.
struct NodeParts {
  const api::NodeClaim* claim = nullptr;
  const sim::Instance* instance = nullptr;
  const api::Node* node = nullptr;
};
NodePhase phase_of(const NodeParts& parts, const cluster::State& state);
Elements node_elements(const Sources& sources, const DecisionFeed& decisions);

// frame_pods.cc
enum class PodStep { kPending, kPulling, kLoading, kStarting, kReady, kDraining, kDone, kFailed };
std::string_view to_string(PodStep step);
struct PodStand {
  PodStep step = PodStep::kPending;
  std::optional<Instant> since;
};
PodStand stand_of(const api::Pod& pod, const std::optional<PodTimes>& times, Instant now);
// "Deployment/inference/vllm": who made it, with a ReplicaSet's Deployment in its place.
std::string owner_of(const api::Pod& pod, const cluster::State& state);

// frame_scaled.cc
ElementPtr scaled_element(const Sources& sources, const DecisionFeed& decisions,
                          const api::ScaledObject& object, const scaling::ScaledObjectPlan* plan);

}  // namespace windlass::server::observe
