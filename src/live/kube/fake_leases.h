// For this room's tests: the Leases of an API server behind a network that delays, loses and fails,
// drawn from a seed. A write takes effect at some moment between its request and its answer, even
// if the answer is lost or the asker has given up by then.
#pragma once

#include <map>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/rng.h"
#include "live/kube/api.h"
#include "net/virtual_clock.h"

namespace windlass::live::kube {

class FakeLeases {
 public:
  struct Faults {
    double lost_requests = 0, lost_answers = 0, errors = 0;
    Duration longest_way{};  // each way
  };
  FakeLeases(net::VirtualClock& clock_in, uint64_t seed) : clock(clock_in), rng(seed, "leases") {}

  net::VirtualClock& clock;
  Rng rng;
  Faults faults;
  Json lease;  // null: none
  uint64_t version = 100;
  int writes = 0;

  Duration way() {
    return Duration{
        faults.longest_way.ns == 0
            ? 1'000'000
            : static_cast<int64_t>(rng.below(static_cast<uint64_t>(faults.longest_way.ns)))};
  }
  // What the store says to a request that has come.
  Reply answer(const Request& request) {
    if (rng.uniform() < faults.errors) return made(500, "", "InternalError");
    if (request.verb == Verb::kGet) {
      return lease.is_null() ? made(404, "", "NotFound") : made(200, lease.dump(), "");
    }
    Json body = Json::parse(request.body);
    if (request.verb == Verb::kPost) {
      if (!lease.is_null()) return made(409, "", "AlreadyExists");
    } else {
      if (lease.is_null()) return made(404, "", "NotFound");
      const Json& now = lease["metadata"]["resourceVersion"];
      if (body["metadata"].value("resourceVersion", "") != now.get<std::string>()) {
        return made(409, "", "Conflict");
      }
    }
    ++writes;
    lease = std::move(body);
    lease["metadata"]["resourceVersion"] = std::to_string(++version);
    return made(200, lease.dump(), "");
  }
  static Reply made(int code, std::string body, std::string reason) {
    Reply out;
    out.code = code;
    out.body = std::move(body);
    out.reason = std::move(reason);
    return out;
  }
  [[nodiscard]] std::string holder() const {
    return lease.is_null() ? "-" : lease["spec"].value("holderIdentity", "-");
  }
};

// One process's way to them.
class LeaseApi : public Api {
 public:
  explicit LeaseApi(FakeLeases& leases) : leases_(leases) {}
  bool cut = false;  // nothing passes any more
  std::vector<Request> history;

  Id send(Request request, std::function<void(Reply)> done) override {
    const Id id = ++made_;
    history.push_back(request);
    open_[id] = std::move(done);
    if (cut || leases_.rng.uniform() < leases_.faults.lost_requests) return id;
    leases_.clock.after(leases_.way(), [this, id, request = std::move(request)] {
      Reply reply = leases_.answer(request);
      if (cut || leases_.rng.uniform() < leases_.faults.lost_answers) return;
      leases_.clock.after(leases_.way(), [this, id, reply = std::move(reply)] {
        const auto found = open_.find(id);
        if (found == open_.end()) return;
        const auto then = std::move(found->second);
        open_.erase(found);
        then(reply);
      });
    });
    return id;
  }
  Id stream(Request, Stream) override { return ++made_; }
  void cancel(Id id) override { open_.erase(id); }

 private:
  FakeLeases& leases_;
  std::map<Id, std::function<void(Reply)>> open_;
  Id made_ = 0;
};

}  // namespace windlass::live::kube
