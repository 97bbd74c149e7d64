// Where the parameters of a trigger's authentication and its xxxFromEnv fields come from: Secrets,
// ConfigMaps and the environment of the target's container (reference keda_hpa.md 1.2, 1.10).
// Values go into ResolvedValues and nowhere else: no message ever holds one.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "api/keda.h"
#include "scaling/trigger_plan.h"

namespace windlass::scaling {

// The objects to look in, by "namespace/name"; cluster-wide ones by name.
struct AuthObjects {
  std::map<std::string, const api::TriggerAuthentication*, std::less<>> authentications;
  std::map<std::string, const api::Secret*, std::less<>> secrets;
  std::map<std::string, const api::ConfigMap*, std::less<>> config_maps;
};

struct AuthFindings {
  std::vector<std::string> errors;   // an authenticationRef leads nowhere: the trigger cannot work
  std::vector<std::string> missing;  // a Secret, key or variable is not there: read as absent
};

// One a trigger. `target` is the pod the target makes (null: not known, then its environment is
// empty); `container` is envSourceContainerName, empty for the first.
std::vector<ResolvedValues> resolve_trigger_values(const std::vector<api::Trigger>& triggers,
                                                   std::string_view namespace_name,
                                                   const api::PodSpec* target,
                                                   std::string_view container,
                                                   const AuthObjects& objects,
                                                   AuthFindings& findings);

}  // namespace windlass::scaling
