// Serves KEDA's external scaler protocol, so that an existing KEDA scales by what Windlass wants.
// gRPC's threads only carry requests to the loop; every question is answered there.
//
// A build without gRPC can't be started; the error says so.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "live/external/client.h"
#include "net/clock.h"
#include "net/event_loop.h"

namespace windlass::live::external {

// What is served. Both are called on the loop.
struct Scaler {
  // The metric's name for this object; its target is 1 a replica. An error is of the metadata
  // (invalid argument).
  std::function<Result<std::string>(const ScaledRef& who)> metric;
  // How many replicas it should have; active above 0. `done` once, now or later; an error means
  // that nothing is known (unavailable), on which KEDA falls back or holds.
  std::function<void(const ScaledRef& who, std::function<void(Result<double>)> done)> wanted;
};

struct ServerOptions {
  std::string listen = "0.0.0.0:9090";  // port 0: any free one
  std::string certificate, key;         // PEM; empty: without TLS
  std::string client_ca;                // PEM; clients must show a certificate of it
  Duration push_period = seconds(5);    // how often streams are looked after
  size_t most_open = 1000;              // calls and streams at once; beyond: resource exhausted
};

class ScalerServer {
 public:
  static Result<std::unique_ptr<ScalerServer>> start(net::EventLoop& loop, net::Clock& clock,
                                                     const ServerOptions& options, Scaler scaler);
  ~ScalerServer();  // open calls end as unavailable
  [[nodiscard]] int port() const;

 private:
  struct Impl;
  explicit ScalerServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace windlass::live::external
