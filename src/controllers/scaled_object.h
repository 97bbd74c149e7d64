// The pod layer of the stock policy: KEDA's scale loop and the HPA's sync for every ScaledObject,
// with their cadences (poll each pollingInterval, sync each 15 s), both reading their metrics live.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "controllers/ring.h"
#include "scaling/scaled_object.h"

namespace windlass::controllers {

class ScaledObjectController : public Controller {
 public:
  // `known_models`: also decide targets that serve a model the joint policy knows.
  ScaledObjectController(scaling::HpaOptions hpa, bool known_models)
      : hpa_(hpa), known_models_(known_models) {}

  [[nodiscard]] std::string_view name() const override { return "scaled_object"; }
  void touched(const cluster::Change& change, const cluster::State& state,
               std::vector<std::string>& keys) override;
  void start(const cluster::State& state, std::vector<std::string>& keys) override;
  Outcome reconcile(const std::string& key, const cluster::State& state, Instant now) override;

 private:
  struct Memory {
    // The plan is made anew when the spec (generation) or the annotations change.
    int64_t generation = -1;
    api::StringMap annotations;
    uint64_t references = 0;  // reference_version() at that time
    std::optional<scaling::ScaledObjectPlan> plan;
    std::vector<scaling::TriggerReading> polled;  // for triggers with useCachedMetrics
    Instant next_poll{};
    Instant pushed{};  // the last unsolicited round (id 0): a scaler said "look now"
    Instant next_sync{};
    // KEDA's poll and the HPA's sync both ask live (useCachedMetrics off), in rounds of their own.
    uint64_t rounds = 0;
    uint64_t open_poll = 0;  // the round whose answers are awaited; 0: none
    uint64_t open_sync = 0;
    scaling::ScaledObjectMemory keda;
    scaling::HpaMemory hpa;
  };

  QueryMetrics ask(const std::string& key, Memory& memory, cluster::QueryPurpose purpose) const;
  std::vector<scaling::TriggerReading> read(Memory& memory, const api::ScaledObject& object,
                                            const cluster::QueryRound& round,
                                            const cluster::State& state, Instant now) const;
  std::vector<std::pair<std::string, std::string>> inputs(
      const Memory& memory, const std::vector<scaling::TriggerReading>& readings,
      const api::Deployment& deployment) const;
  void poll(const api::ScaledObject& object, const api::Deployment& deployment,
            const std::vector<scaling::TriggerReading>& readings, const cluster::State& state,
            Instant now, Memory& memory, Outcome& out);
  void sync(const api::ScaledObject& object, const api::Deployment& deployment,
            const std::vector<scaling::TriggerReading>& readings, const cluster::State& state,
            Instant now, Memory& memory, Outcome& out);
  Outcome hold_paused(const api::ScaledObject& object, const api::Deployment& deployment,
                      const cluster::State& state, Instant now, Memory& memory);

  scaling::HpaOptions hpa_;
  bool known_models_;
  std::map<std::string, Memory> memories_;
};

}  // namespace windlass::controllers
