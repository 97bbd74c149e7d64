#include "lint/lint.h"

#include "lint/checks.h"
#include "lint/manifests.h"

namespace windlass::lint {

std::vector<Finding> lint(const std::vector<File>& files, const catalog::Catalog& catalog) {
  Manifests manifests(files, catalog);
  check_triggers(manifests);
  check_queries(manifests);
  check_autoscalers(manifests);
  check_pools(manifests);
  check_pods(manifests);
  check_budgets(manifests);
  return manifests.take_findings();
}

}  // namespace windlass::lint
