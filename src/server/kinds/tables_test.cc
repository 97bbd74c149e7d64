#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "server/kinds/kind_rules.h"

namespace windlass::server::kinds {
namespace {

TEST(HumanDuration, LimitsOfEachForm) {
  const std::pair<Duration, std::string> kCases[] = {
      {seconds(-2), "<invalid>"},
      {milliseconds(-1500), "0s"},
      {seconds(0), "0s"},
      {milliseconds(1999), "1s"},
      {seconds(119), "119s"},
      {seconds(120), "2m"},
      {seconds(9 * 60 + 59), "9m59s"},
      {minutes(10), "10m"},
      {minutes(179), "179m"},
      {minutes(180), "3h"},
      {minutes(7 * 60 + 59), "7h59m"},
      {hours(8), "8h"},
      {hours(47), "47h"},
      {hours(48), "2d"},
      {hours(49), "2d1h"},
      {hours(24 * 8 - 1), "7d23h"},
      {hours(24 * 8), "8d"},
      {hours(24 * 365 * 2 - 1), "729d"},
      {hours(24 * 365 * 2), "2y"},
      {hours(24 * (365 * 2 + 5)), "2y5d"},
      {hours(24 * 365 * 8), "8y"},
      {hours(24 * 365 * 30), "30y"},
  };
  for (const auto& [duration, expected] : kCases) {
    EXPECT_EQ(human_duration(duration), expected) << duration.ns;
  }
}

// Rows below are of objects made an hour before.
Instant an_hour_later() { return *parse_rfc3339("2026-03-01T01:00:00Z"); }

Json made(const std::string& more) {
  Json object = *parse_json(more);
  object["metadata"]["name"] = "x";
  object["metadata"]["creationTimestamp"] = "2026-03-01T00:00:00Z";
  return object;
}

Json row(std::string_view group, std::string_view kind, const std::string& object) {
  const Table table = table_for(group, "v1", kind);
  const Json cells = table.row(made(object), an_hour_later());
  EXPECT_EQ(cells.size(), table.columns.size()) << kind;
  return cells;
}

std::string pod_status(const std::string& pod) { return row("", "Pod", pod)[2]; }

TEST(PodTable, Status) {
  const std::pair<std::string, std::string> kCases[] = {
      {R"({"status":{"phase":"Pending"}})", "Pending"},
      {R"({"status":{"phase":"Failed","reason":"Evicted"}})", "Evicted"},
      {R"({"status":{"phase":"Pending","conditions":[
          {"type":"PodScheduled","status":"False","reason":"SchedulingGated"}]}})",
       "SchedulingGated"},
      {R"({"status":{"phase":"Pending","containerStatuses":[
          {"state":{"waiting":{"reason":"ContainerCreating"}}}]}})",
       "ContainerCreating"},
      {R"({"status":{"phase":"Running","containerStatuses":[
          {"state":{"waiting":{"reason":"CrashLoopBackOff"}},"restartCount":3}]}})",
       "CrashLoopBackOff"},
      {R"({"status":{"phase":"Succeeded","containerStatuses":[
          {"state":{"terminated":{"reason":"Completed","exitCode":0}}}]}})",
       "Completed"},
      {R"({"status":{"phase":"Failed","containerStatuses":[
          {"state":{"terminated":{"reason":"OOMKilled","exitCode":137}}}]}})",
       "OOMKilled"},
      {R"({"status":{"phase":"Failed","containerStatuses":[
          {"state":{"terminated":{"exitCode":3}}}]}})",
       "ExitCode:3"},
      {R"({"status":{"phase":"Failed","containerStatuses":[
          {"state":{"terminated":{"exitCode":137,"signal":9}}}]}})",
       "Signal:9"},
      {R"({"spec":{"initContainers":[{"name":"a"},{"name":"b"}]},
          "status":{"phase":"Pending","initContainerStatuses":[
          {"name":"a","state":{"terminated":{"exitCode":0}}},
          {"name":"b","state":{"running":{}}}]}})",
       "Init:1/2"},
      {R"({"spec":{"initContainers":[{"name":"a"}]},
          "status":{"phase":"Pending","initContainerStatuses":[
          {"name":"a","state":{"terminated":{"exitCode":1,"reason":"Error"}}}]}})",
       "Init:Error"},
      {R"({"spec":{"initContainers":[{"name":"a"}]},
          "status":{"phase":"Pending","initContainerStatuses":[
          {"name":"a","state":{"waiting":{"reason":"ImagePullBackOff"}}}]}})",
       "Init:ImagePullBackOff"},
      {R"({"status":{"phase":"Running","conditions":[{"type":"Ready","status":"False"}],
          "containerStatuses":[{"ready":true,"state":{"running":{}}},
          {"state":{"terminated":{"reason":"Completed"}}}]}})",
       "NotReady"},
      {R"({"metadata":{"deletionTimestamp":"2026-03-01T00:30:00Z"},"status":{"phase":"Running"}})",
       "Terminating"},
      {R"({"metadata":{"deletionTimestamp":"2026-03-01T00:30:00Z"},
          "status":{"phase":"Running","reason":"NodeLost"}})",
       "Unknown"},
      {R"({"metadata":{"deletionTimestamp":"2026-03-01T00:30:00Z"},"status":{"phase":"Succeeded"}})",
       "Succeeded"},
  };
  for (const auto& [pod, expected] : kCases) EXPECT_EQ(pod_status(pod), expected) << pod;
}

