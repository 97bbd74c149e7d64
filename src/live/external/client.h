// Asks KEDA's external scalers (gRPC; docs/reference/external-scaler.md): the way to sources that
// Windlass doesn't read itself. Nothing blocks: calls run on gRPC's own threads, and what came of
// them is posted to the loop, on which every callback here is called.
//
// A build without gRPC answers every question with an error that says so.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "api/meta.h"
#include "base/result.h"
#include "base/time.h"
#include "cluster/observations.h"
#include "net/clock.h"
#include "net/event_loop.h"
#include "scaling/trigger_plan.h"

namespace windlass::live::external {

// Whether this build speaks the protocol.
bool has_grpc();

// Who asks: the scaled object, and its trigger's whole metadata with variables put in, which goes
// to the scaler as it is. How to connect stands in the metadata (enableTLS, unsafeSsl) and in the
// authentication's parameters (caCert, tlsClientCert, tlsClientKey: PEM); those are never sent.
struct ScaledRef {
  std::string namespace_name;
  std::string name;
  api::StringMap metadata;
  api::StringMap auth{};
};

class ExternalScalers {
 public:
  using WatchId = uint64_t;  // never 0
  ExternalScalers(net::EventLoop& loop, net::Clock& clock);
  ~ExternalScalers();  // calls under way end without their callbacks

  // Asks for the metric's name and target, its values, and whether the scaler is active; all within
  // plan.timeout. `done` is called once, later: values, active and target_milli, or the error.
  // A scaler that names more than one metric is an error: a trigger here has one.
  void ask(const scaling::TriggerPlan& plan, const ScaledRef& who,
           std::function<void(cluster::QueryAnswer)> done);

  // external-push: `on_active` at every message of the scaler, until unwatch(). A stream that ends
  // or can't be had is begun again after 2 s, doubling to 60 s; a message resets that.
  WatchId watch(const scaling::TriggerPlan& plan, const ScaledRef& who,
                std::function<void(bool active)> on_active);
  void unwatch(WatchId watch);

  struct Stats {
    uint64_t asked = 0, failed = 0, streams = 0;
    size_t open = 0, channels = 0;  // now
  };
  [[nodiscard]] Stats stats() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace windlass::live::external
