#include <chrono>
#include <fstream>

#include <gtest/gtest.h>

#include "server/http/client_fixture.h"
#include "server/http/credentials.h"
#include "server/http/scratch_fixture.h"
#include "server/http/self_made.h"

namespace windlass::server {
namespace {

// The handshake checks certificates against the machine's time, so these are made for it.
Instant wall_now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::nanoseconds>(since).count()};
}

struct TlsServer {
  explicit TlsServer(HttpLimits limits = {})
      : credentials(open(scratch.path)), server(loop, limits) {
    Listen listen;
    listen.tls = credentials.tls();
    const Status status = server.listen(
        listen,
        [this](const Request& request, const std::optional<Identity>& certificate) {
          return credentials.authenticate(request.header("authorization"), certificate, wall_now());
        },
        [](const Request& request, const std::shared_ptr<Exchange>& exchange) {
          Response response;
          response.body = request.identity.user;
          for (const std::string& group : request.identity.groups) response.body += "," + group;
          exchange->reply(std::move(response));
        });
    EXPECT_TRUE(status.ok()) << status.error().message();
  }
  static Credentials open(const std::string& directory) {
    Result<Credentials> made = Credentials::open(directory, {}, wall_now());
    EXPECT_TRUE(made.ok()) << made.error().message();
    return *std::move(made);
  }
  [[nodiscard]] ClientTls client() const { return {.ca = scratch.path + "/ca.crt"}; }
  [[nodiscard]] ClientTls administrator() const {
    return {.ca = scratch.path + "/ca.crt",
            .certificate = scratch.path + "/admin.crt",
            .key = scratch.path + "/admin.key"};
  }

  Scratch scratch;
  Credentials credentials;
  EventLoop loop;
  HttpServer server;
};

TEST(Tls, KnowsThePeerByCertificateTokenOrNotAtAll) {
  TlsServer server;
  run_beside(server.loop, [&] {
    TestClient nobody(server.server.port());
    ASSERT_TRUE(nobody.handshake(server.client()));
    EXPECT_EQ(nobody.get("/").second, "");
    const auto bearer = [](const std::string& t) { return "Authorization: Bearer " + t + "\r\n"; };
    EXPECT_EQ(nobody.get("/", bearer(server.credentials.admin_token())).second,
              "windlass-admin,system:masters,system:authenticated");
    EXPECT_EQ(nobody.get("/", bearer("wrong")).second, "");
    const std::string token =
        server.credentials.issue_token("system:serviceaccount:ns:sa", "u", wall_now() + hours(1));
    EXPECT_EQ(nobody.get("/", bearer(token)).second,
              "system:serviceaccount:ns:sa,system:serviceaccounts,system:serviceaccounts:ns,"
              "system:authenticated");

    TestClient administrator(server.server.port());
    ASSERT_TRUE(administrator.handshake(server.administrator()));
    EXPECT_EQ(administrator.get("/").second, "windlass-admin,system:masters,system:authenticated");
    for (const char* host : {"127.0.0.1", "::1", "kubernetes.default.svc"}) {
      TestClient by_name(server.server.port());
      ClientTls how = server.client();
      how.host = host;
      EXPECT_TRUE(by_name.handshake(how)) << host;
    }
    TestClient elsewhere(server.server.port());
    ClientTls how = server.client();
    how.host = "example.com";
    EXPECT_FALSE(elsewhere.handshake(how));
  });
}

TEST(Tls, ACertificateMadeInMemoryServesItsNamesAndAsksForItsClients) {
  Scratch clients;
  const Credentials credentials = TlsServer::open(clients.path);
  EventLoop loop;
  HttpServer server(loop);
  Listen listen;
  auto made = self_made_tls({"windlass.example.svc"}, wall_now());
  ASSERT_TRUE(made.ok()) << made.error().message();
  listen.tls = *made;
  listen.tls->client_ca = credentials.tls().client_ca;
  const Status status = server.listen(
      listen,
      [](const Request&, const std::optional<Identity>& certificate) {
        return certificate.value_or(Identity());
      },
      [](const Request& request, const std::shared_ptr<Exchange>& exchange) {
        Response response;
        response.body = "<" + request.identity.user + ">";
        exchange->reply(std::move(response));
      });
  ASSERT_TRUE(status.ok()) << status.error().message();
  const std::string own = clients.path + "/self-made.crt";
  std::ofstream(own) << made->certificate_pem;
  ClientTls how{.ca = own, .host = "windlass.example.svc"};
  run_beside(loop, [&] {
    TestClient nobody(server.port());
    ASSERT_TRUE(nobody.handshake(how));
    EXPECT_EQ(nobody.get("/").second, "<>");
    how.certificate = clients.path + "/admin.crt";
    how.key = clients.path + "/admin.key";
    TestClient known(server.port());
    ASSERT_TRUE(known.handshake(how));
    EXPECT_EQ(known.get("/").second, "<windlass-admin>");
    how.host = "localhost";
    TestClient elsewhere(server.port());
    EXPECT_FALSE(elsewhere.handshake(how));
  });
}

