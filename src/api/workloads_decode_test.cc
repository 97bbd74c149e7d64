#include <gtest/gtest.h>

#include "api/manifest_fixture.h"

namespace windlass::api {
namespace {

constexpr std::string_view kDeployment = R"(apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}, matchExpressions: [{key: app, operator: In, values: [web]}]}
  template:
    metadata: {labels: {app: web}, annotations: {a: b}}
    spec: {containers: [{name: c, resources: {limits: {nvidia.com/gpu: 1}}}]}
status: {replicas: 3, readyReplicas: 2}
)";

TEST(DeploymentDecode, ReadsEveryField) {
  const auto deployment = only<Deployment>(kDeployment);
  EXPECT_EQ(deployment.meta.key(), "default/web");
  EXPECT_EQ(deployment.replicas, 3);
  EXPECT_EQ(deployment.status_replicas, 3);
  EXPECT_EQ(deployment.ready_replicas, 2);
  EXPECT_TRUE(deployment.selector.matches({{"app", "web"}}));
  EXPECT_EQ(deployment.pod_template.annotations, (StringMap{{"a", "b"}}));
  EXPECT_EQ(pod_requests(deployment.pod_template.spec).milli(kNvidiaGpu), 1000);
  EXPECT_EQ(only<Deployment>(with(kDeployment, "  replicas: 3\n", "")).replicas, 1);
}

TEST(DeploymentDecode, Refusals) {
  const std::vector<Refusal> cases{
      {"replicas: 3\n", "replicas: -1\n", "spec.replicas: found the number -1"},
      {"replicas: 3\n", "replicas: \"3\"\n", "spec.replicas: found the string \"3\""},
      {"{labels: {app: web}", "{labels: {app: db}", "selector: does not match the labels"},
      {"operator: In, values: [web]", "operator: In", "matchExpressions[0].values: is empty"},
      {"operator: In, values: [web]", "operator: Gt, values: ['1']", "found \"Gt\""},
      {"  selector: {matchLabels: {app: web}, matchExpressions: [{key: app, operator: In, values: "
       "[web]}]}\n",
       "", "spec.selector: is missing"},
      {"containers: [{name: c, resources: {limits: {nvidia.com/gpu: 1}}}]", "containers: []",
       "containers: is empty"},
      {"    spec: {containers: [{name: c, resources: {limits: {nvidia.com/gpu: 1}}}]}\n", "",
       "spec.template.spec: is missing"},
      {"apps/v1\n", "apps/v1\nkind: Deployment\n", "the key \"kind\" is there twice"},
  };
  for (const Refusal& c : cases) {
    const std::string errors = errors_of(with(kDeployment, c.from, c.to));
    EXPECT_NE(errors.find(c.error), std::string::npos) << c.to << " -> " << errors;
  }
}

TEST(DaemonSetDecode, ReadsEveryField) {
  const auto set = only<DaemonSet>(R"(apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent, namespace: kube-system}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec: {containers: [{name: c, resources: {requests: {cpu: 50m}}}]}
)");
  EXPECT_EQ(set.meta.key(), "kube-system/agent");
  EXPECT_EQ(pod_requests(set.pod_template.spec).milli(kCpu), 50);
}

constexpr std::string_view kJob = R"(apiVersion: batch/v1
kind: Job
metadata: {name: train}
spec:
  parallelism: 4
  completions: 8
  backoffLimit: 2
  template:
    spec: {restartPolicy: Never, containers: [{name: c}]}
status: {succeeded: 3, failed: 1, completionTime: "2026-03-01T00:00:00Z"}
)";

TEST(JobDecode, ReadsEveryField) {
  const auto job = only<Job>(kJob);
  EXPECT_EQ(job.parallelism, 4);
  EXPECT_EQ(job.completions, 8);
  EXPECT_EQ(job.backoff_limit, 2);
  EXPECT_EQ(job.succeeded, 3);
  EXPECT_EQ(job.failed, 1);
  EXPECT_TRUE(job.completed_at.has_value());
  EXPECT_EQ(only<Job>(with(kJob, "  completions: 8\n", "")).completions, 4) << "a work queue";
  EXPECT_EQ(only<Job>(with(kJob, "  backoffLimit: 2\n", "")).backoff_limit, 6);
  EXPECT_NE(errors_of(with(kJob, "restartPolicy: Never, ", "")).find("restartPolicy: is missing"),
            std::string::npos);
  EXPECT_NE(errors_of(with(kJob, "restartPolicy: Never", "restartPolicy: Always"))
                .find("(accepted: Never, OnFailure)"),
            std::string::npos);
}

