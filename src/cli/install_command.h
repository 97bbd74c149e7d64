// `windlass install`: all that Windlass needs on a cluster, as manifests for `kubectl apply -f -`.
// The objects are those of deploy/kustomize, changed as the options say.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace windlass::cli {

struct InstallOptions {
  std::string output = "yaml";
  std::string namespace_name = "windlass";
  std::string image{};  // empty: windlass:VERSION
  int replicas = 2;
  std::string cloud = "simulated";
  bool observe = false;
  bool take_over = false;
  std::string config{};  // a file, see run_config.h
  bool without_crds = false;
  bool only_crds = false;
  bool service_monitor = false;
  bool offline = false;
  std::string kubeconfig{};
  std::string context{};
  std::string version{};
};

// What of it a cluster has already. A CRD that is there stays as it is: it may be Karpenter's or
// KEDA's own, newer than ours.
struct Present {
  std::set<std::string, std::less<>> crds{};  // "nodepools.karpenter.sh"
  bool service_monitors = false;              // monitoring.coreos.com/v1
};

// The objects in the order in which they are to be applied. The error names the option that is
// wrong.
Result<std::vector<Json>> install_objects(const InstallOptions& options, const Present& present);
// Documents with "---" between them, or a List.
std::string install_text(const std::vector<Json>& objects, std::string_view output);

// The exit code: 0 printed, 1 the cluster can't be asked, 2 bad input.
int run_install(const InstallOptions& options);

}  // namespace windlass::cli
