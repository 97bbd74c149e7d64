// Kubernetes Events of the embedded cluster: what its kubelets, scheduler and controllers would
// tell a user in `kubectl describe` and `kubectl get events`. The same thing said again within ten
// minutes counts up instead of standing twice, as client-go's correlator does.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/json.h"
#include "base/time.h"
#include "cluster/object_store.h"
#include "controllers/action.h"

namespace windlass::server::embedded {

// What an Event is about.
struct Involved {
  std::string api_version;
  std::string kind;
  std::string namespace_name;  // empty: cluster-scoped; its Events stand in "default"
  std::string name;
  std::string uid;
};

class EventRecorder {
 public:
  using Write = std::function<void(const cluster::ObjectKey&, Json event)>;
  explicit EventRecorder(Write write) : write_(std::move(write)) {}

  // `type`: Normal or Warning. `component`: who says it ("kubelet", "karpenter").
  void record(const Involved& involved, std::string_view type, std::string_view reason,
              const std::string& message, std::string_view component, Instant now);

 private:
  struct Said {
    std::string event_name;
    Instant first{};
    Instant last{};
    int count = 0;
  };
  // Two hashes of what was said, about what and by whom: a busy hour says tens of thousands of
  // things.
  using Key = std::pair<uint64_t, uint64_t>;
  void forget_old(Instant now);

  Write write_;
  std::map<Key, Said> said_;
  std::deque<std::pair<Instant, Key>> order_;  // of first sayings, for forgetting
  uint64_t names_ = 0;
};

}  // namespace windlass::server::embedded
