#include "sim/prometheus/store.h"

#include <cmath>

#include <gtest/gtest.h>

namespace windlass::sim::prometheus {
namespace {

constexpr Instant kStart{1'700'000'000'000'000'000};
constexpr int64_t kStartMs = 1'700'000'000'000;

Instant at_s(int64_t s) { return kStart + seconds(s); }

TEST(Store, FindsASeriesAgainAndListsItByName) {
  Store store;
  const SeriesId a = store.series({{"__name__", "up"}, {"pod", "a"}});
  const SeriesId other = store.series({{"__name__", "down"}, {"pod", "a"}});
  const SeriesId b = store.series({{"__name__", "up"}, {"pod", "b"}});
  EXPECT_EQ(store.series({{"__name__", "up"}, {"pod", "a"}}), a);
  EXPECT_NE(a, other);
  EXPECT_EQ(store.all().size(), 3U);
  EXPECT_EQ(store.named("up"), (std::vector<SeriesId>{a, b}));
  EXPECT_TRUE(store.named("nothing").empty());
}

TEST(Store, AnEmptyLabelIsAnAbsentOne) {
  Store store;
  const SeriesId plain = store.series({{"__name__", "up"}});
  EXPECT_EQ(store.series({{"__name__", "up"}, {"pod", ""}}), plain);
  EXPECT_FALSE(store.all()[plain].labels.contains("pod"));
}

TEST(Store, DropsSamplesThatDoNotRise) {
  Store store;
  const SeriesId id = store.series({{"__name__", "up"}});
  store.append(id, at_s(10), 1);
  store.append(id, at_s(10), 2);                         // the same instant
  store.append(id, at_s(9), 3);                          // earlier
  store.append(id, at_s(10) + nanoseconds(999'999), 4);  // the same millisecond
  store.append(id, at_s(11), 5);
  const auto& samples = store.all()[id].samples;
  ASSERT_EQ(samples.size(), 2U);
  EXPECT_EQ(samples[0].t_ms, kStartMs + 10'000);
  EXPECT_EQ(samples[0].value, 1);
  EXPECT_EQ(samples[1].value, 5);
}

TEST(Store, ForgetsByRetention) {
  Store store(minutes(1));
  const SeriesId id = store.series({{"__name__", "up"}});
  for (int64_t s = 0; s <= 120; s += 15) store.append(id, at_s(s), static_cast<double>(s));
  const auto& samples = store.all()[id].samples;
  EXPECT_EQ(samples.front().t_ms, kStartMs + 60'000);  // exactly as old as the retention: kept
  EXPECT_EQ(samples.size(), 5U);
}

TEST(Store, StaleMarkers) {
  Store store;
  const SeriesId id = store.series({{"__name__", "up"}});
  const auto& samples = store.all()[id].samples;
  store.mark_stale(id, at_s(0));
  EXPECT_TRUE(samples.empty()) << "nothing to end";
  store.append(id, at_s(10), 1);
  store.mark_stale(id, at_s(5));
  ASSERT_EQ(samples.size(), 1U) << "it has been seen since";
  store.mark_stale(id, at_s(20));
  ASSERT_EQ(samples.size(), 2U);
  EXPECT_TRUE(is_stale(samples[1].value));
  store.mark_stale(id, at_s(25));
  EXPECT_EQ(samples.size(), 2U) << "ended already";
  store.append(id, at_s(30), 7);
  EXPECT_EQ(samples.size(), 3U) << "a target may come back";
  store.mark_stale(id, at_s(30));
  ASSERT_EQ(samples.size(), 3U);
  EXPECT_TRUE(is_stale(samples[2].value)) << "scraped and gone in one millisecond";
}

TEST(Store, OrdinaryNumbersAreNotStale) {
  for (const double value :
       std::initializer_list<double>{0.0, 1.5, INFINITY, -INFINITY, std::nan(""), -std::nan("")}) {
    EXPECT_FALSE(is_stale(value)) << value;
  }
}

}  // namespace
}  // namespace windlass::sim::prometheus
