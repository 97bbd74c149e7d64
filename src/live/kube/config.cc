#include "live/kube/config.h"

#include "base/text.h"
#include "live/kube/files.h"
#include "live/kube/kubeconfig.h"

namespace windlass::live::kube {

namespace {

Result<Access> access_of_pod(const ConfigSources& sources) {
  Access access;
  const bool is_ipv6 = sources.service_host.find(':') != std::string::npos;
  access.server = "https://" + (is_ipv6 ? "[" + sources.service_host + "]" : sources.service_host) +
                  ":" + sources.service_port;
  access.token_file = sources.service_account_dir + "/token";
  access.ca_file = sources.service_account_dir + "/ca.crt";
  Result<std::string> ca = read_file(access.ca_file);
  if (!ca) return ca.error().in("the pod's service account");
  if (ca->find("-----BEGIN ") == std::string::npos) {
    return Error("the pod's service account: " + access.ca_file + ": holds no PEM");
  }
  access.tls.ca = std::move(*ca);
  if (const auto space = read_file(sources.service_account_dir + "/namespace"); space.ok()) {
    if (!trim(*space).empty()) access.namespace_name = trim(*space);
  }
  access.source = "the pod's service account in " + sources.service_account_dir;
  return access;
}

Result<Access> access_of_list(const ConfigSources& sources) {
  std::vector<std::string> files;
  for (const std::string_view file : split(sources.kubeconfig_environment, ':')) {
    // As kubectl: a list may name files that aren't there.
    if (!file.empty() && file_exists(std::string(file))) files.emplace_back(file);
  }
  if (files.empty()) {
    return Error("KUBECONFIG: no such file: " + sources.kubeconfig_environment);
  }
  return access_from_kubeconfig(files, sources.context);
}

}  // namespace

Result<Access> find_access(const ConfigSources& sources) {
  if (!sources.kubeconfig.empty()) {
    return access_from_kubeconfig({sources.kubeconfig}, sources.context);
  }
  if (!sources.kubeconfig_environment.empty()) return access_of_list(sources);

  std::string looked = "no cluster is configured: no --kubeconfig, KUBECONFIG is not set, ";
  const std::string token = sources.service_account_dir + "/token";
  const bool in_pod = !sources.service_host.empty() && !sources.service_port.empty();
  // A context is a kubeconfig's; who names one doesn't mean the pod.
  if (in_pod && sources.context.empty() && file_exists(token)) return access_of_pod(sources);
  looked += !in_pod ? "KUBERNETES_SERVICE_HOST is not set (no pod)" : token + " is not used";
  if (sources.home.empty()) return Error(looked + ", HOME is not set");
  const std::string file = sources.home + "/.kube/config";
  if (file_exists(file)) return access_from_kubeconfig({file}, sources.context);
  return Error(looked + ", " + file + " is not there");
}

}  // namespace windlass::live::kube
