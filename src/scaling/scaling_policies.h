// How fast an HPA may move: the fixed ramp without behavior, the policies with it, and min and max
// at the end of both (reference keda_hpa.md 4.4 and 4.5). Private to this room.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/keda.h"
#include "base/time.h"
#include "scaling/hpa.h"

namespace windlass::scaling {

// One direction of a behavior with the API's defaults filled in.
struct DirectionRules {
  Duration window{};
  api::SelectPolicy select = api::SelectPolicy::kMax;
  std::vector<api::ScalingPolicy> policies;
};
// Window 0; the larger of 4 pods and 100 % in 15 s.
DirectionRules scale_up_rules(const api::Behavior& behavior);
// The controller's window; 100 % in 15 s.
DirectionRules scale_down_rules(const api::Behavior& behavior, Duration default_window);

struct Bounds {
  int32_t min = 1;
  int32_t max = 1;
};
enum class Limit { kNone, kMin, kMax, kRamp, kUpRules, kDownRules };
struct Limited {
  int32_t replicas = 0;
  Limit by = Limit::kNone;
};
// The reason of condition ScalingLimited, and what limited it in words (empty: nothing did).
std::string_view reason_of(Limit by);
std::string words_of(const Limited& limited);

// Without behavior: up to max(2 * current, 4) a sync, any distance down.
Limited limit_by_ramp(int32_t wish, int32_t current, Bounds bounds);

struct ScaleEvents {
  const std::vector<HpaMemory::ScaleEvent>& ups;
  const std::vector<HpaMemory::ScaleEvent>& downs;
};
Limited limit_by_policies(int32_t wish, int32_t current, Bounds bounds, const DirectionRules& up,
                          const DirectionRules& down, const ScaleEvents& events, Instant now);

// Notes a change, so that the next syncs count it in their periods. Only with behavior.
void remember_change(int32_t from, int32_t to, const DirectionRules& up, const DirectionRules& down,
                     Instant now, HpaMemory& memory);

}  // namespace windlass::scaling
