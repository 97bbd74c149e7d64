// The Node object of one simulated instance: created once it has booted, Ready by its kubelet's
// word, its devices when their plugin has registered, its Lease renewed. It ends with its owner, or
// when somebody deletes the Node: a kubelet doesn't make it again.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "live/cloud/errands.h"
#include "live/cloud/simulated_instance.h"

namespace windlass::live::cloud {

struct NodeTimes {
  Instant boots_at{};    // joins the cluster
  Instant devices_at{};  // its device plugin registers
  Duration lease_period{};
  Duration heartbeat{};
};

class SimulatedNode {
 public:
  // The type's capacity and allocatable are copied.
  SimulatedNode(kube::Api& api, net::Clock& clock, const SimulatedInstance& instance,
                const catalog::InstanceType& type, NodeTimes times);

  // The Node was created: to be written down, so that it is never made again.
  std::function<void()> on_joined;
  // The name is another machine's; the owner begins anew with another one.
  std::function<void()> on_name_taken;
  std::function<void()> on_ready;
  // Somebody deleted the Node.
  std::function<void()> on_lost;

  void start();
  // Somebody said that the Node is gone; asks whether that is so.
  void doubt();

 private:
  void join();
  void look(bool just_made);
  void joined(const Json& node);
  void write_status();
  void became_ready();
  void beat();
  void drop_not_ready_taint();
  void renew_lease();
  void make_lease();
  void lose();
  [[nodiscard]] Json node_object() const;
  [[nodiscard]] Json status() const;
  [[nodiscard]] Duration until(Instant at) const;
  [[nodiscard]] std::string path() const { return "/api/v1/nodes/" + name_; }

  net::Clock& clock_;
  Errands errands_;
  std::string name_, provider_id_;
  bool was_joined_;
  api::Node node_;  // as the type has it, all devices there
  NodeTimes times_;
  std::string uid_;  // of the Node
  Instant ready_since_{};
  bool ready_ = false;
  bool lost_ = false;
  bool writing_ = false, write_again_ = false;
  bool leasing_ = false;  // a renewal is under way
};

}  // namespace windlass::live::cloud
