#include "controllers/ring.h"

#include <gtest/gtest.h>

namespace windlass::controllers {
namespace {

// Writes down what it is asked, and comes back as often as told.
class Scribe : public Controller {
 public:
  Scribe(std::string name, std::vector<std::string>& log) : name_(std::move(name)), log_(log) {}
  [[nodiscard]] std::string_view name() const override { return name_; }
  void touched(const cluster::Change& change, const cluster::State&,
               std::vector<std::string>& keys) override {
    keys.push_back(change.key);
  }
  Outcome reconcile(const std::string& key, const cluster::State&, Instant now) override {
    log_.push_back(name_ + ":" + key + "@" + std::to_string(now.ns));
    Outcome out;
    if (again > 0) {
      --again;
      out.requeue_at = now;  // not in the future: the ring must still move on
    }
    return out;
  }
  int again = 0;

 private:
  std::string name_;
  std::vector<std::string>& log_;
};

struct RingTest : testing::Test {
  RingTest() : state(catalog::Catalog{}) {
    std::vector<std::unique_ptr<Controller>> all;
    all.push_back(std::make_unique<Scribe>("first", log));
    auto second = std::make_unique<Scribe>("second", log);
    second_ = second.get();
    all.push_back(std::move(second));
    ring = std::make_unique<Ring>(std::move(all));
  }
  void run(Instant now) {
    Ring::Step step;
    while (ring->step(state, now, step)) {
    }
  }
  cluster::State state;
  std::vector<std::string> log;
  std::unique_ptr<Ring> ring;
  Scribe* second_ = nullptr;
};

TEST_F(RingTest, AKeyTouchedTwiceIsReconciledOnceInOrderOfWiringAndKey) {
  const std::deque<cluster::Change> changes = {{cluster::Kind::kPod, "b", false},
                                               {cluster::Kind::kPod, "a", false},
                                               {cluster::Kind::kPod, "b", false}};
  ring->observe(changes, state, Instant{5});
  EXPECT_EQ(ring->next_due(), Instant{5});
  run(Instant{4});
  EXPECT_TRUE(log.empty());
  run(Instant{5});
  EXPECT_EQ(log, (std::vector<std::string>{"first:a@5", "first:b@5", "second:a@5", "second:b@5"}));
  EXPECT_EQ(ring->next_due(), kNever);
}

TEST_F(RingTest, ARequeueInThePastDoesNotStopTheClock) {
  second_->again = 1;
  ring->observe({{cluster::Kind::kPod, "a", false}}, state, Instant{5});
  run(Instant{5});
  EXPECT_EQ(log.size(), 2u);
  EXPECT_GT(ring->next_due(), Instant{5});
}

}  // namespace
}  // namespace windlass::controllers
