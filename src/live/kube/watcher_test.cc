#include "live/kube/watcher.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "live/kube/fake_api.h"
#include "net/virtual_clock.h"

namespace windlass::live::kube {
namespace {

std::string object(std::string_view name, int version, std::string_view uid = "u") {
  return fmt::format(
      R"({{"metadata":{{"name":"{}","namespace":"ns","uid":"{}","resourceVersion":"{}"}}}})", name,
      uid, version);
}
std::string event(std::string_view type, const std::string& object) {
  return fmt::format(R"({{"type":"{}","object":{}}})", type, object);
}
std::string bookmark(int version, bool ends_list = false) {
  return fmt::format(
      R"({{"type":"BOOKMARK","object":{{"kind":"Pod","metadata":{{"resourceVersion":"{}"{}}}}}}})",
      version, ends_list ? R"(,"annotations":{"k8s.io/initial-events-end":"true"})" : "");
}
std::string error_event(int code, std::string_view reason) {
  return fmt::format(
      R"({{"type":"ERROR","object":{{"kind":"Status","status":"Failure","message":"m","reason":"{}","code":{}}}}})",
      reason, code);
}
std::string list(int version, const std::vector<std::string>& items,
                 std::string_view continue_token = "") {
  std::string all;
  for (const std::string& item : items) all += (all.empty() ? "" : ",") + item;
  return fmt::format(
      R"({{"kind":"PodList","apiVersion":"v1","metadata":{{"resourceVersion":"{}","continue":"{}"}},"items":[{}]}})",
      version, continue_token, all);
}

// A watcher on a fake API; `told` is what its handlers heard, as text.
struct Watched {
  explicit Watched(bool watch_list = false) {
    WatchSpec spec;
    spec.path = "/api/v1/pods";
    spec.watch_list = watch_list;
    watcher = std::make_unique<Watcher>(
        api, clock, spec,
        Watcher::Handlers{[this](const std::string& key, std::string_view json) {
                            told += "+" + key + " ";
                            last_json = json;
                          },
                          [this](const std::string& key) { told += "-" + key + " "; },
                          [this] { told += "synced "; }},
        7);
    watcher->start();
  }
  std::string take() { return std::exchange(told, ""); }
  // Listed and watching at version 10, with the objects a (5) and b (6).
  void settle() {
    api.reply(api.last(), 200, list(10, {object("a", 5), object("b", 6)}));
    take();
  }
  // Waits as long as a back-off may last at most.
  void pass(Duration length = seconds(60)) { clock.advance(length); }

