// The simulated EC2: launches with a delay, refusals for lack of capacity, spot interruptions with
// their notice, billing by the second with a minimum of 60 s. An idempotency token launches once.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "controllers/action.h"
#include "sim/context.h"
#include "sim/run_result.h"
#include "sim/saved.h"

namespace windlass::sim {

struct Instance {
  std::string provider_id;
  std::string node_name;
  std::string claim;  // empty: a fixed node group
  const catalog::InstanceType* type = nullptr;
  std::string zone;
  std::string capacity_type;
  std::string reservation_id;  // reserved only
  double usd_per_hour = 0;
  Instant launched{};
  std::optional<Instant> terminated;  // end of billing
  bool going = false;                 // a terminate call was taken
  bool noticed = false;               // the cloud has said that it takes it back
  bool answered = false;              // the launch call was answered: it runs
  std::optional<Instant> taken_at;    // if noticed: when it goes
  std::optional<Instant> ready_at;    // of its node; only of instances that were read back
  std::string end_reason;
};

class Cloud {
 public:
  explicit Cloud(Context& context);

  // Set by the world: an instance runs and will join as a node; an instance is gone for good.
  std::function<void(const Instance&)> on_running;
  std::function<void(const Instance&)> on_gone;

  void launch(const controllers::Launch& launch);
  void terminate(const std::string& provider_id, const std::string& reason);
  // The claim is gone although its instance may be there or on its way: it ends.
  void forget_claim(const std::string& claim, const std::string& provider_id);
  // The spot notice, now; false if it is no running spot instance, or has had its notice.
  bool interrupt(const std::string& provider_id);
  // No launch of the type finds capacity until then (kNever: until unblock()).
  void block(const std::string& instance_type, Instant until);
  void unblock(const std::string& instance_type);
  [[nodiscard]] const std::map<std::string, Instant>& blocked() const { return blocked_; }
  // An instance that is up when the run begins.
  const Instance& start_with(const NodeGroup& group, const std::string& claim, int index);

  // For a restart (cloud_saved.cc): all instances with when their nodes became Ready; reading them
  // back; and what goes on by itself, once the objects are there.
  void save(SavedParts& parts,
            const std::function<std::optional<Instant>(const std::string& id)>& ready_at) const;
  Status read(const std::map<std::string, Json>& saved);
  void resume();

  // By provider id. Terminated ones stay, for the bill.
  [[nodiscard]] const std::map<std::string, Instance>& instances() const { return instances_; }
  // Dollars up to now: price times life, the life of an ended instance at least 60 s.
  [[nodiscard]] double cost_usd() const;
  // The same, summed over time as prices came and went: must agree with cost_usd().
  [[nodiscard]] double integrated_cost_usd() const;
  [[nodiscard]] double gpu_seconds_paid() const;
  [[nodiscard]] int running() const { return running_; }
  [[nodiscard]] int peak() const { return peak_; }
  [[nodiscard]] int refused() const { return refused_; }
  [[nodiscard]] int interrupted() const { return interrupted_; }
  // The offering has none to give now.
  [[nodiscard]] bool out_of_capacity(const controllers::LaunchOffer& offer);
  [[nodiscard]] bool reservation_full(const std::string& id) const;

 private:
  Instance& create(const catalog::InstanceType& type, const std::string& zone,
                   const std::string& capacity_type, double price, const std::string& claim);
  void plan_interruption(const Instance& instance);
  void answer(const std::string& provider_id);
  void answer_again(const std::string& provider_id);
  void take_back(const std::string& provider_id);
  void end(const std::string& provider_id);
  void accrue();

  Context& context_;
  Rng delays_;
  Rng spot_;
  Rng gaps_;
  std::map<std::string, Instance> instances_;
  std::map<std::string, std::string> tokens_;  // to the instance; empty: refused
  std::map<std::string, Instant> blocked_;     // by instance type
  uint64_t launched_ = 0;
  int running_ = 0;
  int peak_ = 0;
  int refused_ = 0;
  int interrupted_ = 0;
  double rate_usd_per_hour_ = 0;
  double accrued_usd_ = 0;
  Instant accrued_at_{};
};

}  // namespace windlass::sim
