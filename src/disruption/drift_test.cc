// Drift (karpenter.md 4.7, the hash 1.1).
#include "disruption/drift.h"

#include <functional>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "disruption/small_cluster.h"

namespace windlass::disruption {
namespace {

struct Made {
  catalog::Catalog types = small_catalog();
  api::NodePool pool;
  api::Ec2NodeClass node_class;
  api::NodeClaim claim;

  // A claim of t-04, two hours old, in line with everything.
  Made() {
    pool.meta.name = "p";
    pool.labels = {{"team", "a"}};
    pool.taints = {{"gpu", "yes", "NoSchedule"}, {"x", "", "NoExecute"}};
    pool.requirements = {{std::string(api::kCapacityTypeLabel), api::Operator::kIn, {"spot"}, {}}};
    node_class.meta.name = "default";
    node_class.ami_family = "AL2023";
    node_class.ami_ids = {"ami-1", "ami-2"};
    claim.meta.name = "c";
    claim.meta.created = kNow - hours(2);
    claim.meta.labels = {{std::string(api::kInstanceTypeLabel), "t-04"},
                         {std::string(api::kCapacityTypeLabel), "spot"},
                         {std::string(api::kZoneLabel), "a"},
                         {"team", "a"}};
    claim.image_id = "ami-1";
    DriftCheck(pool, &node_class, &types).stamp(claim);
  }
  [[nodiscard]] std::string reason() const {
    const auto drift = DriftCheck(pool, &node_class, &types).look(claim, kNow);
    return drift ? std::string(drift->reason) : "";
  }
};

struct Case {
  const char* what;
  std::function<void(Made&)> change;
  const char* reason;
};

TEST(Drift, Kinds) {
  const std::string capacity(api::kCapacityTypeLabel);
  const std::vector<Case> cases{
      {"nothing", [](Made&) {}, ""},
      // Static fields.
      {"label", [](Made& m) { m.pool.labels["team"] = "b"; }, "NodePoolDrifted"},
      {"annotation", [](Made& m) { m.pool.annotations["k"] = "v"; }, "NodePoolDrifted"},
      {"taint", [](Made& m) { m.pool.taints.pop_back(); }, "NodePoolDrifted"},
      {"startup taint",
       [](Made& m) {
         m.pool.startup_taints = {{"s", "", "NoSchedule"}};
       },
       "NodePoolDrifted"},
      {"expireAfter", [](Made& m) { m.pool.expire_after = hours(1); }, "NodePoolDrifted"},
      {"Never", [](Made& m) { m.pool.expire_after.reset(); }, "NodePoolDrifted"},
      {"grace", [](Made& m) { m.pool.termination_grace = hours(1); }, "NodePoolDrifted"},
      {"class", [](Made& m) { m.pool.node_class.name = "other"; }, "NodePoolDrifted"},
      // Lists are sets.
      {"order", [](Made& m) { std::swap(m.pool.taints[0], m.pool.taints[1]); }, ""},
      {"repetition", [](Made& m) { m.pool.taints.push_back(m.pool.taints[0]); }, ""},
      // What never drifts.
      {"weight", [](Made& m) { m.pool.weight = 9; }, ""},
      {"limits",
       [](Made& m) {
         m.pool.limits = {{api::kCpu, 1000}};
       },
       ""},
      {"disruption", [](Made& m) { m.pool.consolidate_after = hours(9); }, ""},
      {"budgets", [](Made& m) { m.pool.budgets.clear(); }, ""},
      // Requirements: not in the hash, judged by the claim's labels.
      {"met",
       [&](Made& m) {
         m.pool.requirements[0].values = {"spot", "on-demand"};
       },
       ""},
      {"unmet", [&](Made& m) { m.pool.requirements[0].values = {"on-demand"}; },
       "RequirementsDrifted"},
      {"unmet, label from the type",
       [](Made& m) {
         m.pool.requirements.push_back(
             {std::string(api::kArchLabel), api::Operator::kIn, {"arm64"}, {}});
       },
       "RequirementsDrifted"},
      {"met, label from the type",
       [](Made& m) {
         m.pool.requirements.push_back(
             {std::string(api::kArchLabel), api::Operator::kIn, {"amd64"}, {}});
       },
       ""},
      {"a label nobody set",
       [](Made& m) {
         m.pool.requirements.push_back({"example.com/rack", api::Operator::kIn, {"7"}, {}});
       },
       ""},
      // Image and node class.
      {"other image", [](Made& m) { m.claim.image_id = "ami-0"; }, "AMIDrift"},
      {"image unknown", [](Made& m) { m.claim.image_id.clear(); }, ""},
      {"images unknown", [](Made& m) { m.node_class.ami_ids.clear(); }, ""},
      {"class field", [](Made& m) { m.node_class.max_pods = 20; }, "NodeClassDrift"},
      {"alias chosen otherwise", [](Made& m) { m.node_class.ami_alias = "al2023@v1"; }, ""},
      // Type on offer.
      {"type gone", [](Made& m) { m.types.types.clear(); }, "InstanceTypeNotFound"},
      {"type gone, in the first hour",
       [](Made& m) {
         m.types.types.clear();
         m.claim.meta.created = kNow - minutes(59);
       },
       ""},
      {"zone gone", [](Made& m) { m.claim.meta.labels[std::string(api::kZoneLabel)] = "z"; },
       "InstanceTypeNotFound"},
      {"out of capacity is not gone",
       [](Made& m) {
         for (auto& type : m.types.types) {
           for (auto& offering : type.offerings) offering.available = false;
         }
       },
       ""},
      // Reservations.
      {"reservation gone",
       [&](Made& m) {
         m.pool.requirements.clear();
         m.claim.meta.labels[capacity] = "reserved";
         m.claim.meta.labels[std::string(api::kReservationIdLabel)] = "cr-1";
       },
       "CapacityReservationDrift"},
  };
  for (const Case& c : cases) {
    Made made;
    c.change(made);
    EXPECT_EQ(made.reason(), c.reason) << c.what;
  }
}

// 1.1: whoever finds another version rewrites, and nothing drifts for it.
TEST(Drift, HashVersions) {
  Made made;
  made.claim.meta.annotations[std::string(kPoolHashVersion)] = "v3";
  made.claim.meta.annotations[std::string(kPoolHash)] = "123";
  made.pool.labels["team"] = "b";
  EXPECT_EQ(made.reason(), "") << "the pool carries no v3 hash";
  made.pool.meta.annotations = made.claim.meta.annotations;
  EXPECT_EQ(made.reason(), "") << "equal as written";
  made.pool.meta.annotations[std::string(kPoolHash)] = "124";
  EXPECT_EQ(made.reason(), "NodePoolDrifted") << "as Karpenter wrote it";
  EXPECT_TRUE(DriftCheck(made.pool, &made.node_class, &made.types).stamp(made.claim));
  EXPECT_EQ(made.reason(), "") << "rewritten";
  EXPECT_FALSE(DriftCheck(made.pool, &made.node_class, &made.types).stamp(made.claim));
}

// Equal hashes for permuted lists, other hashes for another template.
RC_GTEST_PROP(Drift, HashIsThatOfSets, ()) {
  const auto keys = *rc::gen::container<std::vector<std::string>>(
      rc::gen::container<std::string>(3, rc::gen::inRange('a', 'd')));
  api::NodePool a;
  for (const std::string& key : keys) a.taints.push_back({key, "", "NoSchedule"});
  api::NodePool b = a;
  std::reverse(b.taints.begin(), b.taints.end());
  if (!b.taints.empty()) b.taints.push_back(b.taints.front());
  RC_ASSERT(template_hash(a) == template_hash(b));
  b.taints.push_back({"zzz", "", "NoSchedule"});
  RC_ASSERT(template_hash(a) != template_hash(b));
}

}  // namespace
}  // namespace windlass::disruption
