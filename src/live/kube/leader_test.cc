#include "live/kube/leader.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "live/kube/fake_leases.h"
#include "live/kube/lease.h"
#include "live/kube/quiet_log.h"

namespace windlass::live::kube {
namespace {

struct Candidate {
  Candidate(FakeLeases& leases, const std::string& identity, uint64_t seed)
      : api(leases),
        elector(api, leases.clock, {"ns", "windlass", identity}, seed),
        name(identity) {
    elector.on_leading = [this] { told += "leading "; };
    elector.on_lost = [this](const std::string& why) {
      told += "lost ";
      last_why = why;
    };
    elector.on_new_leader = [this](const std::string& who) { told += "leader=" + who + " "; };
    elector.start();
  }
  std::string take() { return std::exchange(told, ""); }
  LeaseApi api;
  LeaderElector elector;
  std::string name, told, last_why;
};

struct Election {
  net::VirtualClock clock{Instant{seconds(1'772'323'200).ns}};  // 2026-03-01T00:00:00Z
  FakeLeases leases{clock, 1};
};

TEST(MicroTime, HasSixDigits) {
  EXPECT_EQ(micro_time(Instant{seconds(1'772'323'200).ns}), "2026-03-01T00:00:00.000000Z");
  EXPECT_EQ(micro_time(Instant{seconds(1'772'323'200).ns + 12'345'999}),
            "2026-03-01T00:00:00.012345Z");
  EXPECT_EQ(micro_time(Instant{-1}), "1969-12-31T23:59:59.999999Z");
}

TEST(Leader, MakesTheLeaseLeadsAndRenews) {
  Election e;
  Candidate a(e.leases, "a", 1);
  EXPECT_EQ(a.told, "");
  e.clock.advance(milliseconds(100));
  EXPECT_EQ(a.take(), "leader=a leading ");
  EXPECT_TRUE(a.elector.leading());
  const Json spec = e.leases.lease["spec"];
  EXPECT_EQ(spec["holderIdentity"], "a");
  EXPECT_EQ(spec["leaseDurationSeconds"], 15);
  EXPECT_EQ(spec["leaseTransitions"], 0);
  EXPECT_EQ(spec["acquireTime"], "2026-03-01T00:00:00.002000Z");
  EXPECT_EQ(spec["acquireTime"], spec["renewTime"]);
  EXPECT_EQ(a.api.history[1].path, "/apis/coordination.k8s.io/v1/namespaces/ns/leases");
  EXPECT_TRUE(a.api.history[1].urgent);
  e.clock.advance(minutes(1));
  EXPECT_EQ(a.take(), "");
  EXPECT_EQ(e.leases.lease["spec"]["acquireTime"], spec["acquireTime"]);
  EXPECT_NE(e.leases.lease["spec"]["renewTime"], spec["renewTime"]);
  EXPECT_GE(e.leases.writes, 24);  // every 2 to 2.4 s
  EXPECT_LE(e.leases.writes, 31);
  // Renewals don't read first.
  EXPECT_EQ(
      std::ranges::count_if(a.api.history, [](const Request& r) { return r.verb == Verb::kGet; }),
      1);
}

TEST(Leader, AnotherTakesOverWhenItsStopwatchSawNoChange) {
  Election e;
  Candidate a(e.leases, "a", 1);
  e.clock.advance(seconds(1));
  Candidate b(e.leases, "b", 2);
  e.clock.advance(minutes(5));
  EXPECT_EQ(b.take(), "leader=a ");
  // The wall clock says nothing to anybody.
  e.clock.jump(hours(-48));
  e.clock.advance(minutes(1));
  e.clock.jump(hours(72));
  e.clock.advance(minutes(1));
  EXPECT_TRUE(a.elector.leading());
  EXPECT_EQ(b.take(), "");

  a.api.cut = true;
  a.take();
  const Duration cut = e.clock.steady();
  const Duration until = a.elector.certain_until();
  while (a.elector.leading()) e.clock.advance(milliseconds(10));
  EXPECT_GE(e.clock.steady(), until);
  EXPECT_LT(e.clock.steady(), until + milliseconds(11));
  EXPECT_EQ(a.take(), "lost ");
  while (!b.elector.leading()) e.clock.advance(milliseconds(10));
  EXPECT_EQ(b.take(), "leader=b leading ");
  EXPECT_GT(e.clock.steady(), cut + seconds(12));
  EXPECT_LT(e.clock.steady(), cut + seconds(20));
  EXPECT_EQ(e.leases.lease["spec"]["leaseTransitions"], 1);

  a.api.cut = false;
  e.clock.advance(minutes(2));
  EXPECT_EQ(a.take(), "leader=b ");
}

TEST(Leader, ReleasesAtStopAndTheNextTakesItAtOnce) {
  Election e;
  Candidate a(e.leases, "a", 1);
  e.clock.advance(seconds(1));
  Candidate b(e.leases, "b", 2);
  e.clock.advance(seconds(10));
  a.take();
  bool done = false;
  a.elector.stop([&] { done = true; });
  EXPECT_FALSE(a.elector.leading());
  EXPECT_FALSE(done);
  e.clock.advance(milliseconds(100));
  EXPECT_TRUE(done);
  EXPECT_EQ(e.leases.holder(), "");
  EXPECT_EQ(e.leases.lease["spec"]["leaseDurationSeconds"], 1);
  e.clock.advance(seconds(3));
  EXPECT_TRUE(b.elector.leading());
  EXPECT_EQ(a.take(), "");
}

TEST(Leader, StopsWithoutAnAnswerToo) {
  Election e;
  Candidate a(e.leases, "a", 1);
  e.clock.advance(seconds(1));
  a.api.cut = true;
  bool done = false;
  a.elector.stop([&] { done = true; });
  e.clock.advance(seconds(10));
  EXPECT_TRUE(done);
  bool idle_done = false;
  a.elector.stop([&] { idle_done = true; });
  EXPECT_FALSE(idle_done);
  e.clock.advance(seconds(1));
  EXPECT_TRUE(idle_done);
}

TEST(Leader, SurvivesAWriteOfSomebodyElseAndKeepsTheRestOfTheObject) {
  Election e;
  Candidate a(e.leases, "a", 1);
  e.clock.advance(seconds(1));
  e.leases.lease["metadata"]["annotations"] = {{"note", "mine"}};
  e.leases.lease["metadata"]["resourceVersion"] = std::to_string(++e.leases.version);
  e.clock.advance(minutes(1));
  EXPECT_EQ(a.take(), "leader=a leading ");
  EXPECT_EQ(e.leases.lease["metadata"]["annotations"]["note"], "mine");

  // A person may take the lease away.
  e.leases.lease["spec"]["holderIdentity"] = "somebody";
  e.leases.lease["metadata"]["resourceVersion"] = std::to_string(++e.leases.version);
  e.clock.advance(seconds(3));
  EXPECT_EQ(a.take(), "leader=somebody lost ");
  EXPECT_EQ(a.last_why, "the lease was taken by somebody");
  e.clock.advance(seconds(20));
  EXPECT_EQ(a.take(), "leader=a leading ");
  e.leases.lease = nullptr;
  e.clock.advance(minutes(1));
  EXPECT_EQ(a.take(), "");
  EXPECT_EQ(e.leases.holder(), "a");
}

// Who holds a lease that somebody deleted goes on until it notices; so others wait as if it stood.
TEST(Leader, ADeletedLeaseIsWaitedForByWhoSawIt) {
  Election e;
  Candidate a(e.leases, "a", 1);
  e.clock.advance(seconds(1));
  Candidate b(e.leases, "b", 2);
  e.clock.advance(seconds(30));
  a.api.cut = true;
  e.leases.lease = nullptr;
  while (!b.elector.leading()) {
    e.clock.advance(milliseconds(10));
    ASSERT_FALSE(a.elector.certain_until() > e.clock.steady() && b.elector.leading());
  }
  EXPECT_EQ(a.take(), "leader=a leading lost ");
  EXPECT_EQ(e.leases.holder(), "b");
}

TEST(Leader, StartsAgainAfterAStopAndStopsTwice) {
  Election e;
  Candidate a(e.leases, "a", 1);
  e.clock.advance(seconds(1));
  int done = 0;
  a.elector.stop([&] { ++done; });
  a.elector.stop([&] { done += 10; });
  e.clock.advance(seconds(1));
  EXPECT_EQ(done, 11);
  a.take();
  a.elector.start();
  e.clock.advance(seconds(1));
  EXPECT_TRUE(a.elector.leading());
  // Its handlers may stop it, too.
  a.elector.on_lost = [&](const std::string&) { a.elector.stop([&] { done = 100; }); };
  a.api.cut = true;
  e.clock.advance(minutes(1));
  EXPECT_EQ(done, 100);
  a.api.cut = false;
  e.clock.advance(minutes(1));
  EXPECT_FALSE(a.elector.leading());
}

TEST(Leader, AnswersThatAreNoLeaseAreFailures) {
  for (const char* answer : {"", "{", "[]", "{}", R"({"metadata":{"name":"x"}})",
                             R"({"metadata":{"resourceVersion":5}})",
                             R"({"kind":"List","metadata":{"resourceVersion":"5"},"items":[1]})",
                             R"({"metadata":{"resourceVersion":"5"},"spec":["x"]})"}) {
    EXPECT_FALSE(read_lease(answer).ok()) << answer;
  }
  const auto lease = read_lease(
      R"({"metadata":{"resourceVersion":"5"},"spec":{"holderIdentity":5,"leaseDurationSeconds":1e99,"leaseTransitions":18446744073709551615}})");
  ASSERT_TRUE(lease.ok());
  EXPECT_EQ(lease->record, LeaseRecord{});
}

// Whoever is certain to lead is the only one, whatever the network does.
void check_never_two(uint64_t seed, int electors, Duration length) {
  net::VirtualClock clock{Instant{seconds(1'772'323'200).ns}};
  FakeLeases leases{clock, seed};
  Rng rng(seed, "election");
  std::vector<std::unique_ptr<Candidate>> all;
  for (int i = 0; i < electors; ++i) {
    all.push_back(std::make_unique<Candidate>(leases, fmt::format("e{}", i), seed * 10 + i));
  }
  int leaders = 0, changes = 0, last = -1;
  Duration next_weather{};
  for (const Duration end = clock.steady() + length; clock.steady() < end;) {
    if (clock.steady() >= next_weather) {
      next_weather = clock.steady() + seconds(20 + static_cast<int64_t>(rng.below(100)));
      const bool bad = rng.below(3) != 0;
      leases.faults = {bad ? rng.uniform() * 0.5 : 0, bad ? rng.uniform() * 0.5 : 0,
                       bad ? rng.uniform() * 0.4 : 0,
                       milliseconds(1 + static_cast<int64_t>(rng.below(bad ? 12'000 : 200)))};
      for (const auto& one : all) one->api.cut = rng.below(5) == 0;
      if (rng.below(4) == 0) clock.jump(hours(static_cast<int64_t>(rng.below(100)) - 50));
      if (rng.below(6) == 0) {
        LeaderElector& one = all[rng.below(all.size())]->elector;
        one.stop([&one] { one.start(); });
      }
    }
    clock.advance(milliseconds(50 + static_cast<int64_t>(rng.below(400))));
    int now = 0;
    for (int i = 0; i < electors; ++i) {
      const LeaderElector& one = all[static_cast<size_t>(i)]->elector;
      if (one.leading() || one.certain_until() > clock.steady()) {
        ++now;
        ++leaders;
        changes += std::exchange(last, i) != i ? 1 : 0;
      }
    }
    ASSERT_LE(now, 1) << "seed " << seed << " at " << to_string(clock.steady());
  }
  EXPECT_GT(leaders, 0) << seed;
  EXPECT_GT(changes, 1) << seed;
}

// 10,000 minutes, where no sanitizer makes them long.
TEST(Leader, NeverTwoAtOnce) {
  const QuietLog quiet;
#ifdef __SANITIZE_ADDRESS__
  constexpr Duration kLength = minutes(100);
#else
  constexpr Duration kLength = minutes(500);
#endif
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    check_never_two(seed, 2 + static_cast<int>(seed % 2), kLength);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace windlass::live::kube
