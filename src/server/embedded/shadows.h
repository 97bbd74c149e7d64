// The same scenario under the other policies, run beside the one on show, so that the dashboard can
// say what they would have cost. They see the same traffic and what clients write of workloads and
// pools; they have no API of their own. Where the scenario leaves a policy nothing to decide (no
// pools, no scalers, no models, the same nodes for all) every policy's world is the same to the
// last pod, and none is run: a thousand fixed nodes would be kept three times over.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "api/object.h"
#include "base/json.h"
#include "base/result.h"
#include "controllers/wiring.h"
#include "server/observe/sources.h"
#include "sim/world.h"

namespace windlass::server::embedded {

// Begins the names of the parts that shadows save.
inline constexpr const char* kShadowPart = "shadow/";

class Shadows {
 public:
  // `shown` is left out, or all where no policy would differ. `saved` are costs of former processes
  // ("shadow/stock"), told until the worlds, which begin anew at the scenario's start, have caught
  // up.
  static Result<Shadows> open(const sim::Scenario& scenario, controllers::Policy shown,
                              const std::map<std::string, Json>& saved);

  // Up to `to`, or until `enough`.
  Status run_until(Instant to, const std::function<bool()>& enough);
  // Where the slowest stands; `otherwise` if there are none.
  [[nodiscard]] Instant slowest(Instant otherwise) const;
  void client_wrote(const api::Object& object);
  void client_removed(cluster::Kind kind, const std::string& key);
  // The same control in every world.
  void each(const std::function<void(sim::World&)>& control);

  [[nodiscard]] std::vector<observe::PolicyCost> costs() const;
  [[nodiscard]] std::map<std::string, Json> saved() const;
  [[nodiscard]] std::vector<sim::RunResult> results(bool partial);

 private:
  struct Shadow {
    std::unique_ptr<sim::World> world;
    double usd_before = 0;
  };
  std::vector<Shadow> shadows_;
};

}  // namespace windlass::server::embedded
