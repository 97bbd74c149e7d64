#include "live/cloud/simulated_cloud.h"

#include <memory>
#include <optional>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "api/object.h"
#include "live/cloud/fake_kubernetes.h"
#include "live/cloud/simulated_instance.h"

namespace windlass::live::cloud {
namespace {

const catalog::Catalog& types() {
  static const catalog::Catalog catalog = catalog::built_in({});
  return catalog;
}

// A provider on a fake API whose changes reach it as informers would bring them.
struct Place {
  explicit Place(uint64_t seed = 1) : api(clock, seed) {
    api.on_change = [this](const std::string& path, const Json* object) {
      clock.after(milliseconds(2), [this, path, copy = object == nullptr ? Json() : *object] {
        if (cloud != nullptr) tell(path, copy);
      });
    };
    restart();
  }
  void restart() {
    cloud.reset();
    cloud = std::make_unique<SimulatedCloud>(api, clock, types(), options);
    cloud->on_interruption = [this](const std::string& id, const std::string& reason) {
      interruptions.emplace_back(id, reason);
    };
    cloud->resume([this] { ++resumed; });
    for (const auto& [path, object] : api.objects) tell(path, object);
  }
  void tell(const std::string& path, const Json& object) {
    const bool pod = path.find("/pods/") != std::string::npos;
    const bool node = path.starts_with("/api/v1/nodes/");
    if (!pod && !node) return;
    if (object.is_null()) {
      if (node) return cloud->node_gone(path.substr(path.rfind('/') + 1));
      const auto parts = split(path, '/');
      return cloud->pod_gone(std::string(parts[4]) + "/" + std::string(parts[6]));
    }
    Json whole = object;
    whole["apiVersion"] = "v1";
    whole["kind"] = pod ? "Pod" : "Node";
    const Result<api::Object> decoded = api::decode(whole);
    ASSERT_TRUE(decoded.ok()) << decoded.error().message();
    if (pod) cloud->pod_changed(std::get<api::Pod>(*decoded));
    if (node) cloud->node_changed(std::get<api::Node>(*decoded));
  }
  LaunchRequest request(const std::string& token, std::string type = "g4dn.xlarge") const {
    LaunchRequest out;
    out.claim.meta.name = "claim-" + token;
    out.claim.meta.labels[std::string(api::kNodePoolLabel)] = "gpu";
    out.token = token;
    out.offers = {{type, "us-east-1a", "spot", 0.2}, {type, "us-east-1b", "on-demand", 0.526}};
    return out;
  }
  std::optional<LaunchAnswer> launch(const std::string& token) {
    std::optional<LaunchAnswer> answer;
    cloud->launch(request(token), [&](LaunchAnswer got) { answer = std::move(got); });
    clock.advance(seconds(5));
    return answer;
  }
  // The node of a launched instance, up with its GPUs.
  std::string node_of(const std::string& token) {
    const auto answer = launch(token);
    clock.advance(seconds(30));
    const std::string map = "/api/v1/namespaces/windlass/configmaps/" + instance_name(token);
    return api.objects.at(map)["data"]["nodeName"];
  }
  Json& node(const std::string& name) { return api.objects.at("/api/v1/nodes/" + name); }
  void add_pod(const std::string& name, const std::string& node_name, Json meta = Json::object()) {
    meta["name"] = name;
    meta["namespace"] = "default";
    kube::Request create = {};
    create.verb = kube::Verb::kPost;
    create.path = "/api/v1/namespaces/default/pods";
    create.body = Json{{"metadata", meta},
                       {"spec",
                        {{"nodeName", node_name},
                         {"containers", Json::array({{{"name", "a"}, {"image", "i"}}})}}}}
                      .dump();
    api.serve(create);
  }
  Json* pod(const std::string& name) {
    const auto it = api.objects.find("/api/v1/namespaces/default/pods/" + name);
    return it == api.objects.end() ? nullptr : &it->second;
  }
  void patch(const std::string& path, const Json& body) {
    api.serve({kube::Verb::kPatch, path, {}, body.dump(), "application/merge-patch+json"});
  }
  void ask_to_delete(const std::string& path) { api.serve({kube::Verb::kDelete, path, {}, "{}"}); }

