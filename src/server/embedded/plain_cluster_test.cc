#include "server/embedded/plain_cluster.h"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "server/http/target.h"

namespace windlass::server::embedded {
namespace {

struct Lines : Stream {
  bool send(std::shared_ptr<const std::string> piece) override {
    text += *piece;
    return true;
  }
  [[nodiscard]] size_t unsent() const override { return 0; }
  [[nodiscard]] bool closed() const override { return over; }
  void close() override { over = true; }
  void abort() override { over = true; }
  std::string text;
  bool over = false;
};

struct Answer : Exchange {
  void reply(Response r) override { response = std::move(r); }
  std::shared_ptr<Stream> open_stream(int status, std::string) override {
    response.status = status;
    return stream = std::make_shared<Lines>();
  }
  [[nodiscard]] Json body() const {
    std::string all = response.body;
    for (const auto& part : response.parts) all += *part;
    return Json::parse(all);
  }
  Response response{.status = 0};
  std::shared_ptr<Lines> stream;
};

constexpr const char* kPods = "/api/v1/namespaces/default/pods";
constexpr const char* kNodes = "/api/v1/nodes";
constexpr const char* kDeployments = "/apis/apps/v1/namespaces/default/deployments";

// A client that plays kubelet, cloud and user.
struct Client {
  explicit Client(PlainClusterOptions options = {}) {
    options.start = *parse_rfc3339("2026-03-01T00:00:00Z");
    auto opened = PlainCluster::open(std::move(options));
    WL_ASSERT(opened.ok());
    cluster = *std::move(opened);
  }
  std::shared_ptr<Answer> ask(const std::string& method, const std::string& target,
                              const Json& body = {}, const std::string& type = "application/json") {
    Request request;
    WL_ASSERT(!read_target(target, request));
    request.method = method;
    if (!body.is_null()) request.body = body.dump();
    request.headers = {{"content-type", type}};
    auto answer = std::make_shared<Answer>();
    cluster->handle(std::move(request), answer);
    return answer;
  }
  Json ok(const std::string& method, const std::string& target, const Json& body = {},
          const std::string& type = "application/json") {
    const auto answer = ask(method, target, body, type);
    EXPECT_EQ(answer->response.status / 100, 2) << method << " " << target << answer->body();
    return answer->body();
  }
  Json get(const std::string& target) { return ok("GET", target); }
  Json merge(const std::string& target, const Json& body) {
    return ok("PATCH", target, body, "application/merge-patch+json");
  }
  void wait(Duration length) { ASSERT_TRUE(cluster->advance(cluster->now() + length).ok()); }
  std::vector<Json> pods() {
    Json items = get(kPods)["items"];
    return {items.begin(), items.end()};
  }

