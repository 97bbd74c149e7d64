// What a pod says of where it may go: selectors, affinities, tolerations, spreads, gates.
#include <set>

#include <nlohmann/json.hpp>

#include "server/kinds/fields.h"
#include "server/kinds/names.h"
#include "server/kinds/validation.h"

namespace windlass::server::kinds {
namespace {

void check_node_requirement(const Json& requirement, const std::string& path, bool strict,
                            Faults& faults) {
  const Json op = text(at(requirement, "operator"));
  const Json& values = items(at(requirement, "values"));
  if (op == "In" || op == "NotIn") {
    if (values.empty()) {
      faults.required(path + ".values", "must be specified when `operator` is 'In' or 'NotIn'");
    }
  } else if (op == "Exists" || op == "DoesNotExist") {
    if (!values.empty()) {
      faults.forbidden(path + ".values",
                       "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
    }
  } else if (op == "Gt" || op == "Lt") {
    if (values.size() != 1) {
      faults.required(path + ".values",
                      "must be specified single value when `operator` is 'Lt' or 'Gt'");
    }
  } else {
    faults.invalid(path + ".operator", op, "not a valid selector operator");
  }
  const std::string name = text(at(requirement, "key"));
  faults.check(path + ".key", name, qualified_name_fault(name));
  for (size_t i = 0; strict && i < values.size(); ++i) {
    faults.check(index(path + ".values", i), values[i], label_value_fault(text(values[i])));
  }
}

void check_node_term(const Json& term, const std::string& path, bool strict, Faults& faults) {
  const Json& expressions = items(at(term, "matchExpressions"));
  for (size_t i = 0; i < expressions.size(); ++i) {
    check_node_requirement(expressions[i], index(path + ".matchExpressions", i), strict, faults);
  }
  const Json& fields = items(at(term, "matchFields"));
  for (size_t i = 0; i < fields.size(); ++i) {
    const std::string here = index(path + ".matchFields", i);
    if (at(fields[i], "key") != "metadata.name") {
      faults.invalid(here + ".key", at(fields[i], "key"), "not a valid field selector key");
    }
  }
}

void check_weight(const Json& term, const std::string& path, Faults& faults) {
  const int64_t weight = whole(at(term, "weight"));
  if (weight < 1 || weight > 100) {
    faults.invalid(path + ".weight", weight, "must be in the range 1-100");
  }
}

void check_pod_term(const Json& term, const std::string& path, Faults& faults) {
  check_label_selector(at(term, "labelSelector"), path + ".labelSelector", faults);
  const std::string topology = text(at(term, "topologyKey"));
  if (topology.empty()) {
    faults.required(path + ".topologyKey", "can not be empty");
  } else {
    faults.check(path + ".topologyKey", topology, qualified_name_fault(topology));
  }
}

void check_pod_affinity(const Json& affinity, const std::string& path, Faults& faults) {
  const std::string required = path + ".requiredDuringSchedulingIgnoredDuringExecution";
  const Json& terms = items(at(affinity, "requiredDuringSchedulingIgnoredDuringExecution"));
  for (size_t i = 0; i < terms.size(); ++i) check_pod_term(terms[i], index(required, i), faults);
  const std::string preferred = path + ".preferredDuringSchedulingIgnoredDuringExecution";
  const Json& weighted = items(at(affinity, "preferredDuringSchedulingIgnoredDuringExecution"));
  for (size_t i = 0; i < weighted.size(); ++i) {
    const std::string here = index(preferred, i);
    check_weight(weighted[i], here, faults);
    check_pod_term(at(weighted[i], "podAffinityTerm"), here + ".podAffinityTerm", faults);
  }
}

void check_node_affinity(const Json& affinity, const std::string& path, Faults& faults) {
  const Json& required = at(affinity, "requiredDuringSchedulingIgnoredDuringExecution");
  if (required.is_object()) {
    check_node_selector(required, path + ".requiredDuringSchedulingIgnoredDuringExecution", faults);
  }
  const std::string preferred = path + ".preferredDuringSchedulingIgnoredDuringExecution";
  const Json& weighted = items(at(affinity, "preferredDuringSchedulingIgnoredDuringExecution"));
  for (size_t i = 0; i < weighted.size(); ++i) {
    const std::string here = index(preferred, i);
    check_weight(weighted[i], here, faults);
    check_node_term(at(weighted[i], "preference"), here + ".preference", false, faults);
  }
}

void check_spread(const Json& constraints, const std::string& path, Faults& faults) {
  std::set<std::string> seen;
  for (size_t i = 0; i < items(constraints).size(); ++i) {
    const Json& one = constraints[i];
    const std::string here = index(path, i);
    const std::string topology = text(at(one, "topologyKey"));
    const Json action = text(at(one, "whenUnsatisfiable"));
    if (whole(at(one, "maxSkew")) <= 0) {
      faults.invalid(here + ".maxSkew", whole(at(one, "maxSkew")), "must be greater than zero");
    }
    if (topology.empty()) {
      faults.required(here + ".topologyKey", "can not be empty");
    } else {
      faults.check(here + ".topologyKey", topology, qualified_name_fault(topology));
    }
    if (action != "DoNotSchedule" && action != "ScheduleAnyway") {
      faults.not_supported(here + ".whenUnsatisfiable", action,
                           {"DoNotSchedule", "ScheduleAnyway"});
    }
    const std::string pair = "{" + topology + ", " + text(action) + "}";
    if (!seen.insert(pair).second) {
      faults.duplicate(here + ".{topologyKey, whenUnsatisfiable}", pair);
    }
    if (const Json& domains = at(one, "minDomains"); !domains.is_null()) {
      if (whole(domains) <= 0) {
        faults.invalid(here + ".minDomains", domains, "must be greater than zero");
      }
      if (action != "DoNotSchedule") {
        faults.invalid(
            here + ".minDomains", domains,
            "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not " + text(action));
      }
    }
    check_label_selector(at(one, "labelSelector"), here + ".labelSelector", faults);
  }
}

}  // namespace

void check_node_selector(const Json& selector, const std::string& path, Faults& faults) {
  const Json& terms = items(at(selector, "nodeSelectorTerms"));
  if (terms.empty()) {
    faults.required(path + ".nodeSelectorTerms", "must have at least one node selector term");
  }
  for (size_t i = 0; i < terms.size(); ++i) {
    check_node_term(terms[i], index(path + ".nodeSelectorTerms", i), true, faults);
  }
}

void check_tolerations(const Json& tolerations, const std::string& path, Faults& faults) {
  for (size_t i = 0; i < items(tolerations).size(); ++i) {
    const Json& one = tolerations[i];
    const std::string here = index(path, i);
    const std::string name = text(at(one, "key"));
    const std::string op = text(at(one, "operator"));
    const Json& effect = at(one, "effect");
    const std::string value = text(at(one, "value"));
    if (!name.empty()) faults.check(here + ".key", name, qualified_name_fault(name));
    if (name.empty() && op != "Exists") {
      faults.invalid(here + ".operator", op,
                     "operator must be Exists when `key` is empty, which means \"match all values "
                     "and all keys\"");
    }
    if (!at(one, "tolerationSeconds").is_null() && effect != "NoExecute") {
      faults.invalid(here + ".effect", text(effect),
                     "effect must be 'NoExecute' when `tolerationSeconds` is set");
    }
    if (op == "Equal" || op.empty()) {
      faults.check(here + ".operator", value, label_value_fault(value));
    } else if (op != "Exists") {
      faults.not_supported(here + ".operator", op, {"Equal", "Exists"});
    } else if (!value.empty()) {
      faults.invalid(here + ".operator", value, "value must be empty when `operator` is 'Exists'");
    }
    if (!text(effect).empty()) {
      faults.one_of(here + ".effect", effect, {"NoSchedule", "PreferNoSchedule", "NoExecute"});
    }
  }
}

void check_scheduling(const Json& spec, const std::string& path, Faults& faults) {
  check_labels(at(spec, "nodeSelector"), path + ".nodeSelector", faults);
  const Json& affinity = at(spec, "affinity");
  check_node_affinity(at(affinity, "nodeAffinity"), path + ".affinity.nodeAffinity", faults);
  check_pod_affinity(at(affinity, "podAffinity"), path + ".affinity.podAffinity", faults);
  check_pod_affinity(at(affinity, "podAntiAffinity"), path + ".affinity.podAntiAffinity", faults);
  check_tolerations(at(spec, "tolerations"), path + ".tolerations", faults);
  check_spread(at(spec, "topologySpreadConstraints"), path + ".topologySpreadConstraints", faults);
  std::set<std::string> gates;
  const Json& all = items(at(spec, "schedulingGates"));
  for (size_t i = 0; i < all.size(); ++i) {
    const std::string here = index(path + ".schedulingGates", i);
    const std::string name = text(at(all[i], "name"));
    faults.check(here, name, qualified_name_fault(name));
    if (!gates.insert(name).second) faults.duplicate(here, name);
  }
}

}  // namespace windlass::server::kinds
