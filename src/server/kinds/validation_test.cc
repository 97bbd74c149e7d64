#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "server/kinds/kind_rules.h"

namespace windlass::server::kinds {
namespace {

Json json(const std::string& text) {
  const Result<Json> value = parse_json(text);
  EXPECT_TRUE(value.ok()) << text;
  return value.ok() ? *value : Json();
}

// The object with defaults and a patch (RFC 7396) laid over it before them.
Json patched(std::string_view group, std::string_view kind, const std::string& base,
             const std::string& patch) {
  Json object = json(base);
  object.merge_patch(json(patch));
  set_defaults(group, kind, object);
  return object;
}

std::string faults_text(std::string_view group, std::string_view kind, const Json& object,
                        const Json* old = nullptr) {
  std::string all;
  for (const schema::FieldFault& fault : validate(group, kind, object, old)) {
    all += fault.field + ": " + fault.message + "\n";
  }
  return all;
}

struct Case {
  std::string patch;
  std::string expected;  // a part of "field: message"; "": fine
};

void expect_faults(std::string_view group, std::string_view kind, const std::string& base,
                   const std::vector<Case>& cases) {
  EXPECT_EQ(faults_text(group, kind, patched(group, kind, base, "{}")), "");
  for (const Case& one : cases) {
    const std::string found = faults_text(group, kind, patched(group, kind, base, one.patch));
    if (one.expected.empty()) {
      EXPECT_EQ(found, "") << one.patch;
    } else {
      EXPECT_NE(found.find(one.expected), std::string::npos) << one.patch << "\n" << found;
    }
  }
}

void expect_update_faults(std::string_view group, std::string_view kind, const std::string& base,
                          const std::vector<Case>& cases) {
  const Json old = patched(group, kind, base, "{}");
  for (const Case& one : cases) {
    Json object = old;
    object.merge_patch(json(one.patch));
    const std::string found = faults_text(group, kind, object, &old);
    if (one.expected.empty()) {
      EXPECT_EQ(found, "") << one.patch;
    } else {
      EXPECT_NE(found.find(one.expected), std::string::npos) << one.patch << "\n" << found;
    }
  }
}

TEST(Validation, Metadata) {
  expect_faults(
      "", "ServiceAccount", R"({"metadata":{"name":"x","namespace":"n"}})",
      {{R"({"metadata":{"name":null}})",
        "metadata.name: Required value: name or generateName is required"},
       {R"({"metadata":{"name":"X"}})", "metadata.name: Invalid value: \"X\": a lowercase"},
       {R"({"metadata":{"namespace":"a.b"}})",
        "metadata.namespace: Invalid value: \"a.b\": must not contain dots"},
       {R"({"metadata":{"name":null,"generateName":"x-"}})", "metadata.name: Required value"},
       {R"({"metadata":{"labels":{"a b":"c"}}})",
        "metadata.labels: Invalid value: \"a b\": name part must consist of"},
       {R"({"metadata":{"labels":{"a":"b c"}}})",
        "metadata.labels: Invalid value: \"b c\": a valid label must be"},
       {R"({"metadata":{"annotations":{"Example.com/X":"any thing"}}})", ""},
       {R"({"metadata":{"annotations":{"a/b/c":""}}})", "metadata.annotations: Invalid"},
       {R"({"metadata":{"finalizers":["a b"]}})", "metadata.finalizers: Invalid value"},
       {R"({"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"Pod","name":"p"}]}})",
        "metadata.ownerReferences.uid: Invalid value: \"\": must not be empty"}});
  Json big = json(R"({"metadata":{"name":"x"}})");
  big["metadata"]["annotations"]["a"] = std::string(256 * 1024, 'x');
  EXPECT_EQ(faults_text("", "ServiceAccount", big),
            "metadata.annotations: Too long: may not be more than 262144 bytes\n");
  EXPECT_EQ(faults_text("", "Namespace", json(R"({"metadata":{"name":"a.b"}})")),
            "metadata.name: Invalid value: \"a.b\": must not contain dots\n");
  // Custom resources have nothing checked here but their metadata.
  EXPECT_EQ(faults_text("example.com", "Thing", json(R"({"metadata":{"name":"x"},"spec":3})")), "");
}

TEST(Validation, MetadataUpdates) {
  const std::string base = R"({"metadata":{"name":"x","namespace":"n","uid":"1",
      "deletionTimestamp":"2026-03-01T00:00:00Z","finalizers":["a/b"]}})";
  expect_update_faults(
      "", "ServiceAccount", base,
      {{"{}", ""},
       {R"({"metadata":{"uid":"2"}})", "metadata.uid: Invalid value: \"2\": field is immutable"},
       {R"({"metadata":{"name":"y"}})", "metadata.name: Invalid value: \"y\""},
       {R"({"metadata":{"finalizers":[]}})", ""},
       {R"({"metadata":{"finalizers":["c/d"]}})",
        "no new finalizers can be added if the object is being deleted"}});
}

