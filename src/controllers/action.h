// What a controller may ask of the world, and what it says of why. Actions are values; the world
// performs them and what came of it returns as an observation.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "api/object.h"
#include "base/time.h"
#include "cluster/state.h"

namespace windlass::controllers {

// Create or replace the object (status included).
struct PutObject {
  api::Object object;
};
// Delete through the API: finalizers and grace periods hold.
struct DeleteObject {
  cluster::Kind kind{};
  std::string key;
  std::string reason;
};
// Replicas through the scale subresource.
struct ScaleDeployment {
  std::string deployment;
  int32_t replicas = 0;
};
// Evict through the eviction API: PodDisruptionBudgets hold; a refusal is tried again later.
struct EvictPod {
  std::string pod;
};
// One offering of a launch; the world takes the first that has capacity.
struct LaunchOffer {
  std::string instance_type;
  std::string zone;
  std::string capacity_type;
  double usd_per_hour = 0;
  std::string reservation_id{};  // reserved only
};
struct Launch {
  std::string claim;
  std::string token;                // idempotency: equal tokens launch once
  std::vector<LaunchOffer> offers;  // cheapest first
};
struct TerminateInstance {
  std::string provider_id;
  std::string claim;
  std::string reason;
};
struct QueryMetrics {
  struct Query {
    size_t trigger = 0;
    std::string server_address;
    std::string query;
    Duration timeout{};
  };
  std::string scaled_object;
  cluster::QueryPurpose purpose = cluster::QueryPurpose::kPoll;
  uint64_t round = 0;  // comes back as QueryRound::id
  std::vector<Query> queries;
};

using Action = std::variant<PutObject, DeleteObject, ScaleDeployment, EvictPod, Launch,
                            TerminateInstance, QueryMetrics>;

// A decision with its inputs, result and reasons, for the log, events and `explain`.
struct Decision {
  std::string object;  // "ScaledObject/inference/vllm", "NodeClaim/gpu-x1"
  std::string what;    // "scale", "launch", "consolidate", ...: a fixed word of the controller
  std::vector<std::pair<std::string, std::string>> inputs;
  std::string result;  // in a few words: "1 -> 4 replicas"
  std::vector<std::string> reasons;
};

struct Outcome {
  std::vector<Action> actions;
  std::vector<Decision> decisions;
  std::optional<Instant> requeue_at;
};

}  // namespace windlass::controllers
