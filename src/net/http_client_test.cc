#include "net/http_client.h"

#include <cstdlib>
#include <sys/resource.h>

#include <gtest/gtest.h>

#include "net/test_server.h"

namespace windlass::net {
namespace {

// One request to its end.
HttpReply fetch(EventLoop& loop, HttpClient& client, HttpRequest request) {
  std::optional<HttpReply> reply;
  client.send(std::move(request), [&](HttpReply r) { reply = std::move(r); });
  EXPECT_FALSE(reply.has_value()) << "told inside send()";
  EXPECT_TRUE(run_until(loop, [&] { return reply.has_value(); }));
  return reply.value_or(HttpReply{});
}
HttpRequest get(const std::string& url) {
  HttpRequest request;
  request.url = url;
  return request;
}

// A server that answers everything with the same bytes.
TestServer::Handler always(const std::string& bytes) {
  return [bytes](const TestRequest&, const TestServer::Connection& to) { to->send(bytes); };
}

// What came of a stream, in order.
struct Seen {
  int status = 0;
  std::string data;
  std::optional<std::string> end;
  HttpClient::Stream handlers() {
    return {[this](const HttpReply& head) { status = head.status; },
            [this](std::string_view bytes) { data += bytes; },
            [this](const std::string& error) { end = error; }};
  }
};

TEST(HttpClient, BringsStatusHeadersAndBody) {
  EventLoop loop;
  HttpClient client(loop);
  const TestServer server(loop, always(http_reply("no\n", "404 Not Found", "X-Thing:  a b \r\n")));
  const HttpReply reply = fetch(loop, client, get(server.url("/x")));
  EXPECT_EQ(reply.status, 404);
  EXPECT_EQ(reply.error, "");
  EXPECT_EQ(reply.body, "no\n");
  ASSERT_NE(reply.header("x-thing"), nullptr);
  EXPECT_EQ(*reply.header("x-thing"), "a b");
  EXPECT_EQ(reply.header("absent"), nullptr);
  EXPECT_GT(reply.took.ns, 0);
  EXPECT_EQ(client.open(), 0U);
}

TEST(HttpClient, SendsWhatItIsToldAndNothingElse) {
  EventLoop loop;
  HttpClient client(loop);
  TestRequest seen;
  const TestServer server(loop, [&](const TestRequest& request, const auto& to) {
    seen = request;
    to->send(http_reply(""));
  });
  HttpRequest request = get(server.url("/a%2Fb?c=d"));
  request.method = "PATCH";
  request.body = std::string(5000, 'x') + std::string(1, '\0') + "y";
  request.headers = {{"Authorization", "Bearer t"}, {"X-Empty", ""}};
  EXPECT_EQ(fetch(loop, client, request).status, 200);
  EXPECT_EQ(seen.method, "PATCH");
  EXPECT_EQ(seen.target, "/a%2Fb?c=d");
  EXPECT_EQ(seen.body, request.body);
  EXPECT_EQ(seen.header("authorization"), "Bearer t");
  EXPECT_TRUE(seen.headers.contains("x-empty"));
  for (const char* own : {"expect", "content-type", "accept-encoding"}) {
    EXPECT_FALSE(seen.headers.contains(own)) << own;
  }
  request.method = "DELETE";
  request.body.clear();
  fetch(loop, client, request);
  EXPECT_EQ(seen.method, "DELETE");
  EXPECT_FALSE(seen.headers.contains("content-length"));
}

TEST(HttpClient, KeepsConnections) {
  EventLoop loop;
  HttpClient client(loop);
  const TestServer server(loop, always(http_reply("ok")));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(fetch(loop, client, get(server.url())).body, "ok");
  EXPECT_EQ(server.accepted(), 1);
}

TEST(HttpClient, NamesHostAndPortButNoSecretWhenNobodyAnswers) {
  EventLoop loop;
  HttpClient client(loop);
  TestServer server(loop, always(""));
  server.stop_listening();
  const std::string place = "127.0.0.1:" + std::to_string(server.port());
  HttpRequest request = get("http://user:hunter2@" + place + "/p?token=hunter2");
  request.headers = {{"Authorization", "Bearer hunter2"}};
  const HttpReply reply = fetch(loop, client, request);
  EXPECT_EQ(reply.status, 0);
  EXPECT_EQ(reply.error, "connect to " + place + ": connection refused");
  EXPECT_FALSE(reply.timed_out);
}

TEST(HttpClient, TellsHowAReplyFailed) {
  struct Case {
    const char* bytes;
    const char* words;
  };
  const Case cases[] = {
      {"", "closed without a reply"},
      {"HTTP/1.1 200 OK\r\nContent-Le", "the reply was cut off"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nten bytes.", "the reply was cut off"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nten bytes.",
       "the reply was cut off"},
      {"SSH-2.0-dropbear\r\n", "the reply is not HTTP/1.1"},
  };
  for (const Case& c : cases) {
    EventLoop loop;
    HttpClient client(loop);
    const TestServer server(loop, [&](const TestRequest&, const auto& to) {
      to->send(c.bytes);
      to->close();
    });
    const HttpReply reply = fetch(loop, client, get(server.url("/?secret=1")));
    EXPECT_EQ(reply.status, 0);
    EXPECT_EQ(reply.error, "127.0.0.1:" + std::to_string(server.port()) + ": " + c.words)
        << c.bytes;
  }
}

TEST(HttpClient, RefusesWhatIsNoRequest) {
  EventLoop loop;
  HttpClient client(loop);
  for (const char* url : {"", "no url", "ftp://a/b", "file:///etc/passwd", "http://", "/path"}) {
    const HttpReply reply = fetch(loop, client, get(url));
    EXPECT_EQ(reply.status, 0) << url;
    EXPECT_NE(reply.error, "") << url;
  }
  HttpRequest request = get("http://127.0.0.1:1/");
  request.headers = {{"X-A", "one\r\nX-B: two"}};
  EXPECT_EQ(fetch(loop, client, request).error, "127.0.0.1:1: a request header holds a line break");
}

// What the first sending did is unknown, so only reading may be tried again.
TEST(HttpClient, RepeatsOnlyGetWhenAKeptConnectionBreaks) {
  struct Case {
    const char* method;
    bool repeated;
  };
  for (const Case& c : {Case{"GET", true}, Case{"POST", false}, Case{"PUT", false},
                        Case{"PATCH", false}, Case{"DELETE", false}}) {
    EventLoop loop;
    HttpClient client(loop);
    int requests = 0;
    const TestServer server(loop, [&](const TestRequest&, const auto& to) {
      if (++requests == 2) return to->reset();
      to->send(http_reply("ok"));
    });
    HttpRequest request = get(server.url());
    request.method = c.method;
    EXPECT_EQ(fetch(loop, client, request).status, 200);
    const HttpReply second = fetch(loop, client, request);
    EXPECT_EQ(second.status, c.repeated ? 200 : 0) << c.method << second.error;
    EXPECT_EQ(requests, c.repeated ? 3 : 2) << c.method;
    EXPECT_EQ(second.error.find("the connection broke before a reply came") != std::string::npos,
              !c.repeated);
  }
}

TEST(HttpClient, GivesUpInTime) {
  EventLoop loop;
  HttpClient client(loop);
  const TestServer server(loop, always("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nha"));
  HttpRequest request = get(server.url());
  request.timeout = milliseconds(50);
  const HttpReply late = fetch(loop, client, request);
  EXPECT_TRUE(late.timed_out);
  EXPECT_EQ(late.status, 0);
  EXPECT_EQ(late.error,
            "127.0.0.1:" + std::to_string(server.port()) + ": no complete reply within 50ms");
  // The other side never begins TLS: there is no connection yet.
  request.url = "https://127.0.0.1:" + std::to_string(server.port());
  request.connect_timeout = milliseconds(50);
  request.timeout = seconds(10);
  const HttpReply never = fetch(loop, client, request);
  EXPECT_TRUE(never.timed_out);
  EXPECT_EQ(never.error, "connect to 127.0.0.1:" + std::to_string(server.port()) +
                             ": no connection within 50ms");
}

TEST(HttpClient, BoundsReplies) {
  EventLoop loop;
  HttpClient client(loop);
  const TestServer server(loop, always(http_reply(std::string(100'000, 'a'))));
  HttpRequest request = get(server.url());
  request.max_reply_bytes = 99'999;
  EXPECT_NE(fetch(loop, client, request).error.find("larger than 99999 bytes"), std::string::npos);
  request.max_reply_bytes = 100'000;
  EXPECT_EQ(fetch(loop, client, request).body.size(), 100'000U);
  // Headers without end.
  std::string endless = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 20'000; ++i) endless += "X-" + std::string(60, 'h') + ": 1\r\n";
  const TestServer chatty(loop, always(endless));
  EXPECT_NE(fetch(loop, client, get(chatty.url())).error, "");
}

TEST(HttpClient, UnpacksGzipAndCountsWhatComesOut) {
  // printf 'hello hello hello hello\n' | gzip -n9
  const unsigned char packed[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03,
                                  0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x57, 0xc8, 0x40, 0x27, 0xb9,
                                  0x00, 0x00, 0x88, 0x59, 0x0b, 0x18, 0x00, 0x00, 0x00};
  std::string body(reinterpret_cast<const char*>(packed), sizeof packed);
  EventLoop loop;
  HttpClient client(loop);
  const TestServer server(loop, [&](const TestRequest& request, const auto& to) {
    EXPECT_EQ(request.header("accept-encoding"), "gzip");
    to->send(http_reply(body, "200 OK", "Content-Encoding: gzip\r\n"));
  });
  HttpRequest request = get(server.url());
  request.accept_gzip = true;
  const HttpReply whole = fetch(loop, client, request);
  request.max_reply_bytes = 10;
  const HttpReply bomb = fetch(loop, client, request);
  EXPECT_NE(bomb.error.find("larger than 10 bytes"), std::string::npos) << bomb.error;
  EXPECT_EQ(whole.body, "hello hello hello hello\n") << whole.error;
}

TEST(HttpClient, StreamsAsTheBytesCome) {
  EventLoop loop;
  HttpClient client(loop);
  TestServer::Connection out;
  const TestServer server(loop, [&](const TestRequest&, const auto& to) {
    out = to;
    to->send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  });
  Seen seen;
  HttpRequest request = get(server.url());
  request.timeout = {};
  client.stream(request, seen.handlers());
  ASSERT_TRUE(run_until(loop, [&] { return seen.status == 200; })) << "the head comes by itself";
  out->send(http_chunk("one"));
  ASSERT_TRUE(run_until(loop, [&] { return seen.data == "one"; }));
  out->send(http_chunk(" two"));
  ASSERT_TRUE(run_until(loop, [&] { return seen.data == "one two"; }));
  EXPECT_FALSE(seen.end.has_value());
  out->send("0\r\n\r\n");
  ASSERT_TRUE(run_until(loop, [&] { return seen.end.has_value(); }));
  EXPECT_EQ(*seen.end, "");
  EXPECT_EQ(client.open(), 0U);
}

TEST(HttpClient, TellsAStreamThatBroke) {
  EventLoop loop;
  HttpClient client(loop);
  const TestServer server(loop, [&](const TestRequest& request, const auto& to) {
    to->send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + http_chunk("data"));
    request.target == "/reset" ? to->reset() : to->close();
  });
  for (const char* target : {"/reset", "/close"}) {
    Seen seen;
    client.stream(get(server.url(target)), seen.handlers());
    ASSERT_TRUE(run_until(loop, [&] { return seen.end.has_value(); }));
    EXPECT_NE(*seen.end, "") << target;
  }
  Seen refused;
  client.stream(get("http://127.0.0.1:1"), refused.handlers());
  ASSERT_TRUE(run_until(loop, [&] { return refused.end.has_value(); }));
  EXPECT_EQ(refused.status, 0);
  EXPECT_EQ(*refused.end, "connect to 127.0.0.1:1: connection refused");
}

TEST(HttpClient, CancelsInsideEveryCallback) {
  for (const std::string_view where : {"head", "data", "other"}) {
    EventLoop loop;
    HttpClient client(loop);
    const TestServer server(
        loop, always("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + http_chunk("a")));
    HttpClient::Id id = 0;
    HttpClient::Id other = 0;
    bool cancelled = false;
    Seen seen;
    Seen others;
    HttpClient::Stream stream = seen.handlers();
    const auto cancel = [&](HttpClient::Id which) {
      EXPECT_FALSE(cancelled) << "called after cancel";
      cancelled = true;
      client.cancel(which);
    };
    if (where == "head") stream.on_head = [&](const HttpReply&) { cancel(id); };
    if (where == "data") stream.on_data = [&](std::string_view) { cancel(id); };
    if (where == "other") stream.on_head = [&](const HttpReply&) { cancel(other); };
    id = client.stream(get(server.url()), stream);
    if (where == "other") other = client.stream(get(server.url()), others.handlers());
    ASSERT_TRUE(run_until(loop, [&] { return cancelled; }));
    // The server sees the connection close: nothing holds it any more.
    EXPECT_TRUE(run_until(loop, [&] { return server.open() < server.accepted(); }));
    EXPECT_FALSE(seen.end.has_value());
    EXPECT_FALSE(others.end.has_value());
    EXPECT_EQ(client.open(), where == "other" ? 1U : 0U);
    client.cancel(id);
    client.cancel(12345);
  }
}

TEST(HttpClient, MayBeUsedAndEndedInsideItsCallbacks) {
  EventLoop loop;
  auto client = std::make_unique<HttpClient>(loop);
  const TestServer server(loop, always(http_reply("ok")));
  int told = 0;
  HttpClient::Id id = 0;
  id = client->send(get(server.url()), [&](const HttpReply&) {
    ++told;
    client->cancel(id);
    client->send(get(server.url()), [&](const HttpReply& second) {
      ++told;
      EXPECT_EQ(second.body, "ok");
      client->send(get(server.url()), [](const HttpReply&) { FAIL() << "after the end"; });
      client.reset();
    });
  });
  EXPECT_TRUE(run_until(loop, [&] { return client == nullptr; }));
  EXPECT_EQ(told, 2);
}

TEST(HttpClient, EndsWithRequestsOpen) {
  EventLoop loop;
  const TestServer server(loop, always(""));
  {
    HttpClient client(loop);
    for (int i = 0; i < 3; ++i) {
      client.send(get(server.url()), [](const HttpReply&) { FAIL() << "told after the end"; });
      client.stream(get("http://localhost:" + std::to_string(server.port())), {});
    }
    EXPECT_TRUE(run_until(loop, [&] { return server.accepted() >= 3; }));
  }
  EXPECT_TRUE(run_until(loop, [&] { return server.open() == 0; }));
}

TEST(HttpClient, LooksUpNames) {
  EventLoop loop;
  HttpClient client(loop);
  const TestServer server(loop, always(http_reply("ok")));
  const std::string url = "http://localhost:" + std::to_string(server.port());
  EXPECT_EQ(fetch(loop, client, get(url)).body, "ok");
  client.cancel(client.send(get("http://no-such-name.invalid"), [](const HttpReply&) { FAIL(); }));
  // Where no name server answers, the time-out comes first.
  HttpRequest unknown = get("http://no-such-name.invalid/?a=b");
  unknown.connect_timeout = seconds(3);
  const std::string error = fetch(loop, client, unknown).error;
  const std::string start = "connect to no-such-name.invalid:80: ";
  EXPECT_TRUE(error == start + "the name can't be looked up" ||
              error == start + "no connection within 3s")
      << error;
}

TEST(HttpClient, FollowsRedirectsOnlyWhenTold) {
  EventLoop loop;
  HttpClient client(loop);
  std::string authorization = "?";
  const TestServer far(loop, [&](const TestRequest& request, const auto& to) {
    authorization = request.header("authorization");
    to->send(http_reply("far"));
  });
  const TestServer near(
      loop, always(http_reply("moved", "302 Found", "Location: " + far.url("/there") + "\r\n")));
  HttpRequest request = get(near.url());
  request.headers = {{"Authorization", "Bearer hunter2"}};
  EXPECT_EQ(fetch(loop, client, request).status, 302);
  EXPECT_EQ(authorization, "?");
  request.follow_redirects = true;
  const HttpReply reply = fetch(loop, client, request);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "far");
  EXPECT_EQ(authorization, "") << "to another host";
}

TEST(HttpClient, DoesNotReadTheEnvironmentsProxies) {
  for (const char* name : {"http_proxy", "all_proxy", "ALL_PROXY"}) {
    setenv(name, "http://127.0.0.1:1", 1);
  }
  EventLoop loop;
  HttpClient client(loop);
  const TestServer server(loop, always(http_reply("ok")));
  EXPECT_EQ(fetch(loop, client, get(server.url())).body, "ok");
  for (const char* name : {"http_proxy", "all_proxy", "ALL_PROXY"}) unsetenv(name);
}

TEST(HttpClient, AThousandAtOnce) {
  constexpr int kRequests = 1000;
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_cur < 2 * kRequests + 100) GTEST_SKIP() << "too few open files are allowed";
  EventLoop loop;
  HttpClient client(loop);
  std::vector<std::pair<TestServer::Connection, std::string>> waiting;
  // Nobody is answered before all have asked.
  const TestServer server(loop, [&](const TestRequest& request, const auto& to) {
    waiting.emplace_back(to, request.target);
    if (waiting.size() < kRequests) return;
    for (const auto& [connection, target] : waiting) connection->send(http_reply(target));
  });
  int right = 0;
  int told = 0;
  for (int i = 0; i < kRequests; ++i) {
    const std::string target = "/" + std::to_string(i);
    client.send(get(server.url(target)), [&, target](const HttpReply& reply) {
      ++told;
      if (reply.body == target) ++right;
    });
  }
  EXPECT_EQ(client.open(), static_cast<size_t>(kRequests));
  EXPECT_TRUE(run_until(
      loop, [&] { return told == kRequests; }, seconds(60)));
  EXPECT_EQ(right, kRequests);
  EXPECT_EQ(server.accepted(), kRequests);
}

}  // namespace
}  // namespace windlass::net
