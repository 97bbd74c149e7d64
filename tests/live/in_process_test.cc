// The simulated cloud on a plain cluster: what a live controller would do by hand, over the API
// that it would speak, on a virtual clock.
#include <optional>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/object.h"
#include "in_process_api.h"
#include "live/cloud/simulated_cloud.h"
#include "live/kube/watcher.h"

namespace windlass::live {
namespace {

using server::embedded::PlainCluster;

std::unique_ptr<PlainCluster> plain_cluster(Instant start) {
  server::embedded::PlainClusterOptions options;
  options.start = start;
  auto opened = PlainCluster::open(std::move(options));
  WL_ASSERT(opened.ok());
  return *std::move(opened);
}

const Instant kStart = *parse_rfc3339("2026-03-01T00:00:00Z");

// A process: an API client, informers of Pods and Nodes, and the provider they feed.
struct Process {
  Process(ClusterOnClock& cluster, uint64_t seed, const InProcessApi::Faults& faults)
      : api(cluster, seed),
        cloud(api, cluster.clock(), types(), {}),
        nodes(api, cluster.clock(), {.path = "/api/v1/nodes"}, node_handlers(), seed),
        pods(api, cluster.clock(), {.path = "/api/v1/pods"}, pod_handlers(), seed) {
    api.faults = faults;
    cloud.resume({});
    nodes.start();
    pods.start();
  }
  static const catalog::Catalog& types() {
    static const catalog::Catalog catalog = catalog::built_in({});
    return catalog;
  }
  template <typename T>
  static T read(std::string_view json, const char* kind) {
    Json whole = Json::parse(json);
    whole["apiVersion"] = "v1";
    whole["kind"] = kind;
    return std::get<T>(*api::decode(whole));
  }
  kube::Watcher::Handlers node_handlers() {
    return {.on_put =
                [this](const std::string&, std::string_view json) {
                  cloud.node_changed(read<api::Node>(json, "Node"));
                },
            .on_gone = [this](const std::string& key) { cloud.node_gone(key); },
            .on_synced = [] {}};
  }
  kube::Watcher::Handlers pod_handlers() {
    return {
        .on_put = [this](const std::string&,
                         std::string_view json) { cloud.pod_changed(read<api::Pod>(json, "Pod")); },
        .on_gone = [this](const std::string& key) { cloud.pod_gone(key); },
        .on_synced = [] {}};
  }
  InProcessApi api;
  cloud::SimulatedCloud cloud;
  kube::Watcher nodes, pods;
};

struct Setting {
  net::VirtualClock clock{kStart};
  std::unique_ptr<PlainCluster> cluster = plain_cluster(kStart);
  ClusterOnClock on_clock{*cluster, clock};
  InProcessApi user{on_clock, 7};

