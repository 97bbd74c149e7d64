#include "live/kube/events.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "live/kube/fake_api.h"
#include "live/kube/lru.h"
#include "net/virtual_clock.h"

namespace windlass::live::kube {
namespace {

const Involved kWeb{"v1", "Pod", "ns", "web-1", "uid-1"};

struct Recorded {
  void say(const std::string& message, const Involved& about = kWeb) {
    recorder.record(about, "Warning", "FailedScheduling", message, "karpenter");
  }
  Json body() { return Json::parse(api.request(api.last()).body); }
  // Answers everything with 200 until nothing is open; returns how many there were.
  int answer_all() {
    int count = 0;
    for (; !api.calls.empty(); ++count) api.reply(api.last(), 200, "{}");
    return count;
  }
  net::VirtualClock clock{Instant{seconds(1'772'323'200).ns}};
  FakeApi api;
  EventRecorder recorder{api, clock, "windlass-abc", 3, 50};
};

TEST(Events, AreWrittenOnceAndThenCountUp) {
  Recorded w;
  w.say("no room");
  const Request first = w.api.request(w.api.last());
  EXPECT_EQ(first.verb, Verb::kPost);
  EXPECT_EQ(first.path, "/api/v1/namespaces/ns/events");
  const Json made = w.body();
  EXPECT_EQ(made["kind"], "Event");
  EXPECT_EQ(made["metadata"]["namespace"], "ns");
  EXPECT_EQ(
      made["involvedObject"],
      Json::parse(
          R"({"apiVersion":"v1","kind":"Pod","namespace":"ns","name":"web-1","uid":"uid-1"})"));
  EXPECT_EQ(made["type"], "Warning");
  EXPECT_EQ(made["reason"], "FailedScheduling");
  EXPECT_EQ(made["message"], "no room");
  EXPECT_EQ(made["source"]["component"], "karpenter");
  EXPECT_EQ(made["reportingComponent"], "karpenter");
  EXPECT_EQ(made["reportingInstance"], "windlass-abc");
  EXPECT_EQ(made["count"], 1);
  EXPECT_EQ(made["firstTimestamp"], "2026-03-01T00:00:00Z");
  const std::string name = made["metadata"]["name"];
  EXPECT_TRUE(name.starts_with("web-1.")) << name;
  EXPECT_EQ(name.find_first_not_of("0123456789abcdef", 6), std::string::npos) << name;
  w.answer_all();

  w.clock.advance(milliseconds(90'500));
  w.say("no room");
  EXPECT_EQ(w.api.request(w.api.last()).verb, Verb::kPatch);
  EXPECT_EQ(w.api.request(w.api.last()).path, "/api/v1/namespaces/ns/events/" + name);
  EXPECT_EQ(w.api.request(w.api.last()).content_type, "application/merge-patch+json");
  EXPECT_EQ(
      w.body(),
      Json::parse(R"({"count":2,"lastTimestamp":"2026-03-01T00:01:30Z","message":"no room"})"));
  // Events live for an hour on the server.
  w.api.refuse(w.api.last(), 404, "NotFound");
  EXPECT_EQ(w.api.request(w.api.last()).verb, Verb::kPost);
  EXPECT_EQ(w.body()["count"], 2);
  EXPECT_EQ(w.body()["firstTimestamp"], "2026-03-01T00:00:00Z");
}

TEST(Events, WaitInOrderAndOneThatWaitsTakesItsLike) {
  Recorded w;
  w.say("a");
  w.say("b");
  w.say("b");
  w.say("b");
  EXPECT_EQ(w.api.calls.size(), 1U);
  w.api.reply(w.api.last(), 201, "{}");
  EXPECT_EQ(w.body()["message"], "b");
  EXPECT_EQ(w.body()["count"], 3);
  w.api.reply(w.api.last(), 201, "{}");
  EXPECT_TRUE(w.api.calls.empty());
}

TEST(Events, OfClusterScopedObjectsStandInDefault) {
  Recorded w;
  w.say("gone", {"v1", "Node", "", "node-1", "uid-2"});
  EXPECT_EQ(w.api.request(w.api.last()).path, "/api/v1/namespaces/default/events");
  EXPECT_EQ(w.body()["metadata"]["namespace"], "default");
  EXPECT_FALSE(w.body()["involvedObject"].contains("namespace"));
}

TEST(Events, ManyAlikeBecomeOneAndATalkerIsSilenced) {
  Recorded w;
  std::vector<std::string> messages;
  for (int i = 0; i < 40; ++i) {
    w.say(fmt::format("reason number {}", i));
    if (w.api.calls.empty()) continue;
    messages.push_back(w.body()["message"]);
    w.answer_all();
    w.clock.advance(seconds(1));
  }
  // Nine as they are, then one that counts up; after 25 the bucket is empty.
  ASSERT_EQ(messages.size(), 25U);
  EXPECT_EQ(messages[8], "reason number 8");
  EXPECT_EQ(messages[9], "(combined from similar events): reason number 9");
  EXPECT_EQ(messages[24], "(combined from similar events): reason number 24");
  EXPECT_EQ(w.api.history[9].verb, Verb::kPost);
  EXPECT_EQ(w.api.history[10].verb, Verb::kPatch);
  // Another object may talk, and this one again after 300 s.
  w.say("x", {"v1", "Pod", "ns", "web-2", "uid-9"});
  EXPECT_EQ(w.answer_all(), 1);
  w.clock.advance(seconds(300));
  w.say("reason number 40");
  EXPECT_EQ(w.answer_all(), 1);
  w.say("reason number 41");
  EXPECT_EQ(w.answer_all(), 0);
  // After a pause they are no longer many alike.
  w.clock.advance(seconds(601));
  w.say("reason number 42");
  EXPECT_EQ(w.body()["message"], "reason number 42");
}

TEST(Events, AreTriedThreeTimesMoreAndDropped) {
  Recorded w;
  w.say("a");
  for (int i = 0; i < 4; ++i) {
    ASSERT_EQ(w.api.calls.size(), 1U) << i;
    w.api.refuse(w.api.last(), i % 2 == 0 ? 0 : 503, "");
    w.clock.advance(seconds(10));
  }
  EXPECT_TRUE(w.api.calls.empty());
  EXPECT_EQ(w.api.history.size(), 4U);
  for (const int code : {403, 404, 409, 422}) {
    const size_t before = w.api.history.size();
    w.say(fmt::format("refused {}", code));
    w.api.refuse(w.api.last(), code, code == 409 ? "AlreadyExists" : "");
    w.clock.advance(seconds(60));
    EXPECT_EQ(w.api.history.size(), before + 1) << code;
  }
}

TEST(Events, BeyondTheQueueAreDropped) {
  Recorded w;
  for (int i = 0; i < 80; ++i) {
    w.say("m", {"v1", "Pod", "ns", fmt::format("p{}", i), fmt::format("u{}", i)});
  }
  EXPECT_EQ(w.answer_all(), 51);  // one under way, 50 that wait
}

TEST(Events, MessagesAreCutBetweenCharacters) {
  struct Case {
    std::string message, written;
  };
  const std::string euro = "\xE2\x82\xAC";
  const std::vector<Case> cases{
      {std::string(1024, 'x'), std::string(1024, 'x')},
      {std::string(1025, 'x'), std::string(1024, 'x')},
      {std::string(1023, 'x') + euro, std::string(1023, 'x')},
      {std::string(1021, 'x') + euro, std::string(1021, 'x') + euro},
      {"bad \xFF byte", "bad ? byte"},
  };
  for (const Case& c : cases) {
    Recorded w;
    w.say(c.message);
    EXPECT_EQ(w.body()["message"], c.written);
  }
}

TEST(Events, NamesFitWhateverTheObjectIsCalled) {
  Recorded w;
  w.say("m", {"v1", "Pod", "ns", std::string(253, 'n'), "u"});
  EXPECT_EQ(w.body()["metadata"]["name"].get<std::string>().size(), 253U);
}

TEST(Lru, ForgetsWhatWasNotUsedLongest) {
  Lru<int> lru(3);
  lru.use("a") = 1;
  lru.use("b") = 2;
  lru.use("c") = 3;
  EXPECT_EQ(lru.use("a"), 1);
  lru.use("d") = 4;
  EXPECT_EQ(lru.size(), 3U);
  EXPECT_EQ(lru.use("a"), 1);
  EXPECT_EQ(lru.use("c"), 3);
  EXPECT_EQ(lru.use("b"), 0);
}

}  // namespace
}  // namespace windlass::live::kube