const std::string kPod =
    R"({"metadata":{"name":"p","namespace":"n"},"spec":{"containers":[{"name":"c","image":"i"}]}})";

TEST(Validation, PodContainers) {
  const auto containers = [](const std::string& list) {
    return R"({"spec":{"containers":)" + list + "}}";
  };
  expect_faults(
      "", "Pod", kPod,
      {{containers("[]"), "spec.containers: Required value"},
       {containers(R"([{"image":"i"}])"), "spec.containers[0].name: Required value"},
       {containers(R"([{"name":"c"}])"), "spec.containers[0].image: Required value"},
       {containers(R"([{"name":"C","image":"i"}])"),
        "spec.containers[0].name: Invalid value: \"C\""},
       {containers(R"([{"name":"c","image":"i"},{"name":"c","image":"i"}])"),
        "spec.containers[1].name: Duplicate value: \"c\""},
       {containers(R"([{"name":"c","image":"i","imagePullPolicy":"Sometimes"}])"),
        "spec.containers[0].imagePullPolicy: Unsupported value: \"Sometimes\": supported values: "
        "\"Always\", \"IfNotPresent\", \"Never\""},
       {containers(R"([{"name":"c","image":"i","ports":[{"containerPort":70000}]}])"),
        "spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and "
        "65535, inclusive"},
       {containers(R"([{"name":"c","image":"i","ports":[{"name":"a","containerPort":1},
                       {"name":"a","containerPort":2}]}])"),
        "spec.containers[0].ports[1].name: Duplicate value: \"a\""},
       {containers(R"([{"name":"c","image":"i","ports":[{"containerPort":1,"protocol":"X"}]}])"),
        "spec.containers[0].ports[0].protocol: Unsupported value: \"X\""},
       {containers(R"([{"name":"c","image":"i","env":[{"name":"A=B"}]}])"),
        "spec.containers[0].env[0].name: Invalid value: \"A=B\""},
       {containers(R"([{"name":"c","image":"i","env":[{"name":"A","value":"x",
                       "valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}}]}])"),
        "spec.containers[0].env[0].valueFrom: Invalid value: \"\": may not be specified when "
        "`value`"},
       {containers(R"([{"name":"c","image":"i","envFrom":[{}]}])"),
        "must specify one of: `configMapRef` or `secretRef`"},
       {containers(R"([{"name":"c","image":"i","livenessProbe":{}}])"),
        "spec.containers[0].livenessProbe: Required value: must specify a handler type"},
       {containers(R"([{"name":"c","image":"i","livenessProbe":{"successThreshold":2,
                       "tcpSocket":{"port":80}}}])"),
        "spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1"},
       {containers(R"([{"name":"c","image":"i","readinessProbe":{"successThreshold":2,
                       "httpGet":{"port":"http"}}}])"),
        ""},
       {containers(R"([{"name":"c","image":"i","volumeMounts":[{"name":"v","mountPath":"/x"}]}])"),
        "spec.containers[0].volumeMounts[0].name: Not found: \"v\""},
       {R"({"spec":{"initContainers":[{"name":"c","image":"i"}]}})",
        "spec.initContainers[0].name: Duplicate value: \"c\""},
       {R"({"spec":{"initContainers":[{"name":"s","image":"i","restartPolicy":"Always",
            "readinessProbe":{"tcpSocket":{"port":1}}}]}})",
        ""},
       {R"({"spec":{"initContainers":[{"name":"s","image":"i",
            "readinessProbe":{"tcpSocket":{"port":1}}}]}})",
        "spec.initContainers[0].readinessProbe: Forbidden: may not be set for init containers"}});
}

