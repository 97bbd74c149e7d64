// The Api of somebody who may write only for a time (a leader): whether it still may is asked at
// the moment a write goes out, not when it was asked for. A process that was stopped and wakes, or
// a request that waited for its turn or its retry, changes nothing any more. Reads are always
// allowed.
#pragma once

#include <functional>
#include <utility>

#include "live/kube/api.h"

namespace windlass::live::kube {

class ActingApi : public Api {
 public:
  // `inner` must outlive it; `may_act` is called until the last of its requests is answered.
  ActingApi(Api& inner, std::function<bool()> may_act)
      : inner_(inner), may_act_(std::move(may_act)) {}

  Id send(Request request, std::function<void(Reply)> done) override {
    if (request.verb != Verb::kGet) request.may_send = may_act_;
    return inner_.send(std::move(request), std::move(done));
  }
  Id stream(Request request, Stream stream) override {
    return inner_.stream(std::move(request), std::move(stream));
  }
  void cancel(Id id) override { inner_.cancel(id); }

 private:
  Api& inner_;
  std::function<bool()> may_act_;
};

}  // namespace windlass::live::kube
