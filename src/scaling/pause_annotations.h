// KEDA's annotations that stop a ScaledObject, wholly or in one direction, or force it active
// (reference keda_hpa.md 1.3). Private to this room; is_paused and hpa_behavior are in
// scaled_object.h.
#pragma once

#include <cstdint>
#include <optional>

#include "api/keda.h"
#include "base/result.h"

namespace windlass::scaling {

struct PauseAnnotations {
  bool paused = false;
  std::optional<int32_t> replicas;  // paused-replicas: hold this count
  bool scale_in = false;            // no steps to zero or idle
  bool scale_out = false;           // no steps from zero or idle
  bool force_active = false;
};

// The error is paused-replicas that is no count; such an object is paused all the same.
Result<PauseAnnotations> read_pause_annotations(const api::ScaledObject& object);

}  // namespace windlass::scaling
