#include "live/run/unread.h"

#include <gtest/gtest.h>

#include "live/run/same_object.h"

namespace windlass::live {
namespace {

TEST(Unread, KeepsWhatControllersReadAndNothingElse) {
  api::Pod pod;
  pod.meta.annotations = {{"karpenter.sh/do-not-disrupt", "true"},
                          {"controller.kubernetes.io/pod-deletion-cost", "7"},
                          {"windlass.dev/x", "1"},
                          {"sim.windlass.dev/run-seconds", "9"},
                          {"notkarpenter.sh/x", "1"},
                          {"kubectl.kubernetes.io/last-applied-configuration", "{}"},
                          {"plain", "1"}};
  api::Container container;
  container.name = "c";
  container.env = {{"A", "b"}};
  container.env_from = {{"C", {true, "s", "k"}}};
  container.requests = {{api::kCpu, 100}};
  pod.spec.containers = {container};
  pod.spec.init_containers = {container};
  forget_unread(pod);
  EXPECT_EQ(pod.meta.annotations,
            (api::StringMap{{"karpenter.sh/do-not-disrupt", "true"},
                            {"controller.kubernetes.io/pod-deletion-cost", "7"},
                            {"windlass.dev/x", "1"},
                            {"sim.windlass.dev/run-seconds", "9"}}));
  for (const auto& kept : {pod.spec.containers.front(), pod.spec.init_containers.front()}) {
    EXPECT_TRUE(kept.env.empty());
    EXPECT_TRUE(kept.env_from.empty());
    EXPECT_EQ(kept.name, "c");
    EXPECT_EQ(kept.requests.milli(api::kCpu), 100);
  }
}

TEST(SameObject, OnlyTheStatesOwnCountMayDiffer) {
  api::Pod pod;
  pod.meta.name = "p";
  pod.spec.containers.emplace_back();
  api::Pod other = pod;
  other.meta.resource_version = 9;
  EXPECT_TRUE(same_object(pod, other));
  other.spec.containers.front().requests = {{api::kCpu, 1}};
  EXPECT_FALSE(same_object(pod, other));
  other = pod;
  other.spec.termination_grace = seconds(31);
  EXPECT_FALSE(same_object(pod, other));
  api::Node node;
  api::Node changed = node;
  changed.meta.resource_version = 9;
  EXPECT_TRUE(same_object(node, changed));
  changed.conditions.push_back({"Ready", "True", "", "", {}});
  EXPECT_FALSE(same_object(node, changed));
}

}  // namespace
}  // namespace windlass::live
