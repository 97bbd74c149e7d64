// Kubernetes Events with client-go's correlation (reference 1.4): the same thing again counts up by
// a patch; more than 10 alike within 600 s are one; a source that talks too much about an object is
// silenced (burst 25, then 1 in 300 s). Best effort: an Event that can't be written is dropped.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "live/kube/api.h"
#include "net/clock.h"

namespace windlass::live::kube {

// What an Event is about.
struct Involved {
  std::string api_version;
  std::string kind;
  std::string namespace_name;  // empty: cluster-scoped; its Events stand in "default"
  std::string name;
  std::string uid;
  std::string resource_version{};
};

class EventRecorder {
 public:
  // `instance`: reportingInstance (the pod's name). At most `queue` wait to be sent.
  EventRecorder(Api& api, net::Clock& clock, std::string instance, uint64_t seed,
                size_t queue = 1000);
  ~EventRecorder();
  // `type`: Normal or Warning; `component`: who says it ("karpenter", "keda-operator", "windlass").
  void record(const Involved& involved, std::string_view type, std::string_view reason,
              std::string message, std::string_view component);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace windlass::live::kube
