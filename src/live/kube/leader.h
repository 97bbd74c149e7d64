// One leader among equals by a Lease (client-go's leaderelection, reference 1.4): held 15 s,
// renewed every 2 s, given up when no renewal succeeded for 10 s. Another's lease counts as expired
// when *our* stopwatch saw no change of it for its duration; its clock is never believed. Released
// on stop().
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "live/kube/api.h"
#include "net/clock.h"

namespace windlass::live::kube {

struct LeaderOptions {
  std::string namespace_name;
  std::string name = "windlass";
  std::string identity;  // unique: host name and a random part
  Duration lease = seconds(15);
  Duration renew_deadline = seconds(10);
  Duration retry = seconds(2);  // times 1 to 1.2
};

class LeaderElector {
 public:
  LeaderElector(Api& api, net::Clock& clock, LeaderOptions options, uint64_t seed);
  ~LeaderElector();
  // Both inside a timer or reply, never inside start(). Lost: everything under way must stop now.
  std::function<void()> on_leading;
  std::function<void(const std::string& why)> on_lost;
  // Who leads, when that changes ("" nobody), for the log.
  std::function<void(const std::string& identity)> on_new_leader;

  void start();
  // Releases the lease if held, then calls `done` (may be empty). Nothing else is called after.
  void stop(std::function<void()> done);
  [[nodiscard]] bool leading() const;
  // Steady time until which leadership is certain: actions must not be sent later than this.
  [[nodiscard]] Duration certain_until() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace windlass::live::kube
