#include <gtest/gtest.h>

#include "api/manifest_fixture.h"

namespace windlass::api {
namespace {

constexpr std::string_view kJob = R"(apiVersion: keda.sh/v1alpha1
kind: ScaledJob
metadata: {name: s}
spec:
  jobTargetRef:
    parallelism: 2
    template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c}]}}
  pollingInterval: 10
  minReplicaCount: 1
  maxReplicaCount: 20
  successfulJobsHistoryLimit: 5
  rollout: {strategy: gradual}
  envSourceContainerName: c
  scalingStrategy:
    strategy: custom
    customScalingQueueLengthDeduction: 1
    customScalingRunningJobPercentage: "0.5"
    pendingPodConditions: [Ready]
    multipleScalersCalculation: sum
  triggers:
    - {type: prometheus, metadata: {query: up}, authenticationRef: {name: a}}
)";

// keda_hpa.md 1.9.
TEST(ScaledJobDecode, ReadsEveryField) {
  const auto job = only<ScaledJob>(kJob);
  EXPECT_EQ(job.job.parallelism, 2);
  EXPECT_EQ(job.job.completions, 2);
  EXPECT_EQ(job.job.meta.labels, (StringMap{{"a", "b"}}));
  EXPECT_EQ(job.polling_interval, seconds(10));
  EXPECT_EQ(job.min_replicas, 1);
  EXPECT_EQ(job.max_replicas, 20);
  EXPECT_EQ(job.successful_history, 5);
  EXPECT_EQ(job.failed_history, 100);
  EXPECT_TRUE(job.gradual_rollout);
  EXPECT_EQ(job.env_source_container, "c");
  EXPECT_EQ(job.strategy.kind, ScaledJobStrategy::Kind::kCustom);
  EXPECT_EQ(job.strategy.queue_length_deduction, 1);
  EXPECT_EQ(job.strategy.running_job_percentage, "0.5");
  EXPECT_EQ(job.strategy.pending_pod_conditions, (std::vector<std::string>{"Ready"}));
  EXPECT_EQ(job.strategy.combine, ScaledJobStrategy::Combine::kSum);
  EXPECT_EQ(job.triggers[0].auth->name, "a");
  EXPECT_EQ(warnings_of(kJob), "");
}

TEST(ScaledJobDecode, RefusesWhatKedaRefuses) {
  const std::vector<Refusal> cases{
      {"pollingInterval: 10", "pollingInterval: 0", "a whole number of at least 1"},
      {"strategy: gradual", "strategy: slow", "accepted: gradual, immediate"},
      {"authenticationRef", "metricType: Value, authenticationRef", "is not for ScaledJobs"},
      {"{name: a}", "{kind: ClusterTriggerAuthentication}", "authenticationRef.name: is missing"},
      {"{name: a}", "{name: a, kind: Secret}", "accepted: , TriggerAuthentication"},
      {"containers: [{name: c}]", "containers: []", "containers: is empty"},
  };
  for (const Refusal& c : cases) {
    const std::string errors = errors_of(with(kJob, c.from, c.to));
    EXPECT_NE(errors.find(c.error), std::string::npos) << c.to << " -> " << errors;
  }
}

TEST(ScaledJobDecode, WhatKedaTakesForTheDefaultIsSaid) {
  const std::vector<Refusal> cases{
      {"strategy: custom", "strategy: fast", "read as default, as KEDA does"},
      {"Calculation: sum", "Calculation: most", "read as max, as KEDA does"},
      {"\"0.5\"", "half", "is not a number, so KEDA takes the default strategy"},
      {"rollout: {strategy: gradual}", "rolloutStrategy: gradual", "is deprecated"},
  };
  for (const Refusal& c : cases) {
    const std::string text = with(kJob, c.from, c.to);
    EXPECT_EQ(errors_of(text), "");
    EXPECT_NE(warnings_of(text).find(c.error), std::string::npos) << c.to << warnings_of(text);
  }
}

// keda_hpa.md 1.10.
TEST(TriggerAuthenticationDecode, KnowsWhereParametersComeFrom) {
  const std::string text =
      "apiVersion: keda.sh/v1alpha1\nkind: TriggerAuthentication\nmetadata: {name: t}\nspec:\n"
      "  secretTargetRef: [{parameter: token, name: s, key: k}]\n"
      "  configMapTargetRef: [{parameter: ca, name: m, key: k}]\n"
      "  env: [{parameter: p, name: E, containerName: c}]\n"
      "  podIdentity: {provider: aws}\n";
  const auto auth = only<TriggerAuthentication>(text);
  EXPECT_EQ(auth.meta.key(), "default/t");
  ASSERT_EQ(auth.sources.size(), 3U);
  EXPECT_EQ(auth.sources[0].kind, AuthSource::Kind::kSecret);
  EXPECT_EQ(auth.sources[0].key, "k");
  EXPECT_EQ(auth.sources[1].parameter, "ca");
  EXPECT_EQ(auth.sources[2].container, "c");
  EXPECT_EQ(auth.unread_sources, (std::vector<std::string>{"podIdentity"}));
  EXPECT_NE(warnings_of(text).find("spec.podIdentity: is kept but not followed"),
            std::string::npos);
  EXPECT_NE(errors_of(with(text, ", key: k", "")).find("secretTargetRef[0].key: is missing"),
            std::string::npos);
}

TEST(TriggerAuthenticationDecode, TheClusterKindHasNoNamespace) {
  const Manifests manifests = read_manifests(
      "{apiVersion: keda.sh/v1alpha1, kind: ClusterTriggerAuthentication, metadata: {name: t}, "
      "spec: {env: [{parameter: p, name: E}]}}\n---\n"
      "{apiVersion: keda.sh/v1alpha1, kind: TriggerAuthentication, metadata: {name: t}, "
      "spec: {env: [{parameter: p, name: E}]}}\n",
      "m.yaml");
  ASSERT_EQ(manifests.objects.size(), 2U) << lines_of(manifests.errors);
  EXPECT_EQ(kind_of(manifests.objects[0]), "ClusterTriggerAuthentication");
  EXPECT_EQ(meta_of(manifests.objects[0]).key(), "t");
  EXPECT_EQ(kind_of(manifests.objects[1]), "TriggerAuthentication");
}

}  // namespace
}  // namespace windlass::api
