// The CRDs that are there from the start: Karpenter's, the EC2NodeClass and KEDA's, as their
// projects publish them but for the descriptions. Read once, at the first use.
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/assert.h"
#include "server/kinds/kind_rules.h"

namespace windlass::server::kinds {
namespace {

constexpr std::string_view kCrds[] = {
#include "server/kinds/built_in_crds.inc"
};

}  // namespace

const std::vector<Json>& built_in_crds() {
  static const std::vector<Json> kRead = [] {
    std::vector<Json> read;
    for (std::string_view text : kCrds) {
      auto crd = parse_json(text);
      WL_ASSERT(crd.ok());
      read.push_back(std::move(*crd));
    }
    return read;
  }();
  return kRead;
}

}  // namespace windlass::server::kinds
