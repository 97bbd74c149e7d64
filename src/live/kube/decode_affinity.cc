// Node affinity, pod affinity and topology spread of a pod (as src/api/decode_affinity.cc reads
// them).
#include <algorithm>

#include "api/names.h"
#include "base/text.h"
#include "live/kube/decode_fast.h"

namespace windlass::live::kube {
namespace {

constexpr std::string_view kRequired = "requiredDuringSchedulingIgnoredDuringExecution";
constexpr std::string_view kPreferred = "preferredDuringSchedulingIgnoredDuringExecution";

std::optional<api::Operator> operator_of(std::string_view name) {
  if (name == "In") return api::Operator::kIn;
  if (name == "NotIn") return api::Operator::kNotIn;
  if (name == "Exists") return api::Operator::kExists;
  if (name == "DoesNotExist") return api::Operator::kDoesNotExist;
  if (name == "Gt") return api::Operator::kGt;
  if (name == "Lt") return api::Operator::kLt;
  return std::nullopt;
}

// The values that go with the operator.
bool is_whole(const api::RequirementSpec& spec) {
  switch (spec.op) {
    case api::Operator::kExists:
    case api::Operator::kDoesNotExist:
      return spec.values.empty();
    case api::Operator::kGt:
    case api::Operator::kLt: {
      if (spec.values.size() != 1) return false;
      const auto bound = parse_int(spec.values.front());
      return bound.ok() && *bound >= 0;
    }
    default:
      return !spec.values.empty() &&
             std::all_of(spec.values.begin(), spec.values.end(),
                         [](const std::string& value) { return api::is_label_value(value); });
  }
}

// Values outside of a label's closed list are for api::decode to judge.
bool is_known_value(std::string_view key, std::string_view value) {
  if (key == "karpenter.sh/capacity-type") {
    return value == "on-demand" || value == "spot" || value == "reserved";
  }
  if (key == "karpenter.k8s.aws/instance-tenancy") {
    return value == "default" || value == "dedicated";
  }
  return true;
}

api::RequirementSpec read_requirement(PlainJson& json, const Plain& item) {
  const auto [key, op, values] = json.fields<3>(item, {"key", "operator", "values"});
  api::RequirementSpec out;
  out.key = json.label_key(json.required_string(key));
  out.values = json.strings(values);
  const auto known = operator_of(json.required_string(op));
  out.op = known.value_or(api::Operator::kIn);
  if (!known || !api::is_qualified_name(out.key) || !is_whole(out)) json.refuse();
  for (const std::string& value : out.values) {
    if (out.op == api::Operator::kIn && !is_known_value(out.key, value)) json.refuse();
  }
  return out;
}

api::NodeSelectorTerm read_node_selector_term(PlainJson& json, const Plain& term) {
  const auto [expressions] = json.fields<1>(term, {"matchExpressions"});
  api::NodeSelectorTerm out;
  json.items(expressions, [&](const Plain& item) {
    out.match_expressions.push_back(read_requirement(json, item));
  });
  return out;
}

void read_node_affinity(PlainJson& json, const Plain& affinity, api::PodSpec& out) {
  const auto [required, preferred] = json.fields<2>(affinity, {kRequired, kPreferred});
  if (required) {
    const auto [terms] = json.fields<1>(required, {"nodeSelectorTerms"});
    json.items(terms, [&](const Plain& item) {
      out.required_node_terms.push_back(read_node_selector_term(json, item));
    });
    if (out.required_node_terms.empty()) json.refuse();
  }
  json.items(preferred, [&](const Plain& item) {
    const auto [weight, preference] = json.fields<2>(item, {"weight", "preference"});
    if (!weight || !preference) json.refuse();
    api::PreferredNodeTerm term;
    term.weight = static_cast<int>(json.integer(weight, 1, 100).value_or(1));
    term.term = read_node_selector_term(json, preference);
    out.preferred_node_terms.push_back(std::move(term));
  });
}

api::LabelSelector read_label_selector(PlainJson& json, const Plain& selector) {
  using Op = api::LabelSelectorTerm::Op;
  api::LabelSelector out;
  const auto [labels, expressions] = json.fields<2>(selector, {"matchLabels", "matchExpressions"});
  out.match_labels = json.labels(labels);
  json.items(expressions, [&](const Plain& item) {
    const auto [key, op, values] = json.fields<3>(item, {"key", "operator", "values"});
    api::LabelSelectorTerm term;
    term.key = json.required_string(key);
    term.values = json.strings(values);
    const std::string_view name = json.required_string(op);
    term.op = name == "In"       ? Op::kIn
              : name == "NotIn"  ? Op::kNotIn
              : name == "Exists" ? Op::kExists
                                 : Op::kDoesNotExist;
    if (term.op == Op::kDoesNotExist && name != "DoesNotExist") json.refuse();
    const bool takes_values = term.op == Op::kIn || term.op == Op::kNotIn;
    if (takes_values == term.values.empty()) json.refuse();
    out.match_expressions.push_back(std::move(term));
  });
  return out;
}

// An absent selector selects nothing: a term that never holds.
api::LabelSelector selector_or_nothing(PlainJson& json, const Plain& selector) {
  if (selector) return read_label_selector(json, selector);
  return {{}, {{"", api::LabelSelectorTerm::Op::kIn, {}}}};
}

// They only add to a selector.
std::vector<std::string> label_keys(PlainJson& json, const Plain& keys, const Plain& selector) {
  std::vector<std::string> out = json.strings(keys);
  if (!out.empty() && !selector) json.refuse();
  return out;
}

api::PodAffinityTerm read_pod_affinity_term(PlainJson& json, const Plain& item) {
  const auto [topology_key, selector, namespaces, namespace_selector, match, mismatch] =
      json.fields<6>(item, {"topologyKey", "labelSelector", "namespaces", "namespaceSelector",
                            "matchLabelKeys", "mismatchLabelKeys"});
  api::PodAffinityTerm out;
  out.topology_key = json.label_key(json.required_string(topology_key));
  out.selector = selector_or_nothing(json, selector);
  out.namespaces = json.strings(namespaces);
  if (namespace_selector) out.namespace_selector = read_label_selector(json, namespace_selector);
  out.match_label_keys = label_keys(json, match, selector);
  out.mismatch_label_keys = label_keys(json, mismatch, selector);
  return out;
}

api::PodAffinity read_pods_affinity(PlainJson& json, const Plain& affinity) {
  const auto [required, preferred] = json.fields<2>(affinity, {kRequired, kPreferred});
  api::PodAffinity out;
  json.items(required, [&](const Plain& item) {
    out.required.push_back(read_pod_affinity_term(json, item));
  });
  json.items(preferred, [&](const Plain& item) {
    const auto [weight, inner] = json.fields<2>(item, {"weight", "podAffinityTerm"});
    if (!weight || !inner) return json.refuse();
    api::PreferredPodTerm term;
    term.weight = static_cast<int>(json.integer(weight, 1, 100).value_or(1));
    term.term = read_pod_affinity_term(json, inner);
    out.preferred.push_back(std::move(term));
  });
  return out;
}

}  // namespace

void plain_affinity(PlainJson& json, const Plain& affinity, api::PodSpec& out) {
  const auto [node, pod, anti] =
      json.fields<3>(affinity, {"nodeAffinity", "podAffinity", "podAntiAffinity"});
  read_node_affinity(json, node, out);
  out.affinity = read_pods_affinity(json, pod);
  out.anti_affinity = read_pods_affinity(json, anti);
}

void plain_topology_spread(PlainJson& json, const Plain& list, api::PodSpec& out) {
  json.items(list, [&](const Plain& item) {
    const auto [max_skew, topology_key, unsatisfiable, selector, min_domains, affinity, taints,
                keys] = json.fields<8>(item, {"maxSkew", "topologyKey", "whenUnsatisfiable",
                                              "labelSelector", "minDomains", "nodeAffinityPolicy",
                                              "nodeTaintsPolicy", "matchLabelKeys"});
    if (!max_skew || !unsatisfiable) return json.refuse();
    api::TopologySpreadConstraint constraint;
    constraint.max_skew = static_cast<int>(json.integer(max_skew, 1, INT32_MAX).value_or(1));
    constraint.topology_key = json.label_key(json.required_string(topology_key));
    constraint.schedule_anyway =
        json.one_of(unsatisfiable, "", {"DoNotSchedule", "ScheduleAnyway"}) == "ScheduleAnyway";
    constraint.selector = selector_or_nothing(json, selector);
    if (const auto least = json.integer(min_domains, 1, INT32_MAX)) {
      constraint.min_domains = static_cast<int>(*least);
      if (constraint.schedule_anyway) json.refuse();
    }
    constraint.honor_node_affinity = json.one_of(affinity, "Honor", {"Honor", "Ignore"}) == "Honor";
    constraint.honor_node_taints = json.one_of(taints, "Ignore", {"Honor", "Ignore"}) == "Honor";
    constraint.match_label_keys = label_keys(json, keys, selector);
    out.topology_spread.push_back(std::move(constraint));
  });
}

}  // namespace windlass::live::kube