TEST(Validation, PodResources) {
  const auto resources = [](const std::string& value) {
    return R"({"spec":{"containers":[{"name":"c","image":"i","resources":)" + value + "}]}}";
  };
  expect_faults(
      "", "Pod", kPod,
      {{resources(R"({"requests":{"cpu":"2"},"limits":{"cpu":"1"}})"),
        "spec.containers[0].resources.requests: Invalid value: \"2\": must be less than or equal "
        "to "
        "cpu limit of 1"},
       {resources(R"({"requests":{"cpu":"-1"}})"),
        "spec.containers[0].resources.requests[cpu]: Invalid value: \"-1\": must be greater than "
        "or "
        "equal to 0"},
       {resources(R"({"limits":{"nvidia.com/gpu":"1"}})"), ""},
       {resources(R"({"requests":{"nvidia.com/gpu":"1"}})"),
        "spec.containers[0].resources.limits: Required value: Limit must be set for non "
        "overcommitable resources"},
       {resources(R"({"limits":{"nvidia.com/gpu":"1500m"}})"),
        "spec.containers[0].resources.limits[nvidia.com/gpu]: Invalid value: \"1500m\": must be an "
        "integer"},
       {resources(R"({"requests":{"nvidia.com/gpu":"1"},"limits":{"nvidia.com/gpu":"2"}})"),
        "must be equal to nvidia.com/gpu limit of 2"},
       {resources(R"({"requests":{"gpu":"1"}})"),
        "spec.containers[0].resources.requests[gpu]: Invalid value: \"gpu\": must be a standard "
        "resource for containers"},
       {resources(R"({"requests":{"cpu":"x"}})"), "quantities must match the regular expression"},
       {resources(R"({"limits":{"hugepages-2Mi":"4Mi"}})"), "HugePages require cpu or memory"},
       {resources(R"({"limits":{"hugepages-2Mi":"4Mi","cpu":"1"}})"), ""}});
}

TEST(Validation, PodSpec) {
  expect_faults(
      "", "Pod", kPod,
      {{R"({"spec":{"restartPolicy":"Sometimes"}})",
        "spec.restartPolicy: Unsupported value: \"Sometimes\": supported values: \"Always\", "
        "\"OnFailure\", \"Never\""},
       {R"({"spec":{"activeDeadlineSeconds":0}})", "must be between 1 and 2147483647, inclusive"},
       {R"({"spec":{"volumes":[{"name":"v","emptyDir":{}},{"name":"v","emptyDir":{}}]}})",
        "spec.volumes[1].name: Duplicate value: \"v\""},
       {R"({"spec":{"volumes":[{"name":"v","emptyDir":{},"secret":{"secretName":"s"}}]}})",
        "spec.volumes[0]: Forbidden: may not specify more than 1 volume type"},
       {R"({"spec":{"volumes":[{"name":"v","persistentVolumeClaim":{}}]}})",
        "spec.volumes[0].persistentVolumeClaim.claimName: Required value"},
       {R"({"spec":{"nodeSelector":{"a":"b c"}}})", "spec.nodeSelector: Invalid value: \"b c\""},
       {R"({"spec":{"tolerations":[{"key":"a","operator":"Exists","value":"x"}]}})",
        "value must be empty when `operator` is 'Exists'"},
       {R"({"spec":{"tolerations":[{"operator":"Equal"}]}})", "operator must be Exists when `key`"},
       {R"({"spec":{"affinity":{"nodeAffinity":{
            "requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[]}}}}})",
        "nodeSelectorTerms: Required value: must have at least one node selector term"},
       {R"({"spec":{"affinity":{"nodeAffinity":{
            "requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[
            {"matchExpressions":[{"key":"a","operator":"In"}]}]}}}}})",
        "must be specified when `operator` is 'In' or 'NotIn'"},
       {R"({"spec":{"affinity":{"podAntiAffinity":{
            "requiredDuringSchedulingIgnoredDuringExecution":[{}]}}}})",
        "topologyKey: Required value: can not be empty"},
       {R"({"spec":{"topologySpreadConstraints":[{"maxSkew":0,"topologyKey":"zone",
            "whenUnsatisfiable":"DoNotSchedule"}]}})",
        "spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero"},
       {R"({"spec":{"schedulingGates":[{"name":"g"}],"nodeName":"n"}})",
        "spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared"}});
}

TEST(Validation, PodUpdates) {
  const std::string gated =
      R"({"metadata":{"name":"p"},"spec":{"schedulingGates":[{"name":"g"}],
          "nodeSelector":{"a":"b"},"containers":[{"name":"c","image":"i"}]}})";
  const std::string other = "spec: Forbidden: pod updates may not change fields other than";
  expect_update_faults(
      "", "Pod", kPod,
      {{R"({"metadata":{"labels":{"a":"b"}}})", ""},
       {R"({"spec":{"activeDeadlineSeconds":5}})", ""},
       {R"({"spec":{"nodeName":"n"}})", other},
       {R"({"spec":{"containers":[{"name":"c","image":"j"}]}})", other},  // takes defaults away
       {R"({"spec":{"containers":[]}})", "pod updates may not add or remove containers"},
       {R"({"spec":{"tolerations":[]}})", "existing toleration can not be modified"},
       {R"({"spec":{"schedulingGates":[{"name":"g"}]}})",
        "only deletion is allowed, but found new scheduling gate 'g'"}});
  expect_update_faults("", "Pod", gated,
                       {{R"({"spec":{"schedulingGates":[]}})", ""},
                        {R"({"spec":{"nodeSelector":{"c":"d"}}})", ""},
                        {R"({"spec":{"nodeSelector":{"a":"x"}}})", other}});
  // An image, and only the image.
  const Json old = patched("", "Pod", kPod, "{}");
  Json changed = old;
  changed["spec"]["containers"][0]["image"] = "other:1";
  EXPECT_EQ(faults_text("", "Pod", changed, &old), "");
  changed["spec"]["tolerations"].push_back(json(R"({"key":"k","operator":"Exists"})"));
  changed["spec"]["tolerations"][0]["tolerationSeconds"] = 5;
  EXPECT_EQ(faults_text("", "Pod", changed, &old), "");
}

