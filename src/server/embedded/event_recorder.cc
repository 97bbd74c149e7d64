#include "server/embedded/event_recorder.h"

#include <array>
#include <initializer_list>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "base/text.h"
#include "base/utf8.h"

namespace windlass::server::embedded {
namespace {

constexpr Duration kSame = minutes(10);
constexpr size_t kMessageBytes = 1024;

struct Words {
  std::string_view controller;
  std::string_view what;
  std::string_view type;
  std::string_view reason;
  std::string_view component;
};
// Reasons as Karpenter, KEDA and the HPA give them where they have one.
constexpr std::array<Words, 15> kWords{{
    {"claim_lifecycle", "launch", "Normal", "Launched", "karpenter"},
    {"claim_lifecycle", "delete", "Warning", "InsufficientCapacityError", "karpenter"},
    {"provisioning", "create", "Normal", "NodeClaimCreated", "karpenter"},
    {"provisioning", "unschedulable", "Warning", "FailedScheduling", "karpenter"},
    {"joint", "create", "Normal", "NodeClaimCreated", "windlass"},
    {"joint", "scale", "Normal", "SuccessfulRescale", "windlass"},
    {"scaled_object", "scale", "Normal", "SuccessfulRescale", "horizontal-pod-autoscaler"},
    {"scaled_object", "activate", "Normal", "KEDAScaleTargetActivated", "keda-operator"},
    {"scaled_object", "deactivate", "Normal", "KEDAScaleTargetDeactivated", "keda-operator"},
    {"scaled_object", "fail", "Warning", "KEDAScalerFailed", "keda-operator"},
    {"scaled_object", "refuse", "Warning", "ScaledObjectCheckFailed", "keda-operator"},
    {"termination", "drain", "Normal", "Draining", "karpenter"},
    {"interruption", "delete", "Warning", "SpotInterrupted", "karpenter"},
    {"expiry", "expire", "Normal", "Expired", "karpenter"},
    {"disruption", "abandon", "Warning", "DisruptionBlocked", "karpenter"},
}};

std::string camel_case(std::string_view words) {
  std::string out;
  bool upper = true;
  for (const char c : words) {
    if (c == ' ' || c == '_' || c == '-') {
      upper = true;
      continue;
    }
    out += upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    upper = false;
  }
  return out;
}

std::string micro_time(Instant t) {
  const int64_t micros = (t.ns / 1000) % 1'000'000;
  std::string seconds = to_rfc3339(Instant{t.ns / 1'000'000'000 * 1'000'000'000});
  seconds.pop_back();  // Z
  return fmt::format("{}.{:06d}Z", seconds, micros);
}

std::pair<uint64_t, uint64_t> key_of(std::initializer_list<std::string_view> words) {
  Hash64 one;
  Hash64 other;
  other.add("other");
  for (const std::string_view word : words) {
    one.add(word);
    other.add(word);
  }
  return {one.value(), other.value()};
}

}  // namespace

void EventRecorder::forget_old(Instant now) {
  while (!order_.empty() && now - order_.front().first > kSame * 2) {
    const auto it = said_.find(order_.front().second);
    if (it != said_.end() && now - it->second.last > kSame) said_.erase(it);
    order_.pop_front();
  }
}

void EventRecorder::record(const Involved& involved, std::string_view type, std::string_view reason,
                           const std::string& message, std::string_view component, Instant now) {
  forget_old(now);
  const std::string space = involved.namespace_name.empty() ? "default" : involved.namespace_name;
  const std::string object = involved.kind + "/" + involved.namespace_name + "/" + involved.name;
  const Key key = key_of({object, involved.uid, reason, message, component});
  auto [it, fresh] = said_.try_emplace(key);
  Said& said = it->second;
  if (fresh || now - said.last > kSame) {
    Hash64 hash;
    hash.add(object);
    hash.add(++names_);
    hash.add(now.ns);
    said = {fmt::format("{}.{:016x}", involved.name.substr(0, 200), hash.value()), now, now, 0};
    order_.emplace_back(now, key);
  }
  said.last = now;
  ++said.count;
  Json event{{"apiVersion", "v1"}, {"kind", "Event"}};
  event["metadata"] = {{"name", said.event_name}, {"namespace", space}};
  event["involvedObject"] = {
      {"apiVersion", involved.api_version}, {"kind", involved.kind}, {"name", involved.name}};
  if (!involved.uid.empty()) event["involvedObject"]["uid"] = involved.uid;
  if (!involved.namespace_name.empty()) event["involvedObject"]["namespace"] = space;
  event["type"] = type;
  event["reason"] = reason;
  event["message"] = message;
  event["count"] = said.count;
  event["firstTimestamp"] = to_rfc3339(Instant{said.first.ns / 1'000'000'000 * 1'000'000'000});
  event["lastTimestamp"] = to_rfc3339(Instant{said.last.ns / 1'000'000'000 * 1'000'000'000});
  event["eventTime"] = micro_time(said.first);
  event["source"] = {{"component", component}};
  event["reportingComponent"] = component;
  event["reportingInstance"] = "";
  write_({"events", space, said.event_name}, std::move(event));
}

EventWords event_words(std::string_view controller, const controllers::Decision& decision) {
  for (const Words& words : kWords) {
    if (words.controller != controller || words.what != decision.what) continue;
    // A claim goes for other reasons, too; only the one Karpenter names so is named so.
    if (words.what == "delete" && controller == "claim_lifecycle" &&
        decision.result != "insufficient capacity") {
      return {"Warning", camel_case(decision.result), words.component};
    }
    return {words.type, std::string(words.reason), words.component};
  }
  return {"Normal", camel_case(decision.what), "windlass"};
}

std::string event_message(const controllers::Decision& decision) {
  std::string message = decision.result;
  if (!decision.reasons.empty()) message += ": " + join(decision.reasons, "; ");
  if (message.size() <= kMessageBytes) return message;
  // Never half a character.
  size_t end = kMessageBytes - 3;
  while (end > 0 && (static_cast<unsigned char>(message[end]) & 0xc0) == 0x80) --end;
  return message.substr(0, end) + "...";
}

}  // namespace windlass::server::embedded
