#include "api/taints.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace windlass::api {
namespace {

struct Case {
  std::string what;
  Toleration toleration;
  Taint taint;
  bool tolerated;
};

TEST(Toleration, FollowsKubernetes) {
  const Taint gpu{"nvidia.com/gpu", "true", "NoSchedule"};
  const std::vector<Case> cases{
      {"equal", {"nvidia.com/gpu", "Equal", "true", "NoSchedule", {}}, gpu, true},
      {"absent operator is Equal", {"nvidia.com/gpu", "", "true", "NoSchedule", {}}, gpu, true},
      {"other value", {"nvidia.com/gpu", "Equal", "false", "NoSchedule", {}}, gpu, false},
      {"value is not read by Exists", {"nvidia.com/gpu", "Exists", "x", "", {}}, gpu, true},
      {"every effect", {"nvidia.com/gpu", "Equal", "true", "", {}}, gpu, true},
      {"other effect", {"nvidia.com/gpu", "Exists", "", "NoExecute", {}}, gpu, false},
      {"other key", {"amd.com/gpu", "Exists", "", "", {}}, gpu, false},
      {"everything", {"", "Exists", "", "", {}}, gpu, true},
      {"everything of one effect", {"", "Exists", "", "NoExecute", {}}, gpu, false},
      {"empty values are equal", {"k", "Equal", "", "", {}}, {"k", "", "NoExecute"}, true},
      {"unknown operator", {"nvidia.com/gpu", "Like", "true", "", {}}, gpu, false},
  };
  for (const Case& c : cases) EXPECT_EQ(c.toleration.tolerates(c.taint), c.tolerated) << c.what;
}

TEST(FirstUntolerated, TakesTheFirstThatCounts) {
  const std::vector<Taint> taints{
      {"soft", "", "PreferNoSchedule"}, {"a", "1", "NoSchedule"}, {"b", "", "NoExecute"}};
  const auto first = [&](const std::vector<Toleration>& tolerations, bool soft) -> std::string {
    const Taint* taint = first_untolerated(taints, tolerations, soft);
    return taint == nullptr ? "" : to_string(*taint);
  };
  const Toleration a{"a", "Exists", "", "", {}};
  const Toleration b{"b", "Exists", "", "", {}};
  EXPECT_EQ(first({}, false), "a=1:NoSchedule");
  EXPECT_EQ(first({}, true), "soft:PreferNoSchedule");
  EXPECT_EQ(first({a}, false), "b:NoExecute");
  EXPECT_EQ(first({b, a}, false), "");
  EXPECT_EQ(first({b, a}, true), "soft:PreferNoSchedule");
}

RC_GTEST_PROP(TolerationLaw, AnExistsWithoutKeyOrEffectToleratesAll, ()) {
  const auto word = rc::gen::elementOf(std::vector<std::string>{"", "a", "b"});
  const auto effect =
      rc::gen::elementOf(std::vector<std::string>{"NoSchedule", "PreferNoSchedule", "NoExecute"});
  const Taint taint{*word, *word, *effect};
  RC_ASSERT((Toleration{"", "Exists", "", "", {}}.tolerates(taint)));
  // Naming an effect narrows a toleration to that effect and does nothing else.
  const Toleration wide{
      *word, *rc::gen::elementOf(std::vector<std::string>{"Equal", "Exists"}), *word, "", {}};
  Toleration narrow = wide;
  narrow.effect = *effect;
  RC_ASSERT(narrow.tolerates(taint) == (wide.tolerates(taint) && narrow.effect == taint.effect));
}

}  // namespace
}  // namespace windlass::api
