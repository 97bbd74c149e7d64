// The watcher against a server and a network that do everything that may go wrong: when they behave
// again, what was told is what the store holds, and nothing was told twice.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "live/kube/fake_resource.h"
#include "live/kube/quiet_log.h"

namespace windlass::live::kube {
namespace {

// What a reader of the handlers knows.
struct Mirror {
  FakeResource::Objects objects;
  std::string fault;
  int synced = 0, puts = 0, gone = 0;

  Watcher::Handlers handlers() {
    return {
        [this](const std::string& key, std::string_view json) {
          const Json meta = Json::parse(json)["metadata"];
          const Seen now{meta["uid"], meta["resourceVersion"]};
          const auto known = objects.find(key);
          if (known != objects.end()) {
            if (known->second.uid != now.uid) fault = key + " became another";
            if (known->second.resource_version == now.resource_version) {
              fault = key + " was told twice";
            }
          }
          if (key != meta["namespace"].get<std::string>() + "/" + meta["name"].get<std::string>()) {
            fault = "wrong key " + key;
          }
          objects[key] = now;
          ++puts;
        },
        [this](const std::string& key) {
          if (objects.erase(key) == 0) fault = key + " went that was not there";
          ++gone;
        },
        [this] { ++synced; }};
  }
};

std::string text_of(const FakeResource::Objects& objects) {
  std::string out;
  for (const auto& [key, object] : objects) {
    out += key + "=" + object.uid + "@" + object.resource_version + " ";
  }
  return out;
}

FakeResource::Faults any_faults(Rng& rng) {
  const auto some = [&](double most) { return rng.below(3) == 0 ? rng.uniform() * most : 0; };
  return {some(0.8), some(0.3), some(0.1), some(0.02), some(0.05), some(0.05)};
}

void run_against(uint64_t seed, bool try_watch_list, FakeResource::WatchList kind) {
  net::VirtualClock clock{Instant{seconds(1'772'323'200).ns}};
  Rng rng(seed, "weather");
  FakeResource server(clock, seed, kind);
  Mirror mirror;
  WatchSpec spec;
  spec.path = "/api/v1/pods";
  spec.page = 1 + rng.below(8);
  spec.watch_list = try_watch_list;
  Watcher watcher(server, clock, spec, mirror.handlers(), seed);
  for (uint64_t i = rng.below(30); i > 0; --i) server.change();
  watcher.start();
  for (int round = 0; round < 12; ++round) {
    server.faults = round % 3 == 2 ? FakeResource::Faults{} : any_faults(rng);
    server.exists = rng.below(10) != 0;
    const bool quiet = rng.below(6) == 0;
    if (quiet) {
      server.faults = {};
      server.restore();
    }
    for (int step = 0; step < 60; ++step) {
      clock.advance(milliseconds(static_cast<int64_t>(rng.below(8000))));
      // A server that was restored and has written on since can't be told from one that was not.
      if (!quiet && server.exists && rng.below(2) == 0) server.change();
      if (rng.below(30) == 0) server.compact();
      ASSERT_LE(server.open(), 1U) << seed;
    }
    ASSERT_EQ(mirror.fault, "") << seed;
  }
  server.faults = {};
  server.exists = true;
  clock.advance(minutes(12));
  ASSERT_EQ(text_of(mirror.objects), text_of(server.objects)) << "seed " << seed;
  ASSERT_EQ(text_of(watcher.seen()), text_of(server.objects)) << "seed " << seed;
  ASSERT_EQ(mirror.synced, 1) << seed;
  ASSERT_EQ(watcher.phase(), Watcher::Phase::kWatching) << seed;
  ASSERT_GT(mirror.puts, 0) << seed;
}

TEST(WatcherModel, EndsUpWithWhatTheServerHolds) {
  const QuietLog quiet;
  using WatchList = FakeResource::WatchList;
  for (uint64_t seed = 1; seed <= 25; ++seed) {
    for (const WatchList kind :
         {WatchList::kServed, WatchList::kRefused422, WatchList::kError500, WatchList::kIgnored}) {
      run_against(seed, true, kind);
      if (HasFatalFailure()) return;
    }
    run_against(seed, false, WatchList::kServed);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace windlass::live::kube
