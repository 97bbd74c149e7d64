#include "live/cloud/simulated_kubelet.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "base/text.h"
#include "live/cloud/simulated_instance.h"

namespace windlass::live::cloud {
namespace {

// Always the same for a pod; nodes have addresses below 10.128.
std::string pod_address(const std::string& uid) {
  Hash64 hash;
  hash.add("pod address");
  hash.add(uid);
  const uint64_t bits = hash.value();
  return fmt::format("10.{}.{}.{}", 128 + (bits & 0x7f), (bits >> 8) & 0xff,
                     1 + ((bits >> 16) % 254));
}

std::optional<Duration> run_length(const api::Pod& pod) {
  const auto said = pod.meta.annotations.find(kRunSeconds);
  if (said == pod.meta.annotations.end()) return std::nullopt;
  const bool ends = std::all_of(pod.meta.owners.begin(), pod.meta.owners.end(),
                                [](const auto& owner) { return owner.kind == "Job"; });
  const Result<double> length = parse_double(said->second);
  if (!ends || !length.ok() || *length < 0) return std::nullopt;
  return from_seconds(*length);
}

}  // namespace

std::string SimulatedKubelets::Pod::path() const {
  return fmt::format("/api/v1/namespaces/{}/pods/{}", namespace_name, name);
}

SimulatedKubelets::SimulatedKubelets(kube::Api& api, net::Clock& clock, KubeletTimes times)
    : api_(api), clock_(clock), times_(times) {}
SimulatedKubelets::~SimulatedKubelets() = default;

size_t SimulatedKubelets::pods() const { return pods_.size() + waiting_.size(); }

void SimulatedKubelets::add_node(const std::string& node) {
  nodes_[node].up = true;
  std::vector<api::Pod> there;
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    const bool here = it->second.spec.node_name == node;
    if (here) there.push_back(std::move(it->second));
    it = here ? waiting_.erase(it) : std::next(it);
  }
  for (const api::Pod& pod : there) take_up(pod);
}

void SimulatedKubelets::remove_node(const std::string& node) {
  std::erase_if(waiting_, [&](const auto& entry) { return entry.second.spec.node_name == node; });
  const auto it = nodes_.find(node);
  if (it == nodes_.end()) return;
  for (const std::string& key : it->second.pods) pods_.erase(key);
  nodes_.erase(it);
}

void SimulatedKubelets::forget_others(const std::set<std::string>& expected_nodes) {
  std::erase_if(waiting_, [&](const auto& entry) {
    return !expected_nodes.contains(entry.second.spec.node_name);
  });
}

void SimulatedKubelets::pod_changed(const api::Pod& pod, bool expected) {
  if (pod.spec.node_name.empty()) return;
  const auto node = nodes_.find(pod.spec.node_name);
  if (node != nodes_.end() && node->second.up) return take_up(pod);
  if (expected) waiting_[pod.meta.key()] = pod;
}

void SimulatedKubelets::pod_gone(const std::string& key) {
  waiting_.erase(key);
  forget(key);
}

void SimulatedKubelets::forget(const std::string& key) {
  const auto it = pods_.find(key);
  if (it == pods_.end()) return;
  nodes_[it->second->node].pods.erase(key);
  pods_.erase(it);
}

void SimulatedKubelets::take_up(const api::Pod& pod) {
  const std::string key = pod.meta.key();
  const auto known = pods_.find(key);
  if (known != pods_.end() && known->second->uid == pod.meta.uid) {
    if (pod.meta.deleted) stop(*known->second);
    return;
  }
  forget(key);
  if (pod.terminal() && !pod.meta.deleted) return;
  auto made = std::make_unique<Pod>(api_, clock_);
  made->key = key;
  made->name = pod.meta.name;
  made->namespace_name = pod.meta.namespace_name;
  made->uid = pod.meta.uid;
  made->node = pod.spec.node_name;
  for (const api::Container& container : pod.spec.containers) {
    made->containers.push_back({container.name, container.image});
  }
  made->grace = pod.spec.termination_grace;
  made->runs = run_length(pod);
  const Instant now = clock_.now();
  made->began = pod.started_at.value_or(now);
  made->ran = made->began;
  made->was_ready = pod.ready_at.value_or(now);
  if (pod.phase == api::PodPhase::kRunning) {
    made->stage = made->written = pod.ready ? Stage::kReady : Stage::kRunning;
  }
  Pod& held = *made;
  pods_[key] = std::move(made);
  nodes_[held.node].pods.insert(key);
  if (pod.meta.deleted) {
    stop(held);
  } else {
    begin(held);
  }
}

void SimulatedKubelets::begin(Pod& pod) {
  if (pod.stage == Stage::kFound) return reach(pod, Stage::kCreating);
  plan_next(pod);
}

void SimulatedKubelets::reach(Pod& pod, Stage stage) {
  pod.stage = stage;
  const Instant now = clock_.now();
  if (stage == Stage::kRunning) pod.ran = now;
  if (stage == Stage::kReady) pod.was_ready = now;
  if (stage == Stage::kSucceeded) pod.ended = now;
  write(pod);
  plan_next(pod);
}

