// composite-metric: the one number that scaling modifiers make of all triggers (reference
// keda_hpa.md 1.7, and fallback with modifiers in 1.6). Private to this room.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "scaling/scaled_object.h"

namespace windlass::scaling {

struct Composite {
  std::optional<double> value;   // the formula's
  std::optional<int64_t> milli;  // or a fallback's stand-in, in thousandths
  std::string error;             // or why there is neither
  bool fallback = false;         // a failed trigger was replaced
};

// Precondition: the plan has modifiers, and the reads are counted.
Composite combine(const api::ScaledObject& object, const ScaledObjectPlan& plan,
                  const std::vector<TriggerReading>& readings, const TargetState& target,
                  const ScaledObjectMemory& memory);

}  // namespace windlass::scaling
