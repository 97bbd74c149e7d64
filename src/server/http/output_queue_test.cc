#include "server/http/output_queue.h"

#include <array>

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace windlass::server {
namespace {

TEST(OutputQueue, GathersSmallPiecesAndShowsLargeOnesInPlace) {
  OutputQueue queue;
  std::array<char, 8> scratch;
  EXPECT_TRUE(queue.next(scratch).empty());
  const auto large = std::make_shared<const std::string>("0123456789abcdef");
  queue.add(std::string("ab"));
  queue.add(std::string());
  queue.add(std::shared_ptr<const std::string>());
  queue.add(std::string("cd"));
  queue.add(large);
  EXPECT_EQ(queue.size(), 20u);
  EXPECT_EQ(queue.next(scratch), "abcd0123");
  queue.consume(3);
  EXPECT_EQ(queue.next(scratch), "d0123456");
  queue.consume(1);
  EXPECT_EQ(queue.next(scratch).data(), large->data());  // not copied
  queue.consume(6);
  EXPECT_EQ(queue.next(scratch), "6789abcdef");
  queue.consume(10);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(large.use_count(), 1);
}

TEST(OutputQueue, SendsEveryByteOnceInOrder) {
  EXPECT_TRUE(
      rc::check([](const std::vector<std::string>& pieces, const std::vector<uint8_t>& steps) {
        OutputQueue queue;
        std::string expected;
        std::string sent;
        std::array<char, 16> scratch;
        size_t step = 0;
        const auto send_some = [&](size_t limit) {
          const std::string_view next = queue.next(scratch);
          RC_ASSERT(next.empty() == queue.empty());
          const size_t put = std::min(limit, next.size());
          sent += next.substr(0, put);
          queue.consume(put);
        };
        for (size_t i = 0; i < pieces.size(); ++i) {
          expected += pieces[i];
          if (i % 2 == 0) {
            queue.add(pieces[i]);
          } else {
            queue.add(std::make_shared<const std::string>(pieces[i]));
          }
          if (step < steps.size()) send_some(steps[step++] % 20);
        }
        while (!queue.empty()) send_some(7);
        RC_ASSERT(sent == expected);
      }));
}

}  // namespace
}  // namespace windlass::server
