// `kubectl get nodes`: readiness and cordons, roles by label, and with -o wide addresses and
// software.
#include <set>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "server/kinds/fields.h"
#include "server/kinds/tables.h"

namespace windlass::server::kinds {
namespace {

std::string node_status(const Json& node) {
  const std::string ready = condition(at(node, {"status", "conditions"}), "Ready");
  std::string status = ready.empty() ? "Unknown" : ready == "True" ? "Ready" : "NotReady";
  if (truth(at(node, {"spec", "unschedulable"}))) status += ",SchedulingDisabled";
  return status;
}

// node-role.kubernetes.io/ROLE labels, and the older kubernetes.io/role=ROLE.
std::string roles(const Json& node) {
  constexpr std::string_view kPrefix = "node-role.kubernetes.io/";
  std::set<std::string> found;
  for (const auto& [key, value] : members(at(node, {"metadata", "labels"})).items()) {
    if (key.starts_with(kPrefix) && key.size() > kPrefix.size()) {
      found.insert(key.substr(kPrefix.size()));
    }
    if (key == "kubernetes.io/role" && value != "") found.insert(text(value));
  }
  return or_else_text(join({found.begin(), found.end()}, ","), "<none>");
}

std::string address(const Json& node, std::string_view type) {
  for (const Json& one : items(at(node, {"status", "addresses"}))) {
    if (at(one, "type") == type) return text(at(one, "address"));
  }
  return "<none>";
}

Cells node_row(const Json& node, Instant now) {
  const Json& info = at(node, {"status", "nodeInfo"});
  return {name_of(node),
          node_status(node),
          roles(node),
          age(node, now),
          text(at(info, "kubeletVersion")),
          address(node, "InternalIP"),
          address(node, "ExternalIP"),
          text_or(at(info, "osImage"), "<unknown>"),
          text_or(at(info, "kernelVersion"), "<unknown>"),
          text_or(at(info, "containerRuntimeVersion"), "<unknown>")};
}

}  // namespace

Table node_table() {
  return {{name_column(), shown("Status"), shown("Roles"), shown("Age"), shown("Version"),
           wide("Internal-IP"), wide("External-IP"), wide("OS-Image"), wide("Kernel-Version"),
           wide("Container-Runtime")},
          node_row};
}

}  // namespace windlass::server::kinds
