#include "live/cloud/errands.h"

#include <deque>
#include <memory>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "net/virtual_clock.h"

namespace windlass::live::cloud {
namespace {

// Answers what it is told, a moment after it was asked.
struct ScriptedApi : kube::Api {
  explicit ScriptedApi(net::VirtualClock& the_clock) : clock(the_clock) {}
  Id send(kube::Request, std::function<void(kube::Reply)> done) override {
    asked.push_back(clock.steady());
    const Id id = asked.size();
    clock.after({}, [this, id, done] {
      if (cancelled.contains(id)) return;
      kube::Reply reply;
      if (!replies.empty()) {
        reply = replies.front();
        replies.pop_front();
      }
      done(reply);
    });
    return id;
  }
  Id stream(kube::Request, Stream) override { return 0; }
  void cancel(Id id) override { cancelled.insert(id); }

  net::VirtualClock& clock;
  std::deque<kube::Reply> replies;  // then: no answer
  std::vector<Duration> asked;
  std::set<Id> cancelled;
};

kube::Reply answer(int code) {
  kube::Reply reply;
  reply.code = code;
  reply.body = R"({"kind":"ConfigMap"})";
  return reply;
}

struct Fixture {
  net::VirtualClock clock{Instant{}};
  ScriptedApi api{clock};
  std::unique_ptr<Errands> errands = std::make_unique<Errands>(api, clock);
};

TEST(Errands, NoAnswerIsAskedAgainEverMoreRarely) {
  Fixture f;
  f.errands->send(get("/x"), [](const kube::Reply&) { return true; });
  f.clock.advance(minutes(5));
  ASSERT_GT(f.api.asked.size(), 10u);
  const std::vector<int64_t> pauses_ms{250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000};
  for (size_t i = 0; i < pauses_ms.size(); ++i) {
    EXPECT_EQ((f.api.asked[i + 1] - f.api.asked[i]).millis(), static_cast<double>(pauses_ms[i]));
  }
}

TEST(Errands, WhichAnswersAreFinal) {
  struct Case {
    int code;
    bool final;
  };
  for (const Case& c :
       {Case{200, true}, Case{201, true}, Case{404, true}, Case{409, true}, Case{422, true},
        Case{403, true}, Case{0, false}, Case{401, false}, Case{408, false}, Case{429, false},
        Case{500, false}, Case{503, false}, Case{504, false}}) {
    Fixture f;
    f.api.replies = {answer(c.code), answer(200)};
    std::vector<int> taken;
    f.errands->send(get("/x"), [&](const kube::Reply& reply) {
      taken.push_back(reply.code);
      return true;
    });
    f.clock.advance(minutes(1));
    EXPECT_EQ(taken, std::vector<int>{c.final ? c.code : 200}) << c.code;
  }
}

// A body that is no document is somebody else's answer, whatever its code says.
TEST(Errands, GarbageIsNoAnswer) {
  Fixture f;
  f.api.replies = {answer(200), answer(200)};
  f.api.replies[0].body = "<html>welcome</html>";
  int taken = 0;
  f.errands->send(get("/x"), [&](const kube::Reply&) {
    ++taken;
    return true;
  });
  f.clock.advance(minutes(1));
  EXPECT_EQ(taken, 1);
  EXPECT_EQ(f.api.asked.size(), 2u);
}

TEST(Errands, WhatIsNotUnderstoodIsAskedAgainAndRetryAfterIsObeyed) {
  Fixture f;
  f.api.replies = {answer(403), answer(429), answer(403), answer(200)};
  f.api.replies[1].retry_after = seconds(7);
  int taken = 0;
  f.errands->send(get("/x"), [&](const kube::Reply& reply) {
    ++taken;
    return reply.ok();
  });
  f.clock.advance(minutes(1));
  EXPECT_EQ(taken, 3);
  ASSERT_EQ(f.api.asked.size(), 4u);
  EXPECT_EQ(f.api.asked[1] - f.api.asked[0], milliseconds(250));
  EXPECT_EQ(f.api.asked[2] - f.api.asked[1], seconds(7));
}

TEST(Errands, AnOwnerThatGoesTakesAllWithIt) {
  Fixture f;
  int late = 0;
  f.api.replies = {answer(200)};
  f.errands->after(seconds(1), [&] { ++late; });
  f.errands->send_once(get("/x"), [&](const kube::Reply&) { ++late; });
  f.errands->send(get("/x"), [&](const kube::Reply&) {
    ++late;
    return true;
  });
  f.errands.reset();
  f.clock.advance(minutes(1));
  EXPECT_EQ(late, 0);
  // It may go within its own call.
  f.errands = std::make_unique<Errands>(f.api, f.clock);
  f.api.replies = {answer(200)};
  f.errands->send(get("/x"), [&](const kube::Reply&) {
    f.errands.reset();
    return true;
  });
  f.clock.advance(minutes(1));
  EXPECT_EQ(f.errands, nullptr);
}

TEST(Errands, OneTryIsOneTry) {
  Fixture f;
  int heard = 0;
  f.errands->send_once(get("/x"), [&](const kube::Reply& reply) { heard += reply.code == 0; });
  f.clock.advance(minutes(5));
  EXPECT_EQ(heard, 1);
  EXPECT_EQ(f.api.asked.size(), 1u);
}

}  // namespace
}  // namespace windlass::live::cloud
