// The settings of `windlass run`: flags, else environment (WINDLASS_*), else the configuration
// file, else defaults. docs/reference/run.md has the table.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "catalog/catalog.h"
#include "cluster/observations.h"
#include "controllers/wiring.h"
#include "live/cloud/simulated_cloud.h"

namespace windlass::cli {

// As given on the command line or by environment; empty: not given.
struct RunOptions {
  std::string config;
  std::string kubeconfig;
  std::string context;
  std::string cloud;
  std::vector<std::string> namespaces;
  std::string policy;
  std::string observe;  // true, false
  std::string decisions;
  std::string listen;
  std::string leader_election;  // true, false
  std::string lease_namespace;
  std::optional<double> requests_per_s;
  std::string log_level;
  std::string version;
};

// A model whose pods are asked for their own metrics.
struct ScrapedModel {
  cluster::InferenceModel model;
  uint16_t port = 8000;
  std::string path = "/metrics";
  std::string url;  // of one page for the whole model (a router's, a federation); else its pods'
  Duration period = seconds(5);
};

struct RunSettings {
  std::string kubeconfig;
  std::string context;
  std::string cloud = "simulated";
  std::vector<std::string> namespaces;
  controllers::Policy policy = controllers::Policy::kWindlass;
  bool observe = false;
  std::string decisions;  // file of JSON lines; "-": standard output; empty: none
  std::string listen = "0.0.0.0:8080";
  bool leader_election = true;
  std::string lease_namespace;  // empty: of the context or the pod
  // How long a leader that died is waited for; renewed and given up in client-go's proportions.
  Duration lease_duration = seconds(15);
  double requests_per_s = 200;
  std::string log_level = "info";
  std::vector<std::string> karpenter_namespaces{"kube-system", "karpenter"};
  std::vector<std::string> keda_namespaces{"keda"};
  catalog::CatalogOptions catalog;
  live::cloud::SimulatedCloudOptions simulated;
  std::vector<ScrapedModel> models;
  controllers::WiringOptions wiring;
};

// The error names file, line and key, or the flag.
Result<RunSettings> settle(const RunOptions& options);

// "HOST:PORT", ":PORT", "[::1]:PORT".
Result<std::pair<std::string, uint16_t>> parse_host_port(const std::string& text);

}  // namespace windlass::cli
