#include "server/embedded/event_recorder.h"

#include <initializer_list>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "base/utf8.h"

namespace windlass::server::embedded {
namespace {

constexpr Duration kSame = minutes(10);

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

}  // namespace windlass::server::embedded
