#include "live/kube/client.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "live/kube/client_fixture.h"

namespace windlass::live::kube {
namespace {

using net::http_chunk;
using net::http_reply;
using net::TestRequest;

const std::string kStreamHead = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

class Client : public ClientFixture {};

TEST_F(Client, AsksAsAKubernetesClient) {
  access.token = "tok";
  connect({.user_agent = "windlass/1"});
  Request request;
  request.path = "/api/v1/pods";
  request.query = {{"fieldSelector", "spec.nodeName=n1"}};
  const Reply reply = send(request);
  EXPECT_TRUE(reply.ok());
  EXPECT_EQ(reply.body, "{}");
  const TestRequest& seen = requests.at(0);
  EXPECT_EQ(seen.method + " " + seen.target, "GET /api/v1/pods?fieldSelector=spec.nodeName%3Dn1");
  EXPECT_EQ(seen.header("authorization"), "Bearer tok");
  EXPECT_EQ(seen.header("accept"), "application/json");
  EXPECT_EQ(seen.header("user-agent"), "windlass/1");
  EXPECT_EQ(seen.header("accept-encoding"), "gzip");
  request.verb = Verb::kPost;
  request.body = R"({"a":1})";
  send(request);
  EXPECT_EQ(requests.at(1).header("content-type"), "application/json");
  EXPECT_EQ(requests.at(1).body, request.body);
  EXPECT_EQ(requests.at(1).connection, 1) << "the connection is kept";
  EXPECT_EQ(api->stats().requests, 2U);
}

TEST_F(Client, SendsBasicCredentials) {
  access.username = "u";
  access.password = "pass";
  connect();
  get();
  EXPECT_EQ(requests.at(0).header("authorization"), "Basic dTpwYXNz");
}

TEST_F(Client, ReadsErrors) {
  connect();
  answer = [](const TestRequest&, const auto& to) {
    to->send(http_reply(R"({"kind":"Status","reason":"Conflict","message":"was changed"})",
                        "409 Conflict"));
  };
  const Reply conflict = get();
  EXPECT_EQ(conflict.error(), "Conflict (409): was changed");
  answer = [](const TestRequest&, const auto& to) { to->close(); };
  const Reply broken = get();
  EXPECT_EQ(broken.code, 0);
  EXPECT_NE(broken.message, "");
  EXPECT_EQ(api->stats().failed, 2U);
}

TEST_F(Client, DoesNotRepeatWhatMayHaveHappened) {
  connect();
  Request request;
  request.path = "/x";
  request.body = "{}";
  for (const Verb verb : {Verb::kPost, Verb::kPut, Verb::kPatch}) {
    request.verb = verb;
    answer = [](const TestRequest&, const auto& to) { to->send(http_reply("{}")); };
    EXPECT_TRUE(send(request).ok());
    answer = [](const TestRequest&, const auto& to) { to->reset(); };
    const size_t before = requests.size();
    EXPECT_EQ(send(request).code, 0);
    EXPECT_EQ(requests.size(), before + 1);
  }
}

// The question is asked when the request goes out: at its turn, and again at each retry.
TEST_F(Client, SendsNothingThatMayNotBeSentAnyMore) {
  connect();
  bool may = true;
  Request request;
  request.path = "/x";
  request.verb = Verb::kPost;
  request.may_send = [&] { return may; };
  EXPECT_TRUE(send(request).ok());
  EXPECT_EQ(requests.size(), 1U);
  answer = [&](const TestRequest&, const auto& to) {
    to->send(http_reply("busy", "429 Too Many Requests", "Retry-After: 2\r\n"));
  };
  std::optional<Reply> reply;
  api->send(request, [&](Reply r) { reply = std::move(r); });
  EXPECT_TRUE(until([&] { return api->stats().retries == 1; }));
  may = false;
  clock.advance(seconds(2));
  EXPECT_TRUE(until([&] { return reply.has_value(); }));
  EXPECT_EQ(reply->code, 0);
  EXPECT_EQ(reply->message, "not sent: no longer leading");
  EXPECT_EQ(requests.size(), 2U);
  EXPECT_EQ(send(request).code, 0);
  EXPECT_EQ(requests.size(), 2U);
}

TEST_F(Client, RetriesOnlyWhenToldWhen) {
  connect();
  std::string status = "429 Too Many Requests";
  std::string headers = "Retry-After: 2\r\n";
  answer = [&](const TestRequest&, const auto& to) {
    to->send(requests.size() < 3 ? http_reply("busy", status, headers) : http_reply("{}"));
  };
  std::optional<Reply> reply;
  const auto start = [&] {
    requests.clear();
    reply.reset();
    Request request;
    request.path = "/x";
    request.verb = Verb::kPost;
    api->send(request, [&](Reply r) { reply = std::move(r); });
  };
  start();
  EXPECT_TRUE(until([&] { return api->stats().retries == 1; }));
  clock.advance(milliseconds(1999));
  EXPECT_EQ(requests.size(), 1U);
  clock.advance(milliseconds(1));
  EXPECT_TRUE(until([&] { return api->stats().retries == 2; }));
  clock.advance(seconds(2));
  EXPECT_TRUE(until([&] { return reply.has_value(); }));
  EXPECT_TRUE(reply->ok());
  EXPECT_EQ(requests.size(), 3U);

  for (const char* not_retried : {"429", "500", "503"}) {
    headers = "";
    status = std::string(not_retried) + " x";
    start();
    EXPECT_TRUE(until([&] { return reply.has_value(); }));
    EXPECT_EQ(std::to_string(reply->code), not_retried);
  }
  headers = "Retry-After: 1\r\n";
  status = "404 Not Found";
  start();
  EXPECT_TRUE(until([&] { return reply.has_value(); }));
  EXPECT_EQ(reply->code, 404);
  // Beyond the request's own time the answer is handed on.
  status = "503 Unavailable";
  headers = "Retry-After: 31\r\n";
  start();
  EXPECT_TRUE(until([&] { return reply.has_value(); }));
  EXPECT_EQ(reply->code, 503);
  EXPECT_EQ(reply->retry_after, seconds(31));
}

TEST_F(Client, GivesUpAfterTenRetries) {
  connect();
  answer = [](const TestRequest&, const auto& to) {
    to->send(http_reply("", "503 Unavailable", "Retry-After: 0\r\n"));
  };
  EXPECT_EQ(get().code, 503);
  EXPECT_EQ(requests.size(), 11U);
}

TEST_F(Client, GivesUpInTime) {
  connect();
  answer = [](const TestRequest&, const auto&) {};
  Request request;
  request.path = "/x";
  request.timeout = milliseconds(60);
  const Reply reply = send(request);
  EXPECT_EQ(reply.code, 0);
  EXPECT_NE(reply.message.find("no complete reply within 60ms"), std::string::npos)
      << reply.message;
}

TEST_F(Client, HoldsToItsRate) {
  connect({.requests_per_s = 10, .burst = 3});
  int told = 0;
  Request request;
  request.path = "/x";
  const auto count = [&](const Reply&) { ++told; };
  for (int i = 0; i < 5; ++i) api->send(request, count);
  EXPECT_TRUE(until([&] { return told == 3; }));
  EXPECT_EQ(api->stats().throttled, 2U);
  EXPECT_EQ(requests.size(), 3U);
  // What can't wait doesn't.
  Request urgent = request;
  urgent.urgent = true;
  urgent.path = "/lease";
  EXPECT_TRUE(send(urgent).ok());
  bool streamed = false;
  api->stream(request, {{}, [&](const Reply&) { streamed = true; }});
  EXPECT_TRUE(until([&] { return streamed; }));
  EXPECT_EQ(told, 3);
  clock.advance(milliseconds(101));
  EXPECT_TRUE(until([&] { return told == 4; }));
  EXPECT_EQ(requests.size(), 6U);
  clock.advance(milliseconds(101));
  EXPECT_TRUE(until([&] { return told == 5; }));
}

TEST_F(Client, HoldsToItsConnections) {
  connect({.connections = 2});
  std::vector<Connection> waiting;
  answer = [&](const TestRequest&, const auto& to) { waiting.push_back(to); };
  int told = 0;
  Request request;
  request.path = "/x";
  std::vector<Api::Id> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(api->send(request, [&](const Reply&) { ++told; }));
  EXPECT_TRUE(until([&] { return waiting.size() == 2; }));
  EXPECT_EQ(server->accepted(), 2);
  api->cancel(ids[0]);  // under way
  api->cancel(ids[3]);  // waiting
  api->cancel(777);
  EXPECT_TRUE(until([&] { return waiting.size() == 3; }));
  waiting[1]->send(http_reply("{}"));
  EXPECT_TRUE(until([&] { return waiting.size() == 4; }));
  for (const auto& connection : waiting) connection->send(http_reply("{}"));
  EXPECT_TRUE(until([&] { return told == 3; }));
  EXPECT_EQ(requests.size(), 4U);
}

TEST_F(Client, LogsEachWarningOnce) {
  connect();
  answer = [](const TestRequest&, const auto& to) {
    to->send(http_reply("{}", "200 OK", "Warning: 299 - \"v1beta1 is deprecated\"\r\n"));
  };
  testing::internal::CaptureStderr();
  get();
  get();
  const std::string log = testing::internal::GetCapturedStderr();
  const std::string words = "API server: v1beta1 is deprecated";
  EXPECT_NE(log.find(words), std::string::npos);
  EXPECT_EQ(log.find(words), log.rfind(words)) << log;
}

TEST_F(Client, StreamsLines) {
  connect();
  Connection out;
  answer = [&](const TestRequest& request, const auto& to) {
    EXPECT_EQ(request.header("accept-encoding"), "");
    out = to;
    to->send(kStreamHead + http_chunk("{\"a\":1}\n{\"b\""));
  };
  std::vector<std::string> lines;
  std::optional<Reply> end;
  Request request;
  request.path = "/api/v1/pods";
  request.query = {{"watch", "1"}};
  api->stream(request, {[&](std::string_view line) { lines.emplace_back(line); },
                        [&](const Reply& reply) { end = reply; }});
  EXPECT_TRUE(until([&] { return lines.size() == 1; }));
  clock.advance(hours(1));  // a stream may last
  out->send(http_chunk(":2}\n"));
  EXPECT_TRUE(until([&] { return lines.size() == 2; }));
  EXPECT_EQ(lines[1], "{\"b\":2}");
  out->send(http_chunk("{}") + "0\r\n\r\n");
  EXPECT_TRUE(until([&] { return end.has_value(); }));
  EXPECT_TRUE(end->ok());
  EXPECT_EQ(lines.size(), 3U) << "a last line needs no end in good order";
}

TEST_F(Client, TellsWhyAStreamEnded) {
  connect();
  std::vector<std::string> lines;
  std::optional<Reply> end;
  Request request;
  request.path = "/api/v1/pods";
  const auto run = [&] {
    lines.clear();
    end.reset();
    api->stream(request, {[&](std::string_view line) { lines.emplace_back(line); },
                          [&](const Reply& reply) { end = reply; }});
    EXPECT_TRUE(until([&] { return end.has_value(); }));
  };
  answer = [](const TestRequest&, const auto& to) {
    to->send(kStreamHead + http_chunk("{}\n{\"cut"));
    to->close();
  };
  run();
  EXPECT_EQ(end->code, 0);
  EXPECT_EQ(lines, std::vector<std::string>{"{}"}) << "half an event is none";
  answer = [](const TestRequest&, const auto& to) {
    to->send(http_reply(R"({"kind":"Status","reason":"Expired","message":"too old"})", "410 Gone",
                        "Retry-After: 1\r\n"));
  };
  run();
  EXPECT_EQ(end->error(), "Expired (410): too old");
  EXPECT_EQ(end->retry_after, seconds(1));
  EXPECT_TRUE(lines.empty());
  answer = [](const TestRequest&, const auto& to) {  // an error without end
    to->send("HTTP/1.1 500 x\r\nTransfer-Encoding: chunked\r\n\r\n" +
             http_chunk(std::string(2 << 20, 'e')));
  };
  run();
  EXPECT_EQ(end->code, 500);
  answer = [&](const TestRequest&, const auto&) { clock.advance(seconds(30)); };
  run();
  EXPECT_EQ(end->error(), "no answer within 30s");
}

TEST_F(Client, CancelsAndEndsInsideItsCallbacks) {
  connect();
  answer = [](const TestRequest&, const auto& to) {
    to->send(kStreamHead + http_chunk("1\n2\n3\n") + "0\r\n\r\n");
  };
  int lines = 0;
  Api::Id id = 0;
  Request request;
  request.path = "/x";
  const auto must_not = [](const Reply&) { FAIL() << "told after the end"; };
  id = api->stream(request, {[&](std::string_view) {
                               ++lines;
                               api->cancel(id);
                             },
                             must_not});
  EXPECT_TRUE(until([&] { return lines > 0; }));
  EXPECT_TRUE(get().ok());
  EXPECT_EQ(lines, 1);
  const auto ends = answer;
  answer = [&](const TestRequest& asked, const auto& to) {
    if (asked.target == "/x") ends(asked, to);
  };
  Request unanswered;
  unanswered.path = "/never";
  api->send(unanswered, must_not);
  api->stream(request, {[&](std::string_view) {
                          ++lines;
                          api.reset();
                        },
                        must_not});
  EXPECT_TRUE(until([&] { return api == nullptr; }));
  clock.advance(hours(1));
  EXPECT_EQ(lines, 2);
}

}  // namespace
}  // namespace windlass::live::kube