  net::VirtualClock clock{Instant{seconds(1'700'000'000).ns}};
  FakeApi api;
  std::string told, last_json;
  std::unique_ptr<Watcher> watcher;
};

using Phase = Watcher::Phase;

TEST(Watcher, ListsInPagesThenWatchesFromTheListsVersion) {
  Watched w;
  EXPECT_EQ(w.api.query(w.api.last(), "limit"), "500");
  EXPECT_EQ(w.api.query(w.api.last(), "resourceVersion"), "-");
  w.api.reply(w.api.last(), 200, list(10, {object("a", 5)}, "token"));
  EXPECT_EQ(w.take(), "+ns/a ");
  EXPECT_EQ(w.last_json, object("a", 5));
  EXPECT_EQ(w.api.query(w.api.last(), "continue"), "token");
  w.api.reply(w.api.last(), 200, list(10, {object("b", 6)}));
  EXPECT_EQ(w.take(), "+ns/b synced ");
  EXPECT_EQ(w.watcher->phase(), Phase::kWatching);
  const auto id = w.api.last();
  EXPECT_EQ(w.api.query(id, "watch"), "true");
  EXPECT_EQ(w.api.query(id, "resourceVersion"), "10");
  EXPECT_EQ(w.api.query(id, "allowWatchBookmarks"), "true");
  const int timeout = std::stoi(w.api.query(id, "timeoutSeconds"));
  EXPECT_GE(timeout, 300);
  EXPECT_LT(timeout, 600);

  w.api.line(id, event("MODIFIED", object("a", 11)));
  w.api.line(id, event("ADDED", object("c", 12)));
  w.api.line(id, event("DELETED", object("b", 13)));
  w.api.line(id, event("DELETED", object("never", 14)));
  w.api.line(id, bookmark(20));
  EXPECT_EQ(w.take(), "+ns/a +ns/c -ns/b ");
  EXPECT_EQ(w.watcher->seen().size(), 2U);
  EXPECT_EQ(w.watcher->seen().at("ns/a").resource_version, "11");

  // The server ends it in good order: at once another, from the bookmark's version.
  w.pass(seconds(300));
  w.api.line(w.api.last(), bookmark(30));
  w.api.reply(w.api.last(), 200, "");
  EXPECT_EQ(w.api.query(w.api.last(), "resourceVersion"), "30");
  EXPECT_EQ(w.watcher->stats().lists, 1U);
  EXPECT_EQ(w.watcher->stats().errors, 0U);
}

TEST(Watcher, TellsWhatVanishedWasMadeAnewOrDidNotChangeBetweenTwoLists) {
  Watched w;
  w.settle();
  w.api.line(w.api.last(), error_event(410, "Expired"));
  EXPECT_EQ(w.watcher->phase(), Phase::kWaiting);
  EXPECT_EQ(w.watcher->stats().expired, 1U);
  w.pass();
  EXPECT_EQ(w.watcher->phase(), Phase::kListing);
  EXPECT_EQ(w.api.query(w.api.last(), "resourceVersion"), "-");
  w.api.reply(w.api.last(), 200,
              list(40, {object("a", 5), object("b", 30, "another"), object("c", 31)}));
  EXPECT_EQ(w.take(), "-ns/b +ns/b +ns/c ");
  EXPECT_EQ(w.api.query(w.api.last(), "resourceVersion"), "40");
  w.api.line(w.api.last(), error_event(410, "Expired"));
  w.pass();
  w.api.reply(w.api.last(), 200, list(50, {object("c", 31)}));
  EXPECT_EQ(w.take(), "-ns/a -ns/b ");
}

TEST(Watcher, ListsAgainInOnePieceWhenTheContinueTokenExpired) {
  Watched w;
  w.api.reply(w.api.last(), 200, list(10, {object("a", 5)}, "token"));
  w.api.refuse(w.api.last(), 410, "Expired");
  EXPECT_EQ(w.api.query(w.api.last(), "limit"), "-");
  EXPECT_EQ(w.api.query(w.api.last(), "continue"), "-");
  w.api.reply(w.api.last(), 200, list(12, {object("b", 11)}));
  EXPECT_EQ(w.take(), "+ns/a +ns/b -ns/a synced ");
}

TEST(Watcher, KeepsItsVersionThroughFaultsThatSayNothingOfIt) {
  for (const int code : {0, 401, 403, 429, 500, 503}) {
    Watched w;
    w.settle();
    w.api.refuse(w.api.last(), code, "");
    EXPECT_EQ(w.watcher->phase(), Phase::kWaiting) << code;
    EXPECT_TRUE(w.api.calls.empty());
    w.pass();
    EXPECT_EQ(w.api.query(w.api.last(), "watch"), "true") << code;
    EXPECT_EQ(w.api.query(w.api.last(), "resourceVersion"), "10");
    EXPECT_EQ(w.watcher->stats().errors, 1U);
    EXPECT_NE(w.watcher->stats().last_error, "");
  }
}

TEST(Watcher, FallsBackToPagesForGoodWhereTheListDoesNotComeAsAWatch) {
  struct Case {
    const char* name;
    std::function<void(Watched&)> refuse;
  };
  const std::vector<Case> cases{
      {"400", [](Watched& w) { w.api.refuse(w.api.last(), 400, "BadRequest"); }},
      {"422", [](Watched& w) { w.api.refuse(w.api.last(), 422, "Invalid"); }},
      {"500", [](Watched& w) { w.api.line(w.api.last(), error_event(500, "InternalError")); }},
      {"never says it is complete",
       [](Watched& w) {
         w.api.line(w.api.last(), event("ADDED", object("a", 5)));
         w.pass(seconds(21));
       }},
  };
  for (const Case& c : cases) {
    Watched w(true);
    EXPECT_EQ(w.api.query(w.api.last(), "sendInitialEvents"), "true");
    EXPECT_EQ(w.api.query(w.api.last(), "resourceVersionMatch"), "NotOlderThan");
    c.refuse(w);
    ASSERT_EQ(w.api.query(w.api.last(), "limit"), "500") << c.name;
    w.api.reply(w.api.last(), 200, list(10, {object("a", 5)}));
    EXPECT_EQ(w.take(), "+ns/a synced ") << c.name;
    w.api.line(w.api.last(), error_event(410, "Expired"));
    w.pass();
    EXPECT_EQ(w.api.query(w.api.last(), "limit"), "500") << c.name;
  }
}

TEST(Watcher, TakesTheListAsAWatch) {
  Watched w(true);
  const auto id = w.api.last();
  // The objects' versions are in no order, and all may be newer or older than each other.
  w.api.line(id, event("ADDED", object("b", 60)));
  w.api.line(id, event("ADDED", object("a", 5)));
  EXPECT_EQ(w.watcher->phase(), Phase::kListing);
  w.api.line(id, bookmark(70, true));
  EXPECT_EQ(w.take(), "+ns/b +ns/a synced ");
  EXPECT_EQ(w.watcher->phase(), Phase::kWatching);
  w.api.line(id, event("MODIFIED", object("a", 71)));
  w.api.line(id, error_event(410, "Expired"));
  w.pass(seconds(2));
  ASSERT_EQ(w.api.query(w.api.last(), "sendInitialEvents"), "true");
  w.api.line(w.api.last(), event("ADDED", object("a", 71)));
  w.api.line(w.api.last(), bookmark(80, true));
  EXPECT_EQ(w.take(), "+ns/a -ns/b ");
}

TEST(Watcher, CountsAnAbsentResourceAsEmptyAndAsksAgain) {
  Watched w;
  w.api.refuse(w.api.last(), 404, "NotFound");
  EXPECT_EQ(w.watcher->phase(), Phase::kAbsent);
  EXPECT_EQ(w.take(), "synced ");
  w.pass(seconds(29));
  EXPECT_TRUE(w.api.calls.empty());
  w.pass(seconds(2));
  w.settle();
  EXPECT_EQ(w.watcher->phase(), Phase::kWatching);
  // What is known is not given up for one 404.
  w.api.refuse(w.api.last(), 404, "NotFound");
  EXPECT_EQ(w.watcher->phase(), Phase::kWaiting);
  w.pass();
  EXPECT_EQ(w.take(), "");
  w.api.refuse(w.api.last(), 404, "NotFound");
  EXPECT_EQ(w.watcher->phase(), Phase::kAbsent);
  EXPECT_EQ(w.take(), "-ns/a -ns/b ");
}

TEST(Watcher, ListsWhenVersionsWentBackOrAreTooNew) {
  Watched w;
  w.settle();
  w.api.line(w.api.last(), event("MODIFIED", object("a", 9)));
  EXPECT_EQ(w.take(), "");
  w.pass();
  w.api.reply(w.api.last(), 200, list(9, {object("a", 9)}));
  EXPECT_EQ(w.take(), "+ns/a -ns/b ");
  EXPECT_EQ(w.api.query(w.api.last(), "resourceVersion"), "9");

  Reply too_new;
  too_new.code = 504;
  too_new.reason = "Timeout";
  too_new.causes = {{"ResourceVersionTooLarge", "", "Too large resource version"}};
  w.api.reply(w.api.last(), too_new);
  w.pass();
  EXPECT_EQ(w.api.query(w.api.last(), "limit"), "500");
}

TEST(Watcher, CutsASilentStreamAndGoesOnFromWhereItWas) {
  Watched w;
  w.settle();
  w.pass(seconds(170));
  w.api.line(w.api.last(), event("MODIFIED", object("a", 11)));
  w.pass(seconds(170));
  EXPECT_EQ(w.watcher->stats().stalls, 0U);
  const auto silent = w.api.last();
  w.pass(seconds(11));
  EXPECT_EQ(w.watcher->stats().stalls, 1U);
  EXPECT_NE(w.api.last(), silent);
  EXPECT_EQ(w.api.calls.size(), 1U);
  EXPECT_EQ(w.api.query(w.api.last(), "resourceVersion"), "11");
}

TEST(Watcher, BacksOffFromWatchesThatEndAtOnceAndFromBadLines) {
  Watched w;
  w.settle();
  w.api.reply(w.api.last(), 200, "");
  EXPECT_EQ(w.watcher->phase(), Phase::kWaiting);
  EXPECT_EQ(w.watcher->stats().errors, 1U);
  w.pass();
  for (const char* bad :
       {"", "{", "nonsense", R"({"type":"ADDED"})", R"({"type":"ADDED","object":{}})",
        R"({"type":"ADDED","object":{"metadata":{"uid":"u"}}})",
        R"({"type":"SOMETHING","object":{"metadata":{"name":"a"}}})",
        R"({"type":"ADDED","object":{"metadata":{"name":5}}})"}) {
    const uint64_t errors = w.watcher->stats().errors;
    while (w.watcher->phase() != Phase::kWatching) {
      if (w.watcher->phase() == Phase::kListing) w.settle();
      w.pass();
    }
    w.api.line(w.api.last(), bad);
    EXPECT_EQ(w.watcher->stats().errors, errors + 1) << bad;
    EXPECT_EQ(w.watcher->phase(), Phase::kWaiting) << bad;
    w.pass();
  }
  EXPECT_EQ(w.told, "");
}

TEST(Watcher, MayBeStoppedInsideAHandler) {
  net::VirtualClock clock{Instant{}};
  FakeApi api;
  std::unique_ptr<Watcher> watcher;
  int puts = 0;
  watcher = std::make_unique<Watcher>(api, clock, WatchSpec{"/api/v1/nodes", "", "", 500, false},
                                      Watcher::Handlers{[&](const std::string&, std::string_view) {
                                                          ++puts;
                                                          watcher->stop();
                                                        },
                                                        {},
                                                        {}},
                                      1);
  watcher->start();
  api.reply(api.last(), 200, list(10, {object("a", 5), object("b", 6)}));
  EXPECT_EQ(puts, 1);
  EXPECT_EQ(watcher->phase(), Phase::kIdle);
  EXPECT_FALSE(watcher->synced());
  EXPECT_TRUE(api.calls.empty());
}

}  // namespace
}  // namespace windlass::live::kube