TEST(PodTable, RunningPodWithSidecar) {
  const Json cells = row("", "Pod", R"({
    "spec": {"nodeName": "n1", "containers": [{"name": "main"}],
      "initContainers": [{"name": "side", "restartPolicy": "Always"}],
      "readinessGates": [{"conditionType": "lb"}, {"conditionType": "other"}]},
    "status": {"phase": "Running", "podIP": "10.0.0.7", "podIPs": [{"ip": "10.0.0.7"}],
      "conditions": [{"type": "Initialized", "status": "True"}, {"type": "lb", "status": "True"}],
      "initContainerStatuses": [{"name": "side", "started": true, "ready": true,
        "restartCount": 1, "state": {"running": {}},
        "lastState": {"terminated": {"finishedAt": "2026-03-01T00:10:00Z"}}}],
      "containerStatuses": [{"name": "main", "ready": true, "restartCount": 2,
        "state": {"running": {}},
        "lastState": {"terminated": {"finishedAt": "2026-03-01T00:55:00Z"}}}]}})");
  EXPECT_EQ(cells, Json::array({"x", "2/2", "Running", "3 (5m ago)", "60m", "10.0.0.7", "n1",
                                "<none>", "1/2"}));
}

TEST(Tables, NodeColumnsAndCells) {
  const Table table = table_for("", "v1", "Node");
  std::string narrow;
  for (const Column& column : table.columns) {
    if (column.priority == 0) narrow += column.name + " ";
  }
  EXPECT_EQ(narrow, "Name Status Roles Age Version ");
  EXPECT_EQ(row("", "Node", R"({
    "metadata": {"labels": {"node-role.kubernetes.io/worker": "", "kubernetes.io/role": "gpu"}},
    "spec": {"unschedulable": true},
    "status": {"conditions": [{"type": "Ready", "status": "True"}],
      "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}],
      "nodeInfo": {"kubeletVersion": "v1.34.1", "osImage": "AL2023"}}})"),
            Json::array({"x", "Ready,SchedulingDisabled", "gpu,worker", "60m", "v1.34.1",
                         "10.0.0.1", "<none>", "AL2023", "<unknown>", "<unknown>"}));
  EXPECT_EQ(
      row("", "Node", R"({"status":{"conditions":[{"type":"Ready","status":"Unknown"}]}})")[1],
      "NotReady");
  EXPECT_EQ(row("", "Node", "{}")[1], "Unknown");
}

