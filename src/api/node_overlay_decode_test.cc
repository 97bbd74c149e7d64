#include <gtest/gtest.h>

#include "api/manifest_fixture.h"

namespace windlass::api {
namespace {

constexpr std::string_view kOverlay = R"(apiVersion: karpenter.sh/v1alpha1
kind: NodeOverlay
metadata: {name: o}
spec:
  requirements:
    - {key: karpenter.sh/nodepool, operator: In, values: [gpu]}
    - {key: karpenter.k8s.aws/instance-gpu-count, operator: Gte, values: ["4"]}
  price: "1.5"
  capacity: {nvidia.com/gpu: 8}
  weight: 10
)";

// karpenter.md 1.5.
TEST(NodeOverlayDecode, ReadsEveryField) {
  const auto overlay = only<NodeOverlay>(kOverlay);
  EXPECT_EQ(overlay.requirements.size(), 2U);
  EXPECT_EQ(overlay.requirements[1].op, Operator::kGte);
  EXPECT_EQ(overlay.price_usd_per_hour, 1.5);
  EXPECT_EQ(overlay.capacity.milli(kNvidiaGpu), 8000);
  EXPECT_EQ(overlay.weight, 10);
  EXPECT_EQ(warnings_of(kOverlay), "");
  for (const char* change : {"+10%", "-10%", "-100%", "+0.05", "-2", "+250%"}) {
    const std::string text =
        with(kOverlay, "price: \"1.5\"", "priceAdjustment: \"" + std::string(change) + "\"");
    EXPECT_EQ(only<NodeOverlay>(text).price_adjustment, change);
  }
}

TEST(NodeOverlayDecode, RefusesWhatKarpenterRefuses) {
  const std::vector<Refusal> cases{
      {"price: \"1.5\"", "price: 1.5", "put it in quotes"},
      {"price: \"1.5\"", "price: \"-1\"", "accepted: dollars per hour"},
      {"price: \"1.5\"", "price: \"1.5\"\n  priceAdjustment: +1%", "stands beside price"},
      {"price: \"1.5\"", "priceAdjustment: 10%", "accepted: a change like"},
      {"price: \"1.5\"", "priceAdjustment: -101%", "accepted: a change like"},
      {"price: \"1.5\"", "priceAdjustment: +", "accepted: a change like"},
      {"nvidia.com/gpu: 8", "cpu: 8", "cpu can't be overlaid"},
      {"nvidia.com/gpu: 8", "vpc.amazonaws.com/efa: 8", "can't be overlaid"},
      {"weight: 10", "weight: 10001", "a whole number from 1 to 10000"},
      {"karpenter.sh/nodepool", "karpenter.sh/other", "none of its labels"},
  };
  for (const Refusal& c : cases) {
    const std::string errors = errors_of(with(kOverlay, c.from, c.to));
    EXPECT_NE(errors.find(c.error), std::string::npos) << c.to << " -> " << errors;
  }
}

// karpenter.md 1.4 (status).
TEST(NodeClassDecode, ReadsReservationsAndImages) {
  const std::string text =
      "apiVersion: karpenter.k8s.aws/v1\nkind: EC2NodeClass\nmetadata: {name: c, annotations: "
      "{windlass.dev/capacity-reservations-left: 'cr-1=3, cr-9=1'}}\nspec: {amiSelectorTerms: "
      "[{alias: al2023@latest}], role: r, subnetSelectorTerms: [{id: s}], "
      "securityGroupSelectorTerms: [{id: g}]}\nstatus:\n  amis: [{id: ami-1}]\n"
      "  capacityReservations:\n"
      "    - {id: cr-1, availabilityZone: us-east-1a, instanceType: p5.48xlarge, reservationType: "
      "capacity-block, state: active, endTime: '2026-03-01T00:00:00Z'}\n"
      "    - {id: cr-2, zone: us-east-1b, instanceType: g5.xlarge, state: expiring}\n";
  const auto node_class = only<Ec2NodeClass>(text);
  EXPECT_EQ(node_class.ami_ids, (std::vector<std::string>{"ami-1"}));
  ASSERT_EQ(node_class.reservations.size(), 2U);
  EXPECT_EQ(node_class.reservations[0],
            (CapacityReservation{"cr-1", "us-east-1a", "p5.48xlarge", "capacity-block", true, 3,
                                 *parse_rfc3339("2026-03-01T00:00:00Z")}));
  EXPECT_EQ(node_class.reservations[1],
            (CapacityReservation{"cr-2", "us-east-1b", "g5.xlarge", "default", false, std::nullopt,
                                 std::nullopt}));
  EXPECT_NE(errors_of(with(text, "cr-9=1", "cr-9")).find("counts by reservation"),
            std::string::npos);
}

}  // namespace
}  // namespace windlass::api
