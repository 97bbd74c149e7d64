// `windlass plan replicas --vectors`: recorded sequences of a HorizontalPodAutoscaler, replayed
// with the HPA's rules (scaling/hpa.h), so that any recorded controller can be held against them.
// The format: {"vectors": [{id, controller, spec, initial_replicas, steps}]}, each step with the
// metric values, the readiness and the moments of its syncs.
#pragma once

#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace windlass::cli {

// [{"id", "values": [[..] a step], "conditions": [[{type, status, reason}..] a step]}] of one
// file's vectors: every value spec.replicas takes in a step by the HPA's hand, and the conditions
// at its end. A vector whose spec the API refuses has "refused": "why" and empty lists. A step's
// syncs are those recorded (observed.sync_s), or one a period. The error names the vector and the
// field.
Result<Json> replay_vectors(const Json& file, std::string_view name);

}  // namespace windlass::cli
