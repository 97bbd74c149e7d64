#include "controllers/scaled_object_plan.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/hash.h"
#include "base/text.h"
#include "controllers/joint.h"
#include "scaling/trigger_auth.h"

namespace windlass::controllers {
namespace {

using cluster::Kind;

// KEDA reads what a ClusterTriggerAuthentication names from its own namespace.
constexpr std::string_view kClusterNamespace = "keda";

const api::TriggerAuthentication* authentication_of(const cluster::State& state,
                                                    const api::ScaledObject& object,
                                                    const api::AuthRef& ref) {
  return state.all<api::TriggerAuthentication>().find(
      ref.cluster ? ref.name : object.meta.namespace_name + "/" + ref.name);
}

// Whether a trigger's metadata names a variable of the target's container.
bool uses_environment(const api::ScaledObject& object) {
  return std::ranges::any_of(object.triggers, [](const api::Trigger& trigger) {
    return trigger.auth || std::ranges::any_of(trigger.metadata, [](const auto& entry) {
             return entry.first.ends_with("FromEnv");
           });
  });
}

}  // namespace

Result<scaling::ScaledObjectPlan> plan_in(const cluster::State& state,
                                          const api::ScaledObject& object) {
  if (!uses_environment(object)) return scaling::plan_scaled_object(object);
  scaling::AuthObjects objects;
  for (const auto& [key, value] : state.all<api::TriggerAuthentication>()) {
    objects.authentications[key] = &value;
  }
  for (const auto& [key, value] : state.all<api::Secret>()) objects.secrets[key] = &value;
  for (const auto& [key, value] : state.all<api::ConfigMap>()) objects.config_maps[key] = &value;
  const api::Deployment* target = target_of(object, state);
  scaling::AuthFindings findings;
  const auto values =
      scaling::resolve_trigger_values(object.triggers, object.meta.namespace_name,
                                      target == nullptr ? nullptr : &target->pod_template.spec,
                                      object.env_source_container, objects, findings);
  if (!findings.errors.empty()) return Error(join(findings.errors, "; "));
  auto plan = scaling::plan_scaled_object(object, values);
  // What has no value is most often why the plan can't be made.
  if (!plan.ok() && !findings.missing.empty()) {
    return plan.error().in(join(findings.missing, "; "));
  }
  return plan;
}

std::set<std::pair<Kind, std::string>> references_of(const cluster::State& state,
                                                     const api::ScaledObject& object) {
  std::set<std::pair<Kind, std::string>> out;
  if (!uses_environment(object)) return out;
  const std::string& space = object.meta.namespace_name;
  for (const api::Trigger& trigger : object.triggers) {
    if (!trigger.auth) continue;
    const api::TriggerAuthentication* found = authentication_of(state, object, *trigger.auth);
    if (found == nullptr) continue;
    const std::string from = trigger.auth->cluster ? std::string(kClusterNamespace) : space;
    for (const api::AuthSource& source : found->sources) {
      if (source.kind == api::AuthSource::Kind::kEnv) continue;
      const bool secret = source.kind == api::AuthSource::Kind::kSecret;
      out.emplace(secret ? Kind::kSecret : Kind::kConfigMap, from + "/" + source.name);
    }
  }
  if (const api::Deployment* target = target_of(object, state)) {
    for (const api::Container& container : target->pod_template.spec.containers) {
      for (const auto& [name, from] : container.env_from) {
        out.emplace(from.secret ? Kind::kSecret : Kind::kConfigMap, space + "/" + from.name);
      }
    }
  }
  return out;
}

bool describe(api::ScaledObject& object) {
  std::vector<std::string> types;
  std::vector<std::string> authentications;
  const auto take = [](std::vector<std::string>& names, const std::string& name) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  };
  for (const api::Trigger& trigger : object.triggers) {
    take(types, trigger.type);
    if (trigger.auth) take(authentications, trigger.auth->name);
  }
  bool changed = false;
  const auto set = [&](std::string& field, const std::string& value) {
    changed = changed || field != value;
    field = value;
  };
  set(object.status_target_kind, object.target_api_version + "." + object.target_kind);
  set(object.status_triggers, join(types, ","));
  set(object.status_authentications, join(authentications, ","));
  return changed;
}

uint64_t reference_version(const cluster::State& state, const api::ScaledObject& object) {
  if (!uses_environment(object)) return 0;
  Hash64 hash;
  for (const auto& [kind, key] : references_of(state, object)) {
    hash.add(key);
    if (const auto* secret = state.all<api::Secret>().find(key)) {
      if (kind == Kind::kSecret) hash.add(secret->meta.resource_version);
    }
    if (const auto* map = state.all<api::ConfigMap>().find(key)) {
      if (kind == Kind::kConfigMap) hash.add(map->meta.resource_version);
    }
  }
  for (const api::Trigger& trigger : object.triggers) {
    if (!trigger.auth) continue;
    const auto* found = authentication_of(state, object, *trigger.auth);
    if (found != nullptr) hash.add(found->meta.resource_version);
  }
  return hash.value();
}

}  // namespace windlass::controllers
