#include <csignal>
#include <map>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "server/http/client_fixture.h"

namespace windlass::server {
namespace {

Identity nobody(const Request&, const std::optional<Identity>&) { return {}; }

// A plain server whose handler answers by path; tests add paths.
struct Server {
  using Answer = std::function<void(const Request&, const std::shared_ptr<Exchange>&)>;

  explicit Server(HttpLimits limits = {}) : server(loop, limits) {
    answers["/echo"] = [](const Request& request, const std::shared_ptr<Exchange>& exchange) {
      Response response;
      response.content_type = "text/plain";
      response.body = request.method + " " + request.body;
      exchange->reply(std::move(response));
    };
    const Status status =
        server.listen({}, nobody, [this](const Request& r, std::shared_ptr<Exchange> exchange) {
          const auto it = answers.find(r.path);
          if (it == answers.end()) return exchange->reply({.status = 404});
          it->second(r, exchange);
        });
    EXPECT_TRUE(status.ok()) << status.error().message();
  }
  void run(const std::function<void()>& clients) { run_beside(loop, clients); }
  [[nodiscard]] uint16_t port() const { return server.port(); }

  EventLoop loop;
  std::map<std::string, Answer> answers;
  HttpServer server;
};

std::shared_ptr<const std::string> bytes(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

void expect_status_object(const std::string& body, int code) {
  const Result<Json> status = parse_json(body);
  ASSERT_TRUE(status.ok()) << body;
  EXPECT_EQ(status->value("kind", ""), "Status") << body;
  EXPECT_EQ(status->value("status", ""), "Failure");
  EXPECT_EQ(status->value("code", 0), code);
  EXPECT_FALSE(status->value("message", "").empty());
}

TEST(HttpServer, AnswersManyRequestsOnOneConnection) {
  Server server;
  server.run([&] {
    TestClient client(server.port());
    for (int i = 0; i < 3; ++i) {
      const auto [head, body] = client.get("/echo");
      EXPECT_EQ(status_of(head), 200);
      EXPECT_NE(head.find("Content-Type: text/plain\r\n"), std::string::npos);
      EXPECT_EQ(body, "GET ");
    }
    client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc");
    EXPECT_EQ(client.response().second, "POST abc");
    client.send(
        "PATCH /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
        "chunked\r\n\r\n2\r\nde\r\n0\r\n\r\n");
    EXPECT_EQ(client.response().second, "PATCH de");
    client.send("HEAD /echo HTTP/1.1\r\nHost: h\r\n\r\n");
    const std::string head = client.receive_until("\r\n\r\n");
    EXPECT_NE(head.find("Content-Length: 5\r\n"), std::string::npos);
    EXPECT_EQ(status_of(client.get("/none").first), 404);  // nothing of a body came in between
    client.send("GET /echo HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    EXPECT_NE(client.receive_all().find("Connection: close"), std::string::npos);
  });
  EXPECT_EQ(server.server.connections(), 0u);
}

TEST(HttpServer, AnswersPipelinedRequestsInOrderEvenAfterAHalfClose) {
  Server server;
  server.run([&] {
    TestClient client(server.port());
    std::string all;
    for (int i = 0; i < 50; ++i) {
      all += "PUT /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n" + std::to_string(10 + i);
    }
    client.send(all);
    client.end_sending();
    for (int i = 0; i < 50; ++i) {
      EXPECT_EQ(client.response().second, "PUT " + std::to_string(10 + i));
    }
    EXPECT_TRUE(client.receive().empty());
    EXPECT_FALSE(client.timed_out());
  });
}

TEST(HttpServer, SendsBodyAndPartsInOrder) {
  Server server;
  const auto part = bytes(std::string(100'000, 'p'));
  server.answers["/parts"] = [&](const Request&, const std::shared_ptr<Exchange>& exchange) {
    Response response;
    response.headers.emplace_back("Warning", "299 - \"x\"\r\nInjected: yes");
    response.body = "[";
    for (int i = 0; i < 200; ++i) {
      response.parts.push_back(part);
      response.parts.push_back(bytes(","));
      response.parts.push_back(nullptr);
    }
    exchange->reply(std::move(response));
    exchange->reply({.status = 500});  // only the first counts
  };
  server.run([&] {
    TestClient client(server.port());
    for (int round = 0; round < 2; ++round) {
      const auto [head, body] = client.get("/parts");
      EXPECT_EQ(head.find("\r\nInjected"), std::string::npos);
      ASSERT_EQ(body.size(), 1 + 200 * 100'001u);
      EXPECT_EQ(body.substr(100'000, 3), "p,p");
      EXPECT_EQ(body.back(), ',');
    }
  });
  EXPECT_EQ(part.use_count(), 1);
}

TEST(HttpServer, RefusesBadRequestsWithAStatusObject) {
  Server server({.header_bytes = 20'000, .body_bytes = 1000});
  const std::vector<std::pair<std::string, int>> cases = {
      {"GET /a/../b HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"GET //b HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"GET /%00 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"GET /" + std::string(17'000, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n", 414},
      {"GET / HTTP/1.1\r\nHost: h\r\nA: " + std::string(30'000, 'a') + "\r\n\r\n", 431},
      {"BREW / HTTP/1.1\r\nHost: h\r\n\r\n", 405},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n" + std::string(1001, 'x'), 413},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" +
           std::string(1001, 'x'),
       413},
      // Much that nobody reads, so that a careless close would reset the connection.
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 900000\r\n\r\n" + std::string(900'000, 'x'),
       413},
      {"POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2000\r\n\r\n", 413},
  };
  server.run([&] {
    for (const auto& [request, status] : cases) {
      TestClient client(server.port());
      client.send(request);
      const auto [head, body] = client.response();
      EXPECT_EQ(status_of(head), status) << request.substr(0, 80);
      EXPECT_NE(head.find("Connection: close"), std::string::npos);
      expect_status_object(body, status);
    }
  });
}

TEST(HttpServer, InvitesTheBodyOfAClientThatWaits) {
  Server server;
  server.run([&] {
    TestClient client(server.port());
    client.send(
        "PUT /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    EXPECT_EQ(client.receive_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("ab");
    EXPECT_EQ(client.response().second, "PUT ab");
  });
}

TEST(HttpServer, CutsSlowAndIdleClients) {
  Server server({.idle = milliseconds(150), .request = milliseconds(80)});
  server.run([&] {
    TestClient idle(server.port());
    TestClient slow(server.port());
    TestClient slow_body(server.port());
    slow.send("GET /echo HT");
    slow_body.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc");
    const auto [head, body] = slow.response();
    EXPECT_EQ(status_of(head), 408);
    expect_status_object(body, 408);
    EXPECT_EQ(status_of(slow_body.response().first), 408);
    EXPECT_TRUE(idle.receive().empty());
    EXPECT_FALSE(idle.timed_out());
    // One that drips a byte now and then has no more time than one that sends nothing.
    TestClient drips(server.port());
    int sent = 0;
    while (sent < 1000 && drips.send("G")) {
      ++sent;
      ::usleep(5000);
      if (server.server.connections() == 0) break;
    }
    EXPECT_LT(sent, 100);
  });
  EXPECT_EQ(server.server.connections(), 0u);
}

TEST(HttpServer, AReplyMayComeLateOrNever) {
  Server server({.request = milliseconds(100)});
  std::vector<std::shared_ptr<Exchange>> kept;
  server.answers["/late"] = [&](const Request&, const std::shared_ptr<Exchange>& exchange) {
    server.loop.after(milliseconds(20), [exchange] { exchange->reply({.body = "late"}); });
  };
  server.answers["/kept"] = [&](const Request&, const std::shared_ptr<Exchange>& exchange) {
    kept.push_back(exchange);
  };
  server.answers["/dropped"] = [](const Request&, const std::shared_ptr<Exchange>&) {};
  server.run([&] {
    TestClient client(server.port());
    EXPECT_EQ(client.get("/late").second, "late");
    const auto [head, body] = client.get("/dropped");
    EXPECT_EQ(status_of(head), 500);
    expect_status_object(body, 500);
    EXPECT_EQ(client.get("/late").second, "late");
    {
      TestClient leaves(server.port());
      leaves.send("GET /kept HTTP/1.1\r\nHost: h\r\n\r\n");
      TestClient leaves_too(server.port());
      leaves_too.send("GET /late HTTP/1.1\r\nHost: h\r\n\r\n");
    }
    // A peer that has ended its side still gets what comes soon.
    TestClient half(server.port());
    half.send("GET /late HTTP/1.1\r\nHost: h\r\n\r\n");
    half.end_sending();
    EXPECT_EQ(half.response().second, "late");
    while (server.server.connections() > 1) ::usleep(1000);
  });
  ASSERT_EQ(kept.size(), 1u);
  kept[0]->reply({.body = "too late"});
  EXPECT_TRUE(kept[0]->open_stream(200, "x")->closed());
}

TEST(HttpServer, StreamsInChunksAndGoesOnAfterwards) {
  Server server;
  std::shared_ptr<Stream> stream;
  int told = 0;
  server.answers["/watch"] = [&](const Request& request,
                                 const std::shared_ptr<Exchange>& exchange) {
    stream = exchange->open_stream(200, "application/json");
    stream->on_closed = [&told] { ++told; };
    if (request.method == "HEAD") {  // which has no body
      EXPECT_FALSE(stream->send(bytes("one\n")));
      return;
    }
    EXPECT_TRUE(stream->send(bytes("one\n")));
    EXPECT_TRUE(stream->send(bytes("")));
    server.loop.after(milliseconds(5), [&] {
      EXPECT_TRUE(stream->send(bytes("two\n")));
      stream->close();
      EXPECT_TRUE(stream->closed());
      EXPECT_FALSE(stream->send(bytes("three\n")));
      EXPECT_EQ(told, 0);  // never from within a call
    });
  };
  server.run([&] {
    TestClient client(server.port());
    client.send("GET /watch HTTP/1.1\r\nHost: h\r\n\r\n");
    const std::string head = client.receive_until("\r\n\r\n");
    EXPECT_NE(head.find("Transfer-Encoding: chunked\r\n"), std::string::npos);
    EXPECT_EQ(head.find("Content-Length"), std::string::npos);
    EXPECT_EQ(client.receive_until("0\r\n\r\n"), "4\r\none\n\r\n4\r\ntwo\n\r\n0\r\n\r\n");
    EXPECT_EQ(client.get("/echo").second, "GET ");
    client.send("HEAD /watch HTTP/1.1\r\nHost: h\r\n\r\n");
    client.receive_until("\r\n\r\n");
    EXPECT_EQ(client.get("/echo").second, "GET ");
  });
  EXPECT_EQ(told, 2);
}

// Pieces that come within milliseconds leave together, so none may wait for one that never comes.
TEST(HttpServer, AStreamsPiecesAllLeaveInOrderHoweverTheyCome) {
  constexpr int kPieces = 300;
  Server server;
  std::shared_ptr<Stream> stream;
  int sent = 0;
  const std::function<void()> send_next = [&] {
    stream->send(bytes(std::to_string(sent++) + "\n"));
    // Mostly in the next turn of the loop, now and then after a rest.
    if (sent < kPieces) server.loop.after(milliseconds(sent % 50 == 0 ? 7 : 0), send_next);
  };
  server.answers["/watch"] = [&](const Request&, const std::shared_ptr<Exchange>& exchange) {
    stream = exchange->open_stream(200, "text/plain");
    send_next();
  };
  std::string expected;
  for (int i = 0; i < kPieces; ++i) expected += std::to_string(i) + "\n";
  server.run([&] {
    TestClient client(server.port());
    client.send("GET /watch HTTP/1.1\r\nHost: h\r\n\r\n");
    client.receive_until("\r\n\r\n");
    std::string chunks = client.receive_until("299\n\r\n");
    std::string got;
    for (size_t at = 0; (at = chunks.find("\r\n")) != std::string::npos;) {
      const size_t size = std::stoul(chunks, nullptr, 16);
      got += chunks.substr(at + 2, size);
      chunks.erase(0, at + 2 + size + 2);
    }
    EXPECT_EQ(got, expected);
  });
}

TEST(HttpServer, AnOldClientGetsAStreamWithoutChunks) {
  Server server;
  server.answers["/watch"] = [](const Request&, const std::shared_ptr<Exchange>& exchange) {
    const auto stream = exchange->open_stream(200, "text/plain");
    stream->send(bytes("one"));
    stream->send(bytes("two"));
    stream->close();
  };
  server.run([&] {
    TestClient client(server.port());
    client.send("GET /watch HTTP/1.0\r\n\r\n");
    const std::string all = client.receive_all();
    EXPECT_EQ(all.find("chunked"), std::string::npos);
    EXPECT_TRUE(all.ends_with("\r\n\r\nonetwo")) << all;
  });
}

TEST(HttpServer, AWatcherThatLeavesIsNoticedWithoutASend) {
  Server server;
  std::shared_ptr<Stream> stream;
  std::atomic<int> told = 0;
  server.answers["/watch"] = [&](const Request&, const std::shared_ptr<Exchange>& exchange) {
    stream = exchange->open_stream(200, "text/plain");
    stream->on_closed = [&told] { ++told; };
  };
  server.run([&] {
    {
      TestClient client(server.port());
      client.send("GET /watch HTTP/1.1\r\nHost: h\r\n\r\n");
      client.receive_until("\r\n\r\n");
    }
    while (told == 0) ::usleep(1000);
  });
  EXPECT_TRUE(stream->closed());
  EXPECT_FALSE(stream->send(bytes("x")));
  EXPECT_EQ(stream->unsent(), 0u);
  stream->close();
  stream->abort();
  EXPECT_EQ(told, 1);
}

// Two watchers share every event; the one that doesn't read is dropped at the bound and the other
// hears all of it.
TEST(HttpServer, AStalledReaderIsDroppedAndTheOtherGoesOn) {
  constexpr size_t kBound = 1 << 20;
  constexpr int kEvents = 400;
  Server server({.stream_unsent_bytes = kBound, .stream_lag = milliseconds(20)});
  std::map<std::string, std::shared_ptr<Stream>> streams;
  int events = 0;
  bool dropped = false;
  size_t most_unsent = 0;
  server.answers["/watch"] = [&](const Request& request,
                                 const std::shared_ptr<Exchange>& exchange) {
    const std::string name = *request.parameter("name");
    streams[name] = exchange->open_stream(200, "text/plain");
    if (name == "stalls") streams[name]->on_closed = [&dropped] { dropped = true; };
  };
  const std::function<void()> tick = [&] {
    if (streams.size() == 2 && events < kEvents) {
      // At the pace of the one that reads, as far as it must be for the bound.
      if (streams["reads"]->unsent() < kBound / 2) {
        ++events;
        const auto event = bytes(std::string(100'000, 'e'));
        for (const auto& [name, stream] : streams) stream->send(event);
        EXPECT_LE(event.use_count(), 3);
        most_unsent = std::max(most_unsent, streams["stalls"]->unsent());
      }
      if (events == kEvents) streams["reads"]->close();
    }
    server.loop.after(Duration{}, tick);
  };
  server.loop.after(Duration{}, tick);
  server.run([&] {
    TestClient stalls(server.port(), 4096);
    stalls.send("GET /watch?name=stalls HTTP/1.1\r\nHost: h\r\n\r\n");
    TestClient reads(server.port());
    reads.send("GET /watch?name=reads HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    reads.receive_until("\r\n\r\n");
    const std::string all = reads.receive_all();
    const std::string chunk = "186a0\r\n" + std::string(100'000, 'e') + "\r\n";
    EXPECT_EQ(all.size(), kEvents * chunk.size() + 5);
    EXPECT_TRUE(all.starts_with(chunk));
    EXPECT_TRUE(all.ends_with("\r\n0\r\n\r\n"));
  });
  EXPECT_TRUE(dropped);
  EXPECT_TRUE(streams["stalls"]->closed());
  EXPECT_LE(most_unsent, 8 * kBound);
}

// As much as a list of ten thousand objects sent as a watch: who reads gets all of it, who doesn't
// is dropped in time although nothing more is sent.
TEST(HttpServer, ABurstIsNoLagUnlessNobodyReadsIt) {
  constexpr size_t kBound = 1 << 20;
  Server server({.stream_unsent_bytes = kBound, .stream_lag = milliseconds(300)});
  std::atomic<int> dropped = 0;
  server.answers["/watch"] = [&](const Request&, const std::shared_ptr<Exchange>& exchange) {
    const auto stream = exchange->open_stream(200, "text/plain");
    stream->on_closed = [&dropped] { ++dropped; };
    const auto event = bytes(std::string(100'000, 'e'));
    for (int i = 0; i < 75; ++i) EXPECT_TRUE(stream->send(event));
    EXPECT_GT(stream->unsent(), 7 * kBound);
  };
  server.run([&] {
    TestClient stalls(server.port(), 4096);
    stalls.send("GET /watch HTTP/1.1\r\nHost: h\r\n\r\n");
    TestClient reads(server.port());
    reads.send("GET /watch HTTP/1.1\r\nHost: h\r\n\r\n");
    std::string all = reads.receive_until("\r\n\r\n");
    for (all.clear(); all.size() < 75 * 100'009u;) {
      const std::string piece = reads.receive_until("\n");
      if (piece.empty()) break;
      all += piece;
    }
    EXPECT_EQ(all.size(), 75 * 100'009u);
    while (dropped == 0) ::usleep(1000);
    EXPECT_EQ(dropped, 1);
  });
}

TEST(HttpServer, ConnectionsAreBoundedAndTheLongestIdleGoesFirst) {
  Server server({.connections = 50});
  std::atomic<bool> is_held = false;
  server.answers["/hold"] = [&](const Request&, const std::shared_ptr<Exchange>& exchange) {
    is_held = true;
    server.loop.after(milliseconds(150), [exchange] { exchange->reply({.body = "held"}); });
  };
  std::atomic<size_t> most = 0;
  server.loop.on_turn_end([&] { most = std::max(most.load(), server.server.connections()); });
  server.run([&] {
    TestClient busy(server.port());
    busy.send("GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
    while (!is_held) ::usleep(1000);  // until then it is the longest idle itself
    std::vector<std::unique_ptr<TestClient>> clients;
    for (int i = 0; i < 500; ++i) {
      clients.push_back(std::make_unique<TestClient>(server.port()));
      // The newest is served: an idle one gave way.
      if (i % 100 == 99) {
        EXPECT_EQ(clients.back()->get("/echo").second, "GET ");
      }
    }
    EXPECT_TRUE(clients.front()->receive().empty());
    EXPECT_FALSE(clients.front()->timed_out());
    EXPECT_EQ(busy.response().second, "held");
  });
  EXPECT_LE(most, 50u);
  EXPECT_GE(most, 40u);
}

TEST(HttpServer, RefusesNewConnectionsWhenAllAreBusy) {
  Server server({.connections = 2});
  std::vector<std::shared_ptr<Exchange>> held;
  std::atomic<bool> all_held = false;
  std::atomic<bool> refused = false;
  server.answers["/hold"] = [&](const Request&, const std::shared_ptr<Exchange>& exchange) {
    held.push_back(exchange);
    all_held = held.size() == 2;
  };
  server.loop.every(milliseconds(2), [&] {
    if (!refused) return;
    for (const auto& exchange : held) exchange->reply({.body = "held"});
  });
  server.run([&] {
    TestClient a(server.port());
    TestClient b(server.port());
    a.send("GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
    b.send("GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
    while (!all_held) ::usleep(1000);
    TestClient c(server.port());
    EXPECT_EQ(c.get("/echo").second, "");
    refused = true;
    EXPECT_EQ(a.response().second, "held");
    EXPECT_EQ(b.response().second, "held");
    EXPECT_EQ(a.get("/echo").second, "GET ");
  });
}

TEST(HttpServer, RefusesPlainHttpBeyondThisMachineAndBadAddresses) {
  EventLoop loop;
  HttpServer server(loop);
  const auto answer = [](const Request&, std::shared_ptr<Exchange>) {};
  for (const char* host : {"0.0.0.0", "::", "no such host", "192.0.2.1"}) {
    EXPECT_FALSE(server.listen({.host = host}, nobody, answer).ok()) << host;
  }
  ASSERT_TRUE(server.listen({.host = "localhost"}, nobody, answer).ok());
  EXPECT_NE(server.port(), 0);
  const Status taken = server.listen({.port = server.port()}, nobody, answer);
  if (!taken.ok()) {  // "localhost" may have been ::1, where the port is another one
    EXPECT_NE(taken.error().message().find("bind"), std::string::npos);
  }
  EXPECT_FALSE(server.listen({.tls = TlsFiles{"/none", "/none", ""}}, nobody, answer).ok());
}

TEST(HttpServer, MayGoWhileConnectionsAreOpen) {
  std::shared_ptr<Exchange> kept;
  std::shared_ptr<Stream> stream;
  int told = 0;
  std::vector<std::unique_ptr<TestClient>> clients;
  {
    Server server;
    server.answers["/kept"] = [&](const Request&, const std::shared_ptr<Exchange>& e) { kept = e; };
    server.answers["/watch"] = [&](const Request&, const std::shared_ptr<Exchange>& exchange) {
      stream = exchange->open_stream(200, "text/plain");
      stream->on_closed = [&told] { ++told; };
    };
    for (const char* path : {"/kept", "/watch"}) {
      clients.push_back(std::make_unique<TestClient>(server.port()));
      clients.back()->send("GET " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n\r\n");
    }
    while (kept == nullptr || stream == nullptr) server.loop.turn();
  }
  kept->reply({});
  EXPECT_TRUE(stream->closed());
  EXPECT_FALSE(stream->send(bytes("x")));
  EXPECT_EQ(told, 0);  // whoever listened may have gone with the server
}

TEST(EventLoop, RunsHooksAfterEveryTurn) {
  EventLoop loop;
  std::string order;
  loop.on_turn_end([&] { order += '|'; });
  loop.after(Duration{}, [&] {
    order += 'a';
    loop.after(Duration{}, [&] { order += 'c'; });
  });
  loop.after(Duration{}, [&] { order += 'b'; });
  loop.run();  // ends by itself: nothing is left
  EXPECT_EQ(order, "ab|c|");
}

TEST(EventLoop, RepeatsUntilStoppedAndHearsSignals) {
  EventLoop loop;
  int ticks = 0;
  int signals = 0;
  loop.on_signal(SIGUSR1, [&] {
    ++signals;
    loop.stop();
  });
  loop.every(milliseconds(1), [&] {
    if (++ticks == 3) ::raise(SIGUSR1);
  });
  loop.run();
  EXPECT_EQ(ticks, 3);
  EXPECT_EQ(signals, 1);
}

}  // namespace
}  // namespace windlass::server
