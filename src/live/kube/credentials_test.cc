#include <cerrno>
#include <sys/wait.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "live/kube/client_fixture.h"

namespace windlass::live::kube {
namespace {

using net::http_reply;
using net::TestRequest;

class KubeCredentials : public ClientFixture {
 protected:
  // Lets in who brings this token.
  void demand(const std::string& token) {
    answer = [token](const TestRequest& request, const auto& to) {
      const bool good = request.header("authorization") == "Bearer " + token;
      to->send(good ? http_reply("{}") : http_reply("", "401 Unauthorized"));
    };
  }
};

TEST_F(KubeCredentials, ReadsTheTokenFileOnceAMinute) {
  access.token_file = scratch.write("token", "one\n");
  connect();
  const auto sent = [&] {
    get();
    return requests.back().header("authorization");
  };
  EXPECT_EQ(sent(), "Bearer one");
  scratch.write("token", "two\n");
  clock.advance(seconds(59));
  EXPECT_EQ(sent(), "Bearer one");
  clock.advance(seconds(1));
  EXPECT_EQ(sent(), "Bearer two");
  // A file that is gone or being written: the last token stays.
  for (const char* bad : {"", "\n", "a b", "a\nb"}) {
    scratch.write("token", bad);
    clock.advance(minutes(1));
    EXPECT_EQ(sent(), "Bearer two") << bad;
  }
}

TEST_F(KubeCredentials, ReadsTheTokenFileAgainAfterARefusal) {
  access.token_file = scratch.write("token", "old");
  demand("new");
  connect();
  EXPECT_EQ(get().code, 401);
  EXPECT_EQ(requests.size(), 2U) << "one more try, not many";
  scratch.write("token", "new");
  EXPECT_TRUE(get().ok());
  EXPECT_EQ(requests.size(), 4U);
  demand("newer");
  scratch.write("token", "newer");
  std::optional<Reply> end;
  api->stream({}, {{}, [&](const Reply& reply) { end = reply; }});
  EXPECT_TRUE(until([&] { return end.has_value(); }));
  EXPECT_TRUE(end->ok()) << "streams too";
}

TEST_F(KubeCredentials, NeedsATokenFile) {
  access.token_file = scratch.path("absent");
  connect();
  const Reply reply = get();
  EXPECT_EQ(reply.code, 0);
  EXPECT_EQ(reply.message, scratch.path("absent") + ": No such file or directory");
  EXPECT_TRUE(requests.empty());
}

TEST_F(KubeCredentials, HasOnlyOneFixedToken) {
  access.token = "old";
  demand("new");
  connect();
  EXPECT_EQ(get().code, 401);
  EXPECT_EQ(requests.size(), 1U);
}

TEST_F(KubeCredentials, RunsThePluginOnceForAll) {
  access.exec = plugin();
  access.exec->provide_cluster_info = true;
  access.exec->cluster_info = R"({"server":"https://h"})";
  plugin_says(R"({"token":"one","expirationTimestamp":")" + in(minutes(14)) + "\"}");
  demand("one");
  connect();
  int good = 0;
  Request request;
  request.path = "/x";
  for (int i = 0; i < 20; ++i) {
    api->send(request, [&](const Reply& reply) { good += reply.ok() ? 1 : 0; });
  }
  const Api::Id cancelled = api->send(request, [](const Reply&) { FAIL(); });
  api->cancel(cancelled);
  EXPECT_TRUE(until([&] { return good == 20; }));
  EXPECT_EQ(plugin_runs(), 1);
  EXPECT_EQ(*parse_json(scratch.read("runs.info")),
            *parse_json(R"({"apiVersion":"client.authentication.k8s.io/v1",
              "kind":"ExecCredential",
              "spec":{"interactive":false,"cluster":{"server":"https://h"}}})"));