TEST(Validation, Nodes) {
  const std::string base = R"({"metadata":{"name":"n"},"spec":{"providerID":"aws:///x"}})";
  expect_faults("", "Node", base,
                {{R"({"spec":{"taints":[{"key":"a","effect":"No"}]}})",
                  "metadata.taints[0].effect: Unsupported value: \"No\""},
                 {R"({"spec":{"taints":[{"key":"a","effect":"NoSchedule"},
                      {"key":"a","effect":"NoSchedule"}]}})",
                  "metadata.taints[1]: Duplicate value"},
                 {R"({"status":{"capacity":{"nvidia.com/gpu":"0.5"}}})",
                  "status.capacity.nvidia.com/gpu: Invalid value: \"500m\": must be an integer"}});
  expect_update_faults("", "Node", base,
                       {{R"({"spec":{"unschedulable":true}})", ""},
                        {R"({"spec":{"providerID":"other"}})",
                         "spec.providerID: Forbidden: node updates may not change providerID"}});
}

std::string workload(const std::string& more = "") {
  return R"({"metadata":{"name":"w","namespace":"n"},"spec":{)" + more +
         R"("selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},
         "spec":{"containers":[{"name":"c","image":"i"}]}}}})";
}

TEST(Validation, Deployments) {
  expect_faults(
      "apps", "Deployment", workload(),
      {{R"({"spec":{"replicas":-1}})",
        "spec.replicas: Invalid value: -1: must be greater than or equal to 0"},
       {R"({"spec":{"selector":null}})", "spec.selector: Required value"},
       {R"({"spec":{"selector":{"matchLabels":null}}})",
        "empty selector is invalid for deployment"},
       {R"({"spec":{"template":{"metadata":{"labels":{"a":"x"}}}}})",
        "spec.template.metadata.labels: Invalid value: {\"a\":\"x\"}: `selector` does not match "
        "template `labels`"},
       {R"({"spec":{"selector":{"matchExpressions":[{"key":"a","operator":"In","values":["b"]}]}}})",
        ""},
       {R"({"spec":{"selector":{"matchExpressions":[{"key":"a","operator":"Is"}]}}})",
        "spec.selector.matchExpressions[0].operator: Invalid value: \"Is\": not a valid selector"},
       {R"({"spec":{"template":{"spec":{"restartPolicy":"Never"}}}})",
        "spec.template.spec.restartPolicy: Unsupported value: \"Never\": supported values: "
        "\"Always\""},
       {R"({"spec":{"template":{"spec":{"containers":[{"name":"c"}]}}}})",
        "spec.template.spec.containers[0].image: Required value"},
       {R"({"spec":{"strategy":{"type":"Recreate","rollingUpdate":{}}}})",
        "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is"},
       {R"({"spec":{"strategy":{"rollingUpdate":{"maxSurge":0,"maxUnavailable":"0%"}}}})",
        "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: \"0%\": may not be 0 when"},
       {R"({"spec":{"strategy":{"rollingUpdate":{"maxUnavailable":"150%"}}}})",
        "must not be greater than 100%"},
       {R"({"spec":{"strategy":{"rollingUpdate":{"maxSurge":"150%"}}}})", ""},
       {R"({"spec":{"strategy":{"rollingUpdate":{"maxSurge":"many"}}}})",
        "a valid percent string must be"},
       {R"({"spec":{"minReadySeconds":600}})", "must be greater than minReadySeconds"}});
  expect_update_faults(
      "apps", "Deployment", workload(),
      {{R"({"spec":{"replicas":3}})", ""},
       {R"({"spec":{"selector":{"matchLabels":{"c":"d"}},
                             "template":{"metadata":{"labels":{"c":"d"}}}}})",
        "spec.selector: Invalid value: {\"matchLabels\":{\"a\":\"b\",\"c\":\"d\"}}: "
        "field is immutable"}});
}

