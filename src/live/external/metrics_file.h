// The file behind external.metrics.k8s.io: for every metric what a trigger of type external would
// say in its metadata, and where it is served (docs/reference/external-scaler.md).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/meta.h"
#include "base/result.h"

namespace windlass::live::external {

struct ServedMetric {
  std::string name;                     // "windlass-llama-2-7b", by the metadata's model
  std::vector<std::string> namespaces;  // where it can be asked for; empty: in all
  api::StringMap labels;                // what a selector is held against
  api::StringMap metadata;              // read_demand_spec() takes it

  [[nodiscard]] bool served_in(std::string_view namespace_name) const;
};

// At least one; no two of a name in one namespace. The error lists all that is wrong.
Result<std::vector<ServedMetric>> read_metrics_file(std::string_view text);

}  // namespace windlass::live::external
