// Requests and timers of one owner, forgotten with it: whoever ends an instance or a pod ends all
// that was under way for it, and no callback can come too late. A request is repeated with back-off
// until an answer comes that another try would not change.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "live/kube/api.h"
#include "net/clock.h"

namespace windlass::live::cloud {

inline constexpr int kNotFound = 404;
inline constexpr int kConflict = 409;

kube::Request get(std::string path);
kube::Request post(std::string path, const Json& body);
kube::Request patch(std::string path, const Json& body, kube::PatchType type);
// With grace 0; `uid` (empty: any): only the object of that uid.
kube::Request erase(std::string path, const std::string& uid);

class Errands {
 public:
  // Api and Clock must outlive it.
  Errands(kube::Api& api, net::Clock& clock) : api_(api), clock_(clock) {}
  ~Errands();
  Errands(const Errands&) = delete;
  Errands& operator=(const Errands&) = delete;

  // Says whether the answer was understood; false: another try later. It may end this object if it
  // returns true. Not asked of "no answer", "slow down", servers' own faults and what is no JSON
  // object: those are tried again (250 ms, doubled up to 30 s, or what Retry-After says).
  using Take = std::function<bool(const kube::Reply&)>;
  void send(kube::Request request, Take take);
  // One try, whatever comes of it.
  void send_once(kube::Request request, std::function<void(const kube::Reply&)> take);
  // `work` may end this object.
  void after(Duration delay, std::function<void()> work);

 private:
  struct Errand {
    kube::Request request;
    Take take;
    int tries = 0;
    kube::Api::Id sent = 0;         // 0: waits
    net::Clock::TimerId timer = 0;  // 0: sent
  };
  void attempt(uint64_t id);
  void answered(uint64_t id, const kube::Reply& reply);

  kube::Api& api_;
  net::Clock& clock_;
  uint64_t made_ = 0;
  std::map<uint64_t, Errand> errands_;  // timers alone have no request
};

}  // namespace windlass::live::cloud
