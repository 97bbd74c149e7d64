// For tests only: a client of a server that answers as the test says, on a clock that the test
// turns. Sockets and plugins are real.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "live/kube/client.h"
#include "live/kube/scratch_fixture.h"
#include "net/test_certificates.h"
#include "net/test_server.h"
#include "net/virtual_clock.h"

namespace windlass::live::kube {

class ClientFixture : public testing::Test {
 protected:
  using Connection = net::TestServer::Connection;

  ClientFixture() { serve(nullptr); }
  void serve(const net::TestTls* tls) {
    server = std::make_unique<net::TestServer>(
        loop,
        [this](const net::TestRequest& request, const Connection& to) {
          requests.push_back(request);
          answer(request, to);
        },
        tls);
    access.server = server->url();
  }
  void connect(ClientOptions options = {}) {
    api = std::make_unique<HttpApi>(loop, clock, access, std::move(options));
  }
  // Nothing but timers of length 0 is due unless the test moves the clock.
  template <typename Predicate>
  bool until(const Predicate& is_so) {
    return net::run_until(loop, [&] {
      clock.advance(Duration{});
      return is_so();
    });
  }
  Reply send(Request request) {
    std::optional<Reply> reply;
    api->send(std::move(request), [&](Reply r) { reply = std::move(r); });
    EXPECT_FALSE(reply.has_value()) << "told inside send()";
    EXPECT_TRUE(until([&] { return reply.has_value(); }));
    return reply.value_or(Reply{});
  }
  Reply get(const std::string& path = "/api/v1/pods") {
    Request request;
    request.path = path;
    return send(request);
  }
  // A plugin that counts its runs in "runs" and prints what the test last wrote to "answer".
  ExecPlugin plugin() {
    ExecPlugin out;
    out.api_version = "client.authentication.k8s.io/v1";
    out.command = scratch.script("plugin",
                                 "echo run >> \"$RUNS\"\n"
                                 "printf '%s' \"$KUBERNETES_EXEC_INFO\" > \"$RUNS.info\"\n"
                                 "cat \"$1\"\n");
    out.arguments = {scratch.path("answer")};
    out.environment = {{"RUNS", scratch.path("runs")}};
    out.install_hint = "get it at example.test";
    return out;
  }
  void plugin_says(const std::string& status) {
    scratch.write("answer", R"({"kind":"ExecCredential",)"
                            R"("apiVersion":"client.authentication.k8s.io/v1","status":)" +
                                status + "}");
  }
  [[nodiscard]] int plugin_runs() const {
    const std::string runs = scratch.read("runs");
    return static_cast<int>(std::count(runs.begin(), runs.end(), '\n'));
  }
  [[nodiscard]] std::string in(Duration wait) const { return to_rfc3339(clock.now() + wait); }

  net::EventLoop loop;
  net::VirtualClock clock{Instant{1'800'000'000'000'000'000}};
  Scratch scratch;
  Access access;
  std::vector<net::TestRequest> requests;
  // By default all is well.
  net::TestServer::Handler answer = [](const net::TestRequest&, const Connection& to) {
    to->send(net::http_reply("{}"));
  };
  std::unique_ptr<net::TestServer> server;
  std::unique_ptr<HttpApi> api;
};

}  // namespace windlass::live::kube
