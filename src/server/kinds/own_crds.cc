// The CRD of windlass.dev's own kind, which the embedded API alone has: `windlass install` leaves
// it out, as nothing in a real cluster reads it.
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/assert.h"
#include "server/kinds/kind_rules.h"

namespace windlass::server::kinds {
namespace {

// The spec is as its file has it: docs/reference/scenario.md says which fields there are, and the
// reader of scenarios which are wrong.
constexpr std::string_view kScenarioCrd =
#include "server/kinds/scenario_crd.inc"
    ;

}  // namespace

const std::vector<Json>& own_crds() {
  static const std::vector<Json> kRead = [] {
    auto crd = parse_json(kScenarioCrd);
    WL_ASSERT(crd.ok());
    return std::vector<Json>{*std::move(crd)};
  }();
  return kRead;
}

}  // namespace windlass::server::kinds
