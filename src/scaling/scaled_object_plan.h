// The parts of a ScaledObject's plan that are read in files of their own. Private to this room; the
// public face is scaled_object.h.
#pragma once

#include <string>
#include <vector>

#include "scaling/scaled_object.h"

namespace windlass::scaling {

PauseAnnotations read_pause_annotations(const api::StringMap& annotations);

// The formula compiled over the named triggers and tried with -1.0 for each, as KEDA's webhook
// does. What is wrong is appended to `errors`.
std::optional<ModifiersPlan> read_modifiers(const api::ScaledObject& object,
                                            const std::vector<TriggerPlan>& triggers,
                                            std::vector<std::string>& errors);

}  // namespace windlass::scaling
