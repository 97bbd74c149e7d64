// A ScaledObject's plan with what its triggers refer to (TriggerAuthentications, Secrets,
// ConfigMaps, the target's environment) taken from the State. Values of Secrets stand in the plan
// and are never shown.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include "cluster/state.h"
#include "scaling/scaled_object.h"

namespace windlass::controllers {

// The error lists everything wrong with triggers, references, formula and annotations.
Result<scaling::ScaledObjectPlan> plan_in(const cluster::State& state,
                                          const api::ScaledObject& object);

// Secrets (kSecret) and ConfigMaps (kConfigMap) that the triggers refer to, by key, whether they
// are there or not.
std::set<std::pair<cluster::Kind, std::string>> references_of(const cluster::State& state,
                                                              const api::ScaledObject& object);
// Writes what kubectl shows of an object beside its conditions, as KEDA does: the kinds of its
// target and triggers. False: it stood there.
bool describe(api::ScaledObject& object);
// Changes when anything the plan refers to does; 0: it refers to nothing.
uint64_t reference_version(const cluster::State& state, const api::ScaledObject& object);

}  // namespace windlass::controllers
