// What the `plan` commands and `lint` read: manifests from files, directories and standard input,
// and a cluster made of them, so that the very functions that run a cluster can be asked about it.
#pragma once

#include <string>
#include <vector>

#include "api/object.h"
#include "base/result.h"
#include "base/time.h"
#include "cluster/state.h"

namespace windlass::cli {

// A whole file; "-" is standard input.
Result<std::string> read_file(const std::string& path);

// The files behind paths: a directory stands for the *.yaml, *.yml and *.json in it (not below it),
// by name. Errors name the path that is not there, or the directory without such files.
Result<std::vector<std::string>> manifest_files(const std::vector<std::string>& paths);

struct PlanInput {
  cluster::State state;
  std::vector<std::string> warnings;  // "place: text"
};

// The objects of all manifests as a cluster at `now`:
// - Deployments, StatefulSets and Jobs get the pods they still lack, named NAME-0, NAME-1, ...;
// - pods without a node are pending, with the priority of their class;
// - a node without a Ready condition is ready, one without allocatable has its type's;
// - a node of a NodePool without a NodeClaim gets one made of its labels.
// `catalog_file` replaces the built-in EC2 table, as it stands, unless empty. The error lists all
// that is wrong with the manifests, a line each.
Result<PlanInput> read_plan_input(const std::vector<std::string>& paths,
                                  const std::string& catalog_file, Instant now);

}  // namespace windlass::cli
