// The running Scenario as an object of the API (scenarios.windlass.dev): the spec as its file has
// it, and in the status what it came to so far. Clients read it; what they would change of the spec
// is refused, and what they change of the status is put back with the next renewal.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cluster/object_store.h"
#include "server/rest/kube_api.h"
#include "sim/scenario.h"

namespace windlass::server::embedded {

struct ScenarioStatus {
  std::string policy;
  Instant time{};
  double usd = 0;
  double usd_per_hour = 0;
  double speed = 0;
};

class ScenarioObject {
 public:
  // Of a scenario that was read from a file; of any other there is nothing to show.
  explicit ScenarioObject(const sim::Scenario& scenario);

  [[nodiscard]] bool shown() const { return document_ != nullptr; }
  // The scenario's name, with what no name of an object has as '-'.
  [[nodiscard]] const std::string& name() const { return name_; }

  // For ApiOptions::admit: why a client's write of this object is refused; none of other kinds.
  [[nodiscard]] std::vector<schema::FieldFault> refusals(const Json& object) const;

  // Writes it where it isn't as it should be.
  void renew(const ScenarioStatus& status, const cluster::ObjectStore& store,
             rest::KubeApi& api) const;

 private:
  std::shared_ptr<const Json> document_;
  std::string name_;
};

}  // namespace windlass::server::embedded