TEST(Validation, StatefulAndDaemonSets) {
  const std::string claim = R"("volumeClaimTemplates":[{"metadata":{"name":"data"},"spec":{
      "accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}}],)";
  expect_faults(
      "apps", "StatefulSet", workload(claim),
      {{R"({"spec":{"template":{"spec":{"containers":[{"name":"c","image":"i",
                      "volumeMounts":[{"name":"data","mountPath":"/d"}]}]}}}})",
        ""},
       {R"({"spec":{"podManagementPolicy":"Any"}})", "must be 'OrderedReady' or 'Parallel'"},
       {R"({"metadata":{"name":"a.b"}})", "metadata.name: Invalid value"},
       {R"({"spec":{"volumeClaimTemplates":[{"spec":{}}]}})",
        "spec.volumeClaimTemplates[0].spec.accessModes: Required value"}});
  expect_update_faults(
      "apps", "StatefulSet", workload(claim),
      {{R"({"spec":{"replicas":5,"template":{"metadata":{"labels":{"x":"y"}}}}})", ""},
       {R"({"spec":{"serviceName":"other"}})",
        "spec: Forbidden: updates to statefulset spec for fields other than"}});
  expect_faults("apps", "DaemonSet", workload(),
                {{R"({"spec":{"updateStrategy":{"rollingUpdate":{"maxSurge":1}}}})",
                  "may not be set when maxUnavailable is non-zero"},
                 {R"({"spec":{"updateStrategy":{"rollingUpdate":{"maxUnavailable":0}}}})",
                  "cannot be 0 when maxSurge is 0"},
                 {R"({"spec":{"updateStrategy":{"type":"OnDelete","rollingUpdate":null}}})", ""}});
}

TEST(Validation, Jobs) {
  const std::string base = R"({"metadata":{"name":"j"},"spec":{"template":{"spec":{
      "restartPolicy":"Never","containers":[{"name":"c","image":"i"}]}}}})";
  expect_faults("batch", "Job", base,
                {{R"({"spec":{"template":{"spec":{"restartPolicy":"Always"}}}})",
                  "spec.template.spec.restartPolicy: Required value: valid values: \"OnFailure\", "
                  "\"Never\""},
                 {R"({"spec":{"completions":-1}})", "spec.completions: Invalid value: -1"},
                 {R"({"spec":{"completionMode":"Indexed","completions":null,"parallelism":2}})",
                  "spec.completions: Required value: when completion mode is Indexed"},
                 {R"({"spec":{"backoffLimitPerIndex":1}})", "requires indexed completion mode"}});
  expect_update_faults(
      "batch", "Job", base,
      {{R"({"spec":{"parallelism":4}})", ""},
       {R"({"spec":{"completions":4}})", "spec.completions: Invalid value: 4: field is immutable"},
       {R"({"spec":{"template":{"spec":{"nodeSelector":{"a":"b"}}}}})",
        "spec.template: Invalid value"}});
  Json suspended = json(base);
  suspended["spec"]["suspend"] = true;
  expect_update_faults("batch", "Job", suspended.dump(),
                       {{R"({"spec":{"template":{"spec":{"nodeSelector":{"a":"b"}}}}})", ""},
                        {R"({"spec":{"template":{"spec":{"schedulerName":"x"}}}})",
                         "spec.template: Invalid value"}});
}

TEST(Validation, CronJobs) {
  const std::string base = R"({"metadata":{"name":"j"},"spec":{"schedule":"*/5 * * * *",
      "jobTemplate":{"spec":{"template":{"spec":{"restartPolicy":"Never",
      "containers":[{"name":"c","image":"i"}]}}}}}})";
  expect_faults("batch", "CronJob", base,
                {{R"({"spec":{"schedule":"@hourly"}})", ""},
                 {R"({"spec":{"schedule":"@every 90s"}})", ""},
                 {R"({"spec":{"schedule":""}})", "spec.schedule: Required value"},
                 {R"({"spec":{"schedule":"61 * * * *"}})", "spec.schedule: Invalid value"},
                 {R"({"spec":{"schedule":"* * *"}})", "spec.schedule: Invalid value: \"* * *\""},
                 {R"({"spec":{"schedule":"TZ=UTC * * * * *"}})", "use timeZone field instead"},
                 {R"({"spec":{"timeZone":"Asia/Kolkata"}})", ""},
                 {R"({"spec":{"timeZone":"Mars/Base"}})", "unknown time zone Mars/Base"},
                 {R"({"spec":{"concurrencyPolicy":"Maybe"}})",
                  "spec.concurrencyPolicy: Unsupported value: \"Maybe\""},
                 {R"({"metadata":{"name":")" + std::string(53, 'a') + "\"}}",
                  "must be no more than 52 characters"}});
}

