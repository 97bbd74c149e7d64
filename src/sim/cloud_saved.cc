// What a cloud would still know after the cluster's computer was off: its instances. They are
// billed on, those that boot go on booting, those that were told to end do.
#include <algorithm>

#include <nlohmann/json.hpp>

#include "api/json_reader.h"
#include "sim/cloud.h"
#include "sim/saved.h"

namespace windlass::sim {
namespace {

Json instance_part(const Instance& instance, std::optional<Instant> ready_at) {
  Json part{{"node", instance.node_name},
            {"type", instance.type->name},
            {"zone", instance.zone},
            {"capacityType", instance.capacity_type},
            {"usdPerHour", instance.usd_per_hour},
            {"launched", instance.launched.ns}};
  if (!instance.claim.empty()) part["claim"] = instance.claim;
  if (!instance.reservation_id.empty()) part["reservation"] = instance.reservation_id;
  if (!instance.end_reason.empty()) part["endReason"] = instance.end_reason;
  if (instance.terminated) part["terminated"] = instance.terminated->ns;
  if (instance.taken_at) part["takenAt"] = instance.taken_at->ns;
  if (ready_at) part["readyAt"] = ready_at->ns;
  if (instance.answered) part["answered"] = true;
  if (instance.going) part["going"] = true;
  return part;
}

Result<Instance> read_instance(const std::string& id, const Json& part,
                               const catalog::Catalog& catalog) {
  api::ReadLog log;
  api::Reader root(part, kInstancePart + id, log);
  Instance instance;
  instance.provider_id = id;
  instance.node_name = root.at("node").required_string();
  instance.claim = root.at("claim").string().value_or("");
  const std::string type = root.at("type").required_string();
  instance.type = catalog.find(type);
  if (instance.type == nullptr) root.at("type").error("no type of the scenario's catalogue");
  instance.zone = root.at("zone").required_string();
  instance.capacity_type = root.at("capacityType").required_string();
  instance.reservation_id = root.at("reservation").string().value_or("");
  instance.usd_per_hour = root.at("usdPerHour").must().number(0, 1e6).value_or(0);
  instance.launched = read_instant(root.at("launched").must()).value_or(Instant{});
  instance.terminated = read_instant(root.at("terminated"));
  instance.taken_at = read_instant(root.at("takenAt"));
  instance.noticed = instance.taken_at.has_value();
  instance.ready_at = read_instant(root.at("readyAt"));
  instance.answered = root.at("answered").boolean().value_or(false);
  instance.going = root.at("going").boolean().value_or(false);
  instance.end_reason = root.at("endReason").string().value_or("");
  if (!log.errors.empty()) return Error(log.joined_errors());
  return instance;
}

}  // namespace

void Cloud::save(
    SavedParts& parts,
    const std::function<std::optional<Instant>(const std::string& id)>& ready_at) const {
  Json counts{{"launched", launched_},
              {"peak", peak_},
              {"refused", refused_},
              {"interrupted", interrupted_}};
  for (const auto& [type, until] : blocked_) counts["blocked"][type] = until.ns;
  parts.set("cloud", std::move(counts));
  for (const auto& [id, instance] : instances_) {
    // One that has ended doesn't change any more.
    const std::string name = kInstancePart + id;
    if (instance.terminated && parts.settled(name)) continue;
    parts.set(name, instance_part(instance, ready_at(id)));
    if (instance.terminated) parts.settle(name);
  }
}

Status Cloud::read(const std::map<std::string, Json>& saved) {
  api::ReadLog log;
  if (const auto found = saved.find("cloud"); found != saved.end()) {
    api::Reader root(found->second, "cloud", log);
    launched_ = static_cast<uint64_t>(root.at("launched").integer(0, INT64_MAX).value_or(0));
    peak_ = root.at("peak").int32(0, INT32_MAX).value_or(0);
    refused_ = root.at("refused").int32(0, INT32_MAX).value_or(0);
    interrupted_ = root.at("interrupted").int32(0, INT32_MAX).value_or(0);
    for (const auto& [type, until] : root.at("blocked").entries()) {
      if (const auto at = read_instant(until)) blocked_[type] = *at;
    }
  }
  if (!log.errors.empty()) return Error(log.joined_errors());
  for (auto it = saved.lower_bound(kInstancePart);
       it != saved.end() && it->first.starts_with(kInstancePart); ++it) {
    const std::string id = it->first.substr(std::string(kInstancePart).size());
    auto instance = read_instance(id, it->second, context_.state.catalog());
    if (!instance.ok()) return instance.error();
    if (!instance->terminated) {
      rate_usd_per_hour_ += instance->usd_per_hour;
      ++running_;
    }
    instances_[id] = *std::move(instance);
  }
  peak_ = std::max(peak_, running_);
  accrued_usd_ = cost_usd();
  accrued_at_ = context_.now;
  return {};
}

void Cloud::resume() {
  std::vector<std::string> live;
  for (const auto& [id, instance] : instances_) {
    if (!instance.terminated) live.push_back(id);
  }
  for (const std::string& id : live) {
    const Instance& instance = instances_.at(id);
    const api::NodeClaim* claim = context_.state.node_claims().find(instance.claim);
    if (claim != nullptr) tokens_[claim->meta.uid] = id;
    if (instance.going) {
      context_.after(context_.scenario.cloud.shutdown.draw(delays_), [this, id] { end(id); });
      continue;
    }
    if (!instance.claim.empty() && claim == nullptr) {
      terminate(id, "claim removed");
      continue;
    }
    if (instance.taken_at) {
      context_.state.observe_interruption(id, "spot interruption");
      context_.events.at(std::max(*instance.taken_at, context_.now), [this, id] { take_back(id); });
    } else if (instance.answered) {
      plan_interruption(instance);
    }
    if (!instance.answered) {
      context_.after(context_.scenario.cloud.launch.draw(delays_), [this, id] { answer(id); });
    } else if (claim != nullptr && claim->provider_id.empty()) {
      answer_again(id);  // the claim hasn't heard of it yet
    }
    if (instance.answered && context_.state.node_by_provider_id(id) == nullptr) {
      // It boots, or its Node object was removed; a kubelet that starts makes one.
      on_running(instance);
    }
  }
}

}  // namespace windlass::sim
