// The second look at a command, 15 s after it was proposed (karpenter.md 4.5): are its nodes still
// candidates for its method, do the budgets still allow all of them, and does the scheduler still
// find the same number of new nodes, each of which could still be any of the types chosen then?
//
// Worth knowing: prices are not looked at again, as in Karpenter. Karpenter does not wait with
// drift; here every command is looked at twice.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "disruption/propose.h"

namespace windlass::disruption {

// A command that waits. The catalogue it points into may be made anew meanwhile, so types are kept
// by name.
struct Waiting {
  Command command;                              // its replacements have no types
  std::vector<std::vector<std::string>> types;  // of each replacement, cheapest first
};
Waiting hold(Command command);

struct Validation {
  std::optional<Command> command;  // as proposed, its types in today's catalogue
  std::string failure;             // if there is none
};
Validation validate(const Cluster& cluster, const Waiting& waiting, Instant now,
                    const Options& options);

}  // namespace windlass::disruption