TEST(Validation, Services) {
  const std::string base =
      R"({"metadata":{"name":"s"},"spec":{"clusterIP":"10.0.0.1","ports":[{"port":80}]}})";
  expect_faults("", "Service", base,
                {{R"({"spec":{"ports":[]}})", "spec.ports: Required value"},
                 {R"({"spec":{"ports":[],"clusterIP":"None"}})", ""},
                 {R"({"spec":{"ports":[{"port":0}]}})", "spec.ports[0].port: Invalid value: 0"},
                 {R"({"spec":{"ports":[{"port":1},{"port":2}]}})", "spec.ports[0].name: Required"},
                 {R"({"spec":{"ports":[{"port":1,"name":"a"},{"port":1,"name":"b"}]}})",
                  "spec.ports[1]: Duplicate value"},
                 {R"({"spec":{"ports":[{"port":1,"nodePort":30000}]}})",
                  "may not be used when `type` is 'ClusterIP'"},
                 {R"({"spec":{"type":"Any"}})", "spec.type: Unsupported value: \"Any\""},
                 {R"({"spec":{"type":"ExternalName","clusterIP":null}})",
                  "spec.externalName: Required value"},
                 {R"({"metadata":{"name":"1s"}})", "a DNS-1035 label must consist"}});
  expect_update_faults("", "Service", base,
                       {{R"({"spec":{"clusterIP":"10.0.0.2"}})", "may not change once set"},
                        {R"({"spec":{"selector":{"a":"b"}}})", ""}});
}

TEST(Validation, ConfigMapsAndSecrets) {
  expect_faults(
      "", "ConfigMap", R"({"metadata":{"name":"c"},"data":{"a":"1"}})",
      {{R"({"data":{"a/b":"1"}})", "data[a/b]: Invalid value: \"a/b\": a valid config key"},
       {R"({"binaryData":{"a":"eA=="}})", "duplicate of key present in binaryData"},
       {R"({"binaryData":{"b":"!"}})", "binaryData[b]: Invalid value"}});
  expect_update_faults(
      "", "ConfigMap", R"({"metadata":{"name":"c"},"immutable":true,"data":{"a":"1"}})",
      {{R"({"data":{"a":"2"}})", "data: Forbidden: field is immutable when `immutable` is set"},
       {R"({"immutable":false})", "immutable: Forbidden"}});
  expect_faults("", "Secret", R"({"metadata":{"name":"s"}})",
                {{R"({"type":"kubernetes.io/tls"})", "data[tls.key]: Required value"},
                 {R"({"data":{"a":"not base64"}})", "data[a]: Invalid value"}});
  expect_update_faults(
      "", "Secret", R"({"metadata":{"name":"s"}})",
      {{R"({"type":"other"})", "type: Invalid value: \"other\": field is immutable"}});
}

TEST(Validation, Storage) {
  const std::string claim = R"({"metadata":{"name":"c"},"spec":{"accessModes":["ReadWriteOnce"],
      "storageClassName":"gp3","resources":{"requests":{"storage":"10Gi"}}}})";
  expect_faults(
      "", "PersistentVolumeClaim", claim,
      {{R"({"spec":{"accessModes":["Any"]}})", "spec.accessModes: Unsupported value"},
       {R"({"spec":{"resources":null}})", "spec.resources[storage]: Required value"},
       {R"({"spec":{"resources":{"requests":{"storage":"0"}}}})", "must be greater than zero"}});
  expect_update_faults("", "PersistentVolumeClaim", claim,
                       {{R"({"spec":{"volumeName":"v"}})", ""},
                        {R"({"spec":{"storageClassName":"other"}})",
                         "spec: Forbidden: spec is immutable after creation"},
                        {R"({"spec":{"resources":{"requests":{"storage":"5Gi"}}}})",
                         "spec: Forbidden: spec is immutable after creation"},
                        {R"({"status":{"phase":"Bound"},
                             "spec":{"resources":{"requests":{"storage":"20Gi"}}}})",
                         ""}});
  Json grown = json(claim);
  grown["status"] = {{"phase", "Bound"}, {"capacity", {{"storage", "6Gi"}}}};
  expect_update_faults("", "PersistentVolumeClaim", grown.dump(),
                       {{R"({"spec":{"resources":{"requests":{"storage":"8Gi"}}}})", ""},
                        {R"({"spec":{"resources":{"requests":{"storage":"5Gi"}}}})",
                         "field can not be less than status.capacity"}});
  expect_faults("", "PersistentVolume",
                R"({"metadata":{"name":"v"},"spec":{"accessModes":["ReadWriteOnce"],
                    "capacity":{"storage":"1Gi"},"csi":{"driver":"d","volumeHandle":"h"}}})",
                {{R"({"spec":{"csi":null}})", "spec: Required value: must specify a volume type"},
                 {R"({"spec":{"capacity":null}})", "spec.capacity: Required value"}});
  expect_faults("storage.k8s.io", "StorageClass", R"({"metadata":{"name":"g"},"provisioner":"p"})",
                {{R"({"provisioner":""})", "provisioner: Required value"},
                 {R"({"volumeBindingMode":"Later"})", "volumeBindingMode: Unsupported value"}});
}

