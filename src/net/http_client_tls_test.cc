#include <gtest/gtest.h>

#include "net/http_client.h"
#include "net/test_certificates.h"
#include "net/test_server.h"

namespace windlass::net {
namespace {

// A TLS server that tells what it saw of its client.
class HttpClientTls : public testing::Test {
 protected:
  void serve(const std::string& names, bool wants_client_certificate = false) {
    const TestAuthority::Pair pair = authority.issue("server", names);
    const TestTls tls{pair.certificate, pair.key,
                      wants_client_certificate ? authority.certificate() : ""};
    server = std::make_unique<TestServer>(
        loop,
        [this](const TestRequest& request, const TestServer::Connection& to) {
          last = request;
          to->send(http_reply("ok"));
        },
        &tls);
  }
  HttpReply fetch(const TlsOptions& tls, const std::string& proxy = "") {
    HttpRequest request;
    request.url = server->url("/path?token=hunter2");
    request.proxy = proxy;
    request.tls = std::make_shared<const TlsOptions>(tls);
    std::optional<HttpReply> reply;
    client.send(request, [&](HttpReply r) { reply = std::move(r); });
    EXPECT_TRUE(run_until(loop, [&] { return reply.has_value(); }));
    EXPECT_EQ(reply->error.find("hunter2"), std::string::npos) << reply->error;
    return *reply;
  }
  [[nodiscard]] std::string place() const { return "127.0.0.1:" + std::to_string(server->port()); }

  EventLoop loop;
  TestAuthority authority{"authority"};
  TestAuthority stranger{"stranger"};
  std::unique_ptr<TestServer> server;
  HttpClient client{loop};
  TestRequest last;
};

TEST_F(HttpClientTls, AcceptsOnlyTheGivenAuthority) {
  serve("IP:127.0.0.1");
  EXPECT_EQ(fetch({.ca = authority.certificate()}).body, "ok");
  const HttpReply wrong = fetch({.ca = stranger.certificate()});
  EXPECT_EQ(wrong.status, 0);
  EXPECT_TRUE(wrong.error.starts_with("connect to " + place() + ": SSL certificate problem"))
      << wrong.error;
  EXPECT_EQ(fetch({}).status, 0) << "the system's authorities don't know it";
  EXPECT_EQ(fetch({.ca = "no PEM at all"}).status, 0);
  EXPECT_EQ(fetch({.ca = authority.certificate()}).body, "ok") << "nothing is remembered wrongly";
  EXPECT_EQ(fetch({.skip_verify = true}).body, "ok");
  EXPECT_EQ(fetch({.ca = stranger.certificate()}).status, 0)
      << "a connection made without verifying is not shared with one that verifies";
}

TEST_F(HttpClientTls, ChecksTheServersName) {
  serve("DNS:api.internal");
  const std::string ca = authority.certificate();
  const HttpReply by_address = fetch({.ca = ca});
  EXPECT_EQ(by_address.status, 0);
  EXPECT_NE(by_address.error.find("127.0.0.1"), std::string::npos);
  const HttpReply named = fetch({.ca = ca, .server_name = "api.internal"});
  EXPECT_EQ(named.body, "ok") << named.error;
  EXPECT_EQ(last.server_name, "api.internal");
  EXPECT_EQ(last.header("host"), place()) << "the request itself is for the URL's host";
  EXPECT_EQ(last.target, "/path?token=hunter2");
  const HttpReply other = fetch({.ca = ca, .server_name = "other.internal"});
  EXPECT_EQ(other.status, 0);
  EXPECT_NE(other.error.find("other.internal"), std::string::npos) << other.error;
  EXPECT_EQ(fetch({.ca = ca, .server_name = "bad name\r\n"}).status, 0);
}

// An address in brackets must survive the way around by the server's name.
TEST_F(HttpClientTls, NamesTheRealAddressInErrors) {
  HttpRequest request;
  request.url = "https://[::1]:1/x";
  request.tls = std::make_shared<const TlsOptions>(TlsOptions{.server_name = "api.internal"});
  std::optional<HttpReply> reply;
  client.send(request, [&](HttpReply r) { reply = std::move(r); });
  EXPECT_TRUE(run_until(loop, [&] { return reply.has_value(); }));
  EXPECT_TRUE(reply->error.starts_with("connect to [::1]:1: ")) << reply->error;
  EXPECT_EQ(reply->error.find("api.internal"), std::string::npos) << reply->error;
}

TEST_F(HttpClientTls, ShowsItsCertificate) {
  serve("IP:127.0.0.1", true);
  const std::string ca = authority.certificate();
  EXPECT_EQ(fetch({.ca = ca}).status, 0);
  for (const char* name : {"alice", "bob"}) {
    const TestAuthority::Pair pair = authority.issue(name);
    EXPECT_EQ(fetch({.ca = ca, .certificate = pair.certificate, .key = pair.key}).body, "ok");
    EXPECT_EQ(last.client_name, name) << "one's connection is not lent to the other";
  }
  const TestAuthority::Pair foreign = stranger.issue("mallory");
  EXPECT_EQ(fetch({.ca = ca, .certificate = foreign.certificate, .key = foreign.key}).status, 0);
  const TestAuthority::Pair alice = authority.issue("alice");
  const HttpReply mixed = fetch({.ca = ca, .certificate = alice.certificate, .key = foreign.key});
  EXPECT_EQ(mixed.error,
            "connect to " + place() + ": the client certificate and its key can't be used");
}

TEST_F(HttpClientTls, KeepsConnectionsOfTheSameIdentity) {
  serve("IP:127.0.0.1");
  for (int i = 0; i < 3; ++i) fetch({.ca = authority.certificate()});
  EXPECT_EQ(server->accepted(), 1);
}

TEST_F(HttpClientTls, GoesThroughAProxy) {
  serve("DNS:api.internal");
  TestRequest asked;
  std::string refusal;
  const TestServer proxy(loop, [&](const TestRequest& request, const TestServer::Connection& to) {
    asked = request;
    if (!refusal.empty()) return to->send(http_reply("", refusal));
    to->tunnel_to(server->port());
    to->send("HTTP/1.1 200 Connection established\r\n\r\n");
  });
  const std::string url = "http://me:hunter2@127.0.0.1:" + std::to_string(proxy.port());
  const TlsOptions tls{.ca = authority.certificate(), .server_name = "api.internal"};
  const HttpReply reply = fetch(tls, url);
  EXPECT_EQ(reply.body, "ok") << reply.error;
  EXPECT_EQ(asked.method, "CONNECT");
  EXPECT_EQ(asked.target, place());
  EXPECT_EQ(asked.header("proxy-authorization"), "Basic bWU6aHVudGVyMg==");
  EXPECT_EQ(last.server_name, "api.internal");
  EXPECT_EQ(last.header("proxy-authorization"), "");

  refusal = "403 Forbidden";
  TlsOptions fresh = tls;
  fresh.ca += "\n";  // not the kept connection
  EXPECT_EQ(fetch(fresh, url).error, "connect to " + place() + " through proxy 127.0.0.1:" +
                                         std::to_string(proxy.port()) + ": the proxy answered 403");
  EXPECT_EQ(fetch(fresh, "http://me:hunter2@127.0.0.1:1").error,
            "connect to " + place() + " through proxy 127.0.0.1:1: connection refused");
  EXPECT_EQ(fetch(fresh, "gopher://me:hunter2@127.0.0.1:1").status, 0);
}

}  // namespace
}  // namespace windlass::net
