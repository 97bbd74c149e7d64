#include <gtest/gtest.h>

#include "api/manifest_fixture.h"

namespace windlass::api {
namespace {

constexpr std::string_view kPod = R"(apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  resourceClaims: [{name: gpu}]
  containers:
    - name: c
      ports: [{containerPort: 80}, {containerPort: 81, hostPort: 8081, hostIP: 10.0.0.1, protocol: UDP}]
      env:
        - {name: T, valueFrom: {secretKeyRef: {name: s, key: k}}}
        - {name: M, valueFrom: {configMapKeyRef: {name: m, key: k}}}
  volumes:
    - {name: a, persistentVolumeClaim: {claimName: claim-a}}
    - {name: b, ephemeral: {volumeClaimTemplate: {spec: {storageClassName: gp3}}}}
    - {name: c, emptyDir: {}}
  affinity:
    podAffinity:
      preferredDuringSchedulingIgnoredDuringExecution:
        - weight: 7
          podAffinityTerm: {topologyKey: topology.kubernetes.io/zone, labelSelector: {}}
    podAntiAffinity:
      requiredDuringSchedulingIgnoredDuringExecution:
        - topologyKey: failure-domain.beta.kubernetes.io/zone
          labelSelector: {matchLabels: {app: web}}
          namespaces: [other]
          namespaceSelector: {}
          matchLabelKeys: [hash]
          mismatchLabelKeys: [tenant]
        - {topologyKey: kubernetes.io/hostname}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: topology.kubernetes.io/zone
      whenUnsatisfiable: DoNotSchedule
      minDomains: 3
      nodeAffinityPolicy: Ignore
      nodeTaintsPolicy: Honor
      matchLabelKeys: [hash]
      labelSelector: {matchLabels: {app: web}}
)";

TEST(AffinityDecode, ReadsTermsAboutOtherPods) {
  const auto pod = only<Pod>(kPod);
  EXPECT_EQ(warnings_of(kPod), "");
  ASSERT_EQ(pod.spec.affinity.preferred.size(), 1U);
  EXPECT_EQ(pod.spec.affinity.preferred[0].weight, 7);
  EXPECT_TRUE(pod.spec.affinity.preferred[0].term.selector.matches({{"any", "thing"}}));
  EXPECT_TRUE(pod.spec.affinity.required.empty());
  ASSERT_EQ(pod.spec.anti_affinity.required.size(), 2U);
  const PodAffinityTerm& term = pod.spec.anti_affinity.required[0];
  EXPECT_EQ(term.topology_key, kZoneLabel) << "made stable";
  EXPECT_TRUE(term.selector.matches({{"app", "web"}}));
  EXPECT_EQ(term.namespaces, (std::vector<std::string>{"other"}));
  EXPECT_TRUE(term.namespace_selector.has_value());
  EXPECT_EQ(term.match_label_keys, (std::vector<std::string>{"hash"}));
  EXPECT_EQ(term.mismatch_label_keys, (std::vector<std::string>{"tenant"}));
  const PodAffinityTerm& bare = pod.spec.anti_affinity.required[1];
  EXPECT_FALSE(bare.namespace_selector.has_value());
  EXPECT_FALSE(bare.selector.matches({})) << "no selector selects nothing";
}

TEST(AffinityDecode, ReadsSpreadPolicies) {
  const TopologySpreadConstraint spread = only<Pod>(kPod).spec.topology_spread.at(0);
  EXPECT_EQ(spread.min_domains, 3);
  EXPECT_FALSE(spread.honor_node_affinity);
  EXPECT_TRUE(spread.honor_node_taints);
  EXPECT_EQ(spread.match_label_keys, (std::vector<std::string>{"hash"}));
  std::string plain = with(kPod, "      nodeAffinityPolicy: Ignore\n", "");
  plain = with(plain, "      nodeTaintsPolicy: Honor\n", "");
  const TopologySpreadConstraint absent = only<Pod>(plain).spec.topology_spread.at(0);
  EXPECT_TRUE(absent.honor_node_affinity);
  EXPECT_FALSE(absent.honor_node_taints);
}

TEST(PodDecode, ReadsPortsVolumesClaimsAndSources) {
  const auto pod = only<Pod>(kPod);
  const Container& container = pod.spec.containers.at(0);
  EXPECT_EQ(container.host_ports, (std::vector<HostPort>{{"10.0.0.1", 8081, "UDP"}}));
  EXPECT_EQ(container.env_from.at("T"), (ObjectKey{true, "s", "k"}));
  EXPECT_EQ(container.env_from.at("M"), (ObjectKey{false, "m", "k"}));
  EXPECT_EQ(pod.spec.volumes,
            (std::vector<PodVolume>{{"a", "claim-a", false, ""}, {"b", "", true, "gp3"}}));
  EXPECT_TRUE(pod.spec.has_resource_claims);
  EXPECT_FALSE(
      only<Pod>(with(kPod, "  resourceClaims: [{name: gpu}]\n", "")).spec.has_resource_claims);
}

TEST(PodDecode, OnTheHostsNetworkEveryPortIsTheHosts) {
  const auto pod = only<Pod>(
      "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {hostNetwork: true, containers: "
      "[{name: c, ports: [{containerPort: 80}]}]}}");
  EXPECT_EQ(pod.spec.containers[0].host_ports, (std::vector<HostPort>{{"0.0.0.0", 80, "TCP"}}));
}

TEST(PodDecode, RefusesWhatTheApiServerRefuses) {
  const std::vector<Refusal> cases{
      {"hostPort: 8081", "hostPort: 65536", "a whole number from 0 to 65535"},
      {"protocol: UDP", "protocol: udp", "accepted: TCP, UDP, SCTP"},
      {"{claimName: claim-a}", "{}", "claimName: is missing"},
      {"weight: 7", "weight: 0", "a whole number from 1 to 100"},
      {"topologyKey: failure-domain.beta.kubernetes.io/zone\n", "x: 1\n",
       "topologyKey: is missing"},
      {"          labelSelector: {matchLabels: {app: web}}\n", "", "needs a labelSelector"},
      {"minDomains: 3", "minDomains: 0", "a whole number of at least 1"},
      {"whenUnsatisfiable: DoNotSchedule", "whenUnsatisfiable: ScheduleAnyway",
       "works with whenUnsatisfiable DoNotSchedule only"},
      {"nodeTaintsPolicy: Honor", "nodeTaintsPolicy: Yes", "nodeTaintsPolicy: found"},
      {"  containers:", "  hostNetwork: true\n  containers:",
       "must be the containerPort on the host's network"},
  };
  for (const Refusal& c : cases) {
    const std::string errors = errors_of(with(kPod, c.from, c.to));
    EXPECT_NE(errors.find(c.error), std::string::npos) << c.to << " -> " << errors;
  }
}

// A pod made of what was read and nothing else says the same.
TEST(PodEncode, WhatIsMadeHereSaysAllThatIsRead) {
  auto pod = only<Pod>(kPod);
  pod.raw = nullptr;
  const auto back = std::get<Pod>(*decode(encode(pod)));
  EXPECT_EQ(back.spec.affinity, pod.spec.affinity);
  EXPECT_EQ(back.spec.anti_affinity, pod.spec.anti_affinity);
  EXPECT_EQ(back.spec.topology_spread, pod.spec.topology_spread);
  EXPECT_EQ(back.spec.volumes, pod.spec.volumes);
  EXPECT_EQ(back.spec.containers[0].host_ports, pod.spec.containers[0].host_ports);
  EXPECT_EQ(back.spec.containers[0].env_from, pod.spec.containers[0].env_from);
}

}  // namespace
}  // namespace windlass::api