TEST(Validation, BudgetsPrioritiesLeases) {
  expect_faults(
      "policy", "PodDisruptionBudget", R"({"metadata":{"name":"b"},"spec":{"minAvailable":1}})",
      {{R"({"spec":{"maxUnavailable":1}})", "minAvailable and maxUnavailable cannot be both set"},
       {R"({"spec":{"minAvailable":"101%"}})", "must not be greater than 100%"},
       {R"({"spec":{"minAvailable":-1}})", "must be greater than or equal to 0"}});
  expect_faults("scheduling.k8s.io", "PriorityClass", R"({"metadata":{"name":"p"},"value":5})",
                {{R"({"value":1000000001})", "maximum allowed value of a user defined priority"},
                 {R"({"metadata":{"name":"system-x"}})", "reserved for system use"},
                 {R"({"metadata":{"name":"system-node-critical"},"value":2000001000})", ""}});
  expect_update_faults("scheduling.k8s.io", "PriorityClass",
                       R"({"metadata":{"name":"p"},"value":5})",
                       {{R"({"value":6})", "value: Forbidden: may not be changed in an update."}});
  expect_faults("coordination.k8s.io", "Lease", R"({"metadata":{"name":"l"},"spec":{}})",
                {{R"({"spec":{"leaseDurationSeconds":0}})", "must be greater than 0"}});
}

TEST(Validation, Autoscalers) {
  const std::string base = R"({"metadata":{"name":"h"},"spec":{"maxReplicas":3,
      "scaleTargetRef":{"kind":"Deployment","name":"d"}}})";
  const auto metric = [](const std::string& one) {
    return R"({"spec":{"metrics":[)" + one + "]}}";
  };
  expect_faults(
      "autoscaling", "HorizontalPodAutoscaler", base,
      {{R"({"spec":{"minReplicas":4}})",
        "spec.maxReplicas: Invalid value: 3: must be greater than or equal to `minReplicas`"},
       {R"({"spec":{"minReplicas":0}})", "must be greater than or equal to 1"},
       {R"({"spec":{"maxReplicas":0}})",
        "spec.maxReplicas: Invalid value: 0: must be greater than 0"},
       {R"({"spec":{"scaleTargetRef":{"name":null}}})", "spec.scaleTargetRef.name: Required value"},
       {metric(R"({"type":"Any"})"), "spec.metrics[0].type: Unsupported value: \"Any\""},
       {metric(R"({"type":"Pods"})"),
        "spec.metrics[0].pods: Required value: must populate information for the given metric"},
       {metric(R"({"type":"External","external":{"metric":{"name":"q"},
                  "target":{"type":"AverageValue","averageValue":"5"}}})"),
        ""},
       {metric(R"({"type":"External","external":{"metric":{"name":"q"},
                  "target":{"type":"Value"}}})"),
        "must set either a target value for metric or a per-pod target"},
       {R"({"spec":{"behavior":{"scaleUp":{"stabilizationWindowSeconds":3601}}}})",
        "must be less than or equal to 3600"},
       {R"({"spec":{"behavior":{"scaleDown":{"policies":[{"type":"Pods","value":0,
            "periodSeconds":60}]}}}})",
        "spec.behavior.scaleDown.policies[0].value: Invalid value: 0: must be greater than zero"}});
}

TEST(Validation, Roles) {
  const std::string kRbac = "rbac.authorization.k8s.io";
  expect_faults(kRbac, "Role",
                R"({"metadata":{"name":"a:b"},"rules":[{"verbs":["get"],"apiGroups":[""],
                    "resources":["pods"]}]})",
                {{R"({"rules":[{"apiGroups":[""],"resources":["pods"]}]})",
                  "rules[0].verbs: Required value: verbs must contain at least one value"},
                 {R"({"rules":[{"verbs":["get"],"nonResourceURLs":["/x"]}]})",
                  "namespaced rules cannot apply to non-resource URLs"}});
  expect_update_faults(kRbac, "RoleBinding",
                       R"({"metadata":{"name":"b"},"roleRef":{"kind":"Role","name":"r"},
                           "subjects":[{"kind":"ServiceAccount","name":"s"}]})",
                       {{"{}", ""},
                        {R"({"roleRef":{"name":"other"}})", "cannot change roleRef"},
                        {R"({"subjects":[{"kind":"Robot","name":"r"}]})",
                         "subjects[0].kind: Unsupported value: \"Robot\""}});
}

