#include "api/requirements.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace windlass::api {
namespace {

using Specs = std::vector<RequirementSpec>;

// Every value a generated requirement can name, both spellings of every integer around the bounds
// (so that a bounded set with exclusions is never empty by accident of spelling) and strangers.
std::vector<std::string> universe() {
  std::vector<std::string> values{"a", "b", "c", "stranger", "-1", "-01", "1000000"};
  for (int i = 0; i <= 10; ++i) {
    values.push_back(std::to_string(i));
    values.push_back("0" + std::to_string(i));
  }
  return values;
}

// ---- The obvious checker: one spec at a time, value by value.

bool is_bound(const RequirementSpec& spec) {
  return spec.op != Operator::kIn && spec.op != Operator::kNotIn && spec.op != Operator::kExists &&
         spec.op != Operator::kDoesNotExist;
}

bool spec_allows(const RequirementSpec& spec, const std::string& value) {
  const bool listed = std::ranges::find(spec.values, value) != spec.values.end();
  if (spec.op == Operator::kIn) return listed;
  if (spec.op == Operator::kNotIn) return !listed;
  if (spec.op == Operator::kExists) return true;
  if (spec.op == Operator::kDoesNotExist) return false;
  if (value.find_first_not_of("-0123456789") != std::string::npos) return false;
  const int64_t number = std::stoll(value);
  const int64_t bound = std::stoll(spec.values.at(0));
  switch (spec.op) {
    case Operator::kGt:
      return number > bound;
    case Operator::kLt:
      return number < bound;
    case Operator::kGte:
      return number >= bound;
    default:
      return number <= bound;
  }
}

bool all_allow(const Specs& specs, const std::string& value) {
  return std::ranges::all_of(specs, [&](const auto& spec) { return spec_allows(spec, value); });
}

bool bounds_allow(const Specs& specs, const std::string& value) {
  return std::ranges::all_of(
      specs, [&](const auto& spec) { return !is_bound(spec) || spec_allows(spec, value); });
}

// "Must not be one of" or "must not be there".
bool slow_negative(const Specs& specs) {
  const auto values = universe();
  if (std::ranges::none_of(values, [&](const auto& v) { return all_allow(specs, v); })) return true;
  const bool open = std::ranges::none_of(specs, [](const auto& spec) {
    return spec.op == Operator::kIn || spec.op == Operator::kDoesNotExist;
  });
  return open && std::ranges::any_of(values, [&](const auto& v) {
           return bounds_allow(specs, v) && !all_allow(specs, v);
         });
}

bool slow_meet(const Specs& a, const Specs& b) {
  const auto values = universe();
  const bool common = std::ranges::any_of(
      values, [&](const auto& v) { return all_allow(a, v) && all_allow(b, v); });
  return common || (slow_negative(a) && slow_negative(b));
}

Specs of_key(const Specs& specs, const std::string& key) {
  Specs out;
  std::ranges::copy_if(specs, std::back_inserter(out), [&](const auto& s) { return s.key == key; });
  return out;
}

bool slow_compatible(const Specs& node, const Specs& pod, bool allow_well_known) {
  for (const std::string key : {"custom", "other", "kubernetes.io/arch"}) {
    const Specs asked = of_key(pod, key);
    const Specs offered = of_key(node, key);
    if (asked.empty()) continue;
    if (!offered.empty()) {
      if (!slow_meet(offered, asked)) return false;
    } else if (!slow_negative(asked) && !(allow_well_known && key == "kubernetes.io/arch")) {
      return false;
    }
  }
  return true;
}

// ---- Generators.

rc::Gen<RequirementSpec> a_spec(std::vector<std::string> keys = {"key"}) {
  return rc::gen::exec([keys] {
    RequirementSpec spec;
    spec.key = *rc::gen::elementOf(keys);
    spec.op = static_cast<Operator>(*rc::gen::inRange(0, 8));
    if (is_bound(spec)) {
      spec.values = {std::to_string(*rc::gen::inRange(0, 10))};
    } else if (spec.op == Operator::kIn || spec.op == Operator::kNotIn) {
      spec.values = *rc::gen::container<std::vector<std::string>>(
          rc::gen::elementOf(std::vector<std::string>{"a", "b", "c", "0", "1", "4", "9"}));
      if (spec.values.empty()) spec.values.push_back("b");
    }
    if (*rc::gen::inRange(0, 4) == 0) spec.min_values = *rc::gen::inRange(1, 5);
    return spec;
  });
}

Requirement fold(const Specs& specs) { return Requirements::from_specs(specs).get("key"); }

Requirement a_requirement() {
  return fold(*rc::gen::container<Specs>(*rc::gen::inRange(1, 4), a_spec()));
}

// ---- Tests.

struct TextCase {
  Operator op;
  std::vector<std::string> values;
  Operator becomes;
  std::string text;
};

TEST(Requirement, StatesItsOperatorAndText) {
  const std::vector<TextCase> cases{
      {Operator::kIn, {"b", "a", "b"}, Operator::kIn, "In [a b]"},
      {Operator::kIn, {}, Operator::kDoesNotExist, "DoesNotExist"},
      {Operator::kNotIn, {"c"}, Operator::kNotIn, "NotIn [c]"},
      {Operator::kNotIn, {}, Operator::kExists, "Exists"},
      {Operator::kExists, {}, Operator::kExists, "Exists"},
      {Operator::kDoesNotExist, {}, Operator::kDoesNotExist, "DoesNotExist"},
      {Operator::kGt, {"4"}, Operator::kExists, "Gte 5"},
      {Operator::kLt, {"4"}, Operator::kExists, "Lte 3"},
      {Operator::kGte, {"4"}, Operator::kExists, "Gte 4"},
      {Operator::kLte, {"4"}, Operator::kExists, "Lte 4"},
      {Operator::kGt, {"9223372036854775807"}, Operator::kDoesNotExist, "DoesNotExist"},
      {Operator::kLt, {"-9223372036854775808"}, Operator::kDoesNotExist, "DoesNotExist"},
      {Operator::kGte, {"many"}, Operator::kDoesNotExist, "DoesNotExist"},
      {Operator::kLte, {}, Operator::kDoesNotExist, "DoesNotExist"},
      {Operator::kIn,
       {"1", "2", "3", "4", "5", "6", "7", "8"},
       Operator::kIn,
       "In [1 2 3 4 5 6 and 2 others]"},
  };
  for (const TextCase& c : cases) {
    const Requirement requirement(c.op, c.values);
    EXPECT_EQ(requirement.op(), c.becomes) << c.text;
    EXPECT_EQ(requirement.to_string(), c.text);
    EXPECT_EQ(requirement.empty(), c.becomes == Operator::kDoesNotExist) << c.text;
  }
}

TEST(Requirement, BoundsMeetAndFilter) {
  const Requirement gte(Operator::kGte, {"4"});
  const Requirement lte(Operator::kLte, {"8"});
  EXPECT_EQ(gte.intersect(lte).to_string(), "Gte 4 Lte 8");
  EXPECT_TRUE(gte.intersect(Requirement(Operator::kLt, {"4"})).empty());
  EXPECT_EQ(gte.intersect(Requirement(Operator::kIn, {"3", "5", "large"})).to_string(), "In [5]");
  EXPECT_EQ(gte.intersect(Requirement(Operator::kNotIn, {"3", "5"})).to_string(),
            "NotIn [5] Gte 4");
  EXPECT_FALSE(gte.has("large"));
  EXPECT_TRUE(gte.has("4"));
}

TEST(Requirement, OperatorsParseByTheirNames) {
  for (const auto* name : {"In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt", "Gte", "Lte"}) {
    EXPECT_EQ(to_string(parse_operator(name).value()), name);
  }
  const auto wrong = parse_operator("in");
  ASSERT_FALSE(wrong.ok());
  EXPECT_NE(wrong.error().message().find("\"in\""), std::string::npos);
}

RC_GTEST_PROP(RequirementLaw, IntersectionIsASemilattice, ()) {
  const Requirement a = a_requirement();
  const Requirement b = a_requirement();
  const Requirement c = a_requirement();
  RC_ASSERT(a.intersect(b) == b.intersect(a));
  RC_ASSERT(a.intersect(b).intersect(c) == a.intersect(b.intersect(c)));
  RC_ASSERT(a.intersect(a) == a);
  RC_ASSERT(a.intersect(Requirement()) == a);
}

RC_GTEST_PROP(RequirementLaw, AgreesWithEnumeration, ()) {
  const Specs specs = *rc::gen::container<Specs>(*rc::gen::inRange(1, 5), a_spec());
  const Requirement requirement = fold(specs);
  bool any = false;
  for (const std::string& value : universe()) {
    RC_ASSERT(requirement.has(value) == all_allow(specs, value));
    any = any || requirement.has(value);
  }
  RC_ASSERT(any == !requirement.empty());
}

RC_GTEST_PROP(RequirementLaw, IntersectsMeansTheIntersectionIsNotEmpty, ()) {
  const Requirement a = a_requirement();
  const Requirement b = a_requirement();
  RC_ASSERT(a.intersects(b) == !a.intersect(b).empty());
  for (const std::string& value : universe()) {
    RC_ASSERT(a.intersect(b).has(value) == (a.has(value) && b.has(value)));
  }
}

RC_GTEST_PROP(RequirementsLaw, CompatibilityAgreesWithTheSlowChecker, (bool allow_well_known)) {
  const std::vector<std::string> keys{"custom", "other", "kubernetes.io/arch"};
  const Specs node = *rc::gen::container<Specs>(a_spec(keys));
  const Specs pod = *rc::gen::container<Specs>(a_spec(keys));
  const Requirements offered = Requirements::from_specs(node);
  const Requirements asked = Requirements::from_specs(pod);
  const std::string why = offered.why_incompatible(asked, allow_well_known);
  RC_ASSERT(why.empty() == slow_compatible(node, pod, allow_well_known));

  bool meets = true;
  for (const std::string& key : keys) {
    if (offered.has(key) && asked.has(key)) {
      meets = meets && slow_meet(of_key(node, key), of_key(pod, key));
    }
  }
  RC_ASSERT(offered.intersects(asked) == meets);
  RC_ASSERT(asked.intersects(offered) == meets);
}

RC_GTEST_PROP(RequirementsLaw, SpecsRoundTrip, ()) {
  const Requirements before = Requirements::from_specs(
      *rc::gen::container<Specs>(a_spec({"custom", "other", "kubernetes.io/arch"})));
  RC_ASSERT(Requirements::from_specs(before.to_specs()) == before);
}

RC_GTEST_PROP(RequirementsLaw, AddingIsIntersectionPerKey, ()) {
  const std::vector<std::string> keys{"custom", "other"};
  const Requirements a = Requirements::from_specs(*rc::gen::container<Specs>(a_spec(keys)));
  const Requirements b = Requirements::from_specs(*rc::gen::container<Specs>(a_spec(keys)));
  Requirements ab = a;
  ab.add(b);
  Requirements ba = b;
  ba.add(a);
  RC_ASSERT(ab == ba);
  for (const std::string& key : keys) {
    RC_ASSERT(ab.get(key) == a.get(key).intersect(b.get(key)));
    RC_ASSERT(ab.has(key) == (a.has(key) || b.has(key)));
  }
}

TEST(Requirements, UndefinedKeysNeedAWellKnownLabel) {
  const Requirements node = Requirements::from_labels({{"team", "search"}});
  const auto why = [&](RequirementSpec spec, bool well_known) {
    return node.why_incompatible(Requirements::from_specs({std::move(spec)}), well_known);
  };
  const RequirementSpec zone{"topology.kubernetes.io/zone", Operator::kIn, {"a"}, {}};
  EXPECT_EQ(why(zone, true), "");
  EXPECT_EQ(why(zone, false), "label topology.kubernetes.io/zone: asked In [a], not defined");
  EXPECT_EQ(why({"rack", Operator::kExists, {}, {}}, true),
            "label rack: asked Exists, not defined");
  EXPECT_EQ(why({"rack", Operator::kNotIn, {"r1"}, {}}, false), "");
  EXPECT_EQ(why({"rack", Operator::kDoesNotExist, {}, {}}, false), "");
  EXPECT_EQ(why({"team", Operator::kIn, {"ads"}, {}}, true),
            "label team: asked In [ads], allowed In [search]");
  EXPECT_EQ(why({"team", Operator::kDoesNotExist, {}, {}}, true),
            "label team: asked DoesNotExist, allowed In [search]");
}

TEST(Requirements, LabelsAreThePinnedOnes) {
  const Requirements requirements = Requirements::from_specs({
      {"one", Operator::kIn, {"x"}, {}},
      {"two", Operator::kIn, {"x", "y"}, {}},
      {"not", Operator::kNotIn, {"x"}, {}},
      {"none", Operator::kDoesNotExist, {}, {}},
  });
  EXPECT_EQ(requirements.labels(), (StringMap{{"one", "x"}}));
  EXPECT_EQ(requirements.to_string(), "none DoesNotExist, not NotIn [x], one In [x], two In [x y]");
}

TEST(Requirements, AnAbsentKeyAllowsEverything) {
  EXPECT_EQ(Requirements().get("anything").op(), Operator::kExists);
}

TEST(WellKnownLabels, AreKarpentersAndAwsOnes) {
  for (const auto* key : {"karpenter.sh/nodepool", "topology.kubernetes.io/zone",
                          "karpenter.k8s.aws/instance-gpu-name", "topology.k8s.aws/zone-id"}) {
    EXPECT_TRUE(is_well_known_label(key)) << key;
  }
  for (const auto* key : {"kubernetes.io/hostname", "team", "karpenter.sh/registered",
                          "karpenter.k8s.aws/ec2nodeclass"}) {
    EXPECT_FALSE(is_well_known_label(key)) << key;
  }
}

}  // namespace
}  // namespace windlass::api