  SimulatedCloudOptions options;
  net::VirtualClock clock{*parse_rfc3339("2026-03-01T00:00:00Z")};
  FakeKubernetes api;
  std::unique_ptr<SimulatedCloud> cloud;
  std::vector<std::pair<std::string, std::string>> interruptions;
  int resumed = 0;
};

Result<Instant> time_in(const Json& text) { return parse_rfc3339(text.get<std::string>()); }

std::string condition(const Json& object, const std::string& type) {
  for (const Json& each : object.at("status").at("conditions")) {
    if (each["type"] == type) return each["status"];
  }
  return "";
}

TEST(SimulatedCloud, LaunchesANodeAsEc2Would) {
  Place place;
  const auto answer = place.launch("token-1");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->result.error, "");
  EXPECT_EQ(answer->result.instance_type, "g4dn.xlarge");
  EXPECT_EQ(answer->result.zone, "us-east-1a");
  EXPECT_EQ(answer->result.capacity_type, "spot");
  EXPECT_EQ(answer->result.usd_per_hour, 0.2);
  EXPECT_TRUE(answer->result.provider_id.starts_with("aws:///us-east-1a/i-"));
  EXPECT_EQ(place.api.count("/nodes/"), 0u);  // it boots

  place.clock.advance(milliseconds(7'000));  // 12 s since the launch: joined, no plugin yet
  ASSERT_EQ(place.api.count("/api/v1/nodes/"), 1u);
  const Json node = place.api.objects.lower_bound("/api/v1/nodes/")->second;
  EXPECT_EQ(node["spec"]["providerID"], answer->result.provider_id);
  const Json labels = node["metadata"]["labels"];
  EXPECT_EQ(labels["kubernetes.io/hostname"], node["metadata"]["name"]);
  EXPECT_EQ(labels["kubernetes.io/os"], "linux");
  EXPECT_EQ(labels["kubernetes.io/arch"], "amd64");
  EXPECT_EQ(labels["node.kubernetes.io/instance-type"], "g4dn.xlarge");
  EXPECT_EQ(labels["topology.kubernetes.io/zone"], "us-east-1a");
  EXPECT_EQ(labels["topology.kubernetes.io/region"], "us-east-1");
  EXPECT_EQ(labels["karpenter.sh/capacity-type"], "spot");
  EXPECT_EQ(labels["karpenter.k8s.aws/instance-gpu-name"], "t4");
  ASSERT_EQ(node["spec"]["taints"].size(), 1u);
  EXPECT_EQ(node["spec"]["taints"][0]["key"], "karpenter.sh/unregistered");
  EXPECT_EQ(node["spec"]["taints"][0]["effect"], "NoExecute");
  for (const char* pressure : {"MemoryPressure", "DiskPressure", "PIDPressure"}) {
    EXPECT_EQ(condition(node, pressure), "False");
  }
  EXPECT_EQ(condition(node, "Ready"), "True");
  EXPECT_EQ(node["status"]["capacity"]["cpu"], "4");
  EXPECT_FALSE(node["status"]["capacity"].contains("nvidia.com/gpu"));

  place.clock.advance(seconds(3));
  const Json with_gpu = place.api.objects.lower_bound("/api/v1/nodes/")->second;
  EXPECT_EQ(with_gpu["status"]["capacity"]["nvidia.com/gpu"], "1");
  EXPECT_EQ(with_gpu["status"]["allocatable"]["nvidia.com/gpu"], "1");
}

TEST(SimulatedCloud, RenewsTheLeaseAndItsHeartbeat) {
  Place place;
  const std::string node = place.node_of("t");
  const std::string lease =
      "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/" + node;
  for (int minute = 0; minute < 20; ++minute) {
    place.clock.advance(minutes(1));
    const auto renewed = time_in(place.api.objects.at(lease)["spec"]["renewTime"]);
    ASSERT_TRUE(renewed.ok());
    EXPECT_LE(place.clock.now() - *renewed, seconds(12));
    for (const Json& each : place.node(node)["status"]["conditions"]) {
      EXPECT_LE(place.clock.now() - *time_in(each["lastHeartbeatTime"]), minutes(6));
    }
  }
  EXPECT_EQ(place.api.objects.at(lease)["metadata"]["ownerReferences"][0]["name"], node);
}

TEST(SimulatedCloud, PlaysTheKubelet) {
  Place place;
  const std::string node = place.node_of("t");
  place.add_pod("web", node);
  place.clock.advance(milliseconds(500));
  EXPECT_EQ((*place.pod("web"))["status"]["phase"], "Pending");
  EXPECT_EQ((*place.pod("web"))["status"]["containerStatuses"][0]["state"]["waiting"]["reason"],
            "ContainerCreating");
  place.clock.advance(seconds(2));  // pulled
  EXPECT_EQ((*place.pod("web"))["status"]["phase"], "Running");
  EXPECT_EQ(condition(*place.pod("web"), "Ready"), "False");
  place.clock.advance(seconds(1));
  const Json ready = *place.pod("web");
  for (const char* type : {"PodScheduled", "Initialized", "ContainersReady", "Ready"}) {
    EXPECT_EQ(condition(ready, type), "True") << type;
  }
  EXPECT_TRUE(ready["status"]["podIP"].get<std::string>().starts_with("10."));
  EXPECT_TRUE(ready["status"]["containerStatuses"][0]["ready"].get<bool>());
  EXPECT_TRUE(ready["status"]["containerStatuses"][0]["state"].contains("running"));
  EXPECT_TRUE(ready["status"].contains("startTime"));

  place.add_pod("second", node);  // the image is there
  place.clock.advance(milliseconds(1'500));
  EXPECT_EQ(condition(*place.pod("second"), "Ready"), "True");

  place.ask_to_delete("/api/v1/namespaces/default/pods/web");
  place.clock.advance(milliseconds(500));
  EXPECT_NE(place.pod("web"), nullptr);
  place.clock.advance(seconds(1));
  EXPECT_EQ(place.pod("web"), nullptr);
}

TEST(SimulatedCloud, JobsPodsSucceedAndOthersDont) {
  Place place;
  const std::string node = place.node_of("t");
  const Json runs{{"windlass.dev/run-seconds", "20"}};
  const auto owned = [&](const char* kind) {
    return Json{
        {"annotations", runs},
        {"ownerReferences",
         Json::array({{{"apiVersion", "x/v1"}, {"kind", kind}, {"name", "o"}, {"uid", "u"}}})}};
  };
  place.add_pod("job", node, owned("Job"));
  place.add_pod("set", node, owned("ReplicaSet"));
  place.add_pod("bare", node, {{"annotations", runs}});
  place.clock.advance(seconds(15));
  EXPECT_EQ((*place.pod("job"))["status"]["phase"], "Running");
  place.clock.advance(seconds(15));
  EXPECT_EQ((*place.pod("job"))["status"]["phase"], "Succeeded");
  EXPECT_EQ(condition(*place.pod("job"), "Ready"), "False");
  EXPECT_EQ((*place.pod("bare"))["status"]["phase"], "Succeeded");
  EXPECT_EQ((*place.pod("set"))["status"]["phase"], "Running");
}

TEST(SimulatedCloud, TerminatesAllOfIt) {
  Place place;
  const std::string node = place.node_of("t");
  place.add_pod("web", node);
  place.clock.advance(seconds(10));
  const std::string id = place.node(node)["spec"]["providerID"];
  int gone = 0;
  const auto done = [&](const Status& status) { gone += status.ok(); };
  place.cloud->terminate(id, done);
  place.clock.advance(seconds(1));
  EXPECT_EQ(gone, 0);  // it shuts down
  EXPECT_NE(place.pod("web"), nullptr);
  std::vector<CloudInstance> listed;
  place.cloud->list([&](Result<std::vector<CloudInstance>> found) { listed = *found; });
  place.clock.advance(seconds(1));
  ASSERT_EQ(listed.size(), 1u);
  EXPECT_TRUE(listed[0].going);
  EXPECT_EQ(listed[0].claim, "claim-t");
  place.cloud->terminate(id, done);  // asked twice, answered twice
  place.clock.advance(seconds(5));
  EXPECT_EQ(gone, 2);
  EXPECT_TRUE(place.api.objects.empty());
  place.cloud->terminate(id, done);
  place.cloud->terminate("aws:///us-east-1a/i-nothing", done);
  place.cloud->terminate("gce://whatever", done);
  place.clock.advance(seconds(5));
  EXPECT_EQ(gone, 5);
  place.clock.advance(hours(1));
  EXPECT_TRUE(place.api.objects.empty());
  EXPECT_EQ(place.api.open(), 0u);
}

TEST(SimulatedCloud, OneTokenIsOneInstance) {
  Place place;
  std::vector<LaunchAnswer> answers;
  const auto take = [&](LaunchAnswer got) { answers.push_back(std::move(got)); };
  place.cloud->launch(place.request("t"), take);
  place.cloud->set_without_capacity({"*:us-east-1a:*"});
  place.cloud->launch(place.request("t"), take);  // both are under way, with other offers
  place.clock.advance(seconds(5));
  place.cloud->launch(place.request("t"), take);
  place.clock.advance(seconds(5));
  place.restart();
  place.cloud->launch(place.request("t"), take);  // before it has found out what is there
  place.clock.advance(seconds(5));
  ASSERT_EQ(answers.size(), 4u);
  for (const LaunchAnswer& answer : answers) {
    EXPECT_EQ(answer.result.provider_id, answers[0].result.provider_id);
    EXPECT_EQ(answer.result.zone, answers[0].result.zone);
  }
  EXPECT_EQ(place.api.count("/configmaps/"), 1u);
}

TEST(SimulatedCloud, CapacityGaps) {
  struct Case {
    std::vector<std::string> gaps;
    std::string zone;  // empty: none
    size_t refused;
  };
  for (const Case& c : std::vector<Case>{{{}, "us-east-1a", 0},
                                         {{"g4dn.xlarge:us-east-1a:spot"}, "us-east-1b", 1},
                                         {{"g4dn.*:*:spot"}, "us-east-1b", 1},
                                         {{"g4dn.xlarge:us-east-1a:on-demand"}, "us-east-1a", 0},
                                         {{"*:*:*"}, "", 2},
                                         {{"*:*"}, "us-east-1a", 0},
                                         {{"*.xlarge:*1b:*", "*:*a:sp*t"}, "", 2}}) {
    Place place;
    place.cloud->set_without_capacity(c.gaps);
    const auto answer = place.launch("t");
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->result.zone, c.zone);
    EXPECT_EQ(answer->result.insufficient_capacity, c.zone.empty());
    EXPECT_EQ(answer->without_capacity.size(), c.refused);
    if (c.refused > 0) {
      EXPECT_EQ(answer->without_capacity[0], "g4dn.xlarge:us-east-1a:spot");
    }
    EXPECT_EQ(place.api.count("/configmaps/"), c.zone.empty() ? 0u : 1u);
  }
}

TEST(SimulatedCloud, AnInstanceWithoutCapacityNowIsStillThere) {
  Place place;
  const auto first = place.launch("t");
  place.options.without_capacity = {"*:*:*"};
  place.restart();
  const auto again = place.launch("t");
  ASSERT_TRUE(first && again);
  EXPECT_EQ(again->result.provider_id, first->result.provider_id);
}

TEST(SimulatedCloud, SpotNoticeByAnnotation) {
  Place place;
  const std::string node = place.node_of("t");
  const std::string id = place.node(node)["spec"]["providerID"];
  place.patch("/api/v1/nodes/" + node,
              {{"metadata", {{"annotations", {{"windlass.dev/interrupt", "true"}}}}}});
  place.clock.advance(seconds(1));
  ASSERT_EQ(place.interruptions.size(), 1u);
  EXPECT_EQ(place.interruptions[0], std::pair(id, std::string("spot interruption")));
  place.clock.advance(seconds(60));
  place.restart();  // whoever comes next has to know, too
  place.clock.advance(seconds(1));
  EXPECT_EQ(place.interruptions.size(), 2u);
  EXPECT_EQ(place.api.count("/nodes/"), 1u);
  place.clock.advance(seconds(57));
  EXPECT_EQ(place.api.count("/configmaps/"), 1u);
  place.clock.advance(seconds(10));
  EXPECT_TRUE(place.api.objects.empty());
  EXPECT_EQ(place.interruptions.size(), 2u);
}

TEST(SimulatedCloud, ADeletedNodeIsNotMadeAgain) {
  Place place;
  const std::string node = place.node_of("t");
  place.ask_to_delete("/api/v1/nodes/" + node);
  place.clock.advance(minutes(10));
  place.restart();
  place.clock.advance(minutes(10));
  EXPECT_EQ(place.api.count("/api/v1/nodes/"), 0u);
  EXPECT_EQ(place.api.count("/configmaps/"), 1u);  // the machine runs, and is paid for
}

TEST(SimulatedCloud, AMachineWhoseConfigMapWasDeletedHasCrashed) {
  Place place;
  const std::string node = place.node_of("t");
  place.add_pod("web", node);
  place.clock.advance(seconds(10));
  place.ask_to_delete("/api/v1/namespaces/windlass/configmaps/" + instance_name("t"));
  std::vector<CloudInstance> listed(1);
  place.cloud->list([&](Result<std::vector<CloudInstance>> found) { listed = *found; });
  place.clock.advance(seconds(10));
  EXPECT_TRUE(listed.empty());
  EXPECT_TRUE(place.api.objects.empty());
}

TEST(SimulatedCloud, ANodeNameThatIsTakenIsLeftAlone) {
  Place place;
  const std::string taken = node_name_for("t", "us-east-1", 0);
  const Json other{{"metadata", {{"name", taken}}}, {"spec", {{"providerID", "aws:///z/i-1"}}}};
  place.api.serve({kube::Verb::kPost, "/api/v1/nodes", {}, other.dump()});
  const std::string node = place.node_of("t");
  EXPECT_NE(node, taken);
  EXPECT_EQ(condition(place.node(node), "Ready"), "True");
  place.restart();
  place.clock.advance(seconds(10));
  const std::string id = place.node(node)["spec"]["providerID"];
  place.cloud->terminate(id, [](const Status&) {});
  place.clock.advance(seconds(10));
  ASSERT_EQ(place.api.objects.size(), 1u);
  EXPECT_EQ(place.node(taken)["spec"]["providerID"], "aws:///z/i-1");
}

TEST(SimulatedCloud, ServersFaultsAreNoAnswers) {
  Place place;
  place.api.faults.server_error = 1;
  std::optional<LaunchAnswer> answer;
  place.cloud->launch(place.request("t"), [&](LaunchAnswer got) { answer = std::move(got); });
  place.clock.advance(minutes(3));
  EXPECT_FALSE(answer);
  place.api.faults.server_error = 0;
  place.clock.advance(minutes(1));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->result.error, "");
}

// A node whose Node "is another's", an instance that "is not in the list": nothing of that is true
// only because a proxy answered in the server's place.
TEST(SimulatedCloud, GarbageIsNoAnswer) {
  Place place;
  const std::string name = place.node_of("token-1");
  place.add_pod("p", name);
  place.clock.advance(seconds(10));
  place.api.faults.garbage = 1;
  place.cloud->node_gone(name);  // whether it is true is asked
  int listed = 0;
  for (int i = 0; i < 20; ++i) {
    place.cloud->list([&](const auto& found) { listed += found.ok() ? 1 : 0; });
    place.clock.advance(seconds(10));
  }
  EXPECT_EQ(listed, 0);
  place.restart();
  place.clock.advance(minutes(1));
  EXPECT_EQ(place.api.count("/configmaps/"), 1u);
  EXPECT_EQ(place.api.count("/api/v1/nodes/"), 1u);
  place.api.faults.garbage = 0;
  place.clock.advance(minutes(1));
  // Its kubelet is still at work.
  place.add_pod("q", name);
  place.clock.advance(seconds(10));
  ASSERT_NE(place.pod("q"), nullptr);
  EXPECT_EQ(condition(*place.pod("q"), "Ready"), "True");
  EXPECT_EQ(place.interruptions.size(), 0u);
}

TEST(SimulatedCloud, ARefusalIsAnErrorButNoLackOfCapacity) {
  Place place;
  place.api.refuse_with = 403;
  const auto answer = place.launch("t");
  ASSERT_TRUE(answer);
  EXPECT_NE(answer->result.error.find("403"), std::string::npos);
  EXPECT_FALSE(answer->result.insufficient_capacity);
  std::optional<Status> ended;
  place.cloud->terminate(provider_id_for("t", "us-east-1a"), [&](const Status& s) { ended = s; });
  std::optional<bool> listed;
  place.cloud->list([&](const auto& found) { listed = found.ok(); });
  place.clock.advance(seconds(1));
  ASSERT_TRUE(ended && listed);
  EXPECT_FALSE(ended->ok());
  EXPECT_FALSE(*listed);
}

TEST(SimulatedCloud, ListsInPages) {
  Place place;
  place.api.page = 3;
  for (int i = 0; i < 10; ++i) place.launch("t" + std::to_string(i));
  place.restart();
  std::vector<CloudInstance> listed;
  place.cloud->list([&](Result<std::vector<CloudInstance>> found) { listed = *found; });
  place.clock.advance(seconds(1));
  EXPECT_EQ(listed.size(), 10u);
}

TEST(SimulatedCloud, StrangersConfigMapsAreNoInstances) {
  for (const char* text :
       {"{}", "[]", "null", R"({"metadata":5,"data":7})", R"({"metadata":{},"data":{}})",
        R"({"metadata":{"name":"x"},"data":{"token":"t"}})",
        R"({"metadata":{"name":"x"},"data":{"token":7,"launched":{}}})"}) {
    EXPECT_FALSE(read_instance(*parse_json(text)).ok()) << text;
  }
  for (const char* id : {"", "aws:///", "aws:///z/i-", "aws:///z/i-0123456789abcdefG",
                         "aws:///z/i-0123456789abcdef012", "azure:///z/i-0123456789abcdef0"}) {
    EXPECT_FALSE(instance_name_of(id)) << id;
  }
  const std::string id = provider_id_for("token", "us-east-1a");
  EXPECT_EQ(instance_name_of(id), instance_name("token"));
}

// Lost requests and replies, servers' faults and restarts at any moment: a token is one instance
// all its life, and what was terminated leaves nothing.
RC_GTEST_PROP(SimulatedCloud, SurvivesLossesAndRestarts, ()) {
  const auto seed = *rc::gen::inRange<uint64_t>(0, 1'000'000);
  const auto steps = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 100));
  Place place(seed);
  place.api.page = 2;
  place.api.faults = {0.1, 0.2, 0.1, milliseconds(300), 0.2};
  constexpr int kTokens = 4;
  const auto token = [](int i) { return "token-" + std::to_string(i); };
  std::map<std::string, std::string> answered;  // provider id by token
  std::set<std::string> terminated;
  const auto launch = [&](const std::string& name) {
    place.cloud->launch(place.request(name), [&, name](const LaunchAnswer& answer) {
      if (!answer.result.error.empty()) RC_FAIL(answer.result.error);
      const auto [it, fresh] = answered.try_emplace(name, answer.result.provider_id);
      RC_ASSERT(fresh || it->second == answer.result.provider_id);
    });
  };
  int pods = 0;
  for (const int step : steps) {
    const std::string name = token(step % kTokens);
    if (step < 30) {
      if (!terminated.contains(name)) launch(name);
    } else if (step < 45) {
      if (answered.contains(name)) {
        terminated.insert(name);
        place.cloud->terminate(answered[name], [](const Status&) {});
      }
    } else if (step < 60) {
      place.restart();
    } else if (step < 75) {
      const auto map =
          place.api.objects.find("/api/v1/namespaces/windlass/configmaps/" + instance_name(name));
      if (map != place.api.objects.end()) {
        const std::string node = map->second["data"]["nodeName"];
        if (place.api.objects.contains("/api/v1/nodes/" + node)) {
          place.add_pod("pod-" + std::to_string(++pods), node);
        }
      }
    } else {
      place.clock.advance(milliseconds(200 * (step - 70)));
    }
  }
  // The network heals; whoever wants an instance asks until there is an answer.
  place.api.faults = {};
  place.restart();
  for (int i = 0; i < kTokens; ++i) {
    const std::string name = token(i);
    if (terminated.contains(name)) {
      place.cloud->terminate(answered[name], [](const Status&) {});
    } else {
      launch(name);
    }
  }
  place.clock.advance(minutes(2));
  for (int i = 0; i < kTokens; ++i) {
    const std::string map = "/api/v1/namespaces/windlass/configmaps/" + instance_name(token(i));
    RC_ASSERT(place.api.made[map] <= 1);
    RC_ASSERT(place.api.objects.contains(map) == !terminated.contains(token(i)));
  }
  const size_t alive = kTokens - terminated.size();
  RC_ASSERT(place.api.count("/configmaps/") == alive);
  RC_ASSERT(place.api.count("/api/v1/nodes/") == alive);
  RC_ASSERT(place.api.count("/leases/") == alive);
  for (auto& [path, object] : place.api.objects) {
    if (path.starts_with("/api/v1/nodes/")) {
      RC_ASSERT(condition(object, "Ready") == "True");
      RC_ASSERT(object["spec"]["taints"].size() == 1u);
      RC_ASSERT(object["status"]["allocatable"]["nvidia.com/gpu"] == "1");
    }
    if (path.find("/pods/") != std::string::npos) {
      RC_ASSERT(condition(object, "Ready") == "True");
      RC_ASSERT(place.api.objects.contains("/api/v1/nodes/" +
                                           object["spec"]["nodeName"].get<std::string>()));
    }
  }
  for (int i = 0; i < kTokens; ++i) {
    if (!terminated.contains(token(i)))
      place.cloud->terminate(answered[token(i)], [](const auto&) {});
  }
  place.clock.advance(minutes(2));
  for (const auto& [path, object] : place.api.objects) RC_LOG() << path << object.dump(1);
  RC_ASSERT(place.api.objects.empty());
}

}  // namespace
}  // namespace windlass::live::cloud