  kube::Reply ask(kube::Verb verb, const std::string& path, const Json& body = {}) {
    kube::Request request;
    request.verb = verb;
    request.path = path;
    if (!body.is_null()) request.body = body.dump();
    if (verb == kube::Verb::kPatch)
      request.content_type = kube::content_type(kube::PatchType::kMerge);
    std::optional<kube::Reply> reply;
    user.send(request, [&](kube::Reply got) { reply = std::move(got); });
    clock.advance(milliseconds(10));
    EXPECT_TRUE(reply) << path;
    return reply.value_or(kube::Reply{});
  }
  Json get(const std::string& path) {
    const kube::Reply reply = ask(kube::Verb::kGet, path);
    return reply.ok() ? Json::parse(reply.body) : Json();
  }
  void begin() {
    ask(kube::Verb::kPost, "/api/v1/namespaces", {{"metadata", {{"name", "windlass"}}}});
    const Json container{
        {"name", "a"}, {"image", "vllm"}, {"resources", {{"limits", {{"nvidia.com/gpu", "1"}}}}}};
    const kube::Reply made = ask(kube::Verb::kPost, "/apis/apps/v1/namespaces/default/deployments",
                                 {{"metadata", {{"name", "llm"}}},
                                  {"spec",
                                   {{"replicas", 2},
                                    {"selector", {{"matchLabels", {{"app", "llm"}}}}},
                                    {"template",
                                     {{"metadata", {{"labels", {{"app", "llm"}}}}},
                                      {"spec", {{"containers", Json::array({container})}}}}}}}});
    EXPECT_EQ(made.code, 201) << made.error();
  }
  // What registration does of a new node.
  void register_nodes() {
    const Json nodes = get("/api/v1/nodes");
    for (const Json& node : nodes["items"]) {
      ask(kube::Verb::kPatch, "/api/v1/nodes/" + node["metadata"]["name"].get<std::string>(),
          {{"spec", {{"taints", nullptr}}}});
    }
  }
  static cloud::LaunchRequest request(const std::string& token) {
    cloud::LaunchRequest out;
    out.claim.meta.name = "claim-" + token;
    out.token = token;
    out.offers = {{"g4dn.xlarge", "us-east-1a", "spot", 0.2}};
    return out;
  }
  size_t count(const std::string& path) {
    size_t live = 0;
    const Json list = get(path);
    for (const Json& item : list["items"]) {
      live += item["metadata"].contains("deletionTimestamp") ? 0u : 1u;
    }
    return live;
  }
};

TEST(InProcess, TheSimulatedCloudServesADeployment) {
  Setting setting;
  setting.begin();
  Process process(setting.on_clock, 1, {});
  std::vector<std::string> ids;
  for (const char* token : {"one", "two"}) {
    process.cloud.launch(Setting::request(token), [&](const cloud::LaunchAnswer& answer) {
      EXPECT_EQ(answer.result.error, "");
      ids.push_back(answer.result.provider_id);
    });
  }
  setting.clock.advance(seconds(20));
  ASSERT_EQ(ids.size(), 2u);
  EXPECT_EQ(setting.get("/api/v1/nodes")["items"].size(), 2u);
  const std::string web = "/apis/apps/v1/namespaces/default/deployments/llm";
  EXPECT_EQ(setting.get(web)["status"].value("readyReplicas", 0), 0);
  setting.register_nodes();
  setting.clock.advance(seconds(10));
  EXPECT_EQ(setting.get(web)["status"].value("readyReplicas", 0), 2);
  process.cloud.terminate(ids[0], [](const Status& status) { EXPECT_TRUE(status.ok()); });
  setting.clock.advance(seconds(10));
  EXPECT_EQ(setting.get("/api/v1/nodes")["items"].size(), 1u);
  EXPECT_EQ(setting.get(web)["status"].value("readyReplicas", 0), 1);
  EXPECT_EQ(setting.count("/api/v1/namespaces/default/pods"), 2u);
  EXPECT_EQ(process.api.counts().codes.count(422), 0u);
}

TEST(InProcess, CrashesAndLossesLeaveOneInstanceAToken) {
  Setting setting;
  setting.begin();
  const InProcessApi::Faults faults{.latency = milliseconds(200),
                                    .lose_request = 0.05,
                                    .lose_reply = 0.1,
                                    .server_error = 0.05,
                                    .cut_stream = 0.05};
  std::optional<Process> process;
  const auto restart = [&](uint64_t seed, const InProcessApi::Faults& f) {
    process.reset();
    process.emplace(setting.on_clock, seed, f);
  };
  for (uint64_t round = 0; round < 60; ++round) {
    restart(round, faults);
    for (const char* token : {"one", "two"}) {
      process->cloud.launch(Setting::request(token), [](const cloud::LaunchAnswer&) {});
    }
    setting.clock.advance(milliseconds(static_cast<int64_t>(40 + round * 37)));
    if (round % 10 == 9) setting.register_nodes();
  }
  restart(1000, {});
  setting.clock.advance(minutes(1));
  setting.register_nodes();
  setting.clock.advance(minutes(1));
  EXPECT_EQ(setting.get("/api/v1/nodes")["items"].size(), 2u);
  EXPECT_EQ(setting.get("/apis/apps/v1/namespaces/default/deployments/llm")["status"].value(
                "readyReplicas", 0),
            2);
  std::vector<std::string> ids;
  process->cloud.list([&](const Result<std::vector<cloud::CloudInstance>>& found) {
    for (const auto& instance : *found) ids.push_back(instance.provider_id);
  });
  setting.clock.advance(seconds(1));
  ASSERT_EQ(ids.size(), 2u);
  for (const std::string& id : ids) process->cloud.terminate(id, [](const Status&) {});
  setting.clock.advance(seconds(20));
  EXPECT_EQ(setting.get("/api/v1/nodes")["items"].size(), 0u);
  EXPECT_EQ(setting.count("/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"), 0u);
}

}  // namespace
}  // namespace windlass::live
