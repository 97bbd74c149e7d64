#include "server/observe/frame.h"

#include <gtest/gtest.h>

#include "server/observe/kept_frames.h"

namespace windlass::server::observe {
namespace {

ElementPtr element(std::string key, std::string json) {
  return std::make_shared<Element>(Element{std::move(key), std::move(json), 0});
}

TEST(Frame, EqualElementsAreShared) {
  const Elements before{element("a", "1"), element("b", "2"), element("d", "4")};
  Elements after{element("d", "5"), element("c", "3"), element("a", "1"), element("c", "again")};
  share(after, before);
  ASSERT_EQ(after.size(), 3U);
  EXPECT_EQ(after[0], before[0]);
  EXPECT_EQ(after[1]->json, "3");
  EXPECT_EQ(after[2]->json, "5");
  const Difference change = difference(before, after);
  ASSERT_EQ(change.changed.size(), 2U);
  EXPECT_EQ(change.changed[0]->key, "c");
  EXPECT_EQ(change.changed[1]->key, "d");
  EXPECT_EQ(change.gone, std::vector<std::string>{"b"});
  EXPECT_TRUE(difference(after, after).changed.empty());
}

FramePtr frame_at(int minute, const std::vector<ElementPtr>& shared) {
  auto frame = std::make_shared<Frame>();
  frame->now = Instant{} + minutes(minute);
  frame->pods = shared;
  frame->pods.push_back(element("z", std::string(1000, static_cast<char>('a' + minute % 26))));
  return frame;
}

// 1,000 minutes into room for about 60 frames.
TEST(KeptFrames, StayWithinTheirBytesAndThinWithAge) {
  const std::vector<ElementPtr> shared{element("a", std::string(50'000, 'x'))};
  constexpr size_t kBytes = 140'000;
  KeptFrames kept(kBytes);
  for (int minute = 0; minute < 1000; ++minute) {
    kept.keep(frame_at(minute, shared));
    ASSERT_LE(kept.bytes(), kBytes);
  }
  EXPECT_GT(kept.size(), 40U);
  // Near moments are met closely, far ones within a share of their age.
  for (const int age : {1, 5, 10, 50, 200, 500, 900}) {
    const Instant asked = Instant{} + minutes(999 - age);
    const FramePtr found = kept.nearest(asked);
    const double off = std::abs((found->now - asked).seconds()) / 60;
    EXPECT_LE(off, 1 + 0.15 * age) << age;
  }
  EXPECT_EQ(kept.nearest(Instant{} - hours(1))->now, Instant{});
  EXPECT_EQ(kept.nearest(kNever)->now, Instant{} + minutes(999));
}

// The books after many drops are those of the frames that are left.
TEST(KeptFrames, CountWhatIsHeldOnce) {
  const std::vector<ElementPtr> shared{element("a", std::string(50'000, 'x'))};
  KeptFrames kept(1 << 20);
  kept.keep(frame_at(0, shared));
  const size_t one = kept.bytes();
  kept.keep(frame_at(1, shared));
  EXPECT_GT(one, 51'000U);
  EXPECT_LT(kept.bytes() - one, 2'000U);
}

TEST(KeptFrames, TheNearestIsTheEarlierOfTwo) {
  KeptFrames kept(1 << 20);
  EXPECT_EQ(kept.nearest(Instant{}), nullptr);
  kept.keep(frame_at(10, {}));
  kept.keep(frame_at(20, {}));
  const auto minute_of = [&](int minute) {
    return (kept.nearest(Instant{} + minutes(minute))->now - Instant{}).seconds() / 60;
  };
  EXPECT_EQ(minute_of(3), 10);
  EXPECT_EQ(minute_of(15), 10);
  EXPECT_EQ(minute_of(16), 20);
  EXPECT_EQ(minute_of(20), 20);
  EXPECT_EQ(minute_of(99), 20);
}

}  // namespace
}  // namespace windlass::server::observe
