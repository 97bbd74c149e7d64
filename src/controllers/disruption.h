// The disruption loop: every 10 s ask disruption::propose, wait 15 s, ask disruption::validate, and
// only what is still right is done: taint, create the replacements, wait until all of them are
// initialized, delete (reference karpenter.md 4.1, 4.5).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controllers/cluster_view.h"
#include "controllers/ring.h"
#include "disruption/validate.h"

namespace windlass::controllers {

struct DisruptionOptions {
  Duration poll = seconds(10);
  Duration validation_wait = seconds(15);
  // Nodes times simulations that a pass may take: nothing else happens meanwhile. 0: as many as it
  // needs.
  size_t most_work = 0;
  // Joint policy: narrows the claims that moved pods may get.
  std::function<void(scheduling::Problem&, const cluster::State&, Instant)> narrow;
  // Joint policy: what moving each node's pods costs (see disruption::Options).
  std::function<disruption::Options(const cluster::State&, Instant)> weigh;
};

class DisruptionController : public Controller {
 public:
  DisruptionController(DisruptionOptions options, std::shared_ptr<Nominations> nominations)
      : options_(std::move(options)), nominations_(std::move(nominations)) {}

  [[nodiscard]] std::string_view name() const override { return "disruption"; }
  void touched(const cluster::Change& change, const cluster::State& state,
               std::vector<std::string>& keys) override;
  void start(const cluster::State& state, std::vector<std::string>& keys) override;
  Outcome reconcile(const std::string& key, const cluster::State& state, Instant now) override;

 private:
  struct Running {
    disruption::Command command;
    std::vector<std::string> replacements;  // claim names; none for a delete
    Instant began{};
  };
  // Nothing has moved since the last pass that found nothing (reference karpenter.md 4.1).
  [[nodiscard]] bool quiet(const cluster::State& state, Instant now) const;
  disruption::Cluster look(const cluster::State& state, Instant now);
  [[nodiscard]] disruption::Options weigh(const cluster::State& state, Instant now) const;
  void execute(const disruption::Command& command, const cluster::State& state, Instant now,
               Outcome& out);
  void follow(const cluster::State& state, Instant now, Outcome& out);
  // The taint and the claim's DisruptionReason, on or off.
  static void mark(const disruption::Command& command, bool on, const cluster::State& state,
                   Instant now, Outcome& out);

  DisruptionOptions options_;
  std::shared_ptr<Nominations> nominations_;
  OfferingView offerings_;
  std::optional<disruption::Waiting> awaiting_;  // computed, waiting for its validation
  Instant validate_at_{};
  Instant next_pass_{};
  bool moved_ = true;             // pods, nodes, claims or pools changed since the last pass
  std::optional<Instant> no_op_;  // the last pass, if it found nothing
  std::string next_turn_;         // the claim it did not come to, where its work was bounded
  std::vector<Running> running_;
  uint64_t names_ = 0;
};

}  // namespace windlass::controllers
