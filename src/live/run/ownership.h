// Who runs what. A scaled object that a running KEDA or a HorizontalPodAutoscaler drives, and a
// pool that a running Karpenter drives, are left alone: they never enter the State, so no
// controller can act on them by mistake. The annotation windlass.dev/take-over=true takes one over;
// taking it off gives it back. Neither touches a pod or a node.
//
// A scaled object is taken from KEDA by KEDA's own pause annotation, from any other autoscaler by
// disabling both directions of its behavior (kept in an annotation for giving back). Karpenter
// cannot be told to leave one pool: its pools are taken when it stands still (its Lease is no
// longer renewed).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <vector>

#include "api/object.h"
#include "base/json.h"
#include "cluster/state.h"
#include "live/kube/api.h"
#include "net/clock.h"
#include "net/guard.h"

namespace windlass::live {

inline constexpr std::string_view kTakeOver = "windlass.dev/take-over";
inline constexpr std::string_view kPausedKeda = "windlass.dev/paused-keda";
inline constexpr std::string_view kFormerBehavior = "windlass.dev/former-behavior";

// A Lease of another program, as our stopwatch sees it.
class LeaseWatch {
 public:
  enum class Life { kUnknown, kAbsent, kStale, kAlive };
  // What a GET of it answered; code 404: there is none.
  void observe(const kube::Reply& reply, Duration steady);
  [[nodiscard]] Life life() const { return life_; }
  [[nodiscard]] const std::string& holder() const { return holder_; }

 private:
  Life life_ = Life::kUnknown;
  std::string holder_;
  std::string record_;
  Duration changed_{};
  Duration read_{};  // when it was last known
};

struct OwnershipOptions {
  bool observe = false;  // everything is looked at, nothing is taken
  std::vector<std::string> karpenter_namespaces{"kube-system", "karpenter"};
  std::vector<std::string> keda_namespaces{"keda"};
};

class Ownership {
 public:
  Ownership(kube::Api& api, net::Clock& clock, OwnershipOptions options);

  // Ours from now on (as changed), or no longer; to be passed on to the State.
  std::function<void(uint64_t version, api::Object object)> on_ours;
  std::function<void(cluster::Kind kind, const std::string& key)> on_not_ours;
  // Said once an object and reason: why it is left alone ("" again ours).
  std::function<void(cluster::Kind kind, const std::string& key, const std::string& why)>
      on_refused;
  // A claim that was passed on as ours, as it stands now; asked for when it is ours no longer.
  std::function<std::optional<api::NodeClaim>(const std::string& name)> claim_there;
  // Only the leader writes.
  std::function<bool()> may_send;

  // Looks after the others' leases until destroyed.
  void start();
  // Whether it is known who else is there.
  [[nodiscard]] bool known() const;

  // What watchers tell of ScaledObjects, NodePools, NodeClaims and HorizontalPodAutoscalers; all
  // other kinds are passed on as they are.
  void put(uint64_t version, api::Object object);
  void gone(cluster::Kind kind, const std::string& key);
  [[nodiscard]] const std::map<std::pair<cluster::Kind, std::string>, std::string>& refused()
      const {
    return refused_;
  }

 private:
  using Id = std::pair<cluster::Kind, std::string>;
  struct Held {
    uint64_t version = 0;
    api::Object object;
    bool ours = false;
  };
  // There are as many as nodes, so what stands in the State is not held a second time.
  struct HeldClaim {
    uint64_t version = 0;
    std::string pool;
    bool ours = false;
    std::unique_ptr<api::NodeClaim> object;  // not while it is in the State
  };
  void poll();
  [[nodiscard]] std::ranges::subrange<std::map<Id, Held>::const_iterator> all_of(
      cluster::Kind kind) const;
  void look_at_all();
  // `changed`: the object itself is news, not only what is around it.
  void look_at(const Id& id, bool changed = false);
  void look_at_claim(const std::string& name, HeldClaim& held);
  void look_at_target(const std::string& namespace_name, const api::ScaleTarget& target);
  std::string why_not(api::ScaledObject& object);
  [[nodiscard]] std::string why_not(const api::NodePool& pool) const;
  [[nodiscard]] std::string why_not_claim(const std::string& pool) const;
  void give_back(const api::ScaledObject& object);
  void patch(const Id& id, const Json& patch);
  [[nodiscard]] LeaseWatch::Life life(
      const std::vector<std::pair<std::string, LeaseWatch>>& of) const;
  [[nodiscard]] std::vector<const api::HorizontalPodAutoscaler*> autoscalers_of(
      const api::ScaledObject& object) const;

  kube::Api& api_;
  net::Clock& clock_;
  OwnershipOptions options_;
  std::vector<std::pair<std::string, LeaseWatch>> karpenter_, keda_;  // by path
  std::map<Id, Held> held_;                                           // but for claims
  std::map<std::string, HeldClaim> claims_;
  std::map<Id, std::string> refused_;
  // When we last asked for which change, not to ask twice.
  std::map<Id, std::pair<Duration, std::string>> patched_;
  net::Guard guard_;
};

}  // namespace windlass::live