TEST(PriorityClassDecode, ReadsEveryField) {
  constexpr std::string_view kText =
      "apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {name: low}\nvalue: -5\n"
      "globalDefault: true\npreemptionPolicy: Never\n";
  const auto low = only<PriorityClass>(kText);
  EXPECT_EQ(low.value, -5);
  EXPECT_TRUE(low.global_default);
  EXPECT_FALSE(low.preempts);
  EXPECT_NE(errors_of(with(kText, "value: -5\n", "")).find("value: is missing"), std::string::npos);
  const std::string high = with(kText, "-5", "2000000000");
  EXPECT_NE(errors_of(high).find("value: found"), std::string::npos);
  EXPECT_EQ(errors_of(with(high, "name: low", "name: system-x")), "");
}

TEST(PodDisruptionBudgetDecode, ReadsEveryField) {
  constexpr std::string_view kText =
      "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: b}\n"
      "spec: {minAvailable: 50%, selector: {matchLabels: {app: web}}}\n";
  const auto budget = only<PodDisruptionBudget>(kText);
  EXPECT_EQ(budget.min_available->value, 50);
  EXPECT_TRUE(budget.min_available->percent);
  EXPECT_FALSE(budget.max_unavailable.has_value());
  EXPECT_TRUE(budget.selector.matches({{"app", "web"}}));
  const auto absolute =
      only<PodDisruptionBudget>(with(kText, "minAvailable: 50%", "maxUnavailable: 1"));
  EXPECT_EQ(absolute.max_unavailable->value, 1);
  EXPECT_FALSE(absolute.max_unavailable->percent);
  for (const char* bad :
       {"minAvailable: 101%", "minAvailable: -1", "minAvailable: x", "minAvailable: 5.5",
        "minAvailable: '5'", "minAvailable: -5%", "minAvailable: 1, maxUnavailable: 1"}) {
    EXPECT_NE(errors_of(with(kText, "minAvailable: 50%", bad)), "") << bad;
  }
}

TEST(PodDisruptionBudgetDecode, NoSelectorSelectsNothingAnEmptyOneEverything) {
  const auto read = [](const char* spec) {
    return only<PodDisruptionBudget>(
        "{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: b}, spec: " +
        std::string(spec) + "}");
  };
  const auto nothing = read("{maxUnavailable: 1}");
  EXPECT_FALSE(nothing.selector.matches({}));
  EXPECT_FALSE(nothing.selector.matches({{"app", "web"}}));
  EXPECT_FALSE(encode(nothing)["spec"].contains("selector"));
  EXPECT_TRUE(read("{maxUnavailable: 1, selector: {}}").selector.matches({{"app", "web"}}));
}

TEST(Selector, Matches) {
  using Op = LabelSelectorTerm::Op;
  const StringMap labels{{"app", "web"}, {"tier", "front"}};
  struct Case {
    LabelSelectorTerm term;
    bool matches;
  };
  for (const Case& c : std::vector<Case>{{{"app", Op::kIn, {"db", "web"}}, true},
                                         {{"app", Op::kIn, {"db"}}, false},
                                         {{"zone", Op::kIn, {"a"}}, false},
                                         {{"app", Op::kNotIn, {"web"}}, false},
                                         {{"app", Op::kNotIn, {"db"}}, true},
                                         {{"zone", Op::kNotIn, {"a"}}, true},
                                         {{"app", Op::kExists, {}}, true},
                                         {{"zone", Op::kExists, {}}, false},
                                         {{"zone", Op::kDoesNotExist, {}}, true},
                                         {{"app", Op::kDoesNotExist, {}}, false}}) {
    EXPECT_EQ((LabelSelector{{{"tier", "front"}}, {c.term}}.matches(labels)), c.matches);
    EXPECT_FALSE((LabelSelector{{{"tier", "back"}}, {c.term}}.matches(labels)));
  }
  EXPECT_TRUE(LabelSelector{}.matches({}));
}

TEST(Conditions, ChangedMovesOnlyWithTheStatus) {
  std::vector<Condition> conditions;
  EXPECT_TRUE(set_condition(conditions, {"Ready", "False", "a", "", Instant{1}}));
  EXPECT_FALSE(set_condition(conditions, {"Ready", "False", "a", "", Instant{2}}));
  EXPECT_TRUE(set_condition(conditions, {"Ready", "False", "b", "", Instant{3}}));
  EXPECT_EQ(conditions[0].changed, Instant{1});
  EXPECT_TRUE(set_condition(conditions, {"Ready", "True", "b", "", Instant{4}}));
  EXPECT_EQ(conditions[0].changed, Instant{4});
  EXPECT_TRUE(is_true(conditions, "Ready"));
  EXPECT_FALSE(is_true(conditions, "Other"));
  EXPECT_EQ(find_condition(conditions, "Other"), nullptr);
}

}  // namespace
}  // namespace windlass::api