TEST(Tls, ACertificateOfAnotherAuthorityEndsTheHandshake) {
  TlsServer server;
  Scratch other;
  TlsServer::open(other.path);
  run_beside(server.loop, [&] {
    TestClient client(server.server.port());
    ClientTls how = server.client();
    how.certificate = other.path + "/admin.crt";
    how.key = other.path + "/admin.key";
    // In TLS 1.3 the client is done before the server has judged it.
    if (client.handshake(how)) {
      EXPECT_EQ(client.get("/").first, "");
    }
    // A server's certificate is none of a client, whoever signed it.
    TestClient server_as_client(server.server.port());
    how.certificate = server.scratch.path + "/server.crt";
    how.key = server.scratch.path + "/server.key";
    if (server_as_client.handshake(how)) {
      EXPECT_EQ(server_as_client.get("/").first, "");
    }
  });
}

TEST(Tls, SpeaksTls12AndUpAndHttp11Only) {
  TlsServer server;
  run_beside(server.loop, [&] {
    struct Case {
      int version;
      std::string alpn;
      bool ok;
    };
    const std::vector<Case> cases = {
        {TLS1_1_VERSION, "", false},
        {TLS1_2_VERSION, "", true},
        {TLS1_3_VERSION, "", true},
        {TLS1_3_VERSION, std::string("\x02h2\x08http/1.1"), true},
        {TLS1_3_VERSION, std::string("\x02h2"), false},
    };
    for (const Case& c : cases) {
      TestClient client(server.server.port());
      ClientTls how = server.administrator();
      how.max_version = c.version;
      how.alpn = c.alpn;
      EXPECT_EQ(client.handshake(how), c.ok) << c.version << " " << c.alpn;
      if (c.ok) {
        EXPECT_TRUE(client.get("/").second.starts_with("windlass-admin"));
      }
    }
  });
}

TEST(Tls, AHandshakeThatStandsStillIsCut) {
  TlsServer server({.request = milliseconds(80)});
  run_beside(server.loop, [&] {
    TestClient silent(server.server.port());
    TestClient halfway(server.server.port());
    halfway.send(std::string("\x16\x03\x01\x02\x00\x01", 6));
    for (TestClient* client : {&silent, &halfway}) {
      EXPECT_TRUE(client->receive().empty());
      EXPECT_FALSE(client->timed_out());
    }
  });
  EXPECT_EQ(server.server.connections(), 0u);
}

TEST(Tls, WhoAsksByPlainHttpIsToldSo) {
  TlsServer server;
  run_beside(server.loop, [&] {
    TestClient client(server.server.port());
    EXPECT_EQ(status_of(client.get("/").first), 400);
    TestClient noise(server.server.port());
    noise.send("\r\n\r\nnoise that is neither");
    EXPECT_EQ(status_of(noise.receive()), 0);
  });
}

TEST(Tls, LargeAnswersComeWholeToASlowReader) {
  TlsServer server;
  const auto part = std::make_shared<const std::string>(std::string(3000, 'p'));
  HttpServer large(server.loop);
  Listen listen;
  listen.tls = server.credentials.tls();
  ASSERT_TRUE(large
                  .listen(
                      listen, [](const Request&, const auto&) { return Identity(); },
                      [&](const Request&, const std::shared_ptr<Exchange>& exchange) {
                        Response response;
                        for (int i = 0; i < 2000; ++i) response.parts.push_back(part);
                        exchange->reply(std::move(response));
                      })
                  .ok());
  run_beside(server.loop, [&] {
    TestClient client(large.port(), 8192);
    ASSERT_TRUE(client.handshake(server.client()));
    for (int round = 0; round < 2; ++round) {
      const auto [head, body] = client.get("/");
      EXPECT_EQ(body.size(), 6'000'000u);
      EXPECT_EQ(body.find_first_not_of('p'), std::string::npos);
    }
  });
}

}  // namespace
}  // namespace windlass::server
