// Plants secrets in every place that holds one, makes everything fail that can, and looks for them
// in all that was said.
#include <gtest/gtest.h>

#include "api/base64.h"
#include "base/log.h"
#include "live/kube/client_fixture.h"

namespace windlass::live::kube {
namespace {

using net::http_reply;
using net::TestRequest;

const std::string kSecret = "hunter2-correct-horse";

class Secrets : public ClientFixture {
 protected:
  void said(const std::string& text) {
    ASSERT_NE(text, "");
    ++texts;
    for (const std::string& secret :
         {kSecret, api::to_base64(kSecret), api::to_base64("user:" + kSecret)}) {
      EXPECT_EQ(text.find(secret), std::string::npos) << text;
    }
  }
  // Everything a server may do to a request, by the way it was asked.
  void ask_in_vain() {
    connect();
    Request request;
    request.path = "/api/v1/secrets/" + kSecret;
    request.query = {{"token", kSecret}};
    const auto fail = [&] {
      said(send(request).error());
      std::optional<Reply> end;
      api->stream(request, {[&](std::string_view) {}, [&](const Reply& reply) { end = reply; }});
      EXPECT_TRUE(until([&] { return end.has_value(); }));
      if (!end->ok()) said(end->error());
      clock.advance(minutes(1));
    };
    // A server that tells what it was told.
    const auto echo = [](const std::string& status) {
      return [status](const TestRequest& asked, const Connection& to) {
        const std::string words = "who is " + asked.header("authorization") + "?";
        to->send(http_reply(R"({"kind":"Status","message":")" + words + "\"}", status,
                            "Warning: 299 - \"" + words + "\"\r\n"));
      };
    };
    for (const char* status : {"401 Unauthorized", "403 Forbidden", "500 x", "302 Found"}) {
      answer = echo(status);
      fail();
    }
    answer = [](const TestRequest&, const Connection& to) { to->close(); };
    fail();
    answer = [](const TestRequest&, const Connection& to) {
      to->send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx");
      to->reset();
    };
    fail();
    answer = [](const TestRequest&, const Connection& to) { to->send("garbage\r\n"); };
    fail();
    for (const char* bad : {"http://127.0.0.1:1", "https://127.0.0.1:1", "http://", "no url"}) {
      const std::string kept = std::exchange(access.server, bad);
      connect();
      fail();
      access.server = kept;
    }
    access.proxy = "http://user:" + kSecret + "@127.0.0.1:1";
    connect();
    fail();
    access.proxy = "bad://user:" + kSecret + "@127.0.0.1:1";
    connect();
    fail();
    access.proxy.clear();
  }
  void kubeconfig(const std::string& user) {
    ConfigSources sources;
    sources.kubeconfig =
        scratch.write("config",
                      "current-context: a\ncontexts: [{name: a, context: {cluster: a, user: a}}]\n"
                      "clusters: [{name: a, cluster: {server: \"http://h\"}}]\nusers:\n- name: a\n"
                      "  user:\n" +
                          user);
    const Result<Access> found = find_access(sources);
    ASSERT_FALSE(found.ok()) << user;
    said(found.error().message());
  }

  int texts = 0;
};

TEST_F(Secrets, StayOutOfErrorsAndLogs) {
  testing::internal::CaptureStderr();
  access.token = kSecret;
  ask_in_vain();
  access.token = kSecret + "\nX: y";
  connect();
  said(get().error());
  access.token.clear();

  access.token_file = scratch.write("token", kSecret + "\n");
  ask_in_vain();
  scratch.write("token", kSecret + " and more");
  clock.advance(minutes(1));
  get();  // only the log may say something
  connect();
  said(get().error());
  access.token_file.clear();

  access.username = "user";
  access.password = kSecret;
  ask_in_vain();
  access.username.clear();
  access.password.clear();

  access.exec = plugin();
  access.exec->arguments.push_back(kSecret);
  access.exec->environment.emplace_back("PASSWORD", kSecret);
  plugin_says(R"({"token":")" + kSecret + "\"}");
  ask_in_vain();
  for (const std::string& output : {kSecret, "{\"token\": \"" + kSecret, "[\"" + kSecret + "\"]",
                                    R"({"kind":")" + kSecret + "\"}"}) {
    scratch.write("answer", output);
    connect();
    said(get().error());
  }
  plugin_says(R"({"token":"a )" + kSecret + "\"}");
  connect();
  said(get().error());
  access.exec.reset();

  // A key that doesn't belong to its certificate, and texts that are none.
  const net::TestAuthority authority("authority");
  const net::TestAuthority::Pair own = authority.issue("server", "IP:127.0.0.1");
  const net::TestTls tls{own.certificate, own.key, ""};
  serve(&tls);
  access.tls = {.ca = authority.certificate(), .certificate = own.certificate, .key = kSecret};
  connect();
  said(get().error());
  access.tls.key = "-----BEGIN PRIVATE KEY-----\n" + kSecret + "\n-----END PRIVATE KEY-----\n";
  connect();
  said(get().error());
  access.tls = {.ca = kSecret};
  connect();
  said(get().error());

  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_NE(log.find("[hidden]"), std::string::npos) << "the warnings were logged";
  said(log);
  EXPECT_GT(texts, 80);
}

TEST_F(Secrets, StayOutOfErrorsAboutKubeconfigs) {
  for (const std::string& user : {
           "    token: [" + kSecret + "]\n",
           "    token: {a: " + kSecret + "}\n",
           "    token: *" + kSecret + "\n",
           "    token: !!int " + kSecret + "\n",
           "    token: \"" + kSecret + "\n",
           "    token: " + kSecret + ": x: y\n",
           "    " + kSecret + ": 1\n    " + kSecret + ": 2\n",
           "    token: " + kSecret + "\n    username: u\n    password: " + kSecret + "\n",
           "    client-key-data: " + kSecret + "\n",
           "    client-key-data: " + api::to_base64(kSecret) + "\n",
           "    password: [" + kSecret + "]\n",
           "    exec: " + kSecret + "\n",
           "    exec: {apiVersion: " + kSecret + "}\n",
           "    exec: {env: [{name: A, value: [" + kSecret + "]}]}\n",
           "    exec: {args: [[" + kSecret + "]]}\n",
           "    bad: {" + kSecret + "\n",
       }) {
    kubeconfig(user);
  }
}

}  // namespace
}  // namespace windlass::live::kube
