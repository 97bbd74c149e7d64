// Frames as the JSON that the page reads: whole, or what changed since another one.
#pragma once

#include <string>

#include "server/observe/decision_feed.h"
#include "server/observe/frame.h"
#include "server/observe/sources.h"

namespace windlass::server::observe {

inline constexpr size_t kDecisionsShown = 200;

std::string snapshot_text(const Frame& frame, const Sources& sources,
                          const DecisionFeed& decisions);
// The scalars, cost and controls always; of the lists what is new, changed or gone.
std::string update_text(const Frame& before, const Frame& after, const Sources& sources,
                        const DecisionFeed& decisions);

}  // namespace windlass::server::observe
