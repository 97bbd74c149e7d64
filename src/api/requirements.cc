#include "api/requirements.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>

#include <fmt/format.h>

#include "base/text.h"

namespace windlass::api {
namespace {

constexpr std::array<std::string_view, 8> kOperatorNames{"In", "NotIn", "Exists", "DoesNotExist",
                                                         "Gt", "Lt",    "Gte",    "Lte"};

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kMin = std::numeric_limits<int64_t>::min();

// Combines two optional bounds; an absent one is no bound.
template <typename T, typename Pick>
std::optional<T> tighter(std::optional<T> a, std::optional<T> b, Pick pick) {
  if (!a) return b;
  if (!b) return a;
  return pick(*a, *b);
}
template <typename T>
std::optional<T> larger(std::optional<T> a, std::optional<T> b) {
  return tighter(a, b, [](T x, T y) { return std::max(x, y); });
}
template <typename T>
std::optional<T> smaller(std::optional<T> a, std::optional<T> b) {
  return tighter(a, b, [](T x, T y) { return std::min(x, y); });
}

// A value that is no integer fails every bound, as in Karpenter.
bool within(std::string_view value, std::optional<int64_t> gte, std::optional<int64_t> lte) {
  if (!gte && !lte) return true;
  const Result<int64_t> number = parse_int(value);
  if (!number) return false;
  return (!gte || *number >= *gte) && (!lte || *number <= *lte);
}

// A reason must stay readable when a pool lists hundreds of instance types.
std::string list_values(const std::set<std::string, std::less<>>& values) {
  constexpr size_t kShown = 6;
  std::string out;
  size_t shown = 0;
  for (const std::string& value : values) {
    if (shown == kShown) {
      return out + fmt::format(" and {} others", values.size() - kShown);
    }
    out += shown++ == 0 ? value : " " + value;
  }
  return out;
}

bool is_negative(const Requirement& requirement) {
  const Operator op = requirement.op();
  return op == Operator::kNotIn || op == Operator::kDoesNotExist;
}

// Karpenter lets "must not be x" meet "must not be there": neither asks for the label.
bool meet(const Requirement& a, const Requirement& b) {
  return a.intersects(b) || (is_negative(a) && is_negative(b));
}

}  // namespace

Result<Operator> parse_operator(std::string_view text) {
  const auto at = std::find(kOperatorNames.begin(), kOperatorNames.end(), text);
  if (at == kOperatorNames.end()) {
    return Error(fmt::format(
        "unknown operator \"{}\", accepted: In, NotIn, Exists, DoesNotExist, Gt, Lt, Gte, Lte",
        text));
  }
  return static_cast<Operator>(at - kOperatorNames.begin());
}

std::string_view to_string(Operator op) { return kOperatorNames[static_cast<size_t>(op)]; }

Requirement::Requirement(Operator op, const std::vector<std::string>& values,
                         std::optional<int> min_values)
    : min_values_(min_values) {
  const auto bound = [&]() -> std::optional<int64_t> {
    if (values.empty()) return std::nullopt;
    const Result<int64_t> number = parse_int(values.front());
    return number ? std::optional(*number) : std::nullopt;
  };
  switch (op) {
    case Operator::kIn:
      complement_ = false;
      [[fallthrough]];
    case Operator::kNotIn:
      values_.insert(values.begin(), values.end());
      return;
    case Operator::kExists:
      return;
    case Operator::kDoesNotExist:
      complement_ = false;
      return;
    case Operator::kGte:
    case Operator::kGt:
      gte_ = bound();
      // An unreadable bound, or one past the last integer, allows nothing.
      if (!gte_ || (op == Operator::kGt && *gte_ == kMax)) break;
      if (op == Operator::kGt) ++*gte_;
      return;
    case Operator::kLte:
    case Operator::kLt:
      lte_ = bound();
      if (!lte_ || (op == Operator::kLt && *lte_ == kMin)) break;
      if (op == Operator::kLt) --*lte_;
      return;
  }
  complement_ = false;
  gte_.reset();
  lte_.reset();
}

Operator Requirement::op() const {
  if (complement_) return values_.empty() ? Operator::kExists : Operator::kNotIn;
  return values_.empty() ? Operator::kDoesNotExist : Operator::kIn;
}

bool Requirement::within_bounds(std::string_view value) const { return within(value, gte_, lte_); }

bool Requirement::has(std::string_view value) const {
  return values_.contains(value) != complement_ && within_bounds(value);
}

Requirement Requirement::with_min_values(std::optional<int> min_values) const {
  Requirement out = *this;
  out.min_values_ = min_values;
  return out;
}

Requirement Requirement::intersect(const Requirement& other) const {
  Requirement out;
  out.min_values_ = larger(min_values_, other.min_values_);
  const std::optional<int64_t> gte = larger(gte_, other.gte_);
  const std::optional<int64_t> lte = smaller(lte_, other.lte_);
  out.complement_ = complement_ && other.complement_;
  if (gte && lte && *gte > *lte) {
    out.complement_ = false;
    return out;
  }
  const auto into = std::inserter(out.values_, out.values_.end());
  if (complement_ && other.complement_) {
    std::ranges::set_union(values_, other.values_, into);
  } else if (complement_) {
    std::ranges::set_difference(other.values_, values_, into);
  } else if (other.complement_) {
    std::ranges::set_difference(values_, other.values_, into);
  } else {
    std::ranges::set_intersection(values_, other.values_, into);
  }
  // Exclusions outside the bounds go too, so that equal sets have one form.
  std::erase_if(out.values_, [&](const std::string& value) { return !within(value, gte, lte); });
  if (out.complement_) {
    out.gte_ = gte;
    out.lte_ = lte;
  }
  return out;
}

bool Requirement::intersects(const Requirement& other) const {
  const std::optional<int64_t> gte = larger(gte_, other.gte_);
  const std::optional<int64_t> lte = smaller(lte_, other.lte_);
  if (gte && lte && *gte > *lte) return false;
  if (complement_ && other.complement_) return true;
  const Requirement& concrete = complement_ ? other : *this;
  const Requirement& rest = complement_ ? *this : other;
  return std::ranges::any_of(concrete.values_,
                             [&](const std::string& value) { return rest.has(value); });
}

std::string Requirement::to_string() const {
  std::string out;
  switch (op()) {
    case Operator::kIn:
      out = fmt::format("In [{}]", list_values(values_));
      break;
    case Operator::kNotIn:
      out = fmt::format("NotIn [{}]", list_values(values_));
      break;
    case Operator::kDoesNotExist:
      out = "DoesNotExist";
      break;
    default:
      if (!gte_ && !lte_) out = "Exists";
  }
  const auto append = [&out](std::string text) { out += out.empty() ? text : " " + text; };
  if (gte_) append(fmt::format("Gte {}", *gte_));
  if (lte_) append(fmt::format("Lte {}", *lte_));
  if (min_values_) append(fmt::format("minValues {}", *min_values_));
  return out;
}

Requirements Requirements::from_specs(const std::vector<RequirementSpec>& specs) {
  Requirements out;
  for (const RequirementSpec& spec : specs) {
    out.add(spec.key, Requirement(spec.op, spec.values, spec.min_values));
  }
  return out;
}

Requirements Requirements::from_labels(const StringMap& labels) {
  Requirements out;
  for (const auto& [key, value] : labels) out.add(key, Requirement(Operator::kIn, {value}));
  return out;
}

void Requirements::add(std::string_view key, const Requirement& requirement) {
  const auto at = by_key_.find(key);
  if (at == by_key_.end()) {
    by_key_.emplace(key, requirement);
  } else {
    at->second = at->second.intersect(requirement);
  }
}

void Requirements::add(const Requirements& other) {
  for (const auto& [key, requirement] : other) add(key, requirement);
}

bool Requirements::has(std::string_view key) const { return by_key_.contains(key); }

const Requirement& Requirements::get(std::string_view key) const {
  static const Requirement kAnything;
  const auto at = by_key_.find(key);
  return at == by_key_.end() ? kAnything : at->second;
}

std::string Requirements::why_incompatible(const Requirements& incoming,
                                           bool allow_undefined_well_known) const {
  for (const auto& [key, asked] : incoming) {
    const auto at = by_key_.find(key);
    if (at != by_key_.end()) {
      if (meet(at->second, asked)) continue;
      return fmt::format("label {}: asked {}, allowed {}", key, asked.to_string(),
                         at->second.to_string());
    }
    if (is_negative(asked) || (allow_undefined_well_known && is_well_known_label(key))) continue;
    return fmt::format("label {}: asked {}, not defined", key, asked.to_string());
  }
  return {};
}

bool Requirements::intersects(const Requirements& other) const {
  // Look the fewer up among the more: types define dozens of keys, pods a handful.
  const bool fewer_here = size() <= other.size();
  const Requirements& few = fewer_here ? *this : other;
  const Requirements& many = fewer_here ? other : *this;
  return std::ranges::all_of(few.by_key_, [&](const auto& entry) {
    const auto at = many.by_key_.find(entry.first);
    return at == many.by_key_.end() || meet(at->second, entry.second);
  });
}

StringMap Requirements::labels() const {
  StringMap out;
  for (const auto& [key, requirement] : by_key_) {
    if (requirement.complement() || requirement.values().size() != 1) continue;
    out.emplace(key, *requirement.values().begin());
  }
  return out;
}

std::vector<RequirementSpec> Requirements::to_specs() const {
  std::vector<RequirementSpec> out;
  for (const auto& [key, requirement] : by_key_) {
    auto append = [&, first = true](Operator how, std::vector<std::string> values) mutable {
      out.push_back({key, how, std::move(values), first ? requirement.min_values() : std::nullopt});
      first = false;
    };
    const bool bounded = requirement.gte() || requirement.lte();
    const Operator op = requirement.op();
    if (op != Operator::kExists || !bounded) {
      append(op, {requirement.values().begin(), requirement.values().end()});
    }
    if (requirement.gte()) append(Operator::kGte, {std::to_string(*requirement.gte())});
    if (requirement.lte()) append(Operator::kLte, {std::to_string(*requirement.lte())});
  }
  return out;
}

std::string Requirements::to_string() const {
  std::string out;
  for (const auto& [key, requirement] : by_key_) {
    if (!out.empty()) out += ", ";
    out += key + " " + requirement.to_string();
  }
  return out;
}

bool is_well_known_label(std::string_view key) {
  static const std::set<std::string_view> kLabels{
      "karpenter.sh/nodepool",
      "karpenter.sh/capacity-type",
      "topology.kubernetes.io/zone",
      "topology.kubernetes.io/region",
      "node.kubernetes.io/instance-type",
      "node.kubernetes.io/windows-build",
      "kubernetes.io/arch",
      "kubernetes.io/os",
      "topology.k8s.aws/zone-id",
      "karpenter.k8s.aws/instance-category",
      "karpenter.k8s.aws/instance-family",
      "karpenter.k8s.aws/instance-generation",
      "karpenter.k8s.aws/instance-size",
      "karpenter.k8s.aws/instance-cpu",
      "karpenter.k8s.aws/instance-cpu-manufacturer",
      "karpenter.k8s.aws/instance-cpu-sustained-clock-speed-mhz",
      "karpenter.k8s.aws/instance-memory",
      "karpenter.k8s.aws/instance-ebs-bandwidth",
      "karpenter.k8s.aws/instance-network-bandwidth",
      "karpenter.k8s.aws/instance-local-nvme",
      "karpenter.k8s.aws/instance-hypervisor",
      "karpenter.k8s.aws/instance-encryption-in-transit-supported",
      "karpenter.k8s.aws/instance-nitro-enclaves-supported",
      "karpenter.k8s.aws/instance-capability-flex",
      "karpenter.k8s.aws/instance-tenancy",
      "karpenter.k8s.aws/instance-gpu-name",
      "karpenter.k8s.aws/instance-gpu-manufacturer",
      "karpenter.k8s.aws/instance-gpu-count",
      "karpenter.k8s.aws/instance-gpu-memory",
      "karpenter.k8s.aws/instance-accelerator-name",
      "karpenter.k8s.aws/instance-accelerator-manufacturer",
      "karpenter.k8s.aws/instance-accelerator-count",
      "karpenter.k8s.aws/capacity-reservation-id",
      "karpenter.k8s.aws/capacity-reservation-type",
      "karpenter.k8s.aws/capacity-reservation-interruptible",
      "karpenter.k8s.aws/placement-group-id",
      "karpenter.k8s.aws/placement-group-partition",
  };
  return kLabels.contains(key);
}

}  // namespace windlass::api