TEST(Validation, CustomResourceDefinitions) {
  const std::string base = R"({"metadata":{"name":"things.example.com"},"spec":{
      "group":"example.com","scope":"Namespaced","names":{"kind":"Thing","plural":"things"},
      "versions":[{"name":"v1","served":true,"storage":true,
        "schema":{"openAPIV3Schema":{"type":"object"}}}]}})";
  expect_faults(
      "apiextensions.k8s.io", "CustomResourceDefinition", base,
      {{R"({"metadata":{"name":"other.example.com"}})",
        "metadata.name: Invalid value: \"other.example.com\": must be "
        "spec.names.plural+\".\"+spec.group"},
       {R"({"spec":{"scope":"Galaxy"}})",
        "spec.scope: Unsupported value: \"Galaxy\": supported values: \"Cluster\", \"Namespaced\""},
       {R"({"spec":{"versions":[{"name":"v1","schema":{"openAPIV3Schema":{}}}]},
            "status":{"storedVersions":["v1"]}})",
        "must have exactly one version marked as storage version"},
       {R"({"spec":{"versions":[{"name":"v1","storage":true}]}})",
        "spec.versions[0].schema.openAPIV3Schema: Required value"},
       {R"({"spec":{"names":{"kind":"a b"}}})", "may have mixed case, but should otherwise match"},
       {R"({"spec":{"versions":[{"name":"v1","storage":true,"schema":{"openAPIV3Schema":{}},
            "additionalPrinterColumns":[{"name":"x","type":"float","jsonPath":".a"}]}]}})",
        "additionalPrinterColumns[0].type: Invalid value: \"float\": must be one of"},
       {R"({"status":{"storedVersions":["v1beta1"]}})", "missing from spec.versions"}});
}

TEST(Generation, CountsChangesOfContent) {
  const Json before = json(R"({"metadata":{"name":"x"},"spec":{"a":1},"status":{"b":1}})");
  Json spec = before, status = before, labels = before, annotations = before;
  spec["spec"]["a"] = 2;
  status["status"]["b"] = 2;
  labels["metadata"]["labels"] = {{"a", "b"}};
  annotations["metadata"]["annotations"] = {{"a", "b"}};
  for (const auto& [group, kind] :
       {std::pair{"apps", "ReplicaSet"}, {"", "Pod"}, {"karpenter.sh", "NodePool"}}) {
    EXPECT_TRUE(counts_generation(group, kind, before, spec)) << kind;
    for (const Json& same : {before, status, labels, annotations}) {
      EXPECT_FALSE(counts_generation(group, kind, before, same)) << kind;
    }
  }
  EXPECT_TRUE(counts_generation("apps", "Deployment", before, annotations));
  EXPECT_FALSE(counts_generation("apps", "Deployment", before, labels));
  EXPECT_FALSE(counts_generation("", "Service", before, spec));
  EXPECT_TRUE(has_generation("", "Pod"));
  EXPECT_TRUE(has_generation("karpenter.sh", "NodePool"));
  EXPECT_FALSE(has_generation("", "ConfigMap"));
  EXPECT_FALSE(has_generation("", "Node"));
  EXPECT_FALSE(
      counts_generation("", "ConfigMap", json(R"({"data":{}})"), json(R"({"data":{"a":"b"}})")));
}

TEST(SelectableFields, OfResources) {
  const auto field = [](std::string_view resource, const std::string& object,
                        const std::string& name) {
    for (const auto& [key, value] : selectable_fields(resource, json(object))) {
      if (key == name) return value;
    }
    return std::string("(no such field)");
  };
  EXPECT_EQ(field("pods", R"({"spec":{"nodeName":"n1"}})", "spec.nodeName"), "n1");
  EXPECT_EQ(field("pods", "{}", "spec.nodeName"), "");
  EXPECT_EQ(field("pods", R"({"status":{"podIPs":[{"ip":"1.2.3.4"}]}})", "status.podIP"),
            "1.2.3.4");
  EXPECT_EQ(field("pods", "{}", "spec.containers"), "(no such field)");
  EXPECT_EQ(field("nodes", "{}", "spec.unschedulable"), "false");
  EXPECT_EQ(field("nodes", R"({"spec":{"unschedulable":true}})", "spec.unschedulable"), "true");
  EXPECT_EQ(field("events", R"({"involvedObject":{"uid":"u"}})", "involvedObject.uid"), "u");
  EXPECT_EQ(field("events", R"({"source":{"component":"kubelet"}})", "source"), "kubelet");
  EXPECT_EQ(field("secrets", R"({"type":"Opaque"})", "type"), "Opaque");
  EXPECT_EQ(field("namespaces", R"({"status":{"phase":"Active"}})", "status.phase"), "Active");
  EXPECT_EQ(field("jobs.batch", R"({"status":{"succeeded":2}})", "status.successful"), "2");
  EXPECT_EQ(field("replicasets.apps", "{}", "status.replicas"), "0");
  EXPECT_TRUE(selectable_fields("configmaps", json("{}")).empty());
}

}  // namespace
}  // namespace windlass::server::kinds
