// `windlass plan replicas`: what a ScaledObject, a ScaledJob or a HorizontalPodAutoscaler would do
// with given readings, step by step; or what the HPA's rules make of recorded vectors.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace windlass::cli {

struct PlanReplicasOptions {
  std::vector<std::string> files;  // manifests; directories and "-" too
  std::string readings;
  std::vector<std::string> vectors;
  std::string output = "table";
};

// {"object", "steps": [{time, replicas or create, limited_by, conditions, why, ..}], "status"} of
// the one scaled object among the manifests. `warnings` gets what is worth saying about them.
// Errors name file, step and field.
Result<Json> plan_replicas(const PlanReplicasOptions& options, std::vector<std::string>& warnings);

// Those steps as a table.
std::string plan_replicas_table(const Json& plan);

// Prints the plan or the vectors' replay. 0 done, 2 bad input.
int run_plan_replicas(const PlanReplicasOptions& options);

}  // namespace windlass::cli
