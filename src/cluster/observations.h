// What reaches the state beside Kubernetes objects: answers to queries, launch results, capacity
// errors, interruption notices, and the signals the joint policy reads from inference pods.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "catalog/catalog.h"
#include "catalog/service_profile.h"

namespace windlass::cluster {

// What the source of one trigger (Prometheus, metrics-api, an external scaler) answered.
struct QueryAnswer {
  size_t trigger = 0;          // index in the ScaledObject
  std::vector<double> values;  // one an element of the result
  std::string error;           // not empty: no answer
  // Of an external scaler: what its IsActive said, and the target its metric goes by (milli).
  std::optional<bool> active{};
  std::optional<int64_t> target_milli{};
};
// Who asked: KEDA's poll and the HPA's sync ask apart, and neither may overwrite the other's
// answer.
enum class QueryPurpose { kPoll, kSync };
struct QueryRound {
  QueryPurpose purpose = QueryPurpose::kPoll;
  uint64_t id = 0;  // 0: nobody asked, a scaler told by itself that it became active or idle
  Instant at{};
  std::vector<QueryAnswer> answers;
};

struct LaunchResult {
  Instant at{};
  std::string provider_id;  // empty: no instance, see error
  std::string instance_type;
  std::string zone;
  std::string capacity_type;
  double usd_per_hour = 0;
  std::string error;
  bool insufficient_capacity = false;
  std::string reservation_id{};  // reserved only
};

// type:zone:capacity_type, as Karpenter's unavailable-offerings cache has it.
std::string offering_key(std::string_view type, std::string_view zone,
                         std::string_view capacity_type);

// A model served by a Deployment: what it is and what its users are promised.
struct InferenceModel {
  std::string name;
  std::string deployment;  // key
  catalog::ModelCard card;
  // By GPU name, where given or measured; the roofline stands in elsewhere.
  std::map<std::string, catalog::ServiceProfile> profiles;
  int max_sequences = 256;
  int max_batched_tokens = 2048;
  Duration slo{};         // P95, end to end
  Duration lead_time{};   // expected, from a node claim to the first token
  Duration warm_start{};  // expected, from a bound pod on a warm node to the first token
};
// How the model runs on the GPUs of a type; nullopt where there is no profile or it doesn't fit.
std::optional<catalog::ServiceProfile> profile_on(const InferenceModel& model,
                                                  const catalog::InstanceType& type);

// What the model's router and servers said in the last periods (scraped every few seconds).
struct ModelSignals {
  Instant at{};
  Duration period{};             // of `arrivals`
  std::vector<double> arrivals;  // a period each, oldest first
  double waiting = 0;
  double input_mean = 0, input_p95 = 0;  // tokens, of recent requests
  double output_mean = 0, output_p95 = 0;
};

}  // namespace windlass::cluster