void SimulatedKubelets::plan_next(Pod& pod) {
  const auto next = [&](Duration delay, Stage stage) {
    pod.errands.after(delay, [this, &pod, stage] {
      if (!pod.deleting) reach(pod, stage);
    });
  };
  switch (pod.stage) {
    case Stage::kCreating: {
      const Duration now = clock_.steady();
      Duration there = now;
      for (const Container& container : pod.containers) {
        const auto [image, absent] =
            nodes_[pod.node].images.try_emplace(container.image, now + times_.pull);
        there = std::max(there, image->second);
      }
      return next(there - now, Stage::kRunning);
    }
    case Stage::kRunning:
      return next(times_.ready, Stage::kReady);
    case Stage::kReady:
      if (pod.runs) {
        const Duration left = pod.ran + *pod.runs - clock_.now();
        next(std::clamp(left, Duration{}, *pod.runs), Stage::kSucceeded);
      }
      return;
    case Stage::kFound:
    case Stage::kSucceeded:
      return;
  }
}

Json SimulatedKubelets::status_of(const Pod& pod) const {
  const bool runs = pod.stage == Stage::kRunning || pod.stage == Stage::kReady;
  const bool ready = pod.stage == Stage::kReady;
  const bool done = pod.stage == Stage::kSucceeded;
  const auto condition = [](const char* type, bool is_true, const char* reason, Instant since) {
    Json out{{"type", type},
             {"status", is_true ? "True" : "False"},
             {"lastTransitionTime", time_stamp(since)}};
    if (!is_true) out["reason"] = reason;
    return out;
  };
  const Instant since = ready ? pod.was_ready : done ? pod.ended : pod.began;
  const char* why = done ? "PodCompleted" : "ContainersNotReady";
  Json status;
  status["phase"] = done ? "Succeeded" : runs ? "Running" : "Pending";
  status["startTime"] = time_stamp(pod.began);
  status["hostIP"] = address_of(pod.node);
  status["hostIPs"] = Json::array({{{"ip", address_of(pod.node)}}});
  status["conditions"] = Json::array({condition("Initialized", true, "", pod.began),
                                      condition("PodScheduled", true, "", pod.began),
                                      condition("ContainersReady", ready, why, since),
                                      condition("Ready", ready, why, since)});
  if (runs || done) {
    status["podIP"] = pod_address(pod.uid);
    status["podIPs"] = Json::array({{{"ip", pod_address(pod.uid)}}});
  }
  Json containers = Json::array();
  for (const Container& container : pod.containers) {
    Json state;
    if (done) {
      state["terminated"] = {{"exitCode", 0},
                             {"reason", "Completed"},
                             {"startedAt", time_stamp(pod.ran)},
                             {"finishedAt", time_stamp(pod.ended)}};
    } else if (runs) {
      state["running"] = {{"startedAt", time_stamp(pod.ran)}};
    } else {
      state["waiting"] = {{"reason", "ContainerCreating"}};
    }
    containers.push_back({{"name", container.name},
                          {"image", container.image},
                          {"imageID", runs || done ? container.image : ""},
                          {"restartCount", 0},
                          {"ready", ready},
                          {"started", runs},
                          {"state", std::move(state)}});
  }
  status["containerStatuses"] = std::move(containers);
  return status;
}

// One write at a time, always of the latest stage: an older one can't overtake it.
void SimulatedKubelets::write(Pod& pod) {
  if (pod.writing || pod.written == pod.stage) return;
  pod.writing = true;
  const Json body{{"metadata", {{"uid", pod.uid}}}, {"status", status_of(pod)}};
  pod.errands.send(patch(pod.path() + "/status", body, kube::PatchType::kStrategicMerge),
                   [this, &pod, stage = pod.stage](const kube::Reply& reply) {
                     if (reply.code == kNotFound) {
                       forget(pod.key);
                       return true;
                     }
                     if (reply.code == kConflict) {
                       who_is_it(pod);
                       return true;
                     }
                     if (!reply.ok()) return false;
                     pod.written = stage;
                     pod.writing = false;
                     write(pod);
                     return true;
                   });
}

// A write was refused: another pod has the name now, or too many wrote at once.
void SimulatedKubelets::who_is_it(Pod& pod) {
  pod.errands.send(get(pod.path()), [this, &pod](const kube::Reply& reply) {
    if (!reply.ok() && reply.code != kNotFound) return false;
    const Result<Json> json = kube::object_in(reply, pod.path());
    if (reply.ok() && !json.ok()) return false;
    const bool same = reply.ok() && json->at("metadata").value("uid", Json()) == Json(pod.uid);
    if (!same) {
      forget(pod.key);
      return true;
    }
    pod.writing = false;
    pod.errands.after(seconds(1), [this, &pod] { write(pod); });
    return true;
  });
}

void SimulatedKubelets::stop(Pod& pod) {
  if (pod.deleting) return;
  pod.deleting = true;
  pod.errands.after(std::min(pod.grace, times_.stop), [this, &pod] {
    pod.errands.send(erase(pod.path(), pod.uid), [this, &pod](const kube::Reply& reply) {
      const bool gone = reply.ok() || reply.code == kNotFound || reply.code == kConflict;
      if (gone) forget(pod.key);
      return gone;
    });
  });
}

}  // namespace windlass::live::cloud
