// What a start costs, and whose is not over: Objective::kCost only.
#include "disruption/warm_up.h"

#include <gtest/gtest.h>

#include "disruption/small_cluster.h"

namespace windlass::disruption {
namespace {

TEST(WarmUp, DollarsOfTheLastStart) {
  SmallCluster cluster;
  Candidate node = cluster.node("n", "p", "t-08");  // 0.40 USD/h
  api::Pod half = cluster.pod("x", "n", 4000);
  half.scheduled_at = kNow - hours(2);
  half.ready_at = kNow - minutes(90);
  api::Pod daemon = half;
  daemon.meta.owners.front().kind = "DaemonSet";
  api::Pod unknown = half;
  unknown.ready_at.reset();
  const api::ResourceList& allocatable = cluster.types.find("t-08")->allocatable;
  node.pods = {&half, &daemon, &unknown};
  EXPECT_DOUBLE_EQ(warm_up_usd(node, allocatable), 0.5 * 0.5 * 0.40) << "30 min on half a node";
}

TEST(WarmUp, NodesThatStillStartAreLeftAloneByCost) {
  struct Case {
    const char* what;
    void (*change)(api::Pod&);
    bool left;
  };
  const std::vector<Case> cases{
      {"starting", [](api::Pod&) {}, true},
      {"ready", [](api::Pod& pod) { pod.ready = true; }, false},
      {"was ready once", [](api::Pod& pod) { pod.ready_at = kNow - minutes(1); }, false},
      {"broken", [](api::Pod& pod) { pod.scheduled_at = kNow - minutes(61); }, false},
      {"daemon", [](api::Pod& pod) { pod.meta.owners.front().kind = "DaemonSet"; }, false},
  };
  for (const Case& c : cases) {
    SmallCluster cluster;
    cluster.pool("p");
    cluster.node("n", "p", "t-16");
    cluster.pod("steady", "n", 500);
    api::Pod& pod = cluster.pod("x", "n", 500);
    pod.ready = false;
    pod.scheduled_at = kNow - minutes(2);
    c.change(pod);
    Options options;
    EXPECT_EQ(reason_of(cluster.propose(options), "n"), "(in a command)") << c.what;
    options.objective = Objective::kCost;
    EXPECT_EQ(reason_of(cluster.propose(options), "n"),
              c.left ? "pod ns/x has been starting for 2m: its image or weights still load"
                     : "(in a command)")
        << c.what;
  }
}

}  // namespace
}  // namespace windlass::disruption
