// Which Events are worth writing (client-go's EventCorrelator, reference 1.4): of many alike one
// that counts, of a talker little. Pure but for its memory, which is bounded.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/time.h"
#include "live/kube/events.h"
#include "live/kube/lru.h"

namespace windlass::live::kube {

// An Event that stands, or is to stand, in the API.
struct KnownEvent {
  std::string name;  // empty: not yet made
  std::string message;
  Instant first{}, last{};
  int64_t count = 0;
  // The recorder's: it waits to be sent, so that another of its kind needs no request of its own.
  bool is_waiting = false;
  bool is_written = false;  // the server has it: the next one is a patch
};
using KnownEventPtr = std::shared_ptr<KnownEvent>;

class Correlator {
 public:
  // The Event that this one is, counted up or new; null: too much was said about the object.
  // `steady` is for intervals, `now` for what is written.
  KnownEventPtr correlate(const Involved& involved, std::string_view type, std::string_view reason,
                          const std::string& message, std::string_view component, Instant now,
                          Duration steady);

 private:
  struct Alike {
    std::set<std::string> messages;
    std::optional<Duration> last;
  };
  struct Bucket {
    double tokens = -1;  // not yet filled
    Duration filled{};
  };
  bool may_talk(const std::string& source, Duration steady);
  bool is_one_of_many(const std::string& alike, const std::string& message, Duration steady);

  static constexpr size_t kMost = 4096;
  Lru<KnownEventPtr> known_{kMost};
  Lru<Alike> alike_{kMost};
  Lru<Bucket> buckets_{kMost};
};

}  // namespace windlass::live::kube
