// Which controllers run under which policy: the one page that puts them together. Both worlds call
// it and know no controller by name.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "controllers/joint.h"
#include "controllers/ring.h"
#include "scaling/hpa.h"

namespace windlass::controllers {

enum class Policy {
  kStatic,    // fixed nodes and replicas: nothing decides
  kStock,     // KEDA + HPA + Karpenter, with their cadences
  kWindlass,  // the joint policy
};
Result<Policy> parse_policy(std::string_view name);
std::string_view to_string(Policy policy);

struct WiringOptions {
  scaling::HpaOptions hpa;
  JointOptions joint;
  size_t most_disruption_work = 0;  // DisruptionOptions::most_work
};

std::vector<std::unique_ptr<Controller>> wire(Policy policy, const WiringOptions& options);

}  // namespace windlass::controllers
