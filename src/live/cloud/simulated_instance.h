// What a simulated instance is and how it is written down: one ConfigMap an instance, named by the
// launch token, so that a launch asked for twice is one instance whoever asks. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "base/time.h"
#include "catalog/catalog.h"
#include "live/cloud/cloud.h"

namespace windlass::live::cloud {

inline constexpr std::string_view kInstanceLabel = "windlass.dev/simulated-instance";

struct SimulatedInstance {
  std::string token, claim, pool, node_class;
  std::string instance_type, zone, capacity_type, reservation_id;
  double usd_per_hour = 0;
  std::string provider_id, node_name;
  int names_taken = 0;  // node names that were somebody else's
  Instant launched{};
  std::optional<Instant> joined;    // its Node was created, which happens once
  std::optional<Instant> taken_at;  // after an interruption notice
  std::optional<Instant> going;     // shutting down since
};

// "windlass-instance-" and 17 hex digits, made from the token.
std::string instance_name(std::string_view token);
// The same from "aws:///ZONE/i-HEX17"; nullopt for ids that no simulated instance has.
std::optional<std::string> instance_name_of(std::string_view provider_id);
std::string provider_id_for(std::string_view token, std::string_view zone);
// EC2's private DNS name, of an address made from token and attempt: "ip-10-3-44-5.ec2.internal".
std::string node_name_for(std::string_view token, std::string_view region, int attempt);
// "10.3.44.5" of such a name.
std::string address_of(std::string_view node_name);
// Whole seconds, as metav1.Time has them.
std::string time_stamp(Instant at);
// A zone's region: without the letter at its end.
std::string region_of(std::string_view zone);

Json config_map_of(const SimulatedInstance& instance, const std::string& namespace_name);
// The `data` that changes while it lives, for a merge patch.
Json changing_data(const SimulatedInstance& instance);
// Error: the ConfigMap is no instance's, or somebody wrote into it.
Result<SimulatedInstance> read_instance(const Json& config_map);

LaunchAnswer answer_of(const SimulatedInstance& instance, Instant now);
CloudInstance cloud_instance(const SimulatedInstance& instance);

// Whether the pattern "TYPE:ZONE:CAPACITY" (with * for any run of characters) names the offer.
bool names_offer(std::string_view pattern, const controllers::LaunchOffer& offer);

}  // namespace windlass::live::cloud
