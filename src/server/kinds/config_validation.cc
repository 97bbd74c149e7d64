// Config maps, secrets, quotas, limits, budgets, priorities, leases, roles and their bindings.
#include <nlohmann/json.hpp>

#include "api/base64.h"
#include "server/kinds/fields.h"
#include "server/kinds/names.h"
#include "server/kinds/validation.h"

namespace windlass::server::kinds {
namespace {

constexpr size_t kDataMax = 1024 * 1024;
constexpr std::string_view kRbac = "rbac.authorization.k8s.io";

size_t check_data(const Json& object, const std::string& field, bool encoded, Faults& faults) {
  size_t bytes = 0;
  for (const auto& [name, value] : members(at(object, field)).items()) {
    faults.check(key(field, name), name, config_key_fault(name));
    const std::string written = text(value);
    if (!encoded) {
      bytes += written.size();
      continue;
    }
    const std::optional<std::string> decoded = api::from_base64(written);
    bytes += decoded ? decoded->size() : 0;
    if (!decoded) faults.invalid(key(field, name), "<value omitted>", "illegal base64 data");
  }
  return bytes;
}

void check_immutable_data(const Json& object, const Json* old,
                          std::initializer_list<std::string> fields, Faults& faults) {
  if (old == nullptr || !truth(at(*old, "immutable"))) return;
  constexpr std::string_view kMessage = "field is immutable when `immutable` is set";
  if (!truth(at(object, "immutable"))) faults.forbidden("immutable", kMessage);
  for (const std::string& field : fields) {
    if (!same(at(object, field), at(*old, field))) faults.forbidden(field, kMessage);
  }
}

// The keys that well-known types of secrets need.
void check_secret_type(const Json& object, Faults& faults) {
  const std::string type = text(at(object, "type"));
  const Json& data = at(object, "data");
  const auto need = [&](std::string_view name) {
    if (at(data, name).is_null()) faults.required(key("data", name));
  };
  if (type == "kubernetes.io/tls") {
    need("tls.crt");
    need("tls.key");
  } else if (type == "kubernetes.io/dockerconfigjson") {
    need(".dockerconfigjson");
  } else if (type == "kubernetes.io/dockercfg") {
    need(".dockercfg");
  } else if (type == "kubernetes.io/ssh-auth") {
    need("ssh-privatekey");
  } else if (type == "kubernetes.io/basic-auth") {
    if (at(data, "username").is_null() && at(data, "password").is_null()) {
      need("username");
      need("password");
    }
  } else if (type == "kubernetes.io/service-account-token") {
    const std::string_view name = "kubernetes.io/service-account.name";
    if (text(at(object, {"metadata", "annotations", name})).empty()) {
      faults.required(key("metadata.annotations", name));
    }
  }
}

void check_rules(const Json& object, bool namespaced, Faults& faults) {
  const Json& rules = items(at(object, "rules"));
  for (size_t i = 0; i < rules.size(); ++i) {
    const std::string here = index("rules", i);
    const auto empty = [&](std::string_view list) { return items(at(rules[i], list)).empty(); };
    if (empty("verbs")) faults.required(here + ".verbs", "verbs must contain at least one value");
    if (!empty("nonResourceURLs")) {
      const Json& urls = at(rules[i], "nonResourceURLs");
      if (namespaced) {
        faults.invalid(here + ".nonResourceURLs", urls,
                       "namespaced rules cannot apply to non-resource URLs");
      }
      if (!empty("apiGroups") || !empty("resources") || !empty("resourceNames")) {
        faults.invalid(here + ".nonResourceURLs", urls,
                       "rules cannot apply to both regular resources and non-resource URLs");
      }
      continue;
    }
    if (empty("apiGroups")) {
      faults.required(here + ".apiGroups", "resource rules must supply at least one api group");
    }
    if (empty("resources")) {
      faults.required(here + ".resources", "resource rules must supply at least one resource");
    }
  }
}

void check_subject(const Json& subject, bool namespaced, const std::string& path, Faults& faults) {
  const std::string name = text(at(subject, "name"));
  const std::string kind = text(at(subject, "kind"));
  const std::string group = text(at(subject, "apiGroup"));
  if (name.empty()) faults.required(path + ".name");
  if (kind == "ServiceAccount") {
    if (!name.empty()) faults.check(path + ".name", name, dns_subdomain_fault(name));
    if (!group.empty()) faults.not_supported(path + ".apiGroup", group, {""});
    if (!namespaced && text(at(subject, "namespace")).empty()) {
      faults.required(path + ".namespace");
    }
  } else if (kind == "User" || kind == "Group") {
    if (group != kRbac) faults.not_supported(path + ".apiGroup", group, {kRbac});
  } else {
    faults.not_supported(path + ".kind", kind, {"ServiceAccount", "User", "Group"});
  }
}

void check_binding(const Json& object, const Json* old, bool namespaced, Faults& faults) {
  const Json& role = at(object, "roleRef");
  faults.one_of("roleRef.apiGroup", text(at(role, "apiGroup")), {kRbac});
  const Json kind = text(at(role, "kind"));
  if (namespaced) {
    faults.one_of("roleRef.kind", kind, {"Role", "ClusterRole"});
  } else {
    faults.one_of("roleRef.kind", kind, {"ClusterRole"});
  }
  const std::string name = text(at(role, "name"));
  if (name.empty()) {
    faults.required("roleRef.name");
  } else {
    faults.check("roleRef.name", name, path_segment_fault(name));
  }
  const Json& subjects = items(at(object, "subjects"));
  for (size_t i = 0; i < subjects.size(); ++i) {
    check_subject(subjects[i], namespaced, index("subjects", i), faults);
  }
  if (old != nullptr && !same(at(*old, "roleRef"), role)) {
    faults.invalid("roleRef", role, "cannot change roleRef");
  }
}

}  // namespace

void check_config_map(const Json& object, const Json* old, Faults& faults) {
  const size_t bytes =
      check_data(object, "data", false, faults) + check_data(object, "binaryData", true, faults);
  for (const auto& [name, value] : members(at(object, "data")).items()) {
    if (at(object, {"binaryData", name}).is_null()) continue;
    faults.invalid(key("data", name), name, "duplicate of key present in binaryData");
  }
  if (bytes > kDataMax) faults.too_long("", kDataMax);
  check_immutable_data(object, old, {"data", "binaryData"}, faults);
}

void check_secret(const Json& object, const Json* old, Faults& faults) {
  if (check_data(object, "data", true, faults) > kDataMax) faults.too_long("data", kDataMax);
  check_secret_type(object, faults);
  if (old != nullptr) faults.immutable("type", at(*old, "type"), at(object, "type"));
  check_immutable_data(object, old, {"data"}, faults);
}

void check_resource_quota(const Json& object, const Json*, Faults& faults) {
  for (const auto& [name, amount] : members(at(object, {"spec", "hard"})).items()) {
    const std::string here = key("spec.hard", name);
    faults.check(here, name, qualified_name_fault(name));
    check_quantity(name, amount, here, faults);
  }
}

void check_limit_range(const Json& object, const Json*, Faults& faults) {
  const Json& limits = items(at(object, {"spec", "limits"}));
  for (size_t i = 0; i < limits.size(); ++i) {
    const std::string here = index("spec.limits", i);
    for (const std::string list : {"min", "max", "default", "defaultRequest"}) {
      for (const auto& [name, amount] : members(at(limits[i], list)).items()) {
        check_quantity(name, amount, key(here + "." + list, name), faults);
      }
    }
    if (at(limits[i], "type") != "Pod") continue;
    for (const std::string list : {"default", "defaultRequest"}) {
      if (members(at(limits[i], list)).empty()) continue;
      faults.forbidden(here + "." + list, "may not be specified when `type` is 'Pod'");
    }
  }
}

void check_disruption_budget(const Json& object, const Json*, Faults& faults) {
  const Json& spec = at(object, "spec");
  const Json& available = at(spec, "minAvailable");
  const Json& unavailable = at(spec, "maxUnavailable");
  if (!available.is_null() && !unavailable.is_null()) {
    faults.invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set");
  }
  check_int_or_percent(available, "spec.minAvailable", faults);
  check_int_or_percent(unavailable, "spec.maxUnavailable", faults);
  check_label_selector(at(spec, "selector"), "spec.selector", faults);
  faults.one_of("spec.unhealthyPodEvictionPolicy", at(spec, "unhealthyPodEvictionPolicy"),
                {"AlwaysAllow", "IfHealthyBudget"});
}

void check_priority_class(const Json& object, const Json* old, Faults& faults) {
  constexpr int64_t kUserMax = 1'000'000'000;
  const std::string name = text(at(object, {"metadata", "name"}));
  const int64_t value = whole(at(object, "value"));
  if (name.starts_with("system-")) {
    const bool known = (name == "system-cluster-critical" && value == 2 * kUserMax) ||
                       (name == "system-node-critical" && value == 2 * kUserMax + 1000);
    if (!known) {
      faults.forbidden("metadata.name",
                       "priority class names with 'system-' prefix are reserved for system use "
                       "only");
    }
  } else if (value > kUserMax) {
    faults.forbidden("value", "maximum allowed value of a user defined priority is 1000000000");
  }
  faults.one_of("preemptionPolicy", at(object, "preemptionPolicy"),
                {"PreemptLowerPriority", "Never"});
  if (old == nullptr) return;
  if (value != whole(at(*old, "value"))) {
    faults.forbidden("value", "may not be changed in an update.");
  }
  faults.immutable("preemptionPolicy", at(*old, "preemptionPolicy"),
                   at(object, "preemptionPolicy"));
}

void check_lease(const Json& object, const Json*, Faults& faults) {
  const Json& duration = at(object, {"spec", "leaseDurationSeconds"});
  if (!duration.is_null() && whole(duration) <= 0) {
    faults.invalid("spec.leaseDurationSeconds", duration, "must be greater than 0");
  }
  faults.non_negative("spec.leaseTransitions", at(object, {"spec", "leaseTransitions"}));
}

void check_role(const Json& object, const Json*, Faults& faults) {
  check_rules(object, true, faults);
}

void check_cluster_role(const Json& object, const Json*, Faults& faults) {
  check_rules(object, false, faults);
}

void check_role_binding(const Json& object, const Json* old, Faults& faults) {
  check_binding(object, old, true, faults);
}

void check_cluster_role_binding(const Json& object, const Json* old, Faults& faults) {
  check_binding(object, old, false, faults);
}

}  // namespace windlass::server::kinds
