// Follows all objects of one resource: list, watch, and what may go wrong between (client-go's
// reflector; reference kubernetes_aws_prometheus.md 1.2). An explicit state machine:
//
//   idle -> listing (pages) -> watching -> watching ... (new watch from the last version)
//              ^  |               |  410 Expired, or versions that went back
//              |  v               v
//            waiting (back-off 0.8 s x2 to 30 s, jitter, reset after 2 min of health)
//
// Where the server offers WatchList (sendInitialEvents), the list comes as a watch; a server that
// refuses it is listed in pages. A stream that says nothing (no bookmark) for `silence` is cut and
// begun again. An object that vanished between two lists is told as gone.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/rng.h"
#include "live/kube/api.h"
#include "net/clock.h"

namespace windlass::live::kube {

struct WatchSpec {
  std::string path;  // "/api/v1/pods", "/apis/keda.sh/v1alpha1/namespaces/a/scaledobjects"
  std::string label_selector{};
  std::string field_selector{};
  size_t page = 500;
  bool watch_list = true;  // try it
  Duration silence = minutes(3);
  // A resource the server doesn't have (404: no such CRD) counts as empty and is asked for again
  // this often.
  Duration absent_retry = seconds(30);
};

// metadata of an object seen.
struct Seen {
  std::string uid;
  std::string resource_version;
};

class Watcher {
 public:
  enum class Phase { kIdle, kListing, kWatching, kWaiting, kAbsent };
  struct Handlers {
    // Created or changed: the object's JSON as the server sent it, key "namespace/name" or "name".
    std::function<void(const std::string& key, std::string_view json)> on_put;
    std::function<void(const std::string& key)> on_gone;
    // Once, when everything that was there at the start has been told.
    std::function<void()> on_synced;
  };
  struct Stats {
    uint64_t lists = 0, watches = 0, events = 0, bookmarks = 0, errors = 0, stalls = 0, expired = 0;
    std::string last_error;
  };

  // Api and Clock must outlive it. `seed`: of the jitter.
  Watcher(Api& api, net::Clock& clock, WatchSpec spec, Handlers handlers, uint64_t seed);
  ~Watcher();
  void start();
  void stop();
  // Lists anew, at once: somebody knows that what is known here is too old.
  void relist();
  [[nodiscard]] bool synced() const;
  [[nodiscard]] Phase phase() const;
  [[nodiscard]] const Stats& stats() const;
  // Objects known now, by key.
  [[nodiscard]] const std::map<std::string, Seen, std::less<>>& seen() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace windlass::live::kube
