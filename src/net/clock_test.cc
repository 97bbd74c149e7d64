#include "net/clock.h"

#include <gtest/gtest.h>

#include "net/test_server.h"
#include "net/virtual_clock.h"

namespace windlass::net {
namespace {

TEST(SystemClock, RunsWorkInOrderAndNeverEarly) {
  EventLoop loop;
  const auto clock = system_clock_on(loop);
  std::string order;
  const Duration start = clock->steady();
  const auto note = [&](char what, Duration due) {
    return [&, what, due] {
      order += what;
      EXPECT_GE(clock->steady() - start, due);
    };
  };
  clock->after(milliseconds(9), note('c', milliseconds(9)));
  clock->after(milliseconds(1), note('a', milliseconds(1)));
  const Clock::TimerId gone = clock->after(milliseconds(2), [] { FAIL() << "cancelled"; });
  clock->after(milliseconds(5), [&] {
    order += 'b';
    clock->cancel(gone);
    clock->after(seconds(-1), [&] { order += '!'; });
  });
  clock->cancel(gone);
  EXPECT_EQ(order, "") << "inside after()";
  EXPECT_TRUE(run_until(loop, [&] { return order.size() == 4; }));
  EXPECT_EQ(order, "ab!c");
}

TEST(SystemClock, MayEndInsideItsTimer) {
  EventLoop loop;
  auto clock = system_clock_on(loop);
  clock->after(Duration{}, [&] { clock.reset(); });
  auto* raw = clock.get();
  raw->after(milliseconds(1), [] { FAIL() << "the clock is gone"; });
  EXPECT_TRUE(run_until(loop, [&] { return clock == nullptr; }));
}

TEST(SystemClock, TellsThisCentury) {
  EventLoop loop;
  const auto clock = system_clock_on(loop);
  EXPECT_GT(clock->now(), *parse_rfc3339("2024-01-01T00:00:00Z"));
  EXPECT_LT(clock->now(), *parse_rfc3339("2124-01-01T00:00:00Z"));
  const Duration before = clock->steady();
  EXPECT_GE(clock->steady(), before);
}

TEST(VirtualClock, StandsUntilTold) {
  VirtualClock clock(Instant{1000});
  std::string order;
  clock.after(seconds(2), [&] { order += 'b'; });
  clock.after(seconds(1), [&] {
    order += 'a';
    clock.after(seconds(1), [&] { order += 'c'; });
  });
  const auto gone = clock.after(seconds(1), [&] { order += '?'; });
  clock.cancel(gone);
  EXPECT_EQ(clock.next(), seconds(1));
  clock.advance(seconds(2));
  EXPECT_EQ(order, "abc");
  EXPECT_EQ(clock.steady(), seconds(2));
  clock.jump(hours(1));
  EXPECT_EQ(clock.now(), Instant{1000} + seconds(2) + hours(1));
  EXPECT_EQ(clock.steady(), seconds(2));
}

}  // namespace
}  // namespace windlass::net
