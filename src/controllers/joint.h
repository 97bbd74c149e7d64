// The joint policy: one decision for replicas and nodes. For every scaled object whose Deployment
// serves a known model: the demand over the lead time of a new GPU gives the replicas, straight to
// N; the NodeClaims they will need are made in the same step, of the type with the least cost at
// the SLO. Batch pods wait a while for GPUs that are already paid for before they get nodes of
// their own.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "controllers/cluster_view.h"
#include "controllers/ring.h"
#include "scaling/gpu_choice.h"

namespace windlass::controllers {

struct JointOptions {
  // How long a batch pod waits for a GPU that others leave free before a node is bought for it.
  Duration batch_max_wait = minutes(20);
  // Types this much dearer than the cheapest may stand in for it (spot markets run dry).
  double price_tolerance = 0.15;
  // Replicas are planned for this share of the SLO; the rest is for what the model leaves out.
  double slo_share = 0.9;
  // Replicas are kept for the peak of this time; before a ninth of it has been seen none go.
  Duration look_back = minutes(30);
  // A consolidation must earn what moving costs within this time.
  Duration payback = hours(1);
};

// What the joint policy's controllers know together: written by JointController, read when
// provisioning and disruption shape their problems.
class JointView {
 public:
  explicit JointView(JointOptions options) : options_(options) {}

  // Takes held batch pods out of the problem, then narrows the others' claims.
  void shape(scheduling::Problem& problem, const cluster::State& state, Instant now);
  // New claims for any pod of the cluster get only the types worth buying for it.
  void narrow(scheduling::Problem& problem, const cluster::State& state) const;
  [[nodiscard]] disruption::Options weigh(const cluster::State& state, Instant now) const;

  // The types chosen for a model's replicas, and what one replica serves there.
  struct Choice {
    std::set<std::string> types;
    scaling::GpuOption best;
    std::string why;
  };
  std::optional<Choice> choose(const cluster::InferenceModel& model,
                               const api::Deployment& deployment, const cluster::State& state,
                               Instant now);

  // What the Deployment's replicas are worth, each on the GPUs it has, in replicas of the chosen
  // type. One without a node counts as on the chosen type.
  struct Worth {
    std::map<std::string, double> by_pod;
    double all = 0;
    double ready = 0;
  };
  [[nodiscard]] Worth worth(const cluster::InferenceModel& model, const api::Deployment& deployment,
                            const Choice& choice, const cluster::State& state) const;

  [[nodiscard]] Duration look_back() const { return options_.look_back; }
  OfferingView& offerings() { return offerings_; }

 private:
  [[nodiscard]] api::Requirements batch_requirements(const api::Pod& pod,
                                                     const scheduling::Problem& problem) const;
  std::optional<Choice> choose_now(const cluster::InferenceModel& model,
                                   const api::Deployment& deployment, const cluster::State& state,
                                   Instant now);

  struct Held {
    Instant at{};
    ptrdiff_t offerings_out = 0;
    std::optional<Choice> choice;
  };
  JointOptions options_;
  OfferingView offerings_;
  std::map<std::string, Held> held_;  // by deployment key
};

class JointController : public Controller {
 public:
  JointController(std::shared_ptr<JointView> view, std::shared_ptr<Nominations> nominations)
      : view_(std::move(view)), nominations_(std::move(nominations)) {}

  [[nodiscard]] std::string_view name() const override { return "joint"; }
  void touched(const cluster::Change& change, const cluster::State& state,
               std::vector<std::string>& keys) override;
  // key: of the ScaledObject.
  Outcome reconcile(const std::string& key, const cluster::State& state, Instant now) override;

 private:
  static void tell(const api::ScaledObject& object, const char* ready, const char* reason,
                   const std::string& message, bool active, Instant now, Outcome& out);
  // Tells the ReplicaSet which pods to take first on a scale-in: those on the slowest GPUs.
  void price_pods(const JointView::Worth& worth, const cluster::State& state, Outcome& out) const;
  void claim_nodes(const api::Deployment& deployment, int32_t replicas, const cluster::State& state,
                   Instant now, Outcome& out);

  std::shared_ptr<JointView> view_;
  std::shared_ptr<Nominations> nominations_;
  std::set<std::string> unserved_;  // scaled objects whose model no type serves; said once
  uint64_t names_ = 0;
};

// The Deployment a ScaledObject scales; nullptr if it is not there or of another kind.
const api::Deployment* target_of(const api::ScaledObject& object, const cluster::State& state);

}  // namespace windlass::controllers
