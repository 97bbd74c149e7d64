#include "cli/install_command.h"

#include <algorithm>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace windlass::cli {
namespace {

std::vector<std::string> kinds(const InstallOptions& options, const Present& present = {}) {
  std::vector<std::string> out;
  const auto objects = install_objects(options, present);
  if (!objects.ok()) return {objects.error().message()};
  for (const Json& object : *objects) {
    out.push_back(object["kind"].get<std::string>() + "/" +
                  object["metadata"]["name"].get<std::string>());
  }
  return out;
}

size_t count(const std::vector<std::string>& all, std::string_view part) {
  return static_cast<size_t>(std::ranges::count_if(
      all, [&](const std::string& one) { return one.find(part) != std::string::npos; }));
}

TEST(InstallCommand, NamespaceAndCrdsComeBeforeWhatNeedsThem) {
  const auto all = kinds({});
  ASSERT_GT(all.size(), 9U);
  EXPECT_EQ(all[0], "Namespace/windlass");
  for (size_t i = 1; i <= 8; ++i) EXPECT_EQ(count({all[i]}, "CustomResourceDefinition/"), 1U) << i;
  EXPECT_EQ(all[9], "ServiceAccount/windlass");
  EXPECT_EQ(count(all, "CustomResourceDefinition/"), 8U);
}

TEST(InstallCommand, WhatIsThereIsLeftOut) {
  const auto all = kinds({}, {.crds = {"nodepools.karpenter.sh", "foos.example.com"}});
  EXPECT_EQ(count(all, "CustomResourceDefinition/"), 7U);
  EXPECT_EQ(count(all, "nodepools.karpenter.sh"), 0U);
  EXPECT_EQ(count(kinds({.without_crds = true}), "CustomResourceDefinition/"), 0U);
  EXPECT_EQ(kinds({.only_crds = true}).size(), 8U);
}

TEST(InstallCommand, ServiceMonitorWhereItsKindIs) {
  EXPECT_EQ(count(kinds({}), "ServiceMonitor/"), 0U);
  EXPECT_EQ(count(kinds({}, {.service_monitors = true}), "ServiceMonitor/"), 1U);
  EXPECT_EQ(count(kinds({.service_monitor = true}), "ServiceMonitor/"), 1U);
}

TEST(InstallCommand, RolesFollowWhatIsDone) {
  struct Case {
    InstallOptions options;
    size_t act, take_over, simulated;
  };
  const Case cases[] = {{{.cloud = "aws"}, 2, 0, 0},
                        {{.observe = true}, 0, 0, 0},
                        {{.take_over = true}, 2, 2, 6},
                        {{.cloud = "simulated"}, 2, 0, 6},
                        {{.cloud = "simulated", .observe = true}, 0, 0, 0}};
  for (const Case& c : cases) {
    const auto all = kinds(c.options);
    EXPECT_EQ(count(all, "/windlass-act"), c.act);
    EXPECT_EQ(count(all, "/windlass-take-over"), c.take_over);
    EXPECT_EQ(count(all, "/windlass-simulated-cloud"), c.simulated);
  }
}

TEST(InstallCommand, OptionsReachTheDeployment) {
  const auto objects = install_objects(
      {.namespace_name = "gpu", .image = "r/w@sha256:1", .replicas = 3, .cloud = "simulated"}, {});
  ASSERT_TRUE(objects.ok());
  for (const Json& object : *objects) {
    if (object["kind"] != "Deployment") continue;
    EXPECT_EQ(object["metadata"]["namespace"], "gpu");
    EXPECT_EQ(object["spec"]["replicas"], 3);
    const Json& container = object["spec"]["template"]["spec"]["containers"][0];
    EXPECT_EQ(container["image"], "r/w@sha256:1");
    EXPECT_NE(container["env"].dump().find(R"({"name":"WINDLASS_CLOUD","value":"simulated"})"),
              std::string::npos);
  }
}

TEST(InstallCommand, AConfigurationIsMounted) {
  EXPECT_EQ(count(kinds({}), "ConfigMap/"), 0U);
  // The simulated cloud keeps its instances in the namespace it has rights in.
  const auto objects = install_objects({.namespace_name = "gpu"}, {});
  ASSERT_TRUE(objects.ok());
  for (const Json& object : *objects) {
    if (object["kind"] == "ConfigMap") {
      EXPECT_EQ(object["data"]["config.yaml"],
                "apiVersion: windlass.dev/v1alpha1\nkind: Config\nsimulated:\n  namespace: gpu\n");
      EXPECT_EQ(object["metadata"]["namespace"], "gpu");
    }
    if (object["kind"] == "Deployment") {
      EXPECT_NE(object.dump().find("/etc/windlass/config.yaml"), std::string::npos);
    }
  }
  EXPECT_EQ(count(kinds({.namespace_name = "gpu", .cloud = "aws"}), "ConfigMap/"), 0U);
  EXPECT_EQ(kinds({.config = "/nowhere"}),
            std::vector<std::string>{"--config: can't read /nowhere"});
}

TEST(InstallCommand, TextIsDocumentsOrAList) {
  const std::vector<Json> objects{{{"kind", "A"}}, {{"kind", "B"}}};
  EXPECT_EQ(install_text(objects, "yaml"), "kind: A\n---\nkind: B\n");
  EXPECT_EQ(parse_json(install_text(objects, "json"))->at("items").size(), 2U);
  EXPECT_EQ(install_text({}, "yaml"), "");
}

}  // namespace
}  // namespace windlass::cli