struct RowCase {
  std::string group, kind, object;
  Json cells;  // after the name
};

TEST(Tables, OneRowOfEachKind) {
  const std::string pods =
      R"("selector":{"matchLabels":{"b":"2","a":"1"},"matchExpressions":[
         {"key":"t","operator":"In","values":["y","x"]},{"key":"z","operator":"DoesNotExist"}]},
         "template":{"spec":{"nodeSelector":{"gpu":"yes"},
         "containers":[{"name":"c","image":"i:1"},{"name":"d","image":"j"}]}})";
  const std::string selector = "a=1,b=2,t in (x,y),!z";
  const RowCase kCases[] = {
      {"apps",
       "Deployment",
       R"({"spec":{"replicas":3,)" + pods +
           R"(},"status":{"readyReplicas":2,"updatedReplicas":3,"availableReplicas":1}})",
       {"2/3", 3, 1, "60m", "c,d", "i:1,j", selector}},
      {"apps",
       "ReplicaSet",
       R"({"spec":{"replicas":3,)" + pods + R"(},"status":{"replicas":2,"readyReplicas":1}})",
       {3, 2, 1, "60m", "c,d", "i:1,j", selector}},
      {"",
       "ReplicationController",
       R"({"spec":{"replicas":1,"selector":{"a":"b"}}})",
       {1, 0, 0, "60m", "", "", "a=b"}},
      {"apps",
       "StatefulSet",
       R"({"spec":{"replicas":3},"status":{"readyReplicas":3}})",
       {"3/3", "60m", "", ""}},
      {"apps",
       "DaemonSet",
       R"({"spec":{)" + pods +
           R"(},"status":{"desiredNumberScheduled":5,"currentNumberScheduled":4,"numberReady":3,
           "updatedNumberScheduled":2,"numberAvailable":1}})",
       {5, 4, 3, 2, 1, "gpu=yes", "60m", "c,d", "i:1,j", selector}},
      {"apps",
       "ControllerRevision",
       R"({"revision":4,"metadata":{"ownerReferences":[{"kind":"StatefulSet","name":"db",
           "apiVersion":"apps/v1","controller":true}]}})",
       {"statefulset.apps/db", 4, "60m"}},
      {"batch",
       "Job",
       R"({"spec":{"completions":4},"status":{"succeeded":1,"startTime":"2026-03-01T00:30:00Z"}})",
       {"Running", "1/4", "30m", "60m", "", "", "<none>"}},
      {"batch",
       "Job",
       R"({"spec":{"parallelism":3},"status":{"succeeded":1,"startTime":"2026-03-01T00:30:00Z",
           "completionTime":"2026-03-01T00:30:05Z",
           "conditions":[{"type":"Complete","status":"True"}]}})",
       {"Complete", "1/1 of 3", "5s", "60m", "", "", "<none>"}},
      {"batch",
       "CronJob",
       R"({"spec":{"schedule":"0 * * * *","suspend":false},"status":{"active":[{}],
           "lastScheduleTime":"2026-03-01T00:58:00Z"}})",
       {"0 * * * *", "<none>", "False", 1, "2m", "60m", "", "", "<none>"}},
      {"",
       "Service",
       R"({"spec":{"type":"LoadBalancer","clusterIP":"10.1.0.1","clusterIPs":["10.1.0.1"],
           "ports":[{"port":80,"nodePort":30080,"protocol":"TCP"},{"port":53,"protocol":"UDP"}],
           "selector":{"app":"web"}}})",
       {"LoadBalancer", "10.1.0.1", "<pending>", "80:30080/TCP,53/UDP", "60m", "app=web"}},
      {"",
       "Service",
       R"({"spec":{"type":"ExternalName","externalName":"a.b"}})",
       {"ExternalName", "<none>", "a.b", "<none>", "60m", "<none>"}},
      {"",
       "Endpoints",
       R"({"subsets":[{"addresses":[{"ip":"1.1.1.1"},{"ip":"::1"}],"ports":[{"port":80},
           {"port":81}]}]})",
       {"1.1.1.1:80,[::1]:80,1.1.1.1:81 + 1 more...", "60m"}},
      {"", "Endpoints", "{}", {"<none>", "60m"}},
      {"discovery.k8s.io",
       "EndpointSlice",
       R"({"addressType":"IPv4","ports":[{"port":80},{"name":"x"}],
           "endpoints":[{"addresses":["1.1.1.1"]}]})",
       {"IPv4", "80,x", "1.1.1.1", "60m"}},
      {"networking.k8s.io",
       "Ingress",
       R"({"spec":{"rules":[{"host":"a"},{"host":"b"},{"host":"c"},{"host":"d"}],"tls":[{}]},
           "status":{"loadBalancer":{"ingress":[{"hostname":"lb"}]}}})",
       {"<none>", "a,b,c + 1 more...", "lb", "80, 443", "60m"}},
      {"networking.k8s.io", "NetworkPolicy", R"({"spec":{"podSelector":{}}})", {"<none>", "60m"}},
      {"", "ConfigMap", R"({"data":{"a":"1"},"binaryData":{"b":"","c":""}})", {3, "60m"}},
      {"", "Secret", R"({"type":"Opaque","data":{"a":""}})", {"Opaque", 1, "60m"}},
      {"", "ServiceAccount", "{}", {0, "60m"}},
      {"", "Namespace", R"({"status":{"phase":"Active"}})", {"Active", "60m"}},
      {"",
       "ResourceQuota",
       R"({"status":{"hard":{"cpu":"4","limits.cpu":"8","pods":"10"},"used":{"cpu":"500m"}}})",
       {"cpu: 500m/4, pods: 0/10", "limits.cpu: 0/8", "60m"}},
      {"rbac.authorization.k8s.io",
       "RoleBinding",
       R"({"roleRef":{"kind":"Role","name":"r"},"subjects":[{"kind":"User","name":"u"},
           {"kind":"Group","name":"g"},{"kind":"ServiceAccount","name":"s","namespace":"n"}]})",
       {"Role/r", "60m", "u", "g", "n/s"}},
      {"rbac.authorization.k8s.io", "Role", "{}", {"2026-03-01T00:00:00Z"}},
      {"apiextensions.k8s.io", "CustomResourceDefinition", "{}", {"2026-03-01T00:00:00Z"}},
      {"coordination.k8s.io", "Lease", R"({"spec":{"holderIdentity":"me"}})", {"me", "60m"}},
      {"scheduling.k8s.io",
       "PriorityClass",
       R"({"value":1000,"preemptionPolicy":"PreemptLowerPriority"})",
       {1000, false, "60m", "PreemptLowerPriority"}},
      {"policy",
       "PodDisruptionBudget",
       R"({"spec":{"maxUnavailable":"25%"},"status":{"disruptionsAllowed":2}})",
       {"N/A", "25%", 2, "60m"}},
      {"",
       "PersistentVolume",
       R"({"spec":{"capacity":{"storage":"1024Mi"},"accessModes":["ReadWriteMany","ReadWriteOnce"],
           "persistentVolumeReclaimPolicy":"Delete","claimRef":{"namespace":"n","name":"c"},
           "storageClassName":"gp3","volumeMode":"Filesystem"},"status":{"phase":"Bound"}})",
       {"1Gi", "RWO,RWX", "Delete", "Bound", "n/c", "gp3", "<unset>", "", "60m", "Filesystem"}},
      {"",
       "PersistentVolumeClaim",
       R"({"spec":{"storageClassName":"gp3","volumeMode":"Filesystem"},
           "status":{"phase":"Pending"}})",
       {"Pending", "", "", "", "gp3", "<unset>", "60m", "Filesystem"}},
      {"storage.k8s.io", "CSINode", R"({"spec":{"drivers":[{},{}]}})", {2, "60m"}},
      {"storage.k8s.io",
       "VolumeAttachment",
       R"({"spec":{"attacher":"a","nodeName":"n","source":{"persistentVolumeName":"p"}},
           "status":{"attached":true}})",
       {"a", "p", "n", true, "60m"}},
  };
  for (const RowCase& one : kCases) {
    Json expected = Json::array({"x"});
    for (const Json& cell : one.cells) expected.push_back(cell);
    EXPECT_EQ(row(one.group, one.kind, one.object), expected) << one.kind;
  }
}