  std::unique_ptr<PlainCluster> cluster;
};

Json deployment(int replicas) {
  return {{"apiVersion", "apps/v1"},
          {"kind", "Deployment"},
          {"metadata", {{"name", "web"}}},
          {"spec",
           {{"replicas", replicas},
            {"selector", {{"matchLabels", {{"app", "web"}}}}},
            {"template",
             {{"metadata", {{"labels", {{"app", "web"}}}}},
              {"spec", {{"containers", Json::array({{{"name", "a"}, {"image", "i"}}})}}}}}}}};
}

Json node() {
  return {{"apiVersion", "v1"},
          {"kind", "Node"},
          {"metadata", {{"name", "n1"}, {"labels", {{"kubernetes.io/hostname", "n1"}}}}},
          {"spec", {{"providerID", "test:///n1"}}},
          {"status",
           {{"capacity", {{"cpu", "4"}, {"memory", "16Gi"}, {"pods", "10"}}},
            {"allocatable", {{"cpu", "3900m"}, {"memory", "15625Mi"}, {"pods", "10"}}}}}};
}

Json ready(bool is) {
  return {{"status",
           {{"conditions", Json::array({{{"type", "Ready"},
                                         {"status", is ? "True" : "False"},
                                         {"reason", "KubeletReady"},
                                         {"lastHeartbeatTime", "2026-03-01T00:00:07Z"},
                                         {"lastTransitionTime", "2026-03-01T00:00:05Z"}}})}}}};
}

Json running() {
  return {{"status",
           {{"phase", "Running"},
            {"podIP", "10.200.0.1"},
            {"hostIP", "10.0.0.1"},
            {"startTime", "2026-03-01T00:00:09Z"},
            {"conditions", Json::array({{{"type", "Ready"},
                                         {"status", "True"},
                                         {"lastTransitionTime", "2026-03-01T00:00:11Z"}}})},
            {"containerStatuses", Json::array({{{"name", "a"},
                                                {"image", "i"},
                                                {"imageID", "i@sha256:1"},
                                                {"ready", true},
                                                {"restartCount", 2}}})}}}};
}

std::string name_of(const Json& object) { return object["metadata"]["name"]; }

Json condition(const Json& object, const std::string& type) {
  for (const Json& each : object["status"]["conditions"]) {
    if (each["type"] == type) return each;
  }
  return {};
}

TEST(PlainCluster, APodGoesItsWayByTheWordOfAnOutsideKubelet) {
  Client client;
  client.ok("POST", kDeployments, deployment(1));
  client.wait(seconds(3));
  ASSERT_EQ(client.pods().size(), 1u);
  EXPECT_EQ(condition(client.pods()[0], "PodScheduled")["reason"], "Unschedulable");
  client.ok("POST", kNodes, node());
  client.wait(seconds(3));
  EXPECT_EQ(condition(client.pods()[0], "PodScheduled")["reason"], "Unschedulable");
  client.merge(std::string(kNodes) + "/n1/status", ready(true));
  client.wait(seconds(1));
  const Json bound = client.pods()[0];
  EXPECT_EQ(bound["spec"]["nodeName"], "n1");
  EXPECT_EQ(condition(bound, "PodScheduled")["status"], "True");
  EXPECT_EQ(bound["status"]["phase"], "Pending");
  EXPECT_FALSE(bound["status"].contains("podIP"));
  EXPECT_FALSE(bound["status"].contains("containerStatuses"));

  const std::string pod = std::string(kPods) + "/" + name_of(bound);
  client.merge(pod + "/status", running());
  client.wait(seconds(2));
  const Json runs = client.get(pod);
  EXPECT_EQ(runs["status"]["phase"], "Running");
  EXPECT_EQ(runs["status"]["podIP"], "10.200.0.1");
  EXPECT_EQ(runs["status"]["startTime"], "2026-03-01T00:00:09Z");
  EXPECT_EQ(runs["status"]["containerStatuses"], running()["status"]["containerStatuses"]);
  EXPECT_EQ(condition(runs, "Ready")["lastTransitionTime"], "2026-03-01T00:00:11Z");
  const Json web = client.get(std::string(kDeployments) + "/web");
  EXPECT_EQ(web["status"]["readyReplicas"], 1);

  // Nobody touches what was written.
  client.wait(hours(1));
  EXPECT_EQ(client.get(pod), runs);
  const Json there = client.get(std::string(kNodes) + "/n1");
  EXPECT_EQ(there["status"]["conditions"], ready(true)["status"]["conditions"]);
  EXPECT_EQ(there["status"]["capacity"], node()["status"]["capacity"]);
  EXPECT_EQ(there["status"]["allocatable"], node()["status"]["allocatable"]);
  EXPECT_FALSE(there["status"].contains("nodeInfo"));
}

TEST(PlainCluster, ADeletedPodIsThereUntilItsKubeletEndsIt) {
  Client client;
  client.ok("POST", kNodes, node());
  client.merge(std::string(kNodes) + "/n1/status", ready(true));
  client.ok("POST", kDeployments, deployment(1));
  client.wait(seconds(3));
  const std::string first = std::string(kPods) + "/" + name_of(client.pods()[0]);
  client.merge(first + "/status", running());
  // By a user, and by a controller.
  client.ok("DELETE", first);
  client.wait(seconds(3));
  ASSERT_EQ(client.pods().size(), 2u);
  client.merge(std::string(kDeployments) + "/web", {{"spec", {{"replicas", 0}}}});
  client.wait(minutes(10));
  ASSERT_EQ(client.pods().size(), 2u);
  for (const Json& pod : client.pods()) {
    EXPECT_TRUE(pod["metadata"].contains("deletionTimestamp"));
    EXPECT_EQ(pod["metadata"]["deletionGracePeriodSeconds"], 30);
    // A kubelet may write while it ends a pod.
    const std::string path = std::string(kPods) + "/" + name_of(pod);
    client.merge(path + "/status", {{"status", {{"message", "stopping"}}}});
    client.wait(seconds(1));
    EXPECT_EQ(client.get(path)["status"]["message"], "stopping");
    client.ok("DELETE", path,
              {{"gracePeriodSeconds", 0}, {"preconditions", {{"uid", pod["metadata"]["uid"]}}}});
  }
  client.wait(seconds(3));
  EXPECT_EQ(client.pods().size(), 0u);
}

TEST(PlainCluster, ADeletedDeploymentsPodsWaitForTheirKubelet) {
  Client client;
  client.ok("POST", kNodes, node());
  client.merge(std::string(kNodes) + "/n1/status", ready(true));
  client.ok("POST", kDeployments, deployment(2));
  client.wait(seconds(3));
  client.ok("DELETE", std::string(kDeployments) + "/web");
  client.wait(minutes(10));
  ASSERT_EQ(client.pods().size(), 2u);
  for (const Json& pod : client.pods()) {
    EXPECT_TRUE(pod["metadata"].contains("deletionTimestamp"));
    client.ok("DELETE", std::string(kPods) + "/" + name_of(pod), {{"gracePeriodSeconds", 0}});
  }
  EXPECT_EQ(client.pods().size(), 0u);
  EXPECT_EQ(client.get("/apis/apps/v1/namespaces/default/replicasets")["items"].size(), 0u);
}

TEST(PlainCluster, PodsGoWithTheirNodeAndFinalizersHoldIt) {
  Client client;
  Json held = node();
  held["metadata"]["finalizers"] = {"karpenter.sh/termination"};
  client.ok("POST", kNodes, held);
  const std::string path = std::string(kNodes) + "/n1";
  client.merge(path + "/status", ready(true));
  client.ok("POST", kDeployments, deployment(1));
  client.wait(seconds(3));
  const std::string pod = name_of(client.pods()[0]);
  client.ok("DELETE", path);
  client.wait(minutes(1));
  EXPECT_TRUE(client.get(path)["metadata"].contains("deletionTimestamp"));
  EXPECT_EQ(name_of(client.pods()[0]), pod);
  client.merge(path, {{"metadata", {{"finalizers", nullptr}}}});
  client.wait(seconds(3));
  EXPECT_EQ(client.ask("GET", path)->response.status, 404);
  ASSERT_EQ(client.pods().size(), 1u);
  EXPECT_NE(name_of(client.pods()[0]), pod);
  EXPECT_FALSE(client.pods()[0]["spec"].contains("nodeName"));
}

TEST(PlainCluster, WhatAutoscalersReadAndWriteStaysAsWritten) {
  Client client;
  const std::string claims = "/apis/karpenter.sh/v1/nodeclaims";
  const Json claim{
      {"apiVersion", "karpenter.sh/v1"},
      {"kind", "NodeClaim"},
      {"metadata", {{"name", "c"}, {"finalizers", {"karpenter.sh/termination"}}}},
      {"spec",
       {{"nodeClassRef",
         {{"group", "karpenter.k8s.aws"}, {"kind", "EC2NodeClass"}, {"name", "default"}}},
        {"requirements", Json::array({{{"key", "karpenter.sh/capacity-type"},
                                       {"operator", "In"},
                                       {"values", {"spot"}}}})}}}};
  client.ok("POST", claims, claim);
  const Json status{
      {"status",
       {{"providerID", "aws:///z/i-1"},
        {"nodeName", "n1"},
        {"conditions", Json::array({{{"type", "Launched"},
                                     {"status", "True"},
                                     {"reason", "Launched"},
                                     {"message", ""},
                                     {"observedGeneration", 1},
                                     {"lastTransitionTime", "2026-03-01T00:00:01Z"}}})}}}};
  client.merge(claims + "/c/status", status);
  const Json written = client.get(claims + "/c");
  client.wait(hours(2));
  EXPECT_EQ(client.get(claims + "/c"), written);
  EXPECT_EQ(written["status"]["conditions"], status["status"]["conditions"]);
  client.ok("DELETE", claims + "/c");
  client.wait(hours(2));
  EXPECT_TRUE(client.get(claims + "/c")["metadata"].contains("deletionTimestamp"));
  client.merge(claims + "/c", {{"metadata", {{"finalizers", nullptr}}}});
  EXPECT_EQ(client.ask("GET", claims + "/c")->response.status, 404);
}

TEST(PlainCluster, WatchesTellWhatHappenedInOrder) {
  Client client;
  const auto watch = client.ask("GET", std::string(kPods) + "?watch=1");
  client.ok("POST", kNodes, node());
  client.merge(std::string(kNodes) + "/n1/status", ready(true));
  client.ok("POST", kDeployments, deployment(1));
  client.wait(seconds(3));
  std::vector<std::string> told;
  for (size_t from = 0, to; (to = watch->stream->text.find('\n', from)) != std::string::npos;
       from = to + 1) {
    const Json event = Json::parse(watch->stream->text.substr(from, to - from));
    told.push_back(event["type"].get<std::string>() + " " +
                   event["object"]["spec"].value("nodeName", "-"));
  }
  EXPECT_EQ(told, (std::vector<std::string>{"ADDED -", "MODIFIED n1"}));
}

// A ready node of a zone, in as few words as a test needs.
void add_node(Client& client, const std::string& name, const std::string& zone) {
  Json made = node();
  made["metadata"]["name"] = name;
  made["metadata"]["labels"] = {{"kubernetes.io/hostname", name},
                                {"topology.kubernetes.io/zone", zone}};
  made["spec"]["providerID"] = "test:///" + name;
  client.ok("POST", kNodes, made);
  client.merge(std::string(kNodes) + "/" + name + "/status", ready(true));
}
std::map<std::string, int> pods_by_node(Client& client) {
  std::map<std::string, int> out;
  for (const Json& pod : client.pods()) ++out[pod["spec"].value("nodeName", "")];
  return out;
}
using ByNode = std::map<std::string, int>;

TEST(PlainCluster, TheSchedulerMindsPortsAntiAffinityAndSpread) {
  const Json same = {{"matchLabels", {{"app", "web"}}}};
  struct Case {
    const char* what;
    Json spec;  // of the pod, beside its container
    ByNode pods;
    const char* why;  // of the first that found no node
  };
  const std::vector<Case> cases = {
      {"ports", {}, {{"", 1}, {"n1", 1}, {"n2", 1}, {"n3", 1}}, "free ports for the requested"},
      {"anti-affinity",
       {{"affinity",
         {{"podAntiAffinity",
           {{"requiredDuringSchedulingIgnoredDuringExecution",
             Json::array(
                 {{{"topologyKey", "topology.kubernetes.io/zone"}, {"labelSelector", same}}})}}}}}},
       {{"", 2}, {"n1", 1}, {"n3", 1}},
       "didn't match pod anti-affinity rules"},
      {"spread",
       {{"topologySpreadConstraints", Json::array({{{"maxSkew", 1},
                                                    {"topologyKey", "topology.kubernetes.io/zone"},
                                                    {"whenUnsatisfiable", "DoNotSchedule"},
                                                    {"labelSelector", same}}})}},
       {{"n1", 1}, {"n2", 1}, {"n3", 2}},
       ""}};
  for (const Case& c : cases) {
    Client client;
    for (const auto& [name, zone] :
         {std::pair("n1", "a"), std::pair("n2", "a"), std::pair("n3", "b")}) {
      add_node(client, name, zone);
    }
    Json web = deployment(4);
    Json& spec = web["spec"]["template"]["spec"];
    if (!c.spec.is_null()) spec.update(c.spec);
    if (std::string_view(c.what) == "ports") {
      spec["containers"][0]["ports"] =
          Json::array({{{"containerPort", 80}, {"hostPort", 8080}, {"protocol", "TCP"}}});
    }
    client.ok("POST", kDeployments, web);
    client.wait(seconds(5));
    EXPECT_EQ(pods_by_node(client), c.pods) << c.what;
    for (const Json& pod : client.pods()) {
      if (pod["spec"].contains("nodeName")) continue;
      const std::string message = condition(pod, "PodScheduled")["message"];
      EXPECT_NE(message.find(c.why), std::string::npos) << message;
    }
    // Room for one more of them elsewhere.
    if (c.pods.contains("")) {
      add_node(client, "n4", "c");
      client.wait(seconds(5));
      EXPECT_EQ(pods_by_node(client)["n4"], 1) << c.what;
    }
  }
}

TEST(PlainCluster, CronJobsMakeJobsAndClearThemAway) {
  Client client;
  const std::string base = "/apis/batch/v1/namespaces/default/";
  const Json pod = {{"restartPolicy", "Never"},
                    {"containers", Json::array({{{"name", "a"}, {"image", "i"}}})}};
  client.ok("POST", base + "cronjobs",
            {{"apiVersion", "batch/v1"},
             {"kind", "CronJob"},
             {"metadata", {{"name", "tick"}}},
             {"spec",
              {{"schedule", "*/5 * * * *"},
               {"concurrencyPolicy", "Replace"},
               {"jobTemplate", {{"spec", {{"template", {{"spec", pod}}}}}}}}}});
  client.wait(minutes(5) + seconds(1));
  const Json jobs = client.get(base + "jobs");
  ASSERT_EQ(jobs["items"].size(), 1u);
  const Json job = jobs["items"][0];
  EXPECT_EQ(name_of(job), "tick-29538725");  // minutes since 1970
  EXPECT_EQ(job["metadata"]["ownerReferences"][0]["kind"], "CronJob");
  EXPECT_EQ(job["spec"]["selector"]["matchLabels"]["batch.kubernetes.io/controller-uid"],
            job["metadata"]["uid"]);
  ASSERT_EQ(client.pods().size(), 1u);
  EXPECT_EQ(client.pods()[0]["metadata"]["labels"]["job-name"], name_of(job));
  const Json status = client.get(base + "cronjobs/tick")["status"];
  EXPECT_EQ(status["lastScheduleTime"], "2026-03-01T00:05:00Z");
  EXPECT_EQ(status["active"][0]["name"], name_of(job));
  // No node takes its pod, so the next one takes its place.
  client.wait(minutes(5));
  ASSERT_EQ(client.get(base + "jobs")["items"].size(), 1u);
  EXPECT_EQ(name_of(client.get(base + "jobs")["items"][0]), "tick-29538730");
  EXPECT_EQ(client.get(base + "cronjobs/tick")["status"]["active"].size(), 1u);
  EXPECT_EQ(client.pods().size(), 1u);
  client.ok("DELETE", base + "cronjobs/tick");
  client.wait(seconds(5));
  EXPECT_EQ(client.get(base + "jobs")["items"].size(), 0u);
  EXPECT_EQ(client.pods().size(), 0u);
  client.wait(hours(1));
  EXPECT_EQ(client.get(base + "jobs")["items"].size(), 0u);
}

TEST(PlainCluster, ARevisionPutBackIsTheFormerTemplate) {
  Client client;
  const std::string base = "/apis/apps/v1/namespaces/default/";
  Json set = deployment(1);
  set["kind"] = "StatefulSet";
  set["spec"]["serviceName"] = "web";
  client.ok("POST", base + "statefulsets", set);
  client.wait(seconds(3));
  const Json first = client.get(base + "statefulsets/web")["spec"]["template"];
  Json newer = first;
  newer["spec"]["containers"][0]["image"] = "j";
  client.merge(base + "statefulsets/web", {{"spec", {{"template", newer}}}});
  client.wait(seconds(3));
  const Json history = client.get(base + "controllerrevisions?labelSelector=app%3Dweb");
  ASSERT_EQ(history["items"].size(), 2u);
  // What `kubectl rollout undo` does.
  for (const Json& revision : history["items"]) {
    EXPECT_EQ(revision["metadata"]["ownerReferences"][0]["name"], "web");
    if (revision["revision"] != 1) continue;
    client.ok("PATCH", base + "statefulsets/web", revision["data"],
              "application/strategic-merge-patch+json");
  }
  client.wait(seconds(3));
  const Json undone = client.get(base + "statefulsets/web");
  EXPECT_EQ(undone["spec"]["template"], first);
  std::set<int> numbers;
  const Json later = client.get(base + "controllerrevisions");
  for (const Json& revision : later["items"]) {
    numbers.insert(revision["revision"].get<int>());
  }
  EXPECT_EQ(numbers, (std::set<int>{2, 3}));
  client.ok("DELETE", base + "statefulsets/web");
  client.wait(seconds(3));
  EXPECT_EQ(client.get(base + "controllerrevisions")["items"].size(), 0u);
}

TEST(PlainCluster, TheSameRequestsGiveTheSameCluster) {
  std::string versions[2];
  for (std::string& version : versions) {
    Client client;
    client.ok("POST", kNodes, node());
    client.merge(std::string(kNodes) + "/n1/status", ready(true));
    client.ok("POST", kDeployments, deployment(5));
    client.wait(minutes(5));
    version = client.get(kPods).dump();
  }
  EXPECT_EQ(versions[0], versions[1]);
}

}  // namespace
}  // namespace windlass::server::embedded
