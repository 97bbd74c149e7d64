// What has to go when a simulated machine is off: its Node, its Lease, its pods (once nothing can
// be bound there any more), and last the ConfigMap that says there was an instance. Every step may
// be done again by another process.
#pragma once

#include <functional>
#include <string>

#include "live/cloud/errands.h"

namespace windlass::live::cloud {

class SimulatedEnd {
 public:
  SimulatedEnd(kube::Api& api, net::Clock& clock, std::string node_name, std::string provider_id,
               std::string config_map_path);
  // When all of it is gone; may end this object.
  std::function<void()> on_done;
  void start() { look_at_node(); }

 private:
  void look_at_node();
  void list_pods();
  void finish();
  // Tries until it is gone, then goes on; an object of another uid is not meant.
  void remove(const std::string& path, const std::string& uid, std::function<void()> then);

  std::string node_name_, provider_id_, config_map_path_;
  size_t pods_left_ = 0;
  Errands errands_;
};

}  // namespace windlass::live::cloud