TEST(Tables, StorageClassShowsTheDefault) {
  EXPECT_EQ(
      row("storage.k8s.io", "StorageClass",
          R"({"metadata":{"annotations":{"storageclass.kubernetes.io/is-default-class":"true"}},
                    "provisioner":"ebs.csi.aws.com","reclaimPolicy":"Delete",
                    "volumeBindingMode":"WaitForFirstConsumer","allowVolumeExpansion":true})"),
      Json::array(
          {"x (default)", "ebs.csi.aws.com", "Delete", "WaitForFirstConsumer", true, "60m"}));
}

TEST(Tables, EventsOfBothForms) {
  const Json cells = {"5m",          "Warning", "Failed", "pod/p", "spec",
                      "kubelet, n1", "no room", "60m",    4,       "x"};
  EXPECT_EQ(row("", "Event", R"({"type":"Warning","reason":"Failed","message":" no room\n",
      "involvedObject":{"kind":"Pod","name":"p","fieldPath":"spec"},
      "source":{"component":"kubelet","host":"n1"},"count":4,
      "firstTimestamp":"2026-03-01T00:00:00Z","lastTimestamp":"2026-03-01T00:55:00Z"})"),
            cells);
  EXPECT_EQ(row("events.k8s.io", "Event", R"({"type":"Warning","reason":"Failed","note":"no room",
      "regarding":{"kind":"Pod","name":"p","fieldPath":"spec"},
      "reportingController":"kubelet","reportingInstance":"n1",
      "eventTime":"2026-03-01T00:00:00.000000Z",
      "series":{"count":4,"lastObservedTime":"2026-03-01T00:55:00.000000Z"}})"),
            cells);
}

