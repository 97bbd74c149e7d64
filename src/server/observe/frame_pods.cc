#include <fmt/format.h>

#include "base/hash.h"
#include "server/observe/frame_builder.h"
#include "server/observe/json_text.h"

namespace windlass::server::observe {
namespace {

std::string element_json(const api::Pod& pod, const std::string& key, const PodStand& stand,
                         std::string_view why, const cluster::State& state) {
  JsonText json;
  json.reserve(256);
  json.open('{').key("key").text(key).key("owner").text_or_null(owner_of(pod, state));
  json.key("node").text_or_null(pod.spec.node_name);
  json.key("phase").text(to_string(stand.step)).key("since").time(stand.since);
  json.key("why").text(why);
  json.key("gpus").integer(api::whole_units(api::pod_requests(pod.spec).milli(api::kNvidiaGpu)));
  json.close('}');
  return json.take();
}

}  // namespace

std::string_view to_string(PodStep step) {
  static constexpr std::string_view kNames[] = {"pending", "pulling",  "loading",   "starting",
                                                "ready",   "draining", "succeeded", "failed"};
  return kNames[static_cast<size_t>(step)];
}

PodStand stand_of(const api::Pod& pod, const std::optional<PodTimes>& times, Instant now) {
  // When it ended is not part of what is known of a pod.
  if (pod.phase == api::PodPhase::kSucceeded) return {PodStep::kDone, std::nullopt};
  if (pod.phase == api::PodPhase::kFailed) return {PodStep::kFailed, std::nullopt};
  if (pod.meta.deleted) return {PodStep::kDraining, pod.meta.deleted};
  if (pod.spec.node_name.empty()) return {PodStep::kPending, pod.meta.created};
  if (pod.ready) return {PodStep::kReady, pod.ready_at};
  const std::optional<Instant> bound = pod.scheduled_at;
  if (!times) return {PodStep::kStarting, bound};
  if (now < times->pull_until) return {PodStep::kPulling, bound};
  if (now < times->load_until) {
    // With the image there from before, loading began when it was bound.
    return {PodStep::kLoading, std::max(times->pull_until, bound.value_or(times->pull_until))};
  }
  return {PodStep::kStarting, std::max(times->load_until, bound.value_or(times->load_until))};
}

std::string owner_of(const api::Pod& pod, const cluster::State& state) {
  if (const api::Deployment* deployment = state.deployment_of(pod)) {
    return "Deployment/" + deployment->meta.key();
  }
  for (const api::OwnerReference& owner : pod.meta.owners) {
    if (owner.kind == "Node") continue;  // a static pod's
    return fmt::format("{}/{}/{}", owner.kind, pod.meta.namespace_name, owner.name);
  }
  return {};
}

// Most pods are as they were: those are not written again but taken from the frame before.
Elements FrameBuilder::pods(const Elements& before) const {
  const cluster::State& state = *sources_.state;
  const Instant now = sources_.now();
  Elements out;
  out.reserve(state.pods().size());
  size_t at = 0;
  for (const auto& [key, pod] : state.pods()) {
    const bool waits = pod.spec.node_name.empty() && !pod.terminal();
    const bool starts = !waits && !pod.ready && !pod.terminal() && !pod.meta.deleted;
    const PodStand stand = stand_of(pod, starts ? sources_.pod_times(key) : std::nullopt, now);
    std::string_view why = waits ? decisions_.why_pending(key) : std::string_view();
    if (waits && why.empty()) why = pod.unschedulable_message;
    Hash64 stamp;
    stamp.add(pod.meta.resource_version);
    stamp.add(static_cast<uint64_t>(stand.step));
    stamp.add(why);
    while (at < before.size() && before[at]->key < key) ++at;
    const bool known = at < before.size() && before[at]->key == key;
    if (known && before[at]->stamp == stamp.value()) {
      out.push_back(before[at]);
    } else {
      out.push_back(std::make_shared<Element>(
          Element{key, element_json(pod, key, stand, why, state), stamp.value()}));
    }
  }
  return out;
}

}  // namespace windlass::server::observe
