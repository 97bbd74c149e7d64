// The metadata of each kind of trigger that is decided natively (reference keda_hpa.md 2.1, 2.2).
// Private to this room.
#pragma once

#include <string_view>

#include "api/keda.h"
#include "scaling/trigger_metadata.h"
#include "scaling/trigger_plan.h"

namespace windlass::scaling {

struct TriggerPlace {
  size_t index = 0;  // among the object's triggers, part of the metric's name
  std::string_view namespace_name;
  const api::Trigger& trigger;
};

// Fills the plan from the metadata; what is wrong is noted in `metadata`. False: no such kind.
bool read_trigger_kind(const TriggerPlace& place, TriggerMetadata& metadata, TriggerPlan& plan);

// Every type read_trigger_kind knows, for messages.
std::string_view native_trigger_types();

}  // namespace windlass::scaling
