#include "live/kube/correlator.h"

#include <algorithm>

namespace windlass::live::kube {
namespace {

constexpr size_t kMaxAlike = 10;
constexpr Duration kAlikeInterval = seconds(600);
constexpr double kBurst = 25;
constexpr double kTokensPerSecond = 1.0 / 300;
constexpr std::string_view kCombined = "(combined from similar events): ";

// No part of a key holds a NUL.
std::string key_of(std::initializer_list<std::string_view> parts) {
  std::string out;
  for (const std::string_view part : parts) {
    out += part;
    out += '\0';
  }
  return out;
}

}  // namespace

// A token bucket a source and object.
bool Correlator::may_talk(const std::string& source, Duration steady) {
  Bucket& bucket = buckets_.use(source);
  if (bucket.tokens < 0) {
    bucket.tokens = kBurst;
  } else {
    bucket.tokens =
        std::min(kBurst, bucket.tokens + (steady - bucket.filled).seconds() * kTokensPerSecond);
  }
  bucket.filled = steady;
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

// From the tenth different message on, as long as there is never a pause of the interval.
bool Correlator::is_one_of_many(const std::string& alike, const std::string& message,
                                Duration steady) {
  Alike& group = alike_.use(alike);
  if (group.last && steady - *group.last > kAlikeInterval) group.messages.clear();
  group.last = steady;
  group.messages.insert(message);
  if (group.messages.size() < kMaxAlike) return false;
  group.messages.erase(group.messages.begin());
  return true;
}

KnownEventPtr Correlator::correlate(const Involved& involved, std::string_view type,
                                    std::string_view reason, const std::string& message,
                                    std::string_view component, Instant now, Duration steady) {
  const std::string source = key_of({component, involved.api_version, involved.kind,
                                     involved.namespace_name, involved.name, involved.uid});
  const std::string alike = source + key_of({type, reason});
  const bool combined = is_one_of_many(alike, message, steady);
  KnownEventPtr& known = known_.use(combined ? alike : alike + key_of({message}));
  // The event is counted even where it is silenced, as client-go does.
  if (known == nullptr) {
    known = std::make_shared<KnownEvent>();
    known->first = now;
  }
  ++known->count;
  known->last = now;
  known->message = combined ? std::string(kCombined) + message : message;
  return may_talk(source, steady) ? known : nullptr;
}

}  // namespace windlass::live::kube
