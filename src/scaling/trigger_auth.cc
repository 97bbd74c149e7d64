#include "scaling/trigger_auth.h"

#include <algorithm>

#include <fmt/format.h>

namespace windlass::scaling {
namespace {

using Source = api::AuthSource;

// KEDA reads the secrets that a ClusterTriggerAuthentication names from its own namespace.
constexpr std::string_view kClusterObjectNamespace = "keda";

template <typename T>
const std::string* data_of(const std::map<std::string, const T*, std::less<>>& objects,
                           std::string_view namespace_name, const std::string& name,
                           const std::string& key) {
  const auto it = objects.find(fmt::format("{}/{}", namespace_name, name));
  if (it == objects.end()) return nullptr;
  const auto value = it->second->data.find(key);
  return value == it->second->data.end() ? nullptr : &value->second;
}

const api::Container* container_of(const api::PodSpec* target, std::string_view name) {
  if (target == nullptr || target->containers.empty()) return nullptr;
  if (name.empty()) return &target->containers.front();
  const auto it = std::ranges::find(target->containers, name, &api::Container::name);
  return it == target->containers.end() ? nullptr : &*it;
}

class Resolver {
 public:
  Resolver(std::string_view namespace_name, const api::PodSpec* target, const AuthObjects& objects,
           AuthFindings& findings)
      : namespace_(namespace_name), target_(target), objects_(objects), findings_(findings) {}

  // The container's variables, literal ones and those that stand in a Secret or ConfigMap.
  api::StringMap environment(std::string_view container) {
    const api::Container* found = container_of(target_, container);
    if (found == nullptr) return {};
    api::StringMap out = found->env;
    for (const auto& [name, from] : found->env_from) {
      const std::string* value =
          from.secret ? data_of(objects_.secrets, namespace_, from.name, from.key)
                      : data_of(objects_.config_maps, namespace_, from.name, from.key);
      if (value != nullptr) out[name] = *value;
    }
    return out;
  }

  api::StringMap parameters(const std::string& place, const api::AuthRef& ref,
                            std::string_view default_container) {
    const std::string key = ref.cluster ? ref.name : fmt::format("{}/{}", namespace_, ref.name);
    const auto it = objects_.authentications.find(key);
    if (it == objects_.authentications.end()) {
      findings_.errors.push_back(fmt::format("{}: there is no {}TriggerAuthentication \"{}\"",
                                             place, ref.cluster ? "Cluster" : "", ref.name));
      return {};
    }
    for (const std::string& source : it->second->unread_sources) {
      findings_.missing.push_back(
          fmt::format("{}: {} of \"{}\" is not read (accepted: "
                      "secretTargetRef, configMapTargetRef, env)",
                      place, source, ref.name));
    }
    api::StringMap out;
    for (const Source& source : it->second->sources) {
      const std::string container =
          source.container.empty() ? std::string(default_container) : source.container;
      if (auto value = value_of(source, ref.cluster, container)) {
        out[source.parameter] = *std::move(value);
      } else {
        findings_.missing.push_back(fmt::format("{}: the parameter {} has no value: {}", place,
                                                source.parameter, describe(source)));
      }
    }
    return out;
  }

 private:
  std::optional<std::string> value_of(const Source& source, bool cluster,
                                      const std::string& container) {
    const std::string_view where = cluster ? kClusterObjectNamespace : namespace_;
    const std::string* found = nullptr;
    if (source.kind == Source::Kind::kSecret) {
      found = data_of(objects_.secrets, where, source.name, source.key);
    } else if (source.kind == Source::Kind::kConfigMap) {
      found = data_of(objects_.config_maps, where, source.name, source.key);
    } else {
      const api::StringMap env = environment(container);
      const auto it = env.find(source.name);
      if (it != env.end()) return it->second;
    }
    return found == nullptr ? std::nullopt : std::optional(*found);
  }

  static std::string describe(const Source& source) {
    switch (source.kind) {
      case Source::Kind::kSecret:
        return fmt::format("no key {} in a Secret {}", source.key, source.name);
      case Source::Kind::kConfigMap:
        return fmt::format("no key {} in a ConfigMap {}", source.key, source.name);
      case Source::Kind::kEnv:
        return fmt::format("no variable {} in the target's container", source.name);
    }
    WL_UNREACHABLE("auth source");
  }

  std::string_view namespace_;
  const api::PodSpec* target_;
  const AuthObjects& objects_;
  AuthFindings& findings_;
};

}  // namespace

std::vector<ResolvedValues> resolve_trigger_values(const std::vector<api::Trigger>& triggers,
                                                   std::string_view namespace_name,
                                                   const api::PodSpec* target,
                                                   std::string_view container,
                                                   const AuthObjects& objects,
                                                   AuthFindings& findings) {
  Resolver resolver(namespace_name, target, objects, findings);
  const api::StringMap environment = resolver.environment(container);
  std::vector<ResolvedValues> out;
  for (size_t i = 0; i < triggers.size(); ++i) {
    ResolvedValues values;
    values.env = environment;
    if (triggers[i].auth) {
      values.auth = resolver.parameters(fmt::format("triggers[{}].authenticationRef", i),
                                        *triggers[i].auth, container);
    }
    out.push_back(std::move(values));
  }
  return out;
}

}  // namespace windlass::scaling
