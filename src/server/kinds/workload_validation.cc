// Deployments, replica sets, stateful sets, daemon sets.
#include <nlohmann/json.hpp>

#include "server/kinds/fields.h"
#include "server/kinds/names.h"
#include "server/kinds/validation.h"

namespace windlass::server::kinds {
namespace {

bool is_empty_selector(const Json& selector) {
  return members(at(selector, "matchLabels")).empty() &&
         items(at(selector, "matchExpressions")).empty();
}

// Whether the selector can be used: with a malformed one nothing else is worth saying.
bool check_selector(const Json& spec, std::string_view kind, Faults& faults) {
  const Json& selector = at(spec, "selector");
  if (selector.is_null()) {
    if (kind != "daemonset") faults.required("spec.selector");
    return true;
  }
  const size_t before = faults.size();
  check_label_selector(selector, "spec.selector", faults);
  const bool good = faults.size() == before;
  if (is_empty_selector(selector)) {
    faults.invalid("spec.selector", selector, "empty selector is invalid for " + std::string(kind));
  }
  if (!good) faults.invalid("spec.selector", selector, "invalid label selector");
  return good;
}

// What all four ask of their template: the labels they select by, pods that are kept running.
void check_template(const Json& spec, std::string_view kind, const PodSpecContext& context,
                    Faults& faults) {
  const Json& selector = at(spec, "selector");
  const Json& labels = at(spec, {"template", "metadata", "labels"});
  const bool everything = selector.is_object() && is_empty_selector(selector);
  if (!everything && !selects(selector, labels)) {
    faults.invalid("spec.template.metadata.labels", labels,
                   "`selector` does not match template `labels`");
  }
  check_pod_template(at(spec, "template"), "spec.template", context, faults);
  const Json& restart = at(spec, {"template", "spec", "restartPolicy"});
  if (restart != "Always") {
    faults.not_supported("spec.template.spec.restartPolicy", text(restart), {"Always"});
  }
  if (!at(spec, {"template", "spec", "activeDeadlineSeconds"}).is_null()) {
    faults.forbidden("spec.template.spec.activeDeadlineSeconds",
                     "activeDeadlineSeconds in " + std::string(kind) + " is not Supported");
  }
}

void check_counts(const Json& spec, std::initializer_list<std::string> fields, Faults& faults) {
  for (const std::string& field : fields) faults.non_negative("spec." + field, at(spec, field));
}

void check_deployment_strategy(const Json& spec, Faults& faults) {
  const std::string path = "spec.strategy";
  const Json& strategy = at(spec, "strategy");
  const Json& type = at(strategy, "type");
  const Json& rolling = at(strategy, "rollingUpdate");
  if (type == "Recreate") {
    if (!rolling.is_null()) {
      faults.forbidden(path + ".rollingUpdate",
                       "may not be specified when strategy `type` is 'Recreate'");
    }
    return;
  }
  if (type != "RollingUpdate") {
    faults.not_supported(path, strategy, {"Recreate", "RollingUpdate"});
    return;
  }
  const Json& unavailable = at(rolling, "maxUnavailable");
  const Json& surge = at(rolling, "maxSurge");
  check_int_or_percent(unavailable, path + ".rollingUpdate.maxUnavailable", faults);
  if (surge.is_string()) {  // more than 100 % is fine here
    faults.check(path + ".rollingUpdate.maxSurge", surge, percent_fault(text(surge)));
  } else {
    faults.non_negative(path + ".rollingUpdate.maxSurge", surge);
  }
  if (int_or_percent(unavailable) == 0 && int_or_percent(surge) == 0) {
    faults.invalid(path + ".rollingUpdate.maxUnavailable", unavailable,
                   "may not be 0 when `maxSurge` is 0");
  }
}

void check_daemon_strategy(const Json& spec, Faults& faults) {
  const Json& strategy = at(spec, "updateStrategy");
  const Json& type = at(strategy, "type");
  if (type == "OnDelete") return;
  if (type != "RollingUpdate") {
    faults.not_supported("spec.updateStrategy", strategy, {"RollingUpdate", "OnDelete"});
    return;
  }
  const std::string path = "spec.updateStrategy.rollingUpdate";
  const Json& unavailable = at(strategy, {"rollingUpdate", "maxUnavailable"});
  const Json& surge = at(strategy, {"rollingUpdate", "maxSurge"});
  check_int_or_percent(unavailable, path + ".maxUnavailable", faults);
  check_int_or_percent(surge, path + ".maxSurge", faults);
  const bool takes_away = int_or_percent(unavailable) != 0;
  const bool adds = int_or_percent(surge) != 0;
  if (takes_away && adds) {
    faults.invalid(path + ".maxSurge", surge, "may not be set when maxUnavailable is non-zero");
  } else if (!takes_away && !adds) {
    faults.required(path + ".maxUnavailable", "cannot be 0 when maxSurge is 0");
  }
}

void check_stateful_strategy(const Json& spec, Faults& faults) {
  const Json& strategy = at(spec, "updateStrategy");
  const Json& type = at(strategy, "type");
  const Json& rolling = at(strategy, "rollingUpdate");
  if (type == "OnDelete" && !rolling.is_null()) {
    faults.invalid("spec.updateStrategy.rollingUpdate", rolling,
                   "only allowed for updateStrategy 'RollingUpdate'");
  } else if (type != "OnDelete" && type != "RollingUpdate") {
    faults.invalid("spec.updateStrategy", strategy, "must be 'RollingUpdate' or 'OnDelete'");
  }
  faults.non_negative("spec.updateStrategy.rollingUpdate.partition", at(rolling, "partition"));
}

// Of a stateful set only a few things may ever change.
void check_stateful_update(const Json& spec, const Json& before, Faults& faults) {
  if (!spec.is_object()) return;
  Json after = spec;
  for (const char* part : {"replicas", "template", "updateStrategy", "minReadySeconds", "ordinals",
                           "revisionHistoryLimit", "persistentVolumeClaimRetentionPolicy"}) {
    after[part] = at(before, part);
  }
  // Claims' status and kind are the server's own words.
  if (same(after, before)) return;
  faults.forbidden("spec",
                   "updates to statefulset spec for fields other than 'replicas', 'ordinals', "
                   "'template', 'updateStrategy', 'revisionHistoryLimit', "
                   "'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden");
}

}  // namespace

void check_deployment(const Json& object, const Json* old, Faults& faults) {
  const Json& spec = at(object, "spec");
  check_counts(spec, {"replicas"}, faults);
  if (check_selector(spec, "deployment", faults)) check_template(spec, "ReplicaSet", {}, faults);
  check_deployment_strategy(spec, faults);
  check_counts(spec, {"minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"},
               faults);
  const Json& deadline = at(spec, "progressDeadlineSeconds");
  if (!deadline.is_null() && whole(deadline) <= whole(at(spec, "minReadySeconds"))) {
    faults.invalid("spec.progressDeadlineSeconds", deadline,
                   "must be greater than minReadySeconds");
  }
  if (old != nullptr) {
    faults.immutable("spec.selector", at(*old, {"spec", "selector"}), at(spec, "selector"));
  }
}

void check_replica_set(const Json& object, const Json* old, Faults& faults) {
  const Json& spec = at(object, "spec");
  check_counts(spec, {"replicas", "minReadySeconds"}, faults);
  if (check_selector(spec, "replicaset", faults)) check_template(spec, "ReplicaSet", {}, faults);
  if (old != nullptr) {
    faults.immutable("spec.selector", at(*old, {"spec", "selector"}), at(spec, "selector"));
  }
}

void check_replication_controller(const Json& object, const Json*, Faults& faults) {
  const Json& spec = at(object, "spec");
  check_counts(spec, {"replicas", "minReadySeconds"}, faults);
  if (members(at(spec, "selector")).empty()) faults.required("spec.selector");
  if (at(spec, "template").is_null()) {
    faults.required("spec.template");
    return;
  }
  const Json selector = {{"matchLabels", members(at(spec, "selector"))}};
  const Json& labels = at(spec, {"template", "metadata", "labels"});
  if (!selects(selector, labels)) {
    faults.invalid("spec.template.metadata.labels", members(labels),
                   "`selector` does not match template `labels`");
  }
  check_pod_template(at(spec, "template"), "spec.template", {}, faults);
}

void check_stateful_set(const Json& object, const Json* old, Faults& faults) {
  const Json& spec = at(object, "spec");
  const Json& policy = at(spec, "podManagementPolicy");
  if (!policy.is_null() && policy != "OrderedReady" && policy != "Parallel") {
    faults.invalid("spec.podManagementPolicy", policy, "must be 'OrderedReady' or 'Parallel'");
  }
  check_stateful_strategy(spec, faults);
  for (const std::string when : {"whenDeleted", "whenScaled"}) {
    faults.one_of("spec.persistentVolumeClaimRetentionPolicy." + when,
                  at(spec, {"persistentVolumeClaimRetentionPolicy", when}), {"Retain", "Delete"});
  }
  PodSpecContext context{{}, false};
  const Json& claims = items(at(spec, "volumeClaimTemplates"));
  for (size_t i = 0; i < claims.size(); ++i) {
    context.claims.push_back(text(at(claims[i], {"metadata", "name"})));
    if (old != nullptr) continue;
    check_claim_spec(at(claims[i], "spec"), index("spec.volumeClaimTemplates", i) + ".spec",
                     faults);
  }
  check_counts(spec, {"replicas", "minReadySeconds", "revisionHistoryLimit"}, faults);
  faults.non_negative("spec.ordinals.start", at(spec, {"ordinals", "start"}));
  const std::string service = text(at(spec, "serviceName"));
  if (old == nullptr && !service.empty()) {
    faults.check("spec.serviceName", service, dns_label_fault(service));
  }
  if (check_selector(spec, "statefulset", faults))
    check_template(spec, "StatefulSet", context, faults);
  if (old != nullptr) check_stateful_update(spec, at(*old, "spec"), faults);
}

void check_daemon_set(const Json& object, const Json* old, Faults& faults) {
  const Json& spec = at(object, "spec");
  if (check_selector(spec, "daemonset", faults)) check_template(spec, "DaemonSet", {}, faults);
  check_counts(spec, {"minReadySeconds", "revisionHistoryLimit"}, faults);
  check_daemon_strategy(spec, faults);
  if (old != nullptr) {
    faults.immutable("spec.selector", at(*old, {"spec", "selector"}), at(spec, "selector"));
  }
}

}  // namespace windlass::server::kinds
