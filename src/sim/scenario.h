// A Scenario (windlass.dev/v1alpha1): the cluster, the traffic, the models, the jobs, and how long
// things take. docs/reference/scenario.md lists each field with unit and default.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/object.h"
#include "base/json.h"
#include "catalog/catalog.h"
#include "cluster/observations.h"
#include "controllers/wiring.h"
#include "sim/delay.h"
#include "sim/traffic/traffic.h"

namespace windlass::sim {

// When and where launches are refused for lack of capacity. Empty lists: any.
struct CapacityGap {
  std::vector<std::string> instance_types;
  std::vector<std::string> zones;
  std::vector<std::string> capacity_types;
  Duration from{};
  std::optional<Duration> until;  // nullopt: to the end
  double probability = 1;
};

struct CloudSpec {
  catalog::CatalogOptions catalog;
  Delay launch{seconds(2), seconds(4)};           // the launch call
  Delay boot{seconds(37), seconds(65)};           // instance running to node Ready
  Delay device_plugin{seconds(12), seconds(30)};  // node Ready to GPUs allocatable
  Delay shutdown{seconds(20), seconds(45)};       // terminate call to the end of billing
  Delay capacity_error{seconds(2), seconds(4)};   // until a launch is refused
  double spot_interruptions_per_h = 0;            // of one spot instance
  Duration spot_notice = seconds(120);
  std::vector<CapacityGap> gaps;
};

struct ModelSpec {
  cluster::InferenceModel model;
  TrafficSpec traffic;
  Delay weights{seconds(20), seconds(40)};       // loading them, image present
  Delay engine_start{seconds(48), seconds(70)};  // engine start to Ready
  Duration request_timeout{};                    // 0: none
  int max_retries = 2;
};

struct JobSpec {
  Duration arrival{};
  std::string name;
  std::string namespace_name = "training";
  int gpus = 1;
  double work_gpu_s = 0;  // on the reference GPU
  std::string priority_class;
  api::ResourceList requests;  // beside the GPUs
};
struct TrainingSpec {
  std::vector<JobSpec> jobs;  // in order of arrival
  std::string reference_gpu = "t4";
  std::optional<Duration> checkpoint_interval;  // nullopt: none are written
  std::string image = "pytorch-training";
  Delay start{seconds(20), seconds(40)};  // image present to first step
  api::StringMap node_selector;
  std::vector<api::Toleration> tolerations;
};

struct NodeGroup {
  std::string instance_type;
  std::string capacity_type = "on-demand";
  std::string pool;  // NodePool it belongs to; empty: a fixed node group nobody manages
  int count = 1;
  api::StringMap labels;
  std::vector<api::Taint> taints;
  bool operator==(const NodeGroup&) const = default;
};

// Where a run begins: nodes that are up and replicas that are Ready at time 0.
struct StartSpec {
  std::vector<NodeGroup> nodes;
  std::map<std::string, int32_t> replicas;  // by Deployment key; else the manifest's
  bool operator==(const StartSpec&) const = default;
};

struct MetricsSpec {
  Duration scrape_interval = seconds(15);
  Duration query_latency = milliseconds(20);
  std::vector<std::pair<Duration, Duration>> outages;  // Prometheus answers with an error
};

struct Scenario {
  std::string name;
  Duration duration = hours(24);
  Instant start{};
  uint64_t seed = 1;
  std::vector<api::Object> objects;  // of all manifests
  std::vector<controllers::Policy> policies;
  CloudSpec cloud;
  std::map<std::string, Delay> image_pull;  // by image
  Delay default_image_pull{seconds(60), seconds(120)};
  std::vector<ModelSpec> models;
  TrainingSpec training;
  StartSpec fixed;       // of the static policy
  StartSpec autoscaled;  // of the others
  MetricsSpec metrics;
  controllers::WiringOptions wiring;
  Duration sample_period = minutes(1);
  std::vector<std::string> notes;        // warnings of the manifests
  std::shared_ptr<const Json> document;  // as its file has it; null if it comes from none
};

struct ScenarioFile {
  Scenario scenario;
  std::vector<api::Finding> errors;  // not empty: the scenario is refused
};

// Reads the file, its manifests and job traces (paths relative to the file), and checks everything
// that can be checked before a run: every error is listed, not the first. Error: the file itself
// can't be read. `seed` and `duration` take the place of the file's.
Result<ScenarioFile> read_scenario(const std::string& path,
                                   std::optional<uint64_t> seed = std::nullopt,
                                   std::optional<Duration> duration = std::nullopt);

}  // namespace windlass::sim
