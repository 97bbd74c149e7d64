#include <gtest/gtest.h>

#include "api/manifest_fixture.h"

namespace windlass::api {
namespace {

Json json_of(std::string_view yaml) { return *parse_yaml(yaml)->at(0).value; }

// Manifests in the form they are written in, with fields nobody here reads: nothing may change.
TEST(Encode, WhatWasReadComesBack) {
  for (
      const char* text : {
          R"({apiVersion: v1, kind: Pod, metadata: {name: p, namespace: ns, managedFields: [{a: b}],
               resourceVersion: "7", creationTimestamp: "2026-03-01T00:00:00Z"},
               spec: {containers: [{name: c, image: i, ports: [{containerPort: 80}],
                 env: [{name: Z, valueFrom: {fieldRef: {fieldPath: x}}}, {name: A, value: b}],
                 resources: {requests: {cpu: 1000m, memory: 1.5Gi}, claims: [{name: d}]}},
                 {name: h, ports: [{containerPort: 80, hostPort: 8080, name: web}], env: [
                   {name: S, valueFrom: {secretKeyRef: {name: s, key: k, optional: true}}},
                   {name: M, valueFrom: {configMapKeyRef: {name: m, key: k}}}]}],
                 resourceClaims: [{name: d}],
                 initContainers: [{name: s, restartPolicy: Always, lifecycle: {}}],
                 volumes: [{name: v, emptyDir: {}}, {name: w, persistentVolumeClaim: {claimName: c,
                   readOnly: true}}, {name: e, ephemeral: {volumeClaimTemplate: {spec: {
                   accessModes: [ReadWriteOnce], storageClassName: gp3}}}}], restartPolicy: Always, terminationGracePeriodSeconds: 30,
                 affinity: {podAffinity: {}, podAntiAffinity: {
                   requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: z,
                     labelSelector: {matchLabels: {a: b}}, namespaceSelector: {},
                     matchLabelKeys: [h], mismatchLabelKeys: [t]}, {topologyKey: w,
                     namespaces: [other]}],
                   preferredDuringSchedulingIgnoredDuringExecution: [{weight: 5,
                     podAffinityTerm: {topologyKey: z, labelSelector: {}}}]}, nodeAffinity: {
                   requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [
                     {matchFields: [{key: metadata.name, operator: In, values: [x]}]}]}}},
                 tolerations: [{operator: Exists}, {key: a, operator: Equal, value: b}],
                 topologySpreadConstraints: [{maxSkew: 1, topologyKey: z, minDomains: 2,
                   nodeTaintsPolicy: Honor, nodeAffinityPolicy: Honor, matchLabelKeys: [h],
                   whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {a: b}}}]},
               status: {phase: Running, podIP: 10.0.0.1, conditions: [
                 {type: Ready, status: "False", reason: ContainersNotReady},
                 {type: PodScheduled, status: "True", lastTransitionTime: "2026-03-01T00:00:00Z"}]}})",
          R"({apiVersion: v1, kind: Node, metadata: {name: n1}, spec: {podCIDR: 10.0.0.0/24,
               taints: [{key: k, effect: NoSchedule, timeAdded: "2026-03-01T00:00:00Z"}]},
               status: {capacity: {cpu: "4", memory: 16Gi}, allocatable: {cpu: 3920m},
               nodeInfo: {a: b}, conditions: [{type: Ready, status: "True",
               lastHeartbeatTime: "2026-03-01T00:00:00Z"}]}})",
          R"({apiVersion: apps/v1, kind: Deployment, metadata: {name: d, namespace: default},
               spec: {replicas: 1, selector: {matchLabels: {a: b}}, strategy: {type: Recreate},
               template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c}]}}},
               status: {replicas: 1, observedGeneration: 5}})",
          R"({apiVersion: apps/v1, kind: DaemonSet, metadata: {name: d, namespace: default},
               spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}},
               spec: {containers: [{name: c}]}}}})",
          R"({apiVersion: batch/v1, kind: Job, metadata: {name: j, namespace: default},
               spec: {parallelism: 3, ttlSecondsAfterFinished: 5,
               template: {spec: {restartPolicy: OnFailure, containers: [{name: c}]}}}})",
          R"({apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: c},
               value: 5, description: x, preemptionPolicy: PreemptLowerPriority})",
          R"({apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: b,
               namespace: default}, spec: {minAvailable: 50%, selector: {},
               unhealthyPodEvictionPolicy: AlwaysAllow}})",
          R"({apiVersion: karpenter.sh/v1, kind: NodePool, metadata: {name: p}, spec: {
               template: {metadata: {labels: {a: b}}, spec: {expireAfter: 720h0m0s, requirements: [
               {key: a, operator: In, values: [b]}, {key: a, operator: NotIn, values: [c]}],
               taints: [{key: k, value: v, effect: NoSchedule}],
               nodeClassRef: {group: g, kind: K, name: nc}}},
               disruption: {consolidateAfter: 60m, budgets: [{nodes: "10%"}, {nodes: "3",
               reasons: [Empty]}]}, limits: {cpu: 1k, memory: 1000Gi}, weight: 7},
               status: {nodes: 2, resources: {cpu: "8"}, nodeClassObservedGeneration: 1,
               conditions: [{type: Ready, status: "True", observedGeneration: 4}]}})",
          R"({apiVersion: karpenter.sh/v1, kind: NodePool, metadata: {name: p}, spec: {replicas: 0,
               template: {spec: {nodeClassRef: {group: g, kind: K, name: nc}, expireAfter: Never}},
               disruption: {consolidateAfter: Never, budgets: []}}})",
          R"({apiVersion: karpenter.sh/v1, kind: NodeClaim, metadata: {name: c}, spec: {
               requirements: [{key: a, operator: Exists, minValues: 2}], resources: {requests: {
               cpu: 1}}, nodeClassRef: {group: g, kind: K, name: nc}, expireAfter: 24h},
               status: {providerID: x, imageID: ami-1, allocatable: {cpu: 1930m}}})",
          R"({apiVersion: karpenter.k8s.aws/v1, kind: EC2NodeClass, metadata: {name: c}, spec: {
               amiSelectorTerms: [{alias: al2023@latest}], role: r, userData: x,
               subnetSelectorTerms: [{id: s}], securityGroupSelectorTerms: [{id: g}],
               kubelet: {maxPods: 20, imageGCHighThresholdPercent: 80, kubeReserved: {cpu: 1}},
               blockDeviceMappings: [{deviceName: /dev/xvda, ebs: {volumeSize: 100Gi}}]}})",
          R"({apiVersion: keda.sh/v1alpha1, kind: ScaledObject, metadata: {name: s,
               namespace: default}, spec: {scaleTargetRef: {name: t, envSourceContainerName: e},
               pollingInterval: 30, minReplicaCount: 0, triggers: [{type: prometheus,
               metadata: {query: up}, authenticationRef: {name: a}, metricType: AverageValue}],
               fallback: {failureThreshold: 1, replicas: 2, behavior: static}, advanced: {
               restoreToOriginalReplicaCount: true, horizontalPodAutoscalerConfig: {name: h,
               behavior: {scaleUp: {}, scaleDown: {stabilizationWindowSeconds: 0, policies: [
               {type: Pods, value: 1, periodSeconds: 60}], selectPolicy: Max, tolerance: "0.1"}}}}},
               status: {hpaName: h, lastActiveTime: "2026-03-01T00:00:00Z", conditions: [
               {type: Ready, status: "True", reason: x, message: z}]}})",
          R"({apiVersion: keda.sh/v1alpha1, kind: ScaledObject, metadata: {name: s,
               namespace: default}, spec: {scaleTargetRef: {name: t}, triggers: [
               {type: prometheus, name: q, metadata: {query: up}, authenticationRef: {name: a,
               kind: ClusterTriggerAuthentication}}], advanced: {scalingModifiers: {formula: q * 2,
               target: "3", activationTarget: "1", metricType: Value}}}})",
          R"({apiVersion: keda.sh/v1alpha1, kind: ScaledJob, metadata: {name: s,
               namespace: default}, spec: {jobTargetRef: {parallelism: 1, completions: 1,
               activeDeadlineSeconds: 600, backoffLimit: 6, template: {metadata: {labels: {a: b}},
               spec: {containers: [{name: c, args: [x]}]}}}, pollingInterval: 30,
               successfulJobsHistoryLimit: 5, maxReplicaCount: 20, rollout: {strategy: gradual,
               propagationPolicy: foreground}, scalingStrategy: {strategy: custom,
               customScalingQueueLengthDeduction: 1, customScalingRunningJobPercentage: "0.5",
               pendingPodConditions: [Ready], multipleScalersCalculation: sum},
               triggers: [{type: prometheus, metadata: {query: up}}]}, status: {
               conditions: [{type: Active, status: "False"}], Paused: x}})",
          R"({apiVersion: keda.sh/v1alpha1, kind: TriggerAuthentication, metadata: {name: t,
               namespace: default}, spec: {secretTargetRef: [{parameter: token, name: s, key: k}],
               configMapTargetRef: [{parameter: ca, name: m, key: k}], env: [{parameter: p, name: E,
               containerName: c}], podIdentity: {provider: aws}}, status: {scaledobjects: s}})",
          R"({apiVersion: keda.sh/v1alpha1, kind: ClusterTriggerAuthentication,
               metadata: {name: t}, spec: {env: [{parameter: p, name: E}]}})",
          R"({apiVersion: apps/v1, kind: StatefulSet, metadata: {name: d, namespace: default},
               spec: {replicas: 2, serviceName: s, selector: {matchLabels: {a: b}},
               template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c}]}},
               volumeClaimTemplates: [{metadata: {name: data, labels: {a: b}}, spec: {
               accessModes: [ReadWriteOnce], storageClassName: gp3}}, {metadata: {name: log},
               spec: {accessModes: [ReadWriteOnce]}}]}, status: {replicas: 2}})",
          R"({apiVersion: v1, kind: Namespace, metadata: {name: ns}, spec: {finalizers: [k]}})",
          R"({apiVersion: v1, kind: Secret, metadata: {name: s, namespace: default},
               type: Opaque, data: {a: aGVsbG8=, b: ""}, stringData: {c: plain}})",
          R"({apiVersion: v1, kind: ConfigMap, metadata: {name: s, namespace: default},
               data: {a: b}, binaryData: {x: aGVsbG8=}, immutable: true})",
          R"({apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: s,
               namespace: default}, spec: {storageClassName: gp3, volumeName: v, resources: {
               requests: {storage: 1Gi}}}, status: {phase: Bound}})",
          R"({apiVersion: v1, kind: PersistentVolume, metadata: {name: v}, spec: {capacity: {
               storage: 1Gi}, csi: {driver: ebs.csi.aws.com, volumeHandle: x}, nodeAffinity: {
               required: {nodeSelectorTerms: [{matchExpressions: [{key: z, operator: In,
               values: [a]}]}]}}}})",
          R"({apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: gp3, annotations: {
               storageclass.kubernetes.io/is-default-class: "true"}}, provisioner: ebs.csi.aws.com,
               parameters: {type: gp3}, volumeBindingMode: WaitForFirstConsumer, allowedTopologies: [
               {matchLabelExpressions: [{key: z, values: [a, b]}]}]})",
          R"({apiVersion: storage.k8s.io/v1, kind: CSINode, metadata: {name: n1}, spec: {drivers: [
               {name: ebs.csi.aws.com, nodeID: i-1, topologyKeys: [z], allocatable: {count: 25}},
               {name: efs.csi.aws.com, nodeID: i-1, topologyKeys: null}]}})",
          R"({apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: h,
               namespace: default}, spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment,
               name: d}, minReplicas: 2, maxReplicas: 9, metrics: [{type: Resource, resource: {
               name: cpu, target: {type: Utilization, averageUtilization: 60}}}, {type: Pods, pods: {
               metric: {name: q, selector: {matchLabels: {a: b}}}, target: {type: AverageValue,
               averageValue: "2.5"}}}, {type: Object, object: {describedObject: {
               apiVersion: v1, kind: Service, name: s}, metric: {name: r}, target: {type: Value,
               value: 10k}}}, {type: ContainerResource, containerResource: {name: memory,
               container: c, target: {type: AverageValue, averageValue: 1Gi}}}, {type: External,
               external: {metric: {name: e}, target: {type: AverageValue, averageValue: "5"}}}],
               behavior: {scaleDown: {stabilizationWindowSeconds: 60}}},
               status: {currentReplicas: 2, conditions: [{type: AbleToScale, status: "True"}]}})",
          R"({apiVersion: karpenter.sh/v1alpha1, kind: NodeOverlay, metadata: {name: o}, spec: {
               requirements: [{key: karpenter.sh/nodepool, operator: In, values: [gpu]},
               {key: karpenter.k8s.aws/instance-gpu-count, operator: Gte, values: ["4"]}],
               price: "1.50", capacity: {smarter-devices/fuse: 1}, weight: 10}, status: {a: b}})",
          R"({apiVersion: karpenter.k8s.aws/v1, kind: EC2NodeClass, metadata: {name: c, annotations: {
               windlass.dev/capacity-reservations-left: "cr-1=3"}}, spec: {
               amiSelectorTerms: [{alias: al2023@latest}], role: r,
               subnetSelectorTerms: [{id: s}], securityGroupSelectorTerms: [{id: g}]}, status: {
               amis: [{id: ami-1, name: x}], subnets: [{id: s}], capacityReservations: [{id: cr-1,
               availabilityZone: us-east-1a, instanceType: p5.48xlarge, ownerID: "1",
               reservationType: capacity-block, state: active,
               endTime: "2026-03-01T00:00:00Z"}]}})",
      }) {
    const Json written = json_of(text);
    const auto object = decode(written);
    ASSERT_TRUE(object.ok()) << text << object.error().message();
    EXPECT_EQ(encode(*object), written) << Json::diff(written, encode(*object)).dump();
  }
}

