// The Api over HTTP: credentials (token files, exec plugins with their cache, client certificates),
// client-side rate limit, retries of 429 and 5xx with Retry-After (at most 10, within the request's
// time-out), one retry with fresh credentials after a 401, Warning headers logged once each. What a
// connection broke under is never sent again; code 0 leaves that to the caller.
// Streams have no rate limit and no retries but the 401's: who watches has a back-off of its own,
// and finds Retry-After in the reply. Their time-out is for the answer's head alone.
#pragma once

#include <memory>
#include <string>

#include "live/kube/api.h"
#include "live/kube/config.h"
#include "net/clock.h"
#include "net/event_loop.h"

namespace windlass::live::kube {

struct ClientOptions {
  double requests_per_s = 200;  // Karpenter's
  int burst = 300;
  int connections = 100;  // under way at once, besides streams and urgent requests
  std::string user_agent = "windlass";
};

struct ClientStats {
  uint64_t requests = 0, retries = 0, throttled = 0, failed = 0;
};

class HttpApi : public Api {
 public:
  HttpApi(net::EventLoop& loop, net::Clock& clock, Access access, ClientOptions options);
  ~HttpApi() override;
  Id send(Request request, std::function<void(Reply)> done) override;
  Id stream(Request request, Stream stream) override;
  void cancel(Id id) override;
  [[nodiscard]] const ClientStats& stats() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace windlass::live::kube
