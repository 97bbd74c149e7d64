// Against a real API server, where one is given: WINDLASS_TEST_KUBECONFIG names its kubeconfig
// (`windlass up` prints one). Reads only.
#include <cstdlib>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "live/kube/client.h"
#include "net/test_server.h"

namespace windlass::live::kube {
namespace {

TEST(RealCluster, ListsAndWatchesPods) {
  const char* kubeconfig = std::getenv("WINDLASS_TEST_KUBECONFIG");
  if (kubeconfig == nullptr) GTEST_SKIP() << "WINDLASS_TEST_KUBECONFIG is not set";
  ConfigSources sources;
  sources.kubeconfig = kubeconfig;
  const Result<Access> access = find_access(sources);
  ASSERT_TRUE(access.ok()) << access.error().message();
  net::EventLoop loop;
  const auto clock = net::system_clock_on(loop);
  HttpApi api(loop, *clock, *access, {});

  Request request;
  request.path = "/api/v1/pods";
  request.query = {{"limit", "500"}};
  std::optional<Reply> list;
  api.send(request, [&](Reply reply) { list = std::move(reply); });
  ASSERT_TRUE(net::run_until(loop, [&] { return list.has_value(); }));
  ASSERT_TRUE(list->ok()) << list->error();
  const Result<Json> pods = parse_json(list->body);
  ASSERT_TRUE(pods.ok());
  const std::string version = (*pods)["metadata"]["resourceVersion"];

  // From the beginning: an event for each pod, then the end that was asked for.
  request.query = {{"watch", "1"}, {"resourceVersion", "0"}, {"timeoutSeconds", "2"}};
  size_t events = 0;
  std::optional<Reply> end;
  api.stream(request, {[&](std::string_view line) {
                         const Result<Json> event = parse_json(line);
                         ASSERT_TRUE(event.ok());
                         ++events;
                       },
                       [&](const Reply& reply) { end = reply; }});
  ASSERT_TRUE(net::run_until(loop, [&] { return end.has_value(); }));
  EXPECT_TRUE(end->ok()) << end->error();
  EXPECT_GE(events, (*pods)["items"].size());

  request.path = "/api/v1/namespaces/default/pods/no-such-pod";
  request.query.clear();
  std::optional<Reply> absent;
  api.send(request, [&](Reply reply) { absent = std::move(reply); });
  ASSERT_TRUE(net::run_until(loop, [&] { return absent.has_value(); }));
  EXPECT_EQ(absent->code, 404);
  EXPECT_EQ(absent->reason, "NotFound");
  RecordProperty("pods", static_cast<int>((*pods)["items"].size()));
  RecordProperty("events", static_cast<int>(events));
}

}  // namespace
}  // namespace windlass::live::kube
