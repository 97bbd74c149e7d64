// A large cluster's API server for bench/live.py: the embedded API (server/rest, server/http) over
// live_objects.h, without disk and without a world behind it, so that the client is what is
// measured. TLS, or with `plain` HTTP.
//
//   live_server DIRECTORY NODES PODS [plain]
//
// Writes DIRECTORY/kubeconfig and says "ready". What kubelets would do it does when asked, by
// requests under /bench (no credentials needed; loopback only):
//
//   /bench/load?rate=100     so many status changes a second from now on: of ten, four restart
//                            counts, two pods that are ready or not, two probes' times, two node
//                            heartbeats; 0 stops
//   /bench/react?count=20    so many nodes are deleted, one every 250 ms under the load, and the
//                            time until each one's NodeClaim is asked to go is noted
//   /bench/report            {"changes", "requests" by verb and resource, "reactions_ms"}
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "live_objects.h"
#include "server/http/credentials.h"
#include "server/http/http_server.h"
#include "server/rest/kube_api.h"

namespace windlass::bench {
namespace {

using namespace server;
using Clock = std::chrono::steady_clock;
using cluster::ObjectKey;

Instant wall_now() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::nanoseconds>(since_epoch).count()};
}

int number_of(const Request& request, const char* name) {
  return std::atoi(request.parameter(name).value_or("0").c_str());
}

// The answer to a request that this program makes itself.
class NoAnswer : public Exchange {
 public:
  void reply(Response response) override {
    if (response.status >= 300) {
      fmt::print(stderr, "own request: {} {}\n", response.status, response.body);
    }
  }
  std::shared_ptr<Stream> open_stream(int, std::string) override { return nullptr; }
};

class LargeCluster {
 public:
  LargeCluster(std::string directory, int nodes, int pods, bool plain)
      : directory_(std::move(directory)), nodes_(nodes), pods_(pods), plain_(plain) {}

  void fill() {
    rest::ApiOptions options;
    options.now = wall_now;
    options.wall_now = wall_now;
    options.after = [this](Duration delay, std::function<void()> work) {
      loop_.after(delay, std::move(work));
    };
    api_ = std::make_unique<rest::KubeApi>(store_, std::move(options));
    api_->bootstrap();
    put("ec2nodeclasses.karpenter.k8s.aws", node_class());
    for (int i = 0; i < kPools; ++i) put("nodepools.karpenter.sh", node_pool(i));
    for (int i = 0; i < nodes_; ++i) {
      put("nodes", node(i));
      put("nodeclaims.karpenter.sh", node_claim(i));
    }
    const int sets = pods_ / kPodsPerSet;
    for (int i = 0; i < sets; ++i) {
      put("deployments.apps", deployment(i));
      put("replicasets.apps", replica_set(i));
      put("poddisruptionbudgets.policy", budget(i));
      if (i % 5 == 0) put("scaledobjects.keda.sh", scaled_object(i));
    }
    for (int i = 0; i < pods_; ++i) put("pods", pod(i));
    api_->flush();
  }

  Status run() {
    auto credentials = Credentials::open(directory_ + "/pki", {"127.0.0.1"}, wall_now());
    if (!credentials.ok()) return credentials.error();
    Listen listen;
    if (!plain_) listen.tls = credentials->tls();
    HttpLimits limits;
    limits.stream_unsent_bytes = size_t{1} << 30;  // the list as a watch, in one piece
    HttpServer server(loop_, limits);
    const auto identity = [&](const Request& request, const std::optional<Identity>& certificate) {
      return credentials->authenticate(request.header("authorization"), certificate, wall_now());
    };
    Status status = server.listen(listen, identity,
                                  [this](const Request& request, std::shared_ptr<Exchange> answer) {
                                    serve(request, answer);
                                  });
    if (!status.ok()) return status;
    const std::string url =
        fmt::format("{}://127.0.0.1:{}", plain_ ? "http" : "https", server.port());
    status = credentials->write_kubeconfig(directory_ + "/kubeconfig", url);
    if (!status.ok()) return status;
    // Asked for the load in the clear, so that nobody needs credentials to measure.
    HttpServer desk(loop_);
    const auto nobody = [](const Request&, const std::optional<Identity>&) { return Identity{}; };
    status =
        desk.listen({}, nobody, [this](const Request& request, std::shared_ptr<Exchange> answer) {
          order(request, answer);
        });
    if (!status.ok()) return status;
    loop_.on_turn_end([this] { api_->flush(); });
    loop_.every(milliseconds(10), [this] { change(); });
    fmt::print("ready {} http://127.0.0.1:{}\n", url, desk.port());
    std::fflush(stdout);
    loop_.run();
    return {};
  }

 private:
  void put(const char* resource, json object) {
    const json& meta = object["metadata"];
    ObjectKey key{resource, meta.value("namespace", ""), meta.value("name", "")};
    store_.put(key, std::move(object));
  }