TEST(Tables, AutoscalerTargets) {
  const auto targets = [](const std::string& metrics, const std::string& statuses) {
    return row("autoscaling", "HorizontalPodAutoscaler",
               R"({"spec":{"maxReplicas":9,"metrics":)" + metrics +
                   R"(},"status":{"currentMetrics":)" + statuses + "}}")[2]
        .get<std::string>();
  };
  const std::string cpu =
      R"({"type":"Resource","resource":{"name":"cpu","target":{"averageUtilization":80}}})";
  const std::string external =
      R"({"type":"External","external":{"target":{"averageValue":"5000m"}}})";
  EXPECT_EQ(targets("[]", "[]"), "<none>");
  EXPECT_EQ(targets("[" + cpu + "]", "[]"), "cpu: <unknown>/80%");
  EXPECT_EQ(targets("[" + cpu + "," + external + "]",
                    R"([{"type":"Resource","resource":{"current":{"averageUtilization":12}}},
                       {"type":"External","external":{"current":{"averageValue":"1500m"}}}])"),
            "cpu: 12%/80%, 1500m/5 (avg)");
  EXPECT_EQ(targets("[" + cpu + "," + cpu + "," + external + "]", "[]"),
            "cpu: <unknown>/80%, cpu: <unknown>/80% + 1 more...");
}

