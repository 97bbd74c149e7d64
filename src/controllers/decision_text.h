// Decisions as sentences: what `windlass explain` prints and the dashboard shows. Who decided is
// named in words; what was seen and why stand in the decision itself.
#pragma once

#include <string>
#include <string_view>

#include "controllers/action.h"
#include "controllers/wiring.h"

namespace windlass::controllers {

// "the joint policy scaled ScaledObject/inference/x (Deployment/inference/y): 2 -> 3 replicas."
std::string deed_sentence(std::string_view controller, const Decision& decision);
// The same, followed by what it saw and why.
std::string full_sentence(std::string_view controller, const Decision& decision);
// The value of an input by its name; "" if there is none.
std::string_view input_of(const Decision& decision, std::string_view name);

// One JSON line of a decision log (docs/reference/decisions.md): time, policy, controller, object,
// decision, inputs, result, reasons.
std::string decision_line(Instant now, Policy policy, std::string_view controller,
                          const Decision& decision);

}  // namespace windlass::controllers
