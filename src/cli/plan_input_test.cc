#include "cli/plan_input.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace windlass::cli {
namespace {

constexpr Instant kNow{1'700'000'000'000'000'000};

class PlanInputTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              ("plan_input_" + std::to_string(::testing::UnitTest::GetInstance()->random_seed()) +
               ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string write(const std::string& name, const std::string& text) {
    const std::string path = (folder_ / name).string();
    std::ofstream(path) << text;
    return path;
  }
  std::filesystem::path folder_;
};

constexpr const char* kWorkloads = R"(
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {priorityClassName: high, containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web-0, namespace: shop, labels: {app: web}}
spec: {nodeName: n1, containers: [{name: c, image: i}]}
---
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: high}
value: 1000
---
apiVersion: batch/v1
kind: Job
metadata: {name: train, namespace: shop}
spec:
  parallelism: 4
  completions: 2
  template: {spec: {restartPolicy: Never, containers: [{name: c, image: i}]}}
---
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {name: gpu}
spec:
  template:
    spec:
      requirements: []
      nodeClassRef: {group: karpenter.k8s.aws, kind: EC2NodeClass, name: none}
---
apiVersion: v1
kind: Node
metadata:
  name: n1
  labels: {karpenter.sh/nodepool: gpu, node.kubernetes.io/instance-type: g6.xlarge}
)";

TEST_F(PlanInputTest, ExpandsWorkloadsAndCompletesNodes) {
  const auto input = read_plan_input({write("a.yaml", kWorkloads)}, "", kNow);
  ASSERT_TRUE(input.ok()) << input.error().message();
  const auto& pods = input->state.pods();
  ASSERT_EQ(pods.size(), 5U);  // web-0 is there, web-1 and web-2 are made; train has 2 to go
  EXPECT_FALSE(pods.at("shop/web-0").unschedulable_since.has_value());
  EXPECT_EQ(pods.at("shop/web-2").spec.priority, 1000);
  EXPECT_EQ(pods.at("shop/web-2").unschedulable_since, kNow);
  EXPECT_NE(pods.find("shop/train-1"), nullptr);
  const api::Node& node = input->state.nodes().at("n1");
  EXPECT_EQ(node.allocatable.milli("nvidia.com/gpu"), 1000);
  EXPECT_TRUE(api::is_true(node.conditions, "Ready"));
  const api::NodeClaim* claim = input->state.claim_of_node("n1");
  ASSERT_NE(claim, nullptr);
  EXPECT_EQ(claim->pool(), "gpu");
  EXPECT_TRUE(api::is_true(claim->conditions, "Initialized"));
}

TEST_F(PlanInputTest, ReadsDirectoriesByName) {
  write("b.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: b}\n");
  write("a.yml", kWorkloads);
  write("notes.txt", "not a manifest");
  const auto input = read_plan_input({folder_.string()}, "", kNow);
  ASSERT_TRUE(input.ok()) << input.error().message();
  EXPECT_EQ(input->state.pods().size(), 5U);
}

TEST_F(PlanInputTest, SaysWhatIsWrong) {
  const std::string good = write("good.yaml", kWorkloads);
  struct Case {
    std::vector<std::string> paths;
    std::string catalog;
    const char* message;
  };
  const Case cases[] = {
      {{"nowhere.yaml"}, "", "nowhere.yaml: no such file"},
      {{write("broken.yaml", "kind: [")}, "", "broken.yaml:1"},
      {{good, good}, "", "stands in the manifests twice"},
      {{good}, "nowhere.json", "nowhere.json: can't be read"},
      {{good}, write("types.json", "[]"), "has no instance types"},
  };
  for (const Case& c : cases) {
    const auto input = read_plan_input(c.paths, c.catalog, kNow);
    ASSERT_FALSE(input.ok()) << c.message;
    EXPECT_NE(input.error().message().find(c.message), std::string::npos)
        << input.error().message();
  }
  std::filesystem::create_directories(folder_ / "empty");
  EXPECT_FALSE(read_plan_input({(folder_ / "empty").string()}, "", kNow).ok());
}

}  // namespace
}  // namespace windlass::cli
