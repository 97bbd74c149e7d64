#include <algorithm>
#include <cmath>

#include "server/observe/frame_builder.h"
#include "server/observe/json_text.h"

namespace windlass::server::observe {
namespace {

constexpr std::string_view kGpuNameLabel = "karpenter.k8s.aws/instance-gpu-name";

bool tainted(const api::Node& node, std::string_view key) {
  return std::ranges::any_of(node.taints, [&](const api::Taint& t) { return t.key == key; });
}

// Whether anything but daemons still runs there.
bool has_work(const api::Node& node, const cluster::State& state) {
  return std::ranges::any_of(state.pods_on(node.meta.name), [&](const std::string& key) {
    const api::Pod& pod = state.pods().at(key);
    return !pod.terminal() && !pod.daemon();
  });
}

std::string label_of(const NodeParts& parts, std::string_view name) {
  const std::string key(name);
  for (const api::ObjectMeta* meta : {parts.node == nullptr ? nullptr : &parts.node->meta,
                                      parts.claim == nullptr ? nullptr : &parts.claim->meta}) {
    if (meta == nullptr) continue;
    if (const auto at = meta->labels.find(key); at != meta->labels.end()) return at->second;
  }
  return {};
}

std::optional<Instant> changed(const std::vector<api::Condition>& conditions,
                               std::string_view type) {
  const api::Condition* found = api::find_condition(conditions, type);
  return found == nullptr || found->status != "True" ? std::nullopt : std::optional(found->changed);
}

std::optional<Instant> since_of(const NodeParts& parts, NodePhase phase) {
  const api::NodeClaim* claim = parts.claim;
  switch (phase) {
    case NodePhase::kLaunching:
      return claim->meta.created;
    case NodePhase::kBooting:
      if (parts.instance != nullptr) return parts.instance->launched;
      return changed(claim->conditions, "Launched");
    case NodePhase::kRegistered:
      return parts.node->meta.created;
    case NodePhase::kReady:
      if (claim != nullptr) {
        if (const auto at = changed(claim->conditions, "Initialized")) return at;
      }
      if (const auto at = changed(parts.node->conditions, "Ready")) return at;
      return parts.node->meta.created;
    case NodePhase::kDraining:
    case NodePhase::kTerminating:
      if (claim != nullptr && claim->meta.deleted) return claim->meta.deleted;
      return parts.node == nullptr ? std::nullopt : parts.node->meta.deleted;
  }
  WL_UNREACHABLE("a phase of its own");
}

std::string why_of(const NodeParts& parts, NodePhase phase, const Sources& sources,
                   const DecisionFeed& decisions) {
  if (phase == NodePhase::kLaunching) {
    const api::Condition* launched = api::find_condition(parts.claim->conditions, "Launched");
    return launched == nullptr || launched->status == "True" ? "" : launched->message;
  }
  if (phase != NodePhase::kDraining && phase != NodePhase::kTerminating) {
    const bool notice = parts.instance != nullptr && parts.instance->noticed;
    return notice ? "spot interruption" : "";
  }
  const std::string& id = parts.instance != nullptr ? parts.instance->provider_id
                          : parts.claim != nullptr  ? parts.claim->provider_id
                                                    : parts.node->provider_id;
  if (const auto at = sources.state->interruptions().find(id);
      at != sources.state->interruptions().end()) {
    return at->second;
  }
  const std::string& claim = parts.claim != nullptr      ? parts.claim->meta.name
                             : parts.instance != nullptr ? parts.instance->claim
                                                         : id;
  if (const auto why = decisions.why_ending(claim); !why.empty()) return std::string(why);
  return parts.instance == nullptr ? std::string() : parts.instance->end_reason;
}

// A place a GPU: those of pods first, in order of the pods' names, as they are handed out. What is
// paid for counts from the launch on, though the node may not offer it yet.
void append_gpus(JsonText& json, const NodeParts& parts, const Sources& sources) {
  json.key("gpus").open('[');
  int64_t left = parts.instance == nullptr ? 0 : parts.instance->type->gpu_count;
  if (parts.node != nullptr) {
    left = std::max(left, api::whole_units(parts.node->allocatable.milli(api::kNvidiaGpu)));
    for (const std::string& key : sources.state->pods_on(parts.node->meta.name)) {
      const api::Pod& pod = sources.state->pods().at(key);
      if (pod.terminal() || left == 0) continue;
      const int64_t held = api::whole_units(api::pod_requests(pod.spec).milli(api::kNvidiaGpu));
      if (held == 0) continue;
      const double busy = rounded(sources.busy_share(key), 2);
      for (int64_t i = 0; i < held && left > 0; ++i, --left) {
        json.open('{').key("pod").text(key).key("busy").number(busy).close('}');
      }
    }
  }
  for (; left > 0; --left) json.open('{').key("pod").null().key("busy").integer(0).close('}');
  json.close(']');
}

// The part of the JSON that only what is billed has.
void append_bill(JsonText& json, const NodeParts& parts, Instant now) {
  if (parts.instance == nullptr) {
    json.key("usd_per_hour").null().key("usd").null();
    return;
  }
  const double rate = parts.instance->usd_per_hour;
  json.key("usd_per_hour").number(rounded(rate, 4));
  json.key("usd").number(rounded(rate * (now - parts.instance->launched).hours(), 2));
}

ElementPtr element_of(const NodeParts& parts, const Sources& sources,
                      const DecisionFeed& decisions) {
  const NodePhase phase = phase_of(parts, *sources.state);
  const sim::Instance* instance = parts.instance;
  const std::string name = parts.node != nullptr    ? parts.node->meta.name
                           : parts.claim != nullptr ? parts.claim->meta.name
                                                    : instance->node_name;
  JsonText json;
  json.reserve(448);
  json.open('{').key("name").text(name);
  json.key("claim").text_or_null(parts.claim != nullptr ? parts.claim->meta.name
                                 : instance != nullptr  ? instance->claim
                                                        : std::string());
  json.key("pool").text_or_null(label_of(parts, api::kNodePoolLabel));
  json.key("instance_type")
      .text_or_null(instance != nullptr ? instance->type->name
                                        : label_of(parts, api::kInstanceTypeLabel));
  json.key("capacity_type")
      .text_or_null(instance != nullptr ? instance->capacity_type
                                        : label_of(parts, api::kCapacityTypeLabel));
  json.key("zone").text_or_null(instance != nullptr ? instance->zone
                                                    : label_of(parts, api::kZoneLabel));
  append_bill(json, parts, sources.now());
  std::string gpu = label_of(parts, kGpuNameLabel);
  if (gpu.empty() && instance != nullptr) {
    if (const catalog::GpuCard* card = catalog::gpu_of(*instance->type)) gpu = card->name;
  }
  json.key("gpu_name").text_or_null(gpu);
  json.key("phase").text(to_string(phase)).key("since").time(since_of(parts, phase));
  json.key("unschedulable").boolean(parts.node != nullptr && parts.node->unschedulable);
  json.key("why").text(why_of(parts, phase, sources, decisions));
  append_gpus(json, parts, sources);
  json.close('}');
  return std::make_shared<Element>(Element{name, json.take(), 0});
}

}  // namespace

std::string_view to_string(NodePhase phase) {
  static constexpr std::string_view kNames[] = {"launching", "booting",  "registered",
                                                "ready",     "draining", "terminating"};
  return kNames[static_cast<size_t>(phase)];
}

NodePhase phase_of(const NodeParts& parts, const cluster::State& state) {
  const bool going = parts.instance != nullptr && parts.instance->going;
  const bool deleted = (parts.claim != nullptr && parts.claim->meta.deleted) ||
                       (parts.node != nullptr && parts.node->meta.deleted);
  if (parts.node == nullptr) {
    if (going || deleted) return NodePhase::kTerminating;
    const bool launched = parts.instance != nullptr || !parts.claim->provider_id.empty();
    return launched ? NodePhase::kBooting : NodePhase::kLaunching;
  }
  if (going) return NodePhase::kTerminating;
  if (deleted) {
    return has_work(*parts.node, state) ? NodePhase::kDraining : NodePhase::kTerminating;
  }
  if (tainted(*parts.node, api::kDisruptedTaint)) return NodePhase::kDraining;
  const bool gpus_missing = parts.instance != nullptr && parts.instance->type->gpu_count > 0 &&
                            parts.node->allocatable.milli(api::kNvidiaGpu) == 0;
  const bool initialized =
      parts.claim == nullptr || api::is_true(parts.claim->conditions, "Initialized");
  const bool up = api::is_true(parts.node->conditions, "Ready") && initialized && !gpus_missing;
  return up ? NodePhase::kReady : NodePhase::kRegistered;
}

Elements node_elements(const Sources& sources, const DecisionFeed& decisions) {
  const cluster::State& state = *sources.state;
  std::map<std::string_view, const sim::Instance*> live;  // by provider id
  for (const auto& [id, instance] : *sources.instances) {
    if (!instance.terminated) live.emplace(id, &instance);
  }
  const auto instance_of = [&](const std::string& id) {
    const auto at = live.find(id);
    return at == live.end() ? nullptr : at->second;
  };
  Elements out;
  for (const auto& [name, claim] : state.node_claims()) {
    const bool launched = !claim.provider_id.empty();
    const NodeParts parts{&claim, launched ? instance_of(claim.provider_id) : nullptr,
                          launched ? state.node_by_provider_id(claim.provider_id) : nullptr};
    out.push_back(element_of(parts, sources, decisions));
    live.erase(claim.provider_id);
  }
  for (const auto& [name, node] : state.nodes()) {
    if (state.claim_by_provider_id(node.provider_id) != nullptr) continue;
    out.push_back(element_of({nullptr, instance_of(node.provider_id), &node}, sources, decisions));
    live.erase(node.provider_id);
  }
  // Billed, though no object stands for them: just launched, or on their way out.
  for (const auto& [id, instance] : live) {
    const auto claim = state.node_claims().find(instance->claim);
    if (claim != nullptr && claim->provider_id.empty()) continue;
    out.push_back(element_of({nullptr, instance, nullptr}, sources, decisions));
  }
  return out;
}

}  // namespace windlass::server::observe
