#include "server/observe/decision_feed.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "controllers/decision_text.h"
#include "server/observe/json_text.h"

namespace windlass::server::observe {
namespace {

std::string capitalized(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') {
    text[0] = static_cast<char>(text[0] - 'a' + 'A');
  }
  return text;
}

std::string entry_json(uint64_t id, Instant now, std::string_view controller,
                       const controllers::Decision& decision) {
  JsonText json;
  json.open('{').key("id").integer(static_cast<int64_t>(id)).key("time").time(now);
  json.key("controller").text(controller).key("object").text(decision.object);
  json.key("what").text(decision.what).key("result").text(decision.result);
  json.key("sentence").text(capitalized(controllers::deed_sentence(controller, decision)));
  json.key("inputs").open('[');
  for (const auto& [name, value] : decision.inputs) {
    json.open('[').text(name).text(value).close(']');
  }
  json.close(']').key("reasons").open('[');
  for (const std::string& reason : decision.reasons) json.text(reason);
  json.close(']').close('}');
  return json.take();
}

// "NodeClaim/a,b" -> a, b; nothing for other kinds.
std::vector<std::string_view> claims_of(std::string_view object) {
  constexpr std::string_view kClaim = "NodeClaim/";
  if (!object.starts_with(kClaim)) return {};
  return split(object.substr(kClaim.size()), ',');
}

}  // namespace

void DecisionFeed::note(Instant now, std::string_view controller,
                        const controllers::Decision& decision) {
  entries_.push_back({++newest_, entry_json(newest_, now, controller, decision)});
  bytes_ += entries_.back().json.size() + sizeof(Entry);
  while (bytes_ > bytes_max_ && entries_.size() > 1) {
    bytes_ -= entries_.front().json.size() + sizeof(Entry);
    entries_.pop_front();
  }
  learn(controller, decision);
}

void DecisionFeed::learn(std::string_view controller, const controllers::Decision& decision) {
  const std::string& what = decision.what;
  const std::string_view object = decision.object;
  constexpr std::string_view kPod = "Pod/";
  constexpr std::string_view kScaled = "ScaledObject/";
  if (object.starts_with(kPod)) {
    const std::string pod(object.substr(kPod.size()));
    if (what == "unschedulable") pending_[pod] = join(decision.reasons, "; ");
    if (what == "bind") pending_.erase(pod);
  } else if (object.starts_with(kScaled)) {
    scaling_[std::string(object.substr(kScaled.size()))] = decision;
  } else if (what == "create") {
    for (const std::string_view pod : split(controllers::input_of(decision, "pods"), ',')) {
      if (trim(pod).empty()) continue;
      pending_[std::string(trim(pod))] = fmt::format("waits for {}", object);
    }
  } else if (what != "launch") {
    const std::string why = decision.reasons.empty() ? decision.result : decision.reasons.front();
    for (const std::string_view claim : claims_of(object)) {
      if (what == "abandon") {
        ending_.erase(std::string(claim));
      } else {
        ending_[std::string(claim)] = fmt::format("{} ({}): {}", what, controller, why);
      }
    }
  }
}

std::string DecisionFeed::json(uint64_t after, uint64_t until, size_t count) const {
  std::string out = "[";
  // Ids rise by one, so that the place of `until` is known.
  const uint64_t first = entries_.empty() ? 0 : entries_.front().id;
  for (uint64_t id = std::min(until, newest_); count > 0 && id > after; --id, --count) {
    if (entries_.empty() || id < first) break;
    if (out.size() > 1) out.push_back(',');
    out += entries_[id - first].json;
  }
  return out + "]";
}

std::string_view DecisionFeed::why_pending(std::string_view pod) const {
  const auto at = pending_.find(pod);
  return at == pending_.end() ? std::string_view() : at->second;
}

void DecisionFeed::forget_bound(const cluster::State& state) {
  std::erase_if(pending_,
                [&](const auto& entry) { return !state.unbound_pods().contains(entry.first); });
}

void DecisionFeed::forget_claims(const cluster::State& state) {
  std::erase_if(
      ending_, [&](const auto& entry) { return state.node_claims().find(entry.first) == nullptr; });
  std::erase_if(scaling_, [&](const auto& entry) {
    return state.scaled_objects().find(entry.first) == nullptr;
  });
}

std::string_view DecisionFeed::why_ending(std::string_view claim) const {
  const auto at = ending_.find(claim);
  return at == ending_.end() ? std::string_view() : at->second;
}

const controllers::Decision* DecisionFeed::newest_scaling(std::string_view scaled_object) const {
  const auto at = scaling_.find(scaled_object);
  return at == scaling_.end() ? nullptr : &at->second;
}

}  // namespace windlass::server::observe