TEST(CrdTable, ColumnsByJsonPath) {
  const Json columns = *parse_json(R"([
    {"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].status"},
    {"name":"Class","type":"string","jsonPath":".spec.ref['kind']","priority":1},
    {"name":"Pool","type":"string","jsonPath":".metadata.labels.karpenter\\.sh/nodepool"},
    {"name":"Zone","type":"string","jsonPath":".metadata.labels[\"topology.kubernetes.io/zone\"]"},
    {"name":"Nodes","type":"integer","jsonPath":".status.nodes"},
    {"name":"Weight","type":"number","jsonPath":".spec.weight"},
    {"name":"Paused","type":"boolean","jsonPath":".spec.paused"},
    {"name":"First","type":"string","jsonPath":".spec.list[0]"},
    {"name":"Last","type":"string","jsonPath":".spec.list[-1]"},
    {"name":"All","type":"string","jsonPath":".spec.list[*]"},
    {"name":"Map","type":"string","jsonPath":".spec.ref"},
    {"name":"Gone","type":"string","jsonPath":".no.such[3].thing"},
    {"name":"Wrong","type":"integer","jsonPath":".spec.ref.kind"},
    {"name":"Strange","type":"string","jsonPath":"..a"},
    {"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"},
    {"name":"Bad Date","type":"date","jsonPath":".spec.ref.kind"}])");
  const Table table = table_for_crd(columns);
  const Json object = made(R"({
    "metadata": {"labels": {"karpenter.sh/nodepool": "gpu", "topology.kubernetes.io/zone": "a"}},
    "spec": {"ref": {"kind": "EC2"}, "weight": 2, "paused": true, "list": ["u", "v", "w"]},
    "status": {"nodes": 3, "conditions": [{"type": "Other", "status": "False"},
      {"type": "Ready", "status": "True"}]}})");
  EXPECT_EQ(Json(table.row(object, an_hour_later())),
            Json::array({"x", "True", "EC2", "gpu", "a", 3, 2.0, true, "u", "w", "u",
                         R"({"kind":"EC2"})", nullptr, nullptr, nullptr, "60m", "<invalid>"}));
  EXPECT_EQ(table.columns[2].priority, 1);
  EXPECT_EQ(table.columns[0].format, "name");
}

TEST(CrdTable, WithoutColumnsNameAndAge) {
  for (const Json& none : {Json(), Json::array()}) {
    const Table table = table_for_crd(none);
    ASSERT_EQ(table.columns.size(), 2u);
    EXPECT_EQ(table.columns[1].name, "Age");
    EXPECT_EQ(Json(table.row(made("{}"), an_hour_later())), Json::array({"x", "60m"}));
  }
}

// Rows are made of whatever stands in the store: no shape of object may crash a printer.
TEST(Tables, SurviveObjectsOfTheWrongShape) {
  const std::pair<std::string, std::string> kKinds[] = {{"", "Pod"},
                                                        {"", "Node"},
                                                        {"", "Service"},
                                                        {"", "Endpoints"},
                                                        {"", "Event"},
                                                        {"apps", "Deployment"},
                                                        {"apps", "DaemonSet"},
                                                        {"batch", "Job"},
                                                        {"batch", "CronJob"},
                                                        {"autoscaling", "HorizontalPodAutoscaler"},
                                                        {"", "PersistentVolume"},
                                                        {"networking.k8s.io", "Ingress"}};
  const std::string kShapes[] = {
      "null", "[]", "3", R"({"spec":[],"status":"x","metadata":7})",
      R"({"spec":{"containers":{},"ports":[1,null],"rules":"x","metrics":[[]],"selector":[1]},
          "status":{"conditions":[1,"a",null],"containerStatuses":[{"state":[]},9],
          "initContainerStatuses":[null],"loadBalancer":[]},"subsets":[[],{"addresses":[3]}]})"};
  for (const auto& [group, kind] : kKinds) {
    const Table table = table_for(group, "v1", kind);
    for (const std::string& shape : kShapes) {
      EXPECT_EQ(table.row(*parse_json(shape), an_hour_later()).size(), table.columns.size())
          << kind;
    }
  }
}

}  // namespace
}  // namespace windlass::server::kinds
