// Pods and pod specs, and what may change of a pod once it is there.
#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "server/kinds/fields.h"
#include "server/kinds/names.h"
#include "server/kinds/validation.h"

namespace windlass::server::kinds {
namespace {

void check_deadline(const Json& spec, const std::string& path, Faults& faults) {
  const Json& deadline = at(spec, "activeDeadlineSeconds");
  if (deadline.is_null()) return;
  if (whole(deadline) < 1 || whole(deadline) > INT32_MAX) {
    faults.invalid(path + ".activeDeadlineSeconds", deadline,
                   "must be between 1 and 2147483647, inclusive");
  }
}

// Tolerations may be added, and how long they hold may change.
void check_only_added(const Json& before, const Json& after, const std::string& path,
                      Faults& faults) {
  for (Json old : items(before)) {
    if (!old.is_object()) continue;
    const Json& now = items(after);
    const bool kept = std::any_of(now.begin(), now.end(), [&](const Json& one) {
      old["tolerationSeconds"] = at(one, "tolerationSeconds");
      return same(old, one);
    });
    if (kept) continue;
    faults.forbidden(path, "existing toleration can not be modified except its tolerationSeconds");
    return;
  }
}

void check_only_deleted_gates(const Json& before, const Json& after, Faults& faults) {
  const Json& old = items(before);
  const Json& now = items(after);
  for (size_t i = 0; i < now.size(); ++i) {
    const Json& name = at(now[i], "name");
    const bool known = std::any_of(old.begin(), old.end(),
                                   [&](const Json& gate) { return at(gate, "name") == name; });
    if (known) continue;
    faults.forbidden(
        index("spec.schedulingGates", i) + ".name",
        "only deletion is allowed, but found new scheduling gate '" + text(name) + "'");
  }
}

// The new spec with all put back that may change; what still differs may not.
Json without_changeable(Json spec, const Json& old) {
  for (const char* sort : {"containers", "initContainers"}) {
    const Json& before = items(at(old, sort));
    if (!at(spec, sort).is_array()) continue;
    for (size_t i = 0; i < spec[sort].size() && i < before.size(); ++i) {
      if (spec[sort][i].is_object()) spec[sort][i]["image"] = at(before[i], "image");
    }
  }
  for (const char* part : {"activeDeadlineSeconds", "tolerations", "schedulingGates"}) {
    spec[part] = at(old, part);
  }
  if (items(at(old, "schedulingGates")).empty()) return spec;
  // A gated pod is not placed yet: where it may go can still be narrowed.
  bool widened = false;
  for (const auto& [name, value] : members(at(old, "nodeSelector")).items()) {
    widened |= at(spec, {"nodeSelector", name}) != value;
  }
  if (!widened) spec["nodeSelector"] = at(old, "nodeSelector");
  if (at(spec, "affinity").is_object()) {
    spec["affinity"]["nodeAffinity"] = at(old, {"affinity", "nodeAffinity"});
    if (spec["affinity"]["nodeAffinity"].is_null()) spec["affinity"].erase("nodeAffinity");
  }
  return spec;
}

void check_deadline_update(const Json& spec, const Json& old, Faults& faults) {
  const Json& before = at(old, "activeDeadlineSeconds");
  const Json& after = at(spec, "activeDeadlineSeconds");
  if (before.is_null()) return;
  if (after.is_null()) {
    faults.invalid("spec.activeDeadlineSeconds", after,
                   "must not update from a positive integer to nil value");
  } else if (whole(after) > whole(before)) {
    faults.invalid("spec.activeDeadlineSeconds", after,
                   "must be less than or equal to previous value");
  }
}

void check_pod_update(const Json& object, const Json& old_object, Faults& faults) {
  const Json& spec = at(object, "spec");
  const Json& old = at(old_object, "spec");
  if (same(spec, old)) return;
  for (const std::string sort : {"containers", "initContainers"}) {
    if (items(at(spec, sort)).size() == items(at(old, sort)).size()) continue;
    faults.forbidden("spec." + sort, "pod updates may not add or remove containers");
    return;
  }
  check_deadline_update(spec, old, faults);
  check_only_added(at(old, "tolerations"), at(spec, "tolerations"), "spec.tolerations", faults);
  check_only_deleted_gates(at(old, "schedulingGates"), at(spec, "schedulingGates"), faults);
  if (!spec.is_object() || same(without_changeable(spec, old), old)) return;
  faults.forbidden(
      "spec",
      "pod updates may not change fields other than `spec.containers[*].image`,"
      "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only "
      "additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set "
      "to 1 if it was previously negative)");
}

void check_taints(const Json& taints, Faults& faults) {
  std::vector<std::string> seen;
  for (size_t i = 0; i < items(taints).size(); ++i) {
    const std::string here = index("metadata.taints", i);  // the path kube-apiserver names
    const std::string name = text(at(taints[i], "key"));
    const Json& effect = at(taints[i], "effect");
    const std::string value = text(at(taints[i], "value"));
    faults.check(here + ".key", name, qualified_name_fault(name));
    faults.check(here + ".value", value, label_value_fault(value));
    if (text(effect).empty()) {
      faults.required(here + ".effect");
    } else {
      faults.one_of(here + ".effect", effect, {"NoSchedule", "PreferNoSchedule", "NoExecute"});
    }
    const std::string pair = text(effect) + "/" + name;
    if (std::find(seen.begin(), seen.end(), pair) != seen.end()) faults.duplicate(here, taints[i]);
    seen.push_back(pair);
  }
}

}  // namespace

void check_pod_spec(const Json& spec, const std::string& path, const PodSpecContext& context,
                    Faults& faults) {
  std::vector<std::string> volumes = check_volumes(spec, path + ".volumes", faults);
  volumes.insert(volumes.end(), context.claims.begin(), context.claims.end());
  check_containers(spec, path, volumes, faults);
  faults.one_of(path + ".restartPolicy", at(spec, "restartPolicy"),
                {"Always", "OnFailure", "Never"});
  faults.one_of(path + ".dnsPolicy", at(spec, "dnsPolicy"),
                {"ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"});
  check_scheduling(spec, path, faults);
  check_deadline(spec, path, faults);
  faults.one_of(path + ".preemptionPolicy", at(spec, "preemptionPolicy"),
                {"PreemptLowerPriority", "Never"});
  for (const std::string name :
       {"serviceAccountName", "nodeName", "priorityClassName", "runtimeClassName"}) {
    const std::string value = text(at(spec, name));
    if (!value.empty()) faults.check(path + "." + name, value, dns_subdomain_fault(value));
  }
  for (const std::string name : {"hostname", "subdomain"}) {
    const std::string value = text(at(spec, name));
    if (context.host_names && !value.empty()) {
      faults.check(path + "." + name, value, dns_label_fault(value));
    }
  }
  const Json& gates = items(at(spec, "readinessGates"));
  for (size_t i = 0; i < gates.size(); ++i) {
    const std::string type = text(at(gates[i], "conditionType"));
    faults.check(index(path + ".readinessGates", i) + ".conditionType", type,
                 qualified_name_fault(type));
  }
  for (const auto& [name, amount] : members(at(spec, "overhead")).items()) {
    check_quantity(name, amount, key(path + ".overhead", name), faults);
  }
}

void check_pod_template(const Json& pod, const std::string& path, const PodSpecContext& context,
                        Faults& faults) {
  check_labels(at(pod, {"metadata", "labels"}), path + ".labels", faults);
  check_annotations(at(pod, {"metadata", "annotations"}), path + ".annotations", faults);
  check_pod_spec(at(pod, "spec"), path + ".spec", context, faults);
  if (!items(at(pod, {"spec", "ephemeralContainers"})).empty()) {
    faults.forbidden(path + ".spec.ephemeralContainers",
                     "ephemeral containers not allowed in pod template");
  }
}

void check_pod(const Json& object, const Json* old, Faults& faults) {
  check_pod_spec(at(object, "spec"), "spec", {}, faults);
  if (old != nullptr) return check_pod_update(object, *old, faults);
  if (!items(at(object, {"spec", "ephemeralContainers"})).empty()) {
    faults.forbidden("spec.ephemeralContainers", "cannot be set on create");
  }
  if (!items(at(object, {"spec", "schedulingGates"})).empty() &&
      !text(at(object, {"spec", "nodeName"})).empty()) {
    faults.forbidden("spec.nodeName", "cannot be set until all schedulingGates have been cleared");
  }
}

void check_node(const Json& object, const Json* old, Faults& faults) {
  check_taints(at(object, {"spec", "taints"}), faults);
  for (const std::string list : {"capacity", "allocatable"}) {
    for (const auto& [name, amount] : members(at(object, {"status", list})).items()) {
      check_quantity(name, amount, "status." + list + "." + name, faults);
    }
  }
  if (old == nullptr) return;
  const auto may_set_once = [&](const std::string& field, std::string_view name) {
    const Json& before = at(*old, {"spec", field});
    if (same(before, Json()) || before == "" || same(before, at(object, {"spec", field}))) return;
    faults.forbidden("spec." + field, "node updates may not change " + std::string(name) +
                                          " except from \"\" to valid");
  };
  may_set_once("podCIDRs", "podCIDR");
  may_set_once("providerID", "providerID");
}

}  // namespace windlass::server::kinds
