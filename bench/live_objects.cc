#include "live_objects.h"

#include <fmt/format.h>

namespace windlass::bench {
namespace {

constexpr const char* kLongAgo = "2026-03-01T08:00:00Z";

std::string uid(const char* kind, int number) {
  return fmt::format("{:08x}-7a1c-4e0b-9d3f-{:012x}", std::hash<std::string>{}(kind)&0xffffffff,
                     number);
}

std::string app(int set) { return fmt::format("service-{:03}", set); }
std::string set_name(int set) { return fmt::format("{}-6d4cf56db6", app(set)); }
std::string set_namespace(int set) { return fmt::format("team-{:02}", set % 20); }
std::string pool_name(int pool) { return fmt::format("general-{}", pool); }
std::string zone(int node) { return fmt::format("us-east-1{}", "abc"[node % 3]); }
std::string provider_id(int node) { return fmt::format("aws:///{}/i-{:017x}", zone(node), node); }

json meta(const std::string& name, const std::string& space, const std::string& id, json labels) {
  json out{{"name", name},
           {"uid", id},
           {"creationTimestamp", kLongAgo},
           {"generation", 1},
           {"labels", std::move(labels)}};
  if (!space.empty()) out["namespace"] = space;
  return out;
}

json owner(const char* api_version, const char* kind, const std::string& name,
           const std::string& id) {
  return json::array({{{"apiVersion", api_version},
                       {"kind", kind},
                       {"name", name},
                       {"uid", id},
                       {"controller", true},
                       {"blockOwnerDeletion", true}}});
}

json condition(const char* type, const char* status, const char* reason, const char* message) {
  return {{"type", type},
          {"status", status},
          {"reason", reason},
          {"message", message},
          {"lastTransitionTime", kLongAgo}};
}

// What server-side tracking adds to every object.
json managed(const char* manager, json fields) {
  return {{"manager", manager}, {"operation", "Update"},    {"apiVersion", "v1"},
          {"time", kLongAgo},   {"fieldsType", "FieldsV1"}, {"fieldsV1", std::move(fields)}};
}

json node_labels(int number) {
  return {{"beta.kubernetes.io/arch", "amd64"},
          {"beta.kubernetes.io/os", "linux"},
          {"karpenter.k8s.aws/instance-category", "m"},
          {"karpenter.k8s.aws/instance-cpu", "4"},
          {"karpenter.k8s.aws/instance-family", "m5"},
          {"karpenter.k8s.aws/instance-generation", "5"},
          {"karpenter.k8s.aws/instance-memory", "16384"},
          {"karpenter.k8s.aws/instance-size", "xlarge"},
          {"karpenter.sh/capacity-type", "on-demand"},
          {"karpenter.sh/initialized", "true"},
          {"karpenter.sh/nodepool", pool_name(number % kPools)},
          {"karpenter.sh/registered", "true"},
          {"kubernetes.io/arch", "amd64"},
          {"kubernetes.io/hostname", node_name(number)},
          {"kubernetes.io/os", "linux"},
          {"node.kubernetes.io/instance-type", "m5.xlarge"},
          {"topology.kubernetes.io/region", "us-east-1"},
          {"topology.kubernetes.io/zone", zone(number)}};
}

json allocatable() {
  return {{"cpu", "3920m"}, {"memory", "14162Mi"},  {"ephemeral-storage", "18242267924"},
          {"pods", "58"},   {"hugepages-1Gi", "0"}, {"hugepages-2Mi", "0"}};
}

json capacity() {
  json out = allocatable();
  out["cpu"] = "4";
  out["memory"] = "15896488Ki";
  return out;
}

json images() {
  json out = json::array();
  for (int i = 0; i < 15; ++i) {
    const std::string repository =
        fmt::format("602401143452.dkr.ecr.us-east-1.amazonaws.com/team/service-{:03}", i);
    out.push_back({{"names",
                    {fmt::format("{}@sha256:{:064x}", repository, i * 7919 + 13),
                     fmt::format("{}:v1.{}.0", repository, i)}},
                   {"sizeBytes", 41'000'000 + i * 1'234'567}});
  }
  return out;
}

json labels_of_set(int set) {
  return {{"app.kubernetes.io/name", app(set)},
          {"app.kubernetes.io/part-of", "shop"},
          {"app.kubernetes.io/version", "1.42.0"},
          {"pod-template-hash", "6d4cf56db6"}};
}

json container(int set) {
  json env = json::array(
      {{{"name", "LOG_LEVEL"}, {"value", "info"}},
       {{"name", "PORT"}, {"value", "8080"}},
       {{"name", "OTEL_EXPORTER_OTLP_ENDPOINT"},
        {"value", "http://otel-collector.observability.svc:4317"}},
       {{"name", "DATABASE_URL"},
        {"valueFrom", {{"secretKeyRef", {{"name", app(set) + "-db"}, {"key", "url"}}}}}}});
  const json probe{{"httpGet", {{"path", "/healthz"}, {"port", 8080}, {"scheme", "HTTP"}}},
                   {"timeoutSeconds", 1},
                   {"periodSeconds", 10},
                   {"successThreshold", 1},
                   {"failureThreshold", 3}};
  return {
      {"name", "app"},
      {"image",
       fmt::format("602401143452.dkr.ecr.us-east-1.amazonaws.com/team/service-{:03}:v1.42.0", set)},
      {"ports", json::array({{{"containerPort", 8080}, {"protocol", "TCP"}}})},
      {"env", std::move(env)},
      {"resources",
       {{"requests", {{"cpu", "385m"}, {"memory", "1200Mi"}}}, {"limits", {{"memory", "1200Mi"}}}}},
      {"volumeMounts",
       json::array({{{"name", "kube-api-access-x7k2p"},
                     {"readOnly", true},
                     {"mountPath", "/var/run/secrets/kubernetes.io/serviceaccount"}}})},
      {"livenessProbe", probe},
      {"readinessProbe", probe},
      {"terminationMessagePath", "/dev/termination-log"},
      {"terminationMessagePolicy", "File"},
      {"imagePullPolicy", "IfNotPresent"}};
}

json template_spec(int set) {
  return {{"containers", json::array({container(set)})},
          {"restartPolicy", "Always"},
          {"terminationGracePeriodSeconds", 30},
          {"dnsPolicy", "ClusterFirst"},
          {"serviceAccountName", app(set)},
          {"securityContext", json::object()},
          {"schedulerName", "default-scheduler"}};
}

json pod_spec(int number) {
  json out = template_spec(number / kPodsPerSet);
  out["nodeName"] = node_name(number / kPodsPerNode);
  out["preemptionPolicy"] = "PreemptLowerPriority";
  out["priority"] = 0;
  out["enableServiceLinks"] = true;
  out["tolerations"] = json::array({{{"key", "node.kubernetes.io/not-ready"},
                                     {"operator", "Exists"},
                                     {"effect", "NoExecute"},
                                     {"tolerationSeconds", 300}},
                                    {{"key", "node.kubernetes.io/unreachable"},
                                     {"operator", "Exists"},
                                     {"effect", "NoExecute"},
                                     {"tolerationSeconds", 300}}});
  const json token{{"serviceAccountToken", {{"expirationSeconds", 3607}, {"path", "token"}}}};
  const json ca{{"configMap",
                 {{"name", "kube-root-ca.crt"},
                  {"items", json::array({{{"key", "ca.crt"}, {"path", "ca.crt"}}})}}}};
  out["volumes"] =
      json::array({{{"name", "kube-api-access-x7k2p"},
                    {"projected", {{"sources", json::array({token, ca})}, {"defaultMode", 420}}}}});
  return out;
}

json pod_status(int number) {
  json conditions = json::array();
  for (const char* type :
       {"PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"}) {
    conditions.push_back({{"type", type},
                          {"status", "True"},
                          {"lastProbeTime", nullptr},
                          {"lastTransitionTime", kLongAgo}});
  }
  const std::string ip =
      fmt::format("10.{}.{}.{}", 100 + number / 62500, number / 250 % 250, number % 250 + 1);
  const json image = container(number / kPodsPerSet)["image"];
  return {{"phase", "Running"},
          {"conditions", std::move(conditions)},
          {"hostIP", "10.0.0.1"},
          {"hostIPs", json::array({{{"ip", "10.0.0.1"}}})},
          {"podIP", ip},
          {"podIPs", json::array({{{"ip", ip}}})},
          {"startTime", kLongAgo},
          {"qosClass", "Burstable"},
          {"containerStatuses",
           json::array(
               {{{"name", "app"},
                 {"state", {{"running", {{"startedAt", kLongAgo}}}}},
                 {"lastState", json::object()},
                 {"ready", true},
                 {"restartCount", 0},
                 {"image", image},
                 {"imageID", fmt::format("{}@sha256:{:064x}", image.get<std::string>(), number)},
                 {"containerID", fmt::format("containerd://{:064x}", number)},
                 {"started", true}}})}};
}

}  // namespace

std::string node_name(int node) {
  return fmt::format("ip-10-{}-{}-{}.ec2.internal", node / 65536, node / 256 % 256, node % 256);
}
std::string pod_namespace(int pod) { return set_namespace(pod / kPodsPerSet); }
std::string pod_name(int pod) { return fmt::format("{}-{:05x}", set_name(pod / kPodsPerSet), pod); }
std::string claim_name(int node) {
  return fmt::format("{}-{:05x}", pool_name(node % kPools), node);
}

json node(int number) {
  json out{{"apiVersion", "v1"},
           {"kind", "Node"},
           {"metadata", meta(node_name(number), "", uid("node", number), node_labels(number))},
           {"spec", {{"providerID", provider_id(number)}}}};
  out["metadata"]["finalizers"] = {"karpenter.sh/termination"};
  out["metadata"]["annotations"] = {
      {"alpha.kubernetes.io/provided-node-ip", "10.0.0.1"},
      {"csi.volume.kubernetes.io/nodeid", R"({"ebs.csi.aws.com":"i-0123456789abcdef0"})"},
      {"volumes.kubernetes.io/controller-managed-attach-detach", "true"}};
  out["metadata"]["managedFields"] = json::array(
      {managed("kubelet", {{"f:metadata", {{"f:labels", {{".", json::object()}}}}},
                           {"f:status",
                            {{"f:allocatable", {{"f:cpu", json::object()}}},
                             {"f:conditions", {{"k:{\"type\":\"Ready\"}", json::object()}}},
                             {"f:images", json::object()}}}})});
  json conditions = json::array();
  for (const char* type : {"MemoryPressure", "DiskPressure", "PIDPressure"}) {
    conditions.push_back(condition(type, "False", "KubeletHasSufficient", "kubelet has enough"));
  }
  conditions.push_back(
      condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"));
  for (json& each : conditions) each["lastHeartbeatTime"] = kLongAgo;
  out["status"] = {
      {"capacity", capacity()},
      {"allocatable", allocatable()},
      {"conditions", std::move(conditions)},
      {"addresses", json::array({{{"type", "InternalIP"}, {"address", "10.0.0.1"}},
                                 {{"type", "Hostname"}, {"address", node_name(number)}}})},
      {"images", images()},
      {"daemonEndpoints", {{"kubeletEndpoint", {{"Port", 10250}}}}},
      {"nodeInfo",
       {{"machineID", fmt::format("{:032x}", number)},
        {"kernelVersion", "6.1.119-129.201.amzn2023.x86_64"},
        {"osImage", "Amazon Linux 2023.6.20250107"},
        {"containerRuntimeVersion", "containerd://1.7.24"},
        {"kubeletVersion", "v1.34.2-eks-1234567"},
        {"operatingSystem", "linux"},
        {"architecture", "amd64"}}}};
  return out;
}

json node_claim(int number) {
  json labels = node_labels(number);
  labels.erase("kubernetes.io/hostname");
  json out{{"apiVersion", "karpenter.sh/v1"},
           {"kind", "NodeClaim"},
           {"metadata", meta(claim_name(number), "", uid("claim", number), std::move(labels))}};
  out["metadata"]["finalizers"] = {"karpenter.sh/termination"};
  out["metadata"]["annotations"] = {{"compatibility.karpenter.k8s.aws/cluster-name-tagged", "true"},
                                    {"karpenter.sh/nodepool-hash", "4012513481623584108"},
                                    {"karpenter.sh/nodepool-hash-version", "v3"},
                                    {"karpenter.k8s.aws/ec2nodeclass-hash", "9227389209571723419"},
                                    {"karpenter.k8s.aws/ec2nodeclass-hash-version", "v4"}};
  out["metadata"]["ownerReferences"] = owner(
      "karpenter.sh/v1", "NodePool", pool_name(number % kPools), uid("pool", number % kPools));
  out["spec"] = {
      {"expireAfter", "Never"},
      {"nodeClassRef",
       {{"group", "karpenter.k8s.aws"}, {"kind", "EC2NodeClass"}, {"name", "default"}}},
      {"requirements",
       json::array(
           {{{"key", "node.kubernetes.io/instance-type"},
             {"operator", "In"},
             {"values", {"m5.xlarge"}}},
            {{"key", "karpenter.sh/capacity-type"}, {"operator", "In"}, {"values", {"on-demand"}}},
            {{"key", "topology.kubernetes.io/zone"},
             {"operator", "In"},
             {"values", {zone(number)}}}})},
      {"resources", {{"requests", {{"cpu", "3850m"}, {"memory", "12000Mi"}, {"pods", "10"}}}}}};
  json conditions = json::array();
  for (const char* type : {"Launched", "Registered", "Initialized", "Consolidatable", "Ready"}) {
    conditions.push_back(condition(type, "True", type, ""));
  }
  out["status"] = {{"nodeName", node_name(number)},      {"providerID", provider_id(number)},
                   {"imageID", "ami-0123456789abcdef0"}, {"capacity", capacity()},
                   {"allocatable", allocatable()},       {"conditions", std::move(conditions)},
                   {"lastPodEventTime", kLongAgo}};
  return out;
}

json node_pool(int pool) {
  return {{"apiVersion", "karpenter.sh/v1"},
          {"kind", "NodePool"},
          {"metadata", meta(pool_name(pool), "", uid("pool", pool), json::object())},
          {"spec",
           {{"template",
             {{"spec",
               {{"expireAfter", "Never"},
                {"nodeClassRef",
                 {{"group", "karpenter.k8s.aws"}, {"kind", "EC2NodeClass"}, {"name", "default"}}},
                {"requirements", json::array({{{"key", "node.kubernetes.io/instance-type"},
                                               {"operator", "In"},
                                               {"values", {"m5.xlarge", "m5.2xlarge"}}},
                                              {{"key", "karpenter.sh/capacity-type"},
                                               {"operator", "In"},
                                               {"values", {"on-demand"}}}})}}}}},
            {"disruption",
             {{"consolidationPolicy", "WhenEmptyOrUnderutilized"},
              {"consolidateAfter", "30s"},
              {"budgets", json::array({{{"nodes", "10%"}}})}}}}}};
}

json node_class() {
  json out{{"apiVersion", "karpenter.k8s.aws/v1"},
           {"kind", "EC2NodeClass"},
           {"metadata", meta("default", "", uid("class", 0), json::object())},
           {"spec",
            {{"role", "KarpenterNodeRole"},
             {"amiSelectorTerms", json::array({{{"alias", "al2023@latest"}}})},
             {"subnetSelectorTerms", json::array({{{"tags", {{"discovery", "large"}}}}})},
             {"securityGroupSelectorTerms", json::array({{{"tags", {{"discovery", "large"}}}}})}}}};
  out["status"] = {{"conditions", json::array({condition("Ready", "True", "Ready", "")})}};
  return out;
}

json pod(int number) {
  const int set = number / kPodsPerSet;
  json out{{"apiVersion", "v1"},
           {"kind", "Pod"},
           {"metadata",
            meta(pod_name(number), pod_namespace(number), uid("pod", number), labels_of_set(set))},
           {"spec", pod_spec(number)},
           {"status", pod_status(number)}};
  json& metadata = out["metadata"];
  metadata["generateName"] = set_name(set) + "-";
  metadata["annotations"] = {{"prometheus.io/scrape", "true"}, {"prometheus.io/port", "8080"}};
  metadata["ownerReferences"] = owner("apps/v1", "ReplicaSet", set_name(set), uid("set", set));
  const json field = json::object();
  metadata["managedFields"] = json::array(
      {managed(
           "kube-controller-manager",
           {{"f:metadata", {{"f:generateName", field}, {"f:labels", {{".", field}}}}},
            {"f:spec",
             {{"f:containers",
               {{"k:{\"name\":\"app\"}",
                 {{".", field}, {"f:env", field}, {"f:image", field}, {"f:resources", field}}}}},
              {"f:dnsPolicy", field}}}}),
       managed("kubelet", {{"f:status",
                            {{"f:conditions", {{"k:{\"type\":\"Ready\"}", {{"f:status", field}}}}},
                             {"f:containerStatuses", field},
                             {"f:podIP", field}}}})});
  return out;
}

json replica_set(int set) {
  json out{
      {"apiVersion", "apps/v1"},
      {"kind", "ReplicaSet"},
      {"metadata", meta(set_name(set), set_namespace(set), uid("set", set), labels_of_set(set))}};
  out["metadata"]["ownerReferences"] =
      owner("apps/v1", "Deployment", app(set), uid("deployment", set));
  out["spec"] = {
      {"replicas", kPodsPerSet},
      {"selector", {{"matchLabels", labels_of_set(set)}}},
      {"template", {{"metadata", {{"labels", labels_of_set(set)}}}, {"spec", template_spec(set)}}}};
  out["status"] = {{"replicas", kPodsPerSet},
                   {"readyReplicas", kPodsPerSet},
                   {"availableReplicas", kPodsPerSet},
                   {"observedGeneration", 1}};
  return out;
}

json deployment(int set) {
  json out = replica_set(set);
  out["kind"] = "Deployment";
  json labels = labels_of_set(set);
  labels.erase("pod-template-hash");
  out["metadata"] = meta(app(set), set_namespace(set), uid("deployment", set), labels);
  out["spec"]["selector"]["matchLabels"] = labels;
  out["spec"]["template"]["metadata"]["labels"] = labels;
  out["status"]["updatedReplicas"] = kPodsPerSet;
  return out;
}

json budget(int set) {
  json labels = labels_of_set(set);
  labels.erase("pod-template-hash");
  return {{"apiVersion", "policy/v1"},
          {"kind", "PodDisruptionBudget"},
          {"metadata", meta(app(set), set_namespace(set), uid("budget", set), labels)},
          {"spec", {{"maxUnavailable", "20%"}, {"selector", {{"matchLabels", labels}}}}}};
}

json scaled_object(int set) {
  json out{{"apiVersion", "keda.sh/v1alpha1"},
           {"kind", "ScaledObject"},
           {"metadata", meta(app(set), set_namespace(set), uid("scaled", set), json::object())}};
  out["spec"] = {{"scaleTargetRef", {{"name", app(set)}}},
                 {"minReplicaCount", kPodsPerSet},
                 {"maxReplicaCount", kPodsPerSet},
                 {"triggers", json::array({{{"type", "cron"},
                                            {"metadata",
                                             {{"timezone", "UTC"},
                                              {"start", "0 6 * * *"},
                                              {"end", "0 20 * * *"},
                                              {"desiredReplicas", "100"}}}}})}};
  return out;
}

}  // namespace windlass::bench