  void serve(const Request& request, const std::shared_ptr<Exchange>& answer) {
    ++requests_[fmt::format("{} {}", request.method, resource_in(request.path))];
    static const std::string claims = "/apis/karpenter.sh/v1/nodeclaims/";
    if (request.method == "DELETE" && request.path.starts_with(claims)) {
      const auto asked = awaited_.find(request.path.substr(claims.size()));
      if (asked != awaited_.end()) {
        const std::chrono::duration<double, std::milli> took = Clock::now() - asked->second;
        reactions_ms_.push_back(took.count());
        awaited_.erase(asked);
      }
    }
    api_->handle(request, answer);
  }

  static std::string resource_in(const std::string& path) {
    for (const char* known : {"nodeclaims", "nodepools", "nodes", "eviction", "scaledobjects",
                              "leases", "events", "pods", "configmaps", "scale"}) {
      if (path.find(std::string("/") + known) != std::string::npos) return known;
    }
    return "others";
  }

  void order(const Request& request, const std::shared_ptr<Exchange>& answer) {
    Response response;
    if (request.path == "/bench/load") {
      rate_ = number_of(request, "rate");
      due_ = 0;
      changed_ = Clock::now();
    } else if (request.path == "/bench/react") {
      react(number_of(request, "count"));
    } else if (request.path == "/bench/report") {
      response.body = json{
          {"changes", changes_},
          {"requests", requests_},
          {"awaited", awaited_.size()},
          {"reactions_ms",
           reactions_ms_}}.dump();
    } else {
      response.status = 404;
    }
    answer->reply(std::move(response));
  }

  void react(int left) {
    if (left <= 0) return;
    const int number = next_node_;
    next_node_ += 7;
    Request request;
    request.method = "DELETE";
    request.path = "/api/v1/nodes/" + node_name(number);
    request.identity = {"bench", {"system:masters"}, ""};
    awaited_[claim_name(number)] = Clock::now();
    api_->handle(request, std::make_shared<NoAnswer>());
    loop_.after(milliseconds(250), [this, left] { react(left - 1); });
  }

  void change() {
    if (rate_ == 0) return;
    const std::chrono::duration<double> passed = Clock::now() - changed_;
    changed_ = Clock::now();
    due_ += passed.count() * rate_;
    for (; due_ >= 1; --due_) change_one();
  }

  // A document with one field of its status changed, as kubelet changes it.
  void change_one() {
    const int turn = static_cast<int>(changes_++ % 10);
    const int number = static_cast<int>(changes_ * 7919 % static_cast<uint64_t>(pods_));
    const bool of_node = turn >= 8;
    const int place = of_node ? number % nodes_ : number;
    const ObjectKey key = of_node ? ObjectKey{"nodes", "", node_name(place)}
                                  : ObjectKey{"pods", pod_namespace(place), pod_name(place)};
    const auto found = store_.find(key);
    if (found == nullptr) return;
    json object = json::parse(found->json);
    json& status = object["status"];
    const std::string now = to_rfc3339(wall_now());
    if (of_node) {
      for (json& each : status["conditions"]) each["lastHeartbeatTime"] = now;
    } else if (turn < 4) {
      json& restarts = status["containerStatuses"][0]["restartCount"];
      restarts = restarts.get<int>() + 1;
    } else if (turn < 6) {
      json& ready = status["conditions"][2];
      ready["status"] = ready["status"] == "True" ? "False" : "True";
      ready["lastTransitionTime"] = now;
    } else {
      status["conditions"][2]["lastProbeTime"] = now;
    }
    store_.put(key, std::move(object));
  }

  std::string directory_;
  int nodes_;
  int pods_;
  bool plain_;
  EventLoop loop_;
  cluster::ObjectStore store_;
  std::unique_ptr<rest::KubeApi> api_;

  int rate_ = 0;
  double due_ = 0;
  Clock::time_point changed_;
  uint64_t changes_ = 0;
  int next_node_ = 3;
  std::map<std::string, Clock::time_point> awaited_;  // claims, since their node was deleted
  std::vector<double> reactions_ms_;
  std::map<std::string, int> requests_;
};

}  // namespace
}  // namespace windlass::bench

int main(int argc, char** argv) {
  if (argc < 4) {
    fmt::print(stderr, "usage: live_server DIRECTORY NODES PODS [plain]\n");
    return 2;
  }
  const bool plain = argc > 4 && std::string(argv[4]) == "plain";
  std::filesystem::create_directories(argv[1]);
  windlass::bench::LargeCluster cluster(argv[1], std::atoi(argv[2]), std::atoi(argv[3]), plain);
  cluster.fill();
  const windlass::Status status = cluster.run();
  if (!status.ok()) fmt::print(stderr, "{}\n", status.error().message());
  return status.ok() ? 0 : 1;
}
