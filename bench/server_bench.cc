// What the embedded cluster's floor can carry: the store, its journal and HTTPS, each alone, with
// pods of about 3 kB (a real one's size without managed fields). The https benchmarks have a
// blocking client in a second thread, its cost of TLS included. `peak_mb` is the process's peak.
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <sys/resource.h>

#include <benchmark/benchmark.h>
#include <nlohmann/json.hpp>

#include "cluster/object_store.h"
#include "server/http/client_fixture.h"
#include "server/http/credentials.h"
#include "server/storage/sqlite_journal.h"

namespace windlass::server {
namespace {

using cluster::ObjectKey;
using cluster::ObjectStore;

struct Scratch {
  Scratch() {
    std::string pattern = (std::filesystem::temp_directory_path() / "windlass-XXXXXX").string();
    path = ::mkdtemp(pattern.data());
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { std::filesystem::remove_all(path); }
  std::string path;
};

ObjectKey key(int i) { return {"pods", "default", "pod-" + std::to_string(100'000 + i)}; }

Json pod(int i) {
  Json container = {{"name", "server"}, {"image", "registry.example/inference/server:v1.2.3"}};
  for (int e = 0; e < 12; ++e) {
    container["env"].push_back({{"name", "SETTING_" + std::to_string(e)},
                                {"value", "some value of a usual length " + std::to_string(e)}});
  }
  container["resources"]["requests"] = {{"cpu", "4"}, {"memory", "16Gi"}, {"nvidia.com/gpu", "1"}};
  Json conditions = Json::array();
  for (const char* type : {"Initialized", "Ready", "ContainersReady", "PodScheduled"}) {
    conditions.push_back({{"type", type},
                          {"status", "True"},
                          {"lastProbeTime", nullptr},
                          {"lastTransitionTime", "2026-03-01T00:00:00Z"}});
  }
  return {{"apiVersion", "v1"},
          {"kind", "Pod"},
          {"metadata",
           {{"name", key(i).name},
            {"namespace", "default"},
            {"uid", "00000000-0000-4000-8000-" + std::to_string(100'000'000'000 + i)},
            {"labels", {{"app", "server"}, {"pod-template-hash", "5d4f8c7b9"}}}}},
          {"spec",
           {{"nodeName", "node-" + std::to_string(i / 10)},
            {"containers", {container, container}},
            {"tolerations", {{{"key", "nvidia.com/gpu"}, {"operator", "Exists"}}}}}},
          {"status", {{"phase", "Running"}, {"podIP", "10.0.0.1"}, {"conditions", conditions}}}};
}

double peak_mb() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

// Every pod is created and changed nine times: ten times as many changes as history keeps bytes
// for.
void store_put(benchmark::State& state) {
  std::vector<Json> pods;
  for (int i = 0; i < 100; ++i) pods.push_back(pod(i));
  size_t bytes = 0;
  for (auto _ : state) {
    ObjectStore store;
    for (int round = 0; round < 10; ++round) {
      for (int i = 0; i < 10'000; ++i) {
        bytes = store.put(key(i), pods[static_cast<size_t>(i) % 100])->json.size();
      }
    }
  }
  state.SetItemsProcessed(state.iterations() * 100'000);
  state.counters["pod_bytes"] = static_cast<double>(bytes);
  state.counters["peak_mb"] = peak_mb();
}
BENCHMARK(store_put)->Unit(benchmark::kMillisecond);

void store_list(benchmark::State& state) {
  ObjectStore store;
  for (int i = 0; i < 10'000; ++i) store.put(key(i), pod(i));
  for (auto _ : state) benchmark::DoNotOptimize(store.list("pods", "default", {}, 5000));
}
BENCHMARK(store_list)->Unit(benchmark::kMillisecond);

void store_since(benchmark::State& state) {
  ObjectStore store;
  for (int i = 0; i < 10'000; ++i) store.put(key(i), pod(i));
  for (auto _ : state) benchmark::DoNotOptimize(store.since("pods", 9'990));
}
BENCHMARK(store_since);

// One transaction of so many changed pods.
void journal_commit(benchmark::State& state) {
  Scratch scratch;
  Result<SqliteJournal> journal = SqliteJournal::open(scratch.path + "/state.db");
  if (!journal.ok()) return state.SkipWithError(journal.error().message().c_str());
  ObjectStore store;
  journal->follow(store);
  const Json object = pod(0);
  int next = 0;
  for (auto _ : state) {
    for (int64_t i = 0; i < state.range(0); ++i) store.put(key(next++ % 10'000), object);
    if (!journal->commit().ok()) return state.SkipWithError("commit failed");
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(journal_commit)->Arg(1)->Arg(100);

// A server of the store's pods: /list answers 5,000 of them, anything else the first.
struct Https {
  Https() {
    using std::chrono::system_clock;
    const Instant now{system_clock::now().time_since_epoch() / std::chrono::nanoseconds(1)};
    Result<Credentials> credentials = Credentials::open(scratch.path, {}, now);
    for (int i = 0; i < 5000; ++i) store.put(key(i), pod(i));
    Listen listen;
    listen.tls = credentials->tls();
    const Status status = server.listen(
        listen, [](const Request&, const auto&) { return Identity(); },
        [this](const Request& request, const std::shared_ptr<Exchange>& exchange) {
          Response response;
          if (request.path == "/list") {
            for (const auto& document : store.list("pods")) {
              response.parts.emplace_back(document, &document->json);
              response.parts.push_back(comma);
            }
          } else {
            response.parts.emplace_back(store.find(key(0)), &store.find(key(0))->json);
          }
          exchange->reply(std::move(response));
        });
    if (!status.ok()) std::abort();
  }
  Scratch scratch;
  ObjectStore store;
  std::shared_ptr<const std::string> comma = std::make_shared<const std::string>(",");
  EventLoop loop;
  HttpServer server{loop};
};

void https(benchmark::State& state, const char* path) {
  Https https;
  run_beside(https.loop, [&] {
    TestClient client(https.server.port());
    if (!client.handshake({.ca = https.scratch.path + "/ca.crt"})) std::abort();
    for (auto _ : state) benchmark::DoNotOptimize(client.get(path));
  });
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_CAPTURE(https, get, "/get")->UseRealTime();
BENCHMARK_CAPTURE(https, list_5000, "/list")->UseRealTime()->Unit(benchmark::kMillisecond);

// A connection of its own for every request, as kubectl makes them.
void https_connect(benchmark::State& state) {
  Https https;
  run_beside(https.loop, [&] {
    for (auto _ : state) {
      TestClient client(https.server.port());
      if (!client.handshake({.ca = https.scratch.path + "/ca.crt"})) std::abort();
      benchmark::DoNotOptimize(client.get("/get"));
    }
  });
}
BENCHMARK(https_connect)->UseRealTime();

}  // namespace
}  // namespace windlass::server

BENCHMARK_MAIN();
