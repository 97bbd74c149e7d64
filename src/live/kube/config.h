// Where the API server is and who we are: kubeconfig files (KUBECONFIG's list merged, first wins)
// or the service account of a pod (reference 1.1). Reading is pure but for the files; nothing here
// connects.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "net/http_client.h"

namespace windlass::live::kube {

struct ExecPlugin {
  std::string api_version;  // client.authentication.k8s.io/v1 or v1beta1
  std::string command;
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> environment;
  std::string install_hint;
  bool provide_cluster_info = false;
  std::string cluster_info;  // spec.cluster as JSON, where wanted
};

// Everything a client needs to know; secrets in it are never printed.
struct Access {
  std::string server;  // URL without a slash at the end
  net::TlsOptions tls;
  std::string ca_file;  // read again when it changes (in-cluster); empty: tls.ca is all
  std::string proxy;
  // How we say who we are; at most one of these beside a client certificate.
  std::string token;
  std::string token_file;  // read again at most once a minute, and after a 401
  std::string username, password;
  std::optional<ExecPlugin> exec;
  std::string namespace_name = "default";  // of the context or the pod
  std::string source;  // for messages: "context \"prod\" of /home/a/.kube/config"
};

struct ConfigSources {
  std::string kubeconfig;                      // --kubeconfig; empty: see below
  std::string context;                         // empty: current-context
  std::string kubeconfig_environment{};        // $KUBECONFIG
  std::string home{};                          // $HOME: .kube/config there
  std::string service_host{}, service_port{};  // KUBERNETES_SERVICE_HOST, _PORT
  std::string service_account_dir = "/var/run/secrets/kubernetes.io/serviceaccount";
};
// --kubeconfig, else $KUBECONFIG, else the pod's service account, else ~/.kube/config. The error
// names file and field, and what was looked for where nothing was found.
Result<Access> find_access(const ConfigSources& sources);

}  // namespace windlass::live::kube
