// Karpenter's requirement algebra: sets of allowed label values per key, closed under intersection.
// A requirement is {complement, values, bounds}: In = values; NotIn = all but values;
// Exists = complement of nothing; DoesNotExist = the empty set; Gt/Lt/Gte/Lte = integer bounds on a
// complement. Facts: Karpenter pkg/scheduling/requirement.go (behaviour, not code).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "api/meta.h"
#include "base/result.h"

namespace windlass::api {

enum class Operator { kIn, kNotIn, kExists, kDoesNotExist, kGt, kLt, kGte, kLte };
Result<Operator> parse_operator(std::string_view text);
std::string_view to_string(Operator op);

// A requirement as a manifest states it.
struct RequirementSpec {
  std::string key;
  Operator op = Operator::kIn;
  std::vector<std::string> values;
  std::optional<int> min_values;
  bool operator==(const RequirementSpec&) const = default;
};

class Requirement {
 public:
  // Everything is allowed, the label must exist.
  Requirement() = default;
  // For kGt.. the first value must be an integer; validate() in the manifest readers has seen to
  // it.
  Requirement(Operator op, const std::vector<std::string>& values,
              std::optional<int> min_values = std::nullopt);

  // The operator this set would be written with: bounds alone count as Exists.
  [[nodiscard]] Operator op() const;
  [[nodiscard]] bool has(std::string_view value) const;
  // The set allows nothing (DoesNotExist).
  [[nodiscard]] bool empty() const { return !complement_ && values_.empty(); }
  [[nodiscard]] bool complement() const { return complement_; }
  // Concrete values (allowed if !complement(), excluded otherwise), sorted.
  [[nodiscard]] const std::set<std::string, std::less<>>& values() const { return values_; }
  [[nodiscard]] std::optional<int64_t> gte() const { return gte_; }
  [[nodiscard]] std::optional<int64_t> lte() const { return lte_; }
  [[nodiscard]] std::optional<int> min_values() const { return min_values_; }

  // The same set, asking for another number of values.
  [[nodiscard]] Requirement with_min_values(std::optional<int> min_values) const;
  [[nodiscard]] Requirement intersect(const Requirement& other) const;
  // Same as !intersect(other).empty(), without building it.
  [[nodiscard]] bool intersects(const Requirement& other) const;
  // "In [a b]", "NotIn [c]", "Gte 4": for reasons.
  [[nodiscard]] std::string to_string() const;
  bool operator==(const Requirement&) const = default;

 private:
  [[nodiscard]] bool within_bounds(std::string_view value) const;
  bool complement_ = true;
  std::set<std::string, std::less<>> values_;
  std::optional<int64_t> gte_;
  std::optional<int64_t> lte_;
  std::optional<int> min_values_;
};

class Requirements {
 public:
  Requirements() = default;
  static Requirements from_specs(const std::vector<RequirementSpec>& specs);
  static Requirements from_labels(const StringMap& labels);

  // Intersects with what is already known of the key.
  void add(std::string_view key, const Requirement& requirement);
  void add(const Requirements& other);
  [[nodiscard]] bool has(std::string_view key) const;
  // An absent key allows everything (Exists).
  [[nodiscard]] const Requirement& get(std::string_view key) const;
  [[nodiscard]] auto begin() const { return by_key_.begin(); }
  [[nodiscard]] auto end() const { return by_key_.end(); }
  [[nodiscard]] size_t size() const { return by_key_.size(); }

  // Whether `incoming` (a pod's) can be met by what this (a node's or a claim's) allows. A key that
  // this does not define is an error unless incoming is NotIn/DoesNotExist there, or
  // `allow_undefined_well_known` and the key is well known (new claims; existing nodes are strict).
  // Returns an empty string, or why not.
  [[nodiscard]] std::string why_incompatible(const Requirements& incoming,
                                             bool allow_undefined_well_known) const;
  // Every common key intersects (both sides NotIn/DoesNotExist may be empty together).
  [[nodiscard]] bool intersects(const Requirements& other) const;
  // The labels these requirements pin to one value.
  [[nodiscard]] StringMap labels() const;
  [[nodiscard]] std::vector<RequirementSpec> to_specs() const;
  [[nodiscard]] std::string to_string() const;
  bool operator==(const Requirements&) const = default;

 private:
  std::map<std::string, Requirement, std::less<>> by_key_;
};

// The labels Karpenter and its AWS provider define (reference: Karpenter docs, scheduling labels).
bool is_well_known_label(std::string_view key);

}  // namespace windlass::api