  clock.advance(minutes(14) - seconds(10) - nanoseconds(1));
  EXPECT_TRUE(get().ok());
  EXPECT_EQ(plugin_runs(), 1) << "still good";
  plugin_says(R"({"token":"two"})");
  demand("two");
  clock.advance(nanoseconds(1));
  EXPECT_TRUE(get().ok());
  EXPECT_EQ(plugin_runs(), 2) << "ten seconds before its end";
  clock.advance(hours(1000));
  EXPECT_TRUE(get().ok());
  EXPECT_EQ(plugin_runs(), 2) << "good until refused";
}

TEST_F(KubeCredentials, RunsThePluginAgainAfterARefusal) {
  access.exec = plugin();
  plugin_says(R"({"token":"one"})");
  demand("one");
  connect();
  EXPECT_TRUE(get().ok());
  plugin_says(R"({"token":"two"})");
  demand("two");
  int good = 0;
  Request request;
  request.path = "/x";
  for (int i = 0; i < 5; ++i) {
    api->send(request, [&](const Reply& reply) { good += reply.ok() ? 1 : 0; });
  }
  EXPECT_TRUE(until([&] { return good == 5; }));
  EXPECT_EQ(plugin_runs(), 2) << "once for all who were refused";
  demand("never");
  EXPECT_EQ(get().code, 401);
  EXPECT_EQ(get().code, 401);
  EXPECT_EQ(get().code, 401);
  EXPECT_LE(plugin_runs(), 3) << "not for every refusal";
}

TEST_F(KubeCredentials, TellsWhatIsWrongWithAPlugin) {
  access.exec = plugin();
  const std::string name = "credential plugin " + access.exec->command + ": ";
  connect();
  const std::string v1 = R"("apiVersion":"client.authentication.k8s.io/v1")";
  struct Case {
    std::string output, error;
  };
  for (const Case& c : {
           Case{"hunter2", "its output is no JSON object"},
           Case{R"({"kind":"hunter2"})", "kind: not ExecCredential"},
           Case{R"({"kind":"ExecCredential","apiVersion":"v9"})",
                "apiVersion: not client.authentication.k8s.io/v1 as the kubeconfig says"},
           Case{R"({"kind":"ExecCredential",)" + v1 + "}", "status: is missing"},
           Case{R"({"kind":"ExecCredential",)" + v1 + R"(,"status":{}})",
                "status: holds neither a token nor a client certificate"},
           Case{R"({"kind":"ExecCredential",)" + v1 + R"(,"status":{"token":["hunter2"]}})",
                "status.token: must be a string"},
           Case{R"({"kind":"ExecCredential",)" + v1 + R"(,"status":{"token":"hunter2\n"}})",
                "status.token: holds characters that can't be sent"},
           Case{R"({"kind":"ExecCredential",)" + v1 +
                    R"(,"status":{"token":"t","clientKeyData":"hunter2"}})",
                "status: clientCertificateData and clientKeyData go together"},
           Case{R"({"kind":"ExecCredential",)" + v1 +
                    R"(,"status":{"token":"t","expirationTimestamp":"hunter2"}})",
                "status.expirationTimestamp: is no RFC 3339 time"},
       }) {
    scratch.write("answer", c.output);
    EXPECT_EQ(get().error(), name + c.error);
    clock.advance(seconds(2));
  }
  std::filesystem::remove(scratch.path("answer"));
  EXPECT_EQ(get().error(), name + "exited with 1 (get it at example.test)");
  const int runs = plugin_runs();
  EXPECT_EQ(get().error(), name + "exited with 1 (get it at example.test)");
  EXPECT_EQ(plugin_runs(), runs) << "no run for every request";
  EXPECT_TRUE(requests.empty());
  plugin_says(R"({"token":"good"})");
  clock.advance(seconds(2));
  EXPECT_TRUE(get().ok());
}

TEST_F(KubeCredentials, EndsWhileThePluginRuns) {
  access.exec = plugin();
  plugin_says(R"({"token":"one"})");
  connect();
  api->send({}, [](const Reply&) { FAIL() << "told after the end"; });
  api.reset();
  siginfo_t ended{};
  EXPECT_TRUE(until([&] {  // no child is left, and none as a zombie
    return ::waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) == -1 && errno == ECHILD;
  }));
  EXPECT_EQ(plugin_runs(), 1);
}

TEST_F(KubeCredentials, ShowsThePluginsCertificate) {
  const net::TestAuthority authority("authority");
  const net::TestAuthority::Pair own = authority.issue("server", "IP:127.0.0.1");
  const net::TestTls tls{own.certificate, own.key, authority.certificate()};
  serve(&tls);
  access.tls.ca = authority.certificate();
  access.exec = plugin();
  const auto says = [&](const std::string& name) {
    const net::TestAuthority::Pair pair = authority.issue(name);
    plugin_says(Json({{"clientCertificateData", pair.certificate},
                      {"clientKeyData", pair.key},
                      {"expirationTimestamp", in(minutes(5))}})
                    .dump());
  };
  connect();
  says("alice");
  EXPECT_TRUE(get().ok());
  EXPECT_EQ(requests.back().client_name, "alice");
  EXPECT_EQ(requests.back().header("authorization"), "");
  says("bob");
  EXPECT_TRUE(get().ok());
  EXPECT_EQ(requests.back().client_name, "alice");
  clock.advance(minutes(5));
  EXPECT_TRUE(get().ok());
  EXPECT_EQ(requests.back().client_name, "bob");
}

TEST_F(KubeCredentials, ReadsTheAuthoritiesAgain) {
  const net::TestAuthority before("before");
  const net::TestAuthority after("after");
  const net::TestAuthority::Pair own = after.issue("server", "IP:127.0.0.1");
  const net::TestTls tls{own.certificate, own.key, ""};
  serve(&tls);
  access.tls.ca = before.certificate();
  access.ca_file = scratch.write("ca.crt", before.certificate());
  connect();
  EXPECT_EQ(get().code, 0);
  scratch.write("ca.crt", "half written");
  EXPECT_EQ(get().code, 0);
  scratch.write("ca.crt", after.certificate());
  EXPECT_TRUE(get().ok()) << "at once after a failure";
}

}  // namespace
}  // namespace windlass::live::kube
