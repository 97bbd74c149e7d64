#include "net/event_loop.h"

#include <memory>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace windlass::net {
namespace {

TEST(EventLoop, PostedWorkRunsOnTheLoopInOrderOfItsPoster) {
  constexpr int kThreads = 4;
  constexpr int kEach = 2000;
  EventLoop loop;
  const auto here = std::this_thread::get_id();
  std::vector<std::vector<int>> seen(kThreads);
  int all = 0;
  std::vector<std::thread> posters;
  for (int t = 0; t < kThreads; ++t) {
    posters.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        loop.post([&, t, i] {
          EXPECT_EQ(std::this_thread::get_id(), here);
          seen[static_cast<size_t>(t)].push_back(i);
          ++all;
        });
      }
    });
  }
  while (all < kThreads * kEach) loop.turn();
  for (std::thread& poster : posters) poster.join();
  for (const auto& one : seen) {
    ASSERT_EQ(one.size(), static_cast<size_t>(kEach));
    for (int i = 0; i < kEach; ++i) EXPECT_EQ(one[static_cast<size_t>(i)], i);
  }
}

TEST(EventLoop, WorkPostedByPostedWorkRunsInALaterTurn) {
  EventLoop loop;
  int depth = 0;
  int turn_ends = 0;
  loop.on_turn_end([&] { ++turn_ends; });
  loop.post([&] {
    depth = 1;
    loop.post([&] { depth = 2; });
  });
  while (depth < 2) loop.turn();
  EXPECT_GE(turn_ends, 1);
}

TEST(EventLoop, WhatIsLeftUnrunIsDestroyed) {
  const auto held = std::make_shared<int>(1);
  {
    EventLoop loop;
    loop.post([held] { ADD_FAILURE() << "nobody turned the loop"; });
    EXPECT_EQ(held.use_count(), 2);
  }
  EXPECT_EQ(held.use_count(), 1);
}

// run() ends when nothing can happen any more; being able to be posted to is not such a thing.
TEST(EventLoop, RunEndsWithNothingLeft) {
  EventLoop loop;
  loop.run();
  bool ran = false;
  loop.after(milliseconds(1), [&] { ran = true; });
  loop.run();
  EXPECT_TRUE(ran);
}

}  // namespace
}  // namespace windlass::net
