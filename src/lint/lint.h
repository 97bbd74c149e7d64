// `windlass lint`, without files and terminals: manifests in, findings out.
#pragma once

#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "lint/rules.h"

namespace windlass::lint {

struct File {
  std::string name;
  std::string text;
};

// Every finding about all files together (a ScaledObject in one may scale a Deployment in another),
// in the order of the files, lines and rules. `catalog` holds the instance types that pools can
// buy. Text of any kind is accepted; what can't be read is a finding.
std::vector<Finding> lint(const std::vector<File>& files, const catalog::Catalog& catalog);

}  // namespace windlass::lint
