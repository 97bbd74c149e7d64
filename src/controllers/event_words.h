// Decisions in the words of Kubernetes Events: the reasons that Karpenter, KEDA and the HPA give,
// so that existing dashboards and habits go on working.
#pragma once

#include <string>
#include <string_view>

#include "controllers/action.h"

namespace windlass::controllers {

// A controller's decision in an Event's words: reason and component. "Launched" for
// claim_lifecycle's "launch"; a decision without an entry is its own word in CamelCase.
struct EventWords {
  std::string_view type;
  std::string reason;
  std::string_view component;
};
EventWords event_words(std::string_view controller, const Decision& decision);
// "1 -> 4 replicas: queue of 12 ...": result, then reasons; at most 1,024 bytes, as the API takes.
std::string event_message(const Decision& decision);

}  // namespace windlass::controllers
