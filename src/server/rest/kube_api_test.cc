// The verbs over built-in kinds: what goes in, what comes out, and every refusal by its code.
#include <gtest/gtest.h>

#include "server/rest/rest_fixture.h"

namespace windlass::server::rest {
namespace {

constexpr const char* kMaps = "/api/v1/namespaces/default/configmaps";
constexpr const char* kPods = "/api/v1/namespaces/default/pods";
constexpr const char* kDeployments = "/apis/apps/v1/namespaces/default/deployments";

TEST(KubeApi, ANewClusterHasItsNamespacesAndClasses) {
  Api api;
  for (const char* path :
       {"/api/v1/namespaces/default", "/api/v1/namespaces/kube-system",
        "/api/v1/namespaces/kube-public", "/api/v1/namespaces/kube-node-lease",
        "/api/v1/namespaces/default/serviceaccounts/default",
        "/api/v1/namespaces/default/services/kubernetes",
        "/apis/scheduling.k8s.io/v1/priorityclasses/system-node-critical",
        "/apis/storage.k8s.io/v1/storageclasses/gp3",
        "/apis/rbac.authorization.k8s.io/v1/clusterroles/cluster-admin",
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/nodepools.karpenter.sh",
        "/apis/karpenter.sh/v1/nodepools"}) {
    EXPECT_EQ(api.get(path).code, 200) << path;
  }
  const auto before = api.store.resource_version();
  api.api.bootstrap();
  EXPECT_EQ(api.store.resource_version(), before) << "a second start changes nothing";
}

TEST(KubeApi, CreateGivesWhatTheServerGives) {
  Api api;
  const Reply made =
      api.post(std::string(kMaps) + "?fieldManager=me", config_map("a", {{"k", "v"}}));
  ASSERT_EQ(made.code, 201) << made.text;
  EXPECT_EQ(made.meta("name"), "a");
  EXPECT_EQ(made.meta("namespace"), "default");
  EXPECT_EQ(made.meta("creationTimestamp"), "2026-03-01T00:00:00Z");
  EXPECT_EQ(made.body["data"]["k"], "v");
  const auto uid = made.meta("uid").get<std::string>();
  ASSERT_EQ(uid.size(), 36u);
  EXPECT_EQ(uid[14], '4');
  EXPECT_NE(std::string("89ab").find(uid[19]), std::string::npos);
  ASSERT_EQ(made.meta("managedFields").size(), 1u);
  EXPECT_EQ(made.meta("managedFields")[0]["manager"], "me");
  EXPECT_EQ(made.meta("managedFields")[0]["operation"], "Update");
  EXPECT_EQ(api.get(std::string(kMaps) + "/a").body, made.body);

  const Reply deployed = api.post(kDeployments, deployment("web"));
  ASSERT_EQ(deployed.code, 201) << deployed.text;
  EXPECT_EQ(deployed.meta("generation"), 1);
  EXPECT_EQ(deployed.meta("managedFields")[0]["manager"], "tester") << "from the user agent";
  EXPECT_EQ(at(deployed.body, "spec", "template", "spec")["restartPolicy"], "Always");
}

TEST(KubeApi, UidsAreEqualInEqualRunsAndNeverRepeat) {
  Api one;
  Api two;
  const Json first = one.post(kMaps, config_map("a")).meta("uid");
  EXPECT_EQ(first, two.post(kMaps, config_map("a")).meta("uid"));
  one.del(std::string(kMaps) + "/a");
  EXPECT_NE(first, one.post(kMaps, config_map("a")).meta("uid"));
}

TEST(KubeApi, RefusalsHaveKubernetesCodes) {
  Api api;
  ASSERT_EQ(api.post(kMaps, config_map("a")).code, 201);
  ASSERT_EQ(api.post(kDeployments, deployment("web")).code, 201);
  Json moved = config_map("b");
  moved["metadata"]["namespace"] = "other";
  Json versioned = config_map("b");
  versioned["metadata"]["resourceVersion"] = "1";
  Json renamed = config_map("other");
  Json stale = config_map("a");
  stale["metadata"]["resourceVersion"] = "1";
  Json other_uid = config_map("a");
  other_uid["metadata"]["uid"] = "not-it";
  const std::string maps = kMaps;
  struct Case {
    const char* what;
    const char* method;
    std::string target;
    std::string body;
    int code;
    const char* reason;
    const char* message;  // part of it
  };
  const Case cases[] = {
      {"absent", "GET", maps + "/none", "", 404, "NotFound", "configmaps \"none\" not found"},
      {"absent in a group", "GET", std::string(kDeployments) + "/none", "", 404, "NotFound",
       "deployments.apps \"none\" not found"},
      {"unknown resource", "GET", "/api/v1/things", "", 404, "NotFound",
       "the server could not find the requested resource"},
      {"unknown group", "GET", "/apis/x.io/v1/things", "", 404, "NotFound", "could not find"},
      {"namespaced object without namespace", "GET", "/api/v1/pods/x", "", 404, "NotFound", ""},
      {"no such verb", "POST", maps + "/a", "{}", 405, "MethodNotAllowed", "does not allow"},
      {"no such verb on a collection", "PUT", maps, "{}", 405, "MethodNotAllowed", ""},
      {"twice", "POST", maps, config_map("a").dump(), 409, "AlreadyExists",
       "configmaps \"a\" already exists"},
      {"no such namespace", "POST", "/api/v1/namespaces/none/configmaps", config_map("a").dump(),
       404, "NotFound", "namespaces \"none\" not found"},
      {"another namespace", "POST", maps, moved.dump(), 400, "BadRequest",
       "the namespace of the provided object does not match"},
      {"version set", "POST", maps, versioned.dump(), 400, "BadRequest",
       "resourceVersion should not be set"},
      {"no name", "POST", maps, R"({"metadata":{}})", 422, "Invalid", "metadata.name"},
      {"bad name", "POST", maps, config_map("A_b").dump(), 422, "Invalid",
       "ConfigMap \"A_b\" is invalid: metadata.name: Invalid value: \"A_b\": "},
      {"no JSON", "POST", maps, "{", 400, "BadRequest", ""},
      {"no object", "POST", maps, "[]", 400, "BadRequest", ""},
      {"another kind", "POST", maps, pod("a").dump(), 400, "BadRequest", "cannot be handled"},
      {"another group", "POST", maps, R"({"apiVersion":"apps/v1","metadata":{"name":"b"}})", 400,
       "BadRequest", "does not match the expected API version"},
      {"a string for a number", "POST", kDeployments,
       R"({"metadata":{"name":"b"},"spec":{"replicas":"x"}})", 400, "BadRequest", ""},
      {"negative replicas", "POST", kDeployments, deployment("b", -1).dump(), 422, "Invalid",
       "Deployment.apps \"b\" is invalid: spec.replicas: Invalid value: -1"},
      {"unknown field, strict", "POST", maps + "?fieldValidation=Strict",
       R"({"metadata":{"name":"b"},"dat":{}})", 400, "BadRequest",
       "strict decoding error: unknown field \"dat\""},
      {"field twice, strict", "POST", maps + "?fieldValidation=Strict",
       R"({"metadata":{"name":"b"},"data":{},"data":{}})", 400, "BadRequest",
       "strict decoding error: duplicate field \"data\""},
      {"another name", "PUT", maps + "/none", config_map("b").dump(), 400, "BadRequest",
       "the name of the object (b) does not match the name on the URL (none)"},
      {"bad dryRun", "POST", maps + "?dryRun=Some", config_map("b").dump(), 400, "BadRequest", ""},
      {"stale update", "PUT", maps + "/a", stale.dump(), 409, "Conflict",
       "Operation cannot be fulfilled on configmaps \"a\": the object has been modified"},
      {"other uid", "PUT", maps + "/a", other_uid.dump(), 409, "Conflict", "Precondition failed"},
      {"other name", "PUT", maps + "/a", renamed.dump(), 400, "BadRequest",
       "does not match the name on the URL"},
      {"update of nothing", "PUT", maps + "/none", config_map("none").dump(), 404, "NotFound", ""},
      {"bad label", "POST", maps, R"({"metadata":{"name":"b","labels":{"a":"-"}}})", 422, "Invalid",
       "metadata.labels"},
      {"bad selector", "GET", maps + "?labelSelector=a=b=c", "", 400, "BadRequest", ""},
      {"version of tomorrow", "GET", maps + "?resourceVersion=99999", "", 504, "Timeout",
       "Too large resource version"},
      {"bad version", "GET", maps + "?resourceVersion=x", "", 400, "BadRequest", ""},
      {"bad token", "GET", maps + "?continue=x", "", 400, "BadRequest", "continue key"},
      {"no containers", "GET", std::string(kPods) + "/none/log", "", 404, "NotFound", ""},
  };
  for (const auto& each : cases) {
    const Reply reply = api.send(
        api.request(each.method, each.target, each.body, {{"content-type", "application/json"}}));
    EXPECT_EQ(reply.code, each.code) << each.what << ": " << reply.text;
    EXPECT_EQ(reply.body["kind"], "Status") << each.what;
    EXPECT_EQ(reply.body["code"], each.code) << each.what;
    EXPECT_EQ(reply.reason(), each.reason) << each.what;
    EXPECT_NE(reply.message().find(each.message), std::string::npos)
        << each.what << ": " << reply.message();
  }
}

TEST(KubeApi, OthersAreRefusedAtTheDoor) {
  Api api;
  Request nobody = api.request("GET", kMaps);
  nobody.identity = {};
  EXPECT_EQ(api.send(nobody).code, 401);
  for (const char* open : {"/healthz", "/livez", "/readyz", "/version"}) {
    nobody.path = open;
    EXPECT_EQ(api.send(nobody).code, 200) << open;
  }
  EXPECT_EQ(api.get(kMaps, "text/csv").code, 406);
  EXPECT_EQ(api.get(kMaps, "application/vnd.kubernetes.protobuf").code, 200);
  Request csv = api.request("POST", kMaps, "a,b", {{"content-type", "text/csv"}});
  EXPECT_EQ(api.send(csv).code, 415);
  csv.headers = {{"content-type", "application/json"}};
  csv.body = std::string((3 << 20) + 1, ' ');
  EXPECT_EQ(api.send(csv).code, 413);
}

TEST(KubeApi, UnknownFieldsWarnAndAreDropped) {
  Api api;
  Json object = config_map("a");
  object["dat"] = {{"x", "y"}};
  const Reply warned = api.post(kMaps, object);
  ASSERT_EQ(warned.code, 201);
  ASSERT_EQ(warned.headers.size(), 1u);
  EXPECT_EQ(warned.headers[0].first, "Warning");
  EXPECT_EQ(warned.headers[0].second, "299 - \"unknown field \\\"dat\\\"\"");
  EXPECT_FALSE(warned.body.contains("dat"));
  object["metadata"]["name"] = "b";
  EXPECT_TRUE(api.post(std::string(kMaps) + "?fieldValidation=Ignore", object).headers.empty());
}

TEST(KubeApi, YamlBodiesAreRead) {
  Api api;
  const Reply made = api.send(api.request("POST", kMaps, "metadata:\n  name: yam\ndata:\n  a: b\n",
                                          {{"content-type", "application/yaml"}}));
  ASSERT_EQ(made.code, 201) << made.text;
  EXPECT_EQ(made.body["data"]["a"], "b");
}

TEST(KubeApi, NamesAreGenerated) {
  Api api;
  Json object = config_map("");
  object["metadata"] = {{"generateName", "run-"}};
  std::set<std::string> names;
  for (int i = 0; i < 50; ++i) {
    const Reply made = api.post(kMaps, object);
    ASSERT_EQ(made.code, 201) << made.text;
    const auto name = made.meta("name").get<std::string>();
    EXPECT_EQ(name.size(), 9u);
    EXPECT_TRUE(name.starts_with("run-"));
    names.insert(name);
  }
  EXPECT_EQ(names.size(), 50u);
}

TEST(KubeApi, UpdatesKeepWhatNobodyMayChange) {
  Api api;
  const Json made = api.post(kDeployments, deployment("web")).body;
  Json changed = made;
  changed["spec"]["replicas"] = 4;
  changed["metadata"]["creationTimestamp"] = "2001-01-01T00:00:00Z";
  changed["metadata"]["generation"] = 77;
  changed["metadata"].erase("uid");
  changed["status"] = {{"replicas", 9}};
  const Reply put = api.put(std::string(kDeployments) + "/web", changed);
  ASSERT_EQ(put.code, 200) << put.text;
  EXPECT_EQ(put.meta("uid"), made["metadata"]["uid"]);
  EXPECT_EQ(put.meta("creationTimestamp"), made["metadata"]["creationTimestamp"]);
  EXPECT_EQ(put.meta("generation"), 2);
  EXPECT_EQ(put.body["spec"]["replicas"], 4);
  EXPECT_EQ(at(put.body, "status", "replicas"), nullptr) << "status is the controller's";

  // The same again is no write.
  const auto version = api.store.resource_version();
  EXPECT_EQ(api.put(std::string(kDeployments) + "/web", put.body).code, 200);
  EXPECT_EQ(api.store.resource_version(), version);

  Json status = put.body;
  status["spec"]["replicas"] = 1;
  status["status"] = {{"replicas", 3}};
  const Reply reported = api.put(std::string(kDeployments) + "/web/status", status);
  ASSERT_EQ(reported.code, 200) << reported.text;
  EXPECT_EQ(reported.body["spec"]["replicas"], 4);
  EXPECT_EQ(reported.body["status"]["replicas"], 3);
  EXPECT_EQ(reported.meta("generation"), 2);
}

TEST(KubeApi, DryRunsLeaveNoTrace) {
  Api api;
  ASSERT_EQ(api.post(kMaps, config_map("a", {{"k", "1"}})).code, 201);
  const auto version = api.store.resource_version();
  EXPECT_EQ(api.post(std::string(kMaps) + "?dryRun=All", config_map("b")).code, 201);
  const Reply patched =
      api.patch(std::string(kMaps) + "/a?dryRun=All", "merge-patch+json", {{"data", {{"k", "2"}}}});
  EXPECT_EQ(patched.body["data"]["k"], "2");
  EXPECT_EQ(api.del(std::string(kMaps) + "/a?dryRun=All").code, 200);
  EXPECT_EQ(api.store.resource_version(), version);
  EXPECT_EQ(api.get(std::string(kMaps) + "/a").body["data"]["k"], "1");
}

TEST(KubeApi, FourKindsOfPatch) {
  Api api;
  ASSERT_EQ(api.post(kDeployments, deployment("web")).code, 201);
  const std::string web = std::string(kDeployments) + "/web";
  EXPECT_EQ(
      api.patch(web, "merge-patch+json", {{"spec", {{"replicas", 2}}}}).body["spec"]["replicas"],
      2);
  const Json operations =
      Json::array({{{"op", "replace"}, {"path", "/spec/replicas"}, {"value", 3}}});
  EXPECT_EQ(api.patch(web, "json-patch+json", operations).body["spec"]["replicas"], 3);
  // Strategic: containers merge by name, so the other one stays.
  const Json side = {
      {"spec",
       {{"template",
         {{"spec", {{"containers", Json::array({{{"name", "side"}, {"image", "s:1"}}})}}}}}}}};
  const Reply both = api.patch(web, "strategic-merge-patch+json", side);
  ASSERT_EQ(both.code, 200) << both.text;
  EXPECT_EQ(at(both.body, "spec", "template", "spec", "containers").size(), 2u);

  const Json missing = Json::array({{{"op", "test"}, {"path", "/spec/replicas"}, {"value", 9}}});
  EXPECT_EQ(api.patch(web, "json-patch+json", missing).code, 422);
  EXPECT_EQ(api.patch(web, "jsonpatch", missing).code, 415);
  EXPECT_EQ(api.patch(std::string(kDeployments) + "/none", "merge-patch+json", Json::object()).code,
            404);
  const Json stale = {{"metadata", {{"resourceVersion", "1"}}}, {"spec", {{"replicas", 5}}}};
  EXPECT_EQ(api.patch(web, "merge-patch+json", stale).code, 409);
}

TEST(KubeApi, ApplyCreatesMergesAndConflicts) {
  Api api;
  const std::string web = std::string(kDeployments) + "/web?fieldManager=";
  const Reply made = api.patch(web + "ann", "apply-patch+yaml", deployment("web", 2));
  ASSERT_EQ(made.code, 201) << made.text;
  EXPECT_EQ(made.meta("managedFields")[0]["operation"], "Apply");
  const auto version = api.store.resource_version();
  EXPECT_EQ(api.patch(web + "ann", "apply-patch+yaml", deployment("web", 2)).code, 200);
  EXPECT_EQ(api.store.resource_version(), version) << "applying the same changes nothing";

  Json theirs = {{"apiVersion", "apps/v1"}, {"kind", "Deployment"}, {"spec", {{"replicas", 5}}}};
  const Reply refused = api.patch(web + "bob", "apply-patch+yaml", theirs);
  ASSERT_EQ(refused.code, 409) << refused.text;
  EXPECT_EQ(refused.reason(), "Conflict");
  EXPECT_EQ(refused.message(),
            "Apply failed with 1 conflict: conflict with \"ann\": .spec.replicas");
  const Json& causes = at(refused.body, "details", "causes");
  ASSERT_EQ(causes.size(), 1u);
  EXPECT_EQ(causes[0]["reason"], "FieldManagerConflict");
  EXPECT_EQ(causes[0]["field"], ".spec.replicas");
  const Reply forced = api.patch(web + "bob&force=true", "apply-patch+yaml", theirs);
  ASSERT_EQ(forced.code, 200) << forced.text;
  EXPECT_EQ(forced.body["spec"]["replicas"], 5);
  EXPECT_EQ(api.patch(std::string(kDeployments) + "/web", "apply-patch+yaml", theirs).code, 422)
      << "an apply names its manager";
}

TEST(KubeApi, ListsInPages) {
  Api api;
  for (const char* name : {"a", "b", "c", "d", "e"}) {
    Json object = config_map(name);
    object["metadata"]["labels"] = {{"odd", name[0] % 2 == 1 ? "yes" : "no"}};
    ASSERT_EQ(api.post(kMaps, object).code, 201);
  }
  const Reply whole = api.get(kMaps);
  EXPECT_EQ(whole.body["kind"], "ConfigMapList");
  EXPECT_EQ(whole.body["items"].size(), 5u);
  EXPECT_EQ(api.get(std::string(kMaps) + "?labelSelector=odd=yes").body["items"].size(), 3u);
  EXPECT_EQ(api.get("/api/v1/configmaps?fieldSelector=metadata.name=b").body["items"].size(), 1u);

  const Reply first = api.get(std::string(kMaps) + "?limit=2");
  EXPECT_EQ(first.body["items"].size(), 2u);
  EXPECT_EQ(first.meta("remainingItemCount"), 3);
  // What changes meanwhile is not seen: pages are of one version.
  ASSERT_EQ(api.del(std::string(kMaps) + "/c").code, 200);
  ASSERT_EQ(api.post(kMaps, config_map("bb")).code, 201);
  std::vector<std::string> names;
  std::string token = first.meta("continue").get<std::string>();
  while (!token.empty()) {
    const Reply page = api.get(std::string(kMaps) + "?limit=2&continue=" + token);
    ASSERT_EQ(page.code, 200) << page.text;
    EXPECT_EQ(page.meta("resourceVersion"), first.meta("resourceVersion"));
    for (const Json& item : page.body["items"]) names.push_back(item["metadata"]["name"]);
    token = text_at(page.body["metadata"], "continue");
  }
  EXPECT_EQ(names, (std::vector<std::string>{"c", "d", "e"}));
  const auto old = whole.meta("resourceVersion").get<std::string>();
  const Reply exact =
      api.get(std::string(kMaps) + "?resourceVersionMatch=Exact&resourceVersion=" + old);
  EXPECT_EQ(exact.body["items"], whole.body["items"]);
}

TEST(KubeApi, TablesAndMetadataOnRequest) {
  Api api;
  ASSERT_EQ(api.post(kPods, pod("a", {{"app", "x"}})).code, 201);
  const char* const table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
  const Reply listed = api.get(kPods, table);
  EXPECT_EQ(listed.body["kind"], "Table");
  EXPECT_EQ(listed.body["apiVersion"], "meta.k8s.io/v1");
  EXPECT_EQ(listed.body["columnDefinitions"][0]["name"], "Name");
  ASSERT_EQ(listed.body["rows"].size(), 1u);
  EXPECT_EQ(listed.body["rows"][0]["cells"][0], "a");
  EXPECT_EQ(listed.body["rows"][0]["cells"].size(), listed.body["columnDefinitions"].size());
  EXPECT_EQ(at(listed.body["rows"][0], "object", "metadata", "labels")["app"], "x");
  EXPECT_FALSE(listed.body["rows"][0]["object"].contains("spec"));
  EXPECT_EQ(api.get(std::string(kPods) + "?includeObject=Object", table)
                .body["rows"][0]["object"]["kind"],
            "Pod");
  EXPECT_EQ(api.get(std::string(kPods) + "/a", table).body["rows"].size(), 1u);
  const char* const partial = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";
  const Reply metadata = api.get(kPods, partial);
  EXPECT_EQ(metadata.body["kind"], "PartialObjectMetadataList");
  EXPECT_EQ(metadata.body["items"][0]["kind"], "PartialObjectMetadata");
  EXPECT_FALSE(metadata.body["items"][0].contains("spec"));
}

TEST(KubeApi, OldAutoscalersAndNewEventsAreTheSameObjects) {
  Api api;
  const std::string v1 = "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers";
  const std::string v2 = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers";
  const Json hpa = {
      {"metadata", {{"name", "h"}}},
      {"spec",
       {{"scaleTargetRef", {{"apiVersion", "apps/v1"}, {"kind", "Deployment"}, {"name", "web"}}},
        {"maxReplicas", 5},
        {"targetCPUUtilizationPercentage", 60}}}};
  const Reply made = api.post(v1, hpa);
  ASSERT_EQ(made.code, 201) << made.text;
  EXPECT_EQ(made.body["apiVersion"], "autoscaling/v1");
  const Reply modern = api.get(v2 + "/h");
  EXPECT_EQ(modern.body["apiVersion"], "autoscaling/v2");
  EXPECT_EQ(at(modern.body["spec"]["metrics"][0], "resource", "target")["averageUtilization"], 60);
  EXPECT_EQ(api.get(v1 + "/h").body["spec"]["targetCPUUtilizationPercentage"], 60);

  const Json event = {{"metadata", {{"name", "e"}}},
                      {"reason", "Tested"},
                      {"note", "a note"},
                      {"type", "Normal"},
                      {"action", "Test"},
                      {"reportingController", "x/y"},
                      {"reportingInstance", "z"},
                      {"eventTime", "2026-03-01T00:00:00.000000Z"},
                      {"regarding", {{"kind", "Pod"}, {"namespace", "default"}, {"name", "a"}}}};
  const Reply told = api.post("/apis/events.k8s.io/v1/namespaces/default/events", event);
  ASSERT_EQ(told.code, 201) << told.text;
  const Reply plain = api.get("/api/v1/namespaces/default/events/e");
  EXPECT_EQ(plain.body["message"], "a note");
  EXPECT_EQ(plain.body["involvedObject"]["name"], "a");
  EXPECT_EQ(api.get("/api/v1/events?fieldSelector=involvedObject.name=a").body["items"].size(), 1u);
  api.now = api.now + hours(1);
  api.api.flush();
  EXPECT_EQ(api.get("/api/v1/namespaces/default/events/e").code, 404) << "events live an hour";
}

TEST(KubeApi, AnswersWaitForTheJournal) {
  Api api;
  auto exchange = std::make_shared<FakeExchange>();
  auto read = std::make_shared<FakeExchange>();
  api.api.handle(api.request("POST", kMaps, config_map("a").dump()), exchange);
  api.api.handle(api.request("GET", std::string(kMaps) + "/a"), read);
  EXPECT_FALSE(exchange->replied);
  EXPECT_FALSE(read->replied) << "a read doesn't show what a power cut could take back";
  api.api.flush();
  EXPECT_TRUE(exchange->replied);
  EXPECT_TRUE(read->replied);
  EXPECT_EQ(read->response.status, 200);
}

TEST(KubeApi, TheWorldWritesBesideTheApi) {
  Api api;
  const cluster::ObjectKey key{"pods", "default", "w"};
  api.api.put_from_world(key, pod("w"), "kubelet");
  api.api.flush();
  const Reply read = api.get(std::string(kPods) + "/w");
  ASSERT_EQ(read.code, 200);
  EXPECT_EQ(read.meta("uid").get<std::string>().size(), 36u);
  const auto version = api.store.resource_version();
  api.api.put_from_world(key, pod("w"), "kubelet");
  EXPECT_EQ(api.store.resource_version(), version) << "unchanged objects aren't written";
  Json running = pod("w");
  running["status"] = {{"phase", "Running"}};
  api.api.put_from_world(key, running, "kubelet");
  api.api.flush();
  EXPECT_EQ(api.get(std::string(kPods) + "/w").meta("uid"), read.meta("uid"));
  api.api.remove_from_world(key);
  api.api.flush();
  EXPECT_EQ(api.get(std::string(kPods) + "/w").code, 404);
  EXPECT_EQ(api.api.resource_of("", "Pod"), "pods");
  EXPECT_EQ(api.api.resource_of("karpenter.sh", "NodePool"), "nodepools.karpenter.sh");
  EXPECT_EQ(api.api.resource_of("x.io", "Thing"), std::nullopt);
}

}  // namespace
}  // namespace windlass::server::rest
