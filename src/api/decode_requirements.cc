// Requirements as NodePools, NodeClaims and pods' node affinity state them, and Karpenter's rules
// for them (reference karpenter.md 1.1, 1.7).
#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/decode.h"
#include "api/names.h"
#include "base/text.h"

namespace windlass::api {
namespace {

bool in_domain(std::string_view key, std::string_view domain) {
  const std::string_view prefix = key.substr(0, std::min(key.find('/'), key.size()));
  return prefix == domain ||
         (prefix.ends_with(domain) && prefix[prefix.size() - domain.size() - 1] == '.');
}

// Empty, or why a NodePool may not use the key.
std::string why_restricted(const std::string& key) {
  if (key == kNodePoolLabel) return "is set by Karpenter itself";
  if (key == kHostnameLabel) return "is different on every node, so no pool can set it";
  const bool reserved = key.find('/') != std::string::npos &&
                        (in_domain(key, "karpenter.sh") || in_domain(key, "karpenter.k8s.aws"));
  if (reserved && !is_well_known_label(key)) {
    return "is in Karpenter's own domain but none of its labels";
  }
  return "";
}

// Karpenter writes the claim's pool and node class into its requirements.
bool names_its_maker(const std::string& key) {
  return key == kNodePoolLabel || key == "karpenter.k8s.aws/ec2nodeclass";
}

bool is_bound(Operator op) {
  return op == Operator::kGt || op == Operator::kLt || op == Operator::kGte || op == Operator::kLte;
}

// Labels whose values are a closed list; what is outside can never be met.
const std::vector<std::string_view>* known_values(const std::string& key) {
  static const std::vector<std::string_view> kCapacityTypes{"on-demand", "spot", "reserved"};
  static const std::vector<std::string_view> kTenancies{"default", "dedicated"};
  if (key == kCapacityTypeLabel) return &kCapacityTypes;
  if (key == "karpenter.k8s.aws/instance-tenancy") return &kTenancies;
  return nullptr;
}

void check_known_values(const Reader& values, const RequirementSpec& spec) {
  const auto* known = known_values(spec.key);
  if (known == nullptr || spec.op != Operator::kIn || spec.values.empty()) return;
  std::vector<std::string> unknown;
  for (const std::string& value : spec.values) {
    if (std::find(known->begin(), known->end(), value) == known->end()) unknown.push_back(value);
  }
  if (unknown.empty()) return;
  const auto met = static_cast<int>(spec.values.size() - unknown.size());
  std::string text =
      fmt::format("unknown: {} (accepted: {})", join(unknown, ", "), fmt::join(*known, ", "));
  if (met == 0 || met < spec.min_values.value_or(0)) {
    values.error(std::move(text));
  } else {
    values.warning(std::move(text));
  }
}

void check_values(const Reader& values, const RequirementSpec& spec, RequirementsOf owner) {
  const bool listed =
      spec.op == Operator::kIn || (spec.op == Operator::kNotIn && owner == RequirementsOf::kPod);
  if (listed && spec.values.empty()) values.error("is empty (accepted: at least one value)");
  if ((spec.op == Operator::kExists || spec.op == Operator::kDoesNotExist) &&
      !spec.values.empty()) {
    values.error("Exists and DoesNotExist take no values");
  }
  if (is_bound(spec.op)) {
    const auto bound = spec.values.size() == 1 ? parse_int(spec.values.front())
                                               : Result<int64_t>(Error("not one value"));
    if (!bound.ok() || *bound < 0) {
      values.error(fmt::format("{} takes exactly one value, a whole number of 0 or more in quotes",
                               to_string(spec.op)));
    }
    return;
  }
  for (const std::string& value : spec.values) {
    if (!is_label_value(value)) {
      values.error(
          fmt::format("found \"{}\" (accepted: {})", value.substr(0, 64), kAcceptedLabelValue));
    }
  }
}

}  // namespace

std::string stable_label(const std::string& key) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kRenamed{{
      {"failure-domain.beta.kubernetes.io/zone", kZoneLabel},
      {"failure-domain.beta.kubernetes.io/region", kRegionLabel},
      {"beta.kubernetes.io/arch", kArchLabel},
      {"beta.kubernetes.io/os", kOsLabel},
      {"beta.kubernetes.io/instance-type", kInstanceTypeLabel},
  }};
  for (const auto& [beta, stable] : kRenamed) {
    if (key == beta) return std::string(stable);
  }
  return key;
}

void check_pool_label(const Reader& place, const std::string& key) {
  const std::string why = why_restricted(key);
  if (!why.empty()) place.error(fmt::format("{} {}", key.substr(0, 128), why));
}

std::vector<RequirementSpec> read_requirements(const Reader& list, RequirementsOf owner) {
  std::vector<std::pair<std::string_view, Operator>> operators{
      {"In", Operator::kIn},         {"NotIn", Operator::kNotIn},
      {"Exists", Operator::kExists}, {"DoesNotExist", Operator::kDoesNotExist},
      {"Gt", Operator::kGt},         {"Lt", Operator::kLt}};
  if (owner != RequirementsOf::kPod) {
    operators.emplace_back("Gte", Operator::kGte);
    operators.emplace_back("Lte", Operator::kLte);
  }
  std::vector<RequirementSpec> out;
  for (Reader item : list.items()) {
    RequirementSpec spec;
    Reader key = item.at("key");
    spec.key = stable_label(key.required_string());
    if (!spec.key.empty() && !is_qualified_name(spec.key)) {
      key.error(fmt::format("found {} (accepted: {})", describe(key.json()), kAcceptedKey));
    } else if (owner == RequirementsOf::kNodePool) {
      check_pool_label(key, spec.key);
    } else if (owner == RequirementsOf::kNodeClaim && !names_its_maker(spec.key)) {
      check_pool_label(key, spec.key);
    } else if (owner == RequirementsOf::kNodeOverlay && spec.key != kNodePoolLabel) {
      // Unlike a pool, an overlay may choose pools by name.
      check_pool_label(key, spec.key);
    }
    const auto op = item.required("operator").one_of(operators);
    Reader values = item.at("values");
    spec.values = values.strings();
    if (owner == RequirementsOf::kNodePool || owner == RequirementsOf::kNodeClaim) {
      Reader min_values = item.at("minValues");
      spec.min_values = min_values.int32(1, 50);
      if (op == Operator::kIn &&
          static_cast<int>(spec.values.size()) < spec.min_values.value_or(0)) {
        min_values.error(fmt::format("is more than the {} values", spec.values.size()));
      }
      item.warn_unknown_keys();
    }
    // A list with an element of a wrong type has been reported; its length says nothing.
    if (!op) continue;
    spec.op = *op;
    const bool whole = !values.present() || !values.json().is_array() ||
                       values.json().size() == spec.values.size();
    if (whole) check_values(values, spec, owner);
    check_known_values(values, spec);
    out.push_back(std::move(spec));
  }
  return out;
}

}  // namespace windlass::api
