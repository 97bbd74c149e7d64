// `windlass catalog`: lists the instance types that the program knows, filtered the way a NodePool
// filters them, so that a requirement can be tried out before it goes into a manifest.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/requirements.h"
#include "base/result.h"
#include "catalog/catalog.h"

namespace windlass::cli {

struct CatalogQuery {
  std::string gpu{};                        // a GPU's name; empty: any or none
  std::vector<std::string> requirements{};  // "key=Op:value,value"
  std::string capacity_type{};              // spot, on-demand; empty: both
  std::string sort = "name";                // the choices of --sort
};

// "kubernetes.io/arch=In:amd64,arm64", "karpenter.k8s.aws/instance-gpu-count=Gt:0",
// "karpenter.k8s.aws/instance-local-nvme=Exists". Errors say what is accepted; whether the label
// is one that types have is select_types()' business.
Result<api::RequirementSpec> parse_requirement(std::string_view text);

// The types that meet the query, in its order: ascending, types without the figure last, equal
// ones by name. Prices count for the query's capacity type, on-demand if it has none. Points into
// the catalog. Error on a label or GPU that no type has, naming those that exist.
Result<std::vector<const catalog::InstanceType*>> select_types(const catalog::Catalog& catalog,
                                                               const CatalogQuery& query);

// For people: one line a type. For programs: an array of objects with labels, resources, prices.
std::string catalog_table(const std::vector<const catalog::InstanceType*>& types,
                          std::string_view capacity_type);
std::string catalog_json(const std::vector<const catalog::InstanceType*>& types);

// Prints to standard output. The exit code: 0, or 2 for a query that cannot be read, with the
// reason on standard error.
int run_catalog(const CatalogQuery& query, bool as_json);

}  // namespace windlass::cli