TEST(Encode, DefaultsThatWereReadAreWrittenOnlyWhereTheServerWouldToo) {
  const auto pod = only<Pod>(
      "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, resources: "
      "{limits: {cpu: 2000m}}}]}}");
  EXPECT_EQ(encode(pod)["spec"]["containers"][0]["resources"],
            *parse_json(R"({"limits": {"cpu": "2000m"}, "requests": {"cpu": "2"}})"));
  EXPECT_EQ(encode(pod)["metadata"]["namespace"], "default");
}

TEST(Encode, ChangesAreWrittenOverWhatWasRead) {
  auto pod = only<Pod>(
      "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, tty: true}], "
      "tolerations: [{key: a, operator: Exists}]}}");
  pod.spec.node_name = "n1";
  pod.phase = PodPhase::kRunning;
  pod.ready = true;
  pod.ready_at = Instant{1'000'000'000};
  pod.scheduled_at = Instant{};
  pod.spec.tolerations.push_back({"b", "Equal", "v", "NoSchedule", std::nullopt});
  pod.spec.containers[0].env["X"] = "1";
  const Json written = encode(pod);
  EXPECT_EQ(written["spec"]["nodeName"], "n1");
  EXPECT_EQ(written["spec"]["containers"][0]["tty"], true);
  EXPECT_EQ(written["spec"]["containers"][0]["env"].dump(), R"([{"name":"X","value":"1"}])");
  EXPECT_EQ(written["spec"]["tolerations"][1].dump(),
            R"({"effect":"NoSchedule","key":"b","value":"v"})");
  const auto back = std::get<Pod>(*decode(written));
  EXPECT_TRUE(back.ready);
  EXPECT_EQ(back.ready_at, pod.ready_at);
  EXPECT_EQ(back.scheduled_at, Instant{});
  EXPECT_EQ(back.phase, PodPhase::kRunning);

  pod.ready = false;
  pod.spec.tolerations.clear();
  pod.raw = std::make_shared<const Json>(written);
  const auto unready = std::get<Pod>(*decode(encode(pod)));
  EXPECT_FALSE(unready.ready);
  EXPECT_TRUE(unready.spec.tolerations.empty());
}

TEST(Encode, ObjectsMadeHereAreComplete) {
  NodeClaim claim;
  claim.meta.name = "gpu-1";
  claim.meta.labels[std::string(kNodePoolLabel)] = "gpu";
  claim.meta.finalizers = {std::string(kTerminationFinalizer)};
  claim.requirements = {{"kubernetes.io/arch", Operator::kIn, {"amd64"}, std::nullopt},
                        {"karpenter.k8s.aws/instance-gpu-count", Operator::kGt, {"0"}, 2}};
  claim.node_class = {"karpenter.k8s.aws", "EC2NodeClass", "c"};
  claim.requests.set(kCpu, 1500);
  claim.requests.set(kNvidiaGpu, 2000);
  claim.taints = {{"nvidia.com/gpu", "", "NoSchedule"}};
  claim.conditions = {{"Launched", "True", "Launched", "", Instant{5'000'000'000}}};
  const auto back = std::get<NodeClaim>(*decode(encode(claim)));
  EXPECT_EQ(encode(claim)["apiVersion"], "karpenter.sh/v1");
  EXPECT_FALSE(back.expire_after.has_value()) << "absent means 720h, so Never is written";
  EXPECT_EQ(back.requirements, claim.requirements);
  EXPECT_EQ(back.requests, claim.requests);
  EXPECT_EQ(back.taints, claim.taints);
  EXPECT_EQ(back.conditions, claim.conditions);
  EXPECT_EQ(back.meta.labels, claim.meta.labels);

  ScaledObject object;
  object.meta.name = "s";
  object.meta.namespace_name = "ns";
  object.target_name = "t";
  object.triggers = {{"prometheus",
                      "q",
                      {{"query", "up"}},
                      MetricTargetType::kValue,
                      true,
                      false,
                      AuthRef{"ta", true}}};
  object.behavior = Behavior{ScalingRules{}, std::nullopt};
  object.fallback = Fallback{2, 3, FallbackBehavior::kCurrentReplicas};
  const auto read = std::get<ScaledObject>(*decode(encode(object)));
  EXPECT_EQ(read.triggers[0].metric_type, MetricTargetType::kValue);
  EXPECT_TRUE(read.triggers[0].metric_type_given);
  EXPECT_TRUE(read.triggers[0].auth->cluster);
  EXPECT_TRUE(read.behavior->scale_up.has_value());
  EXPECT_FALSE(read.behavior->scale_down.has_value());
  EXPECT_EQ(read.fallback->behavior, FallbackBehavior::kCurrentReplicas);
  EXPECT_FALSE(read.min_replicas.has_value());
}

// The schema of KEDA's kinds has no time of a condition.
TEST(Encode, KedasConditionsHaveNoTime) {
  ScaledObject object;
  object.meta.name = "s";
  object.target_name = "t";
  object.conditions = {{"Ready", "True", "Ready", "fine", Instant{5'000'000'000}}};
  const Json json = encode(object);
  EXPECT_EQ(json["status"]["conditions"],
            Json::parse(R"([{"type":"Ready","status":"True","reason":"Ready","message":"fine"}])"));
}

TEST(Encode, EveryKindNamesItself) {
  const std::vector<Object> objects{Pod{},
                                    Node{},
                                    Deployment{},
                                    DaemonSet{},
                                    Job{},
                                    PriorityClass{},
                                    PodDisruptionBudget{},
                                    NodePool{},
                                    NodeClaim{},
                                    Ec2NodeClass{},
                                    ScaledObject{},
                                    StatefulSet{},
                                    Namespace{},
                                    Secret{},
                                    ConfigMap{},
                                    PersistentVolumeClaim{},
                                    PersistentVolume{},
                                    StorageClass{},
                                    CsiNode{},
                                    HorizontalPodAutoscaler{},
                                    ScaledJob{},
                                    TriggerAuthentication{},
                                    NodeOverlay{}};
  for (const Object& object : objects) {
    EXPECT_EQ(encode(object)["kind"], kind_of(object));
    EXPECT_TRUE(encode(object).contains("apiVersion"));
  }
}

}  // namespace
}  // namespace windlass::api
