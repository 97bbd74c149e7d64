#include "controllers/wiring.h"

#include <fmt/format.h>

#include "controllers/claim_lifecycle.h"
#include "controllers/disruption.h"
#include "controllers/expiry.h"
#include "controllers/interruption.h"
#include "controllers/pool_status.h"
#include "controllers/provisioning.h"
#include "controllers/scaled_object.h"
#include "controllers/static_pools.h"
#include "controllers/termination.h"

namespace windlass::controllers {

Result<Policy> parse_policy(std::string_view name) {
  if (name == "static") return Policy::kStatic;
  if (name == "stock") return Policy::kStock;
  if (name == "windlass") return Policy::kWindlass;
  return Error(fmt::format("not a policy: \"{}\" (accepted: static, stock, windlass)", name));
}

std::string_view to_string(Policy policy) {
  switch (policy) {
    case Policy::kStatic:
      return "static";
    case Policy::kStock:
      return "stock";
    case Policy::kWindlass:
      return "windlass";
  }
  WL_UNREACHABLE("policy");
}

std::vector<std::unique_ptr<Controller>> wire(Policy policy, const WiringOptions& options) {
  std::vector<std::unique_ptr<Controller>> all;
  if (policy == Policy::kStatic) return all;
  auto nominations = std::make_shared<Nominations>();
  ProvisioningOptions provisioning;
  DisruptionOptions disruption;
  disruption.most_work = options.most_disruption_work;
  // The pod layer. Under the joint policy KEDA and the HPA go on for targets that serve no known
  // model: there is no demand model to decide them by.
  const bool joint = policy == Policy::kWindlass;
  all.push_back(std::make_unique<ScaledObjectController>(options.hpa, !joint));
  if (joint) {
    auto view = std::make_shared<JointView>(options.joint);
    all.push_back(std::make_unique<JointController>(view, nominations));
    provisioning.batch_idle = milliseconds(100);
    provisioning.batch_max = milliseconds(500);
    provisioning.shape = [view](scheduling::Problem& problem, const cluster::State& state,
                                Instant now) { view->shape(problem, state, now); };
    disruption.narrow = [view](scheduling::Problem& problem, const cluster::State& state, Instant) {
      view->narrow(problem, state);
    };
    disruption.weigh = [view](const cluster::State& state, Instant now) {
      return view->weigh(state, now);
    };
  }
  // The node layer.
  all.push_back(std::make_unique<ProvisioningController>(provisioning, nominations));
  all.push_back(std::make_unique<StaticPoolsController>());
  all.push_back(std::make_unique<ClaimLifecycleController>());
  all.push_back(std::make_unique<DisruptionController>(disruption, nominations));
  all.push_back(std::make_unique<ExpiryController>());
  all.push_back(std::make_unique<TerminationController>());
  all.push_back(std::make_unique<InterruptionController>());
  all.push_back(std::make_unique<PoolStatusController>());
  return all;
}

}  // namespace windlass::controllers
