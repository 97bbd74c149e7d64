// A cloud without a cloud: instances that exist only as ConfigMaps in the real Kubernetes API, with
// Node objects, Leases and kubelets played over the same API. A launch is idempotent by the name
// made from its token, and a restarted process finds all of it again. What differs from EC2: an
// instance whose ConfigMap is deleted by hand has crashed, and what a cloud controller manager does
// (removing the Node of an instance that is gone) is done here.
//
// One user of a namespace at a time (the leader). Needs of RBAC: configmaps there; nodes,
// nodes/status, pods, pods/status, and leases in kube-node-lease.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/core.h"
#include "catalog/catalog.h"
#include "live/cloud/cloud.h"
#include "live/kube/api.h"
#include "net/clock.h"

namespace windlass::live::cloud {

struct SimulatedCloudOptions {
  std::string namespace_name = "windlass";  // of the ConfigMaps; must be there
  Duration launch = seconds(1);             // until a launch is answered
  Duration boot = seconds(10);              // then until its node joins
  Duration device_plugin = seconds(3);      // then until its GPUs are told
  Duration pod_pull = seconds(2);           // of an image, once a node
  Duration pod_ready = seconds(1);          // from running
  Duration pod_stop = seconds(1);           // at most
  Duration shutdown = seconds(3);           // from terminate() until it is gone
  Duration spot_notice = minutes(2);
  Duration lease_period = seconds(10);
  Duration heartbeat = minutes(5);
  // "TYPE:ZONE:CAPACITY", * for any run of characters: offers without capacity.
  std::vector<std::string> without_capacity{};
  // The type as its node class has it; empty: as the catalogue has it.
  std::function<const catalog::InstanceType*(const std::string& node_class,
                                             const std::string& type)>
      type_of{};
};

class SimulatedCloud : public Cloud {
 public:
  // Annotated true on a Node, its instance gets the spot notice (of whatever capacity type it is).
  static constexpr std::string_view kInterrupt = "windlass.dev/interrupt";

  // Api, Clock and Catalog must outlive it. Destroyed, it stops at once; what stands in the API is
  // taken up by the next one.
  SimulatedCloud(kube::Api& api, net::Clock& clock, const catalog::Catalog& catalog,
                 SimulatedCloudOptions options);
  ~SimulatedCloud() override;

  void launch(const LaunchRequest& request, std::function<void(LaunchAnswer)> done) override;
  void terminate(const std::string& provider_id, std::function<void(Status)> done) override;
  void list(std::function<void(Result<std::vector<CloudInstance>>)> done) override;

  // Once, first: finds what a former process left and goes on with it. `done` (may be empty) when
  // all of it is known.
  void resume(std::function<void()> done);

  // What the informers say of Pods and Nodes, all of them, from before resume() on.
  void pod_changed(const api::Pod& pod);
  void pod_gone(const std::string& key);
  void node_changed(const api::Node& node);
  void node_gone(const std::string& name);

  // From now on; see the option.
  void set_without_capacity(std::vector<std::string> patterns);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace windlass::live::cloud
