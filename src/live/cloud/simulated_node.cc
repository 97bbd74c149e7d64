#include "live/cloud/simulated_node.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "api/object.h"
#include "base/log.h"

namespace windlass::live::cloud {
namespace {

constexpr std::string_view kNotReadyTaint = "node.kubernetes.io/not-ready";
constexpr const char* kLeases = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";

// metav1.MicroTime: always six digits.
std::string micro_stamp(Instant at) {
  std::string text = time_stamp(at);
  text.pop_back();
  return text + ".000000Z";
}

Json part(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it == object.end() ? Json() : *it;
}

std::string text(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

// GPUs and the like: what a device plugin tells the kubelet of. Their names have a domain.
bool is_device(const std::string& resource) { return resource.find('/') != std::string::npos; }

Json condition(std::string_view type, bool is_true, std::string_view reason,
               std::string_view message, Instant since, Instant now) {
  return {{"type", type},
          {"status", is_true ? "True" : "False"},
          {"reason", reason},
          {"message", message},
          {"lastTransitionTime", time_stamp(since)},
          {"lastHeartbeatTime", time_stamp(now)}};
}

api::Node node_of(const SimulatedInstance& instance, const catalog::InstanceType& type) {
  api::Node node;
  node.meta.name = instance.node_name;
  node.meta.labels = type.requirements.labels();
  const auto label = [&](std::string_view key, const std::string& value) {
    if (!value.empty()) node.meta.labels[std::string(key)] = value;
  };
  label(api::kHostnameLabel, instance.node_name);
  label(api::kInstanceTypeLabel, instance.instance_type);
  label(api::kZoneLabel, instance.zone);
  label(api::kRegionLabel, region_of(instance.zone));
  label(api::kCapacityTypeLabel, instance.capacity_type);
  label(api::kReservationIdLabel, instance.reservation_id);
  // A catalogue of one's own may say nothing of these.
  node.meta.labels.try_emplace(std::string(api::kOsLabel), "linux");
  node.meta.labels.try_emplace(std::string(api::kArchLabel), "amd64");
  node.provider_id = instance.provider_id;
  node.taints = {{std::string(api::kUnregisteredTaint), "", "NoExecute"},
                 {std::string(kNotReadyTaint), "", "NoSchedule"}};
  node.capacity = type.capacity;
  node.allocatable = type.allocatable;
  return node;
}

}  // namespace

SimulatedNode::SimulatedNode(kube::Api& api, net::Clock& clock, const SimulatedInstance& instance,
                             const catalog::InstanceType& type, NodeTimes times)
    : clock_(clock),
      errands_(api, clock),
      name_(instance.node_name),
      provider_id_(instance.provider_id),
      was_joined_(instance.joined.has_value()),
      node_(node_of(instance, type)),
      times_(times) {}

Duration SimulatedNode::until(Instant at) const {
  // A wall clock that jumped back must not make anybody wait for years.
  return std::clamp(at - clock_.now(), Duration{}, hours(1));
}

void SimulatedNode::start() {
  if (was_joined_) return look(false);
  errands_.after(until(times_.boots_at), [this] { join(); });
}

Json SimulatedNode::node_object() const {
  api::Node bare = node_;
  bare.capacity = {};
  bare.allocatable = {};
  Json object = api::encode(bare);
  object.erase("status");
  return object;
}

void SimulatedNode::join() {
  errands_.send(post("/api/v1/nodes", node_object()), [this](const kube::Reply& reply) {
    if (reply.ok()) {
      const Result<Json> node = kube::object_in(reply, path());
      if (!node.ok()) return false;
      joined(*node);
    } else if (reply.code == kConflict) {
      look(true);  // an earlier try that was not heard of, or somebody else
    } else {
      log::warning("node " + name_ + " can't join: " + reply.message);
      return false;
    }
    return true;
  });
}

// `just_made`: it may be there under our name without being ours, or gone again already.
void SimulatedNode::look(bool just_made) {
  errands_.send(get(path()), [this, just_made](const kube::Reply& reply) {
    if (reply.code == kNotFound) {
      if (just_made) {
        join();
      } else {
        lose();
      }
      return true;
    }
    const Result<Json> node = reply.ok() ? kube::object_in(reply, path()) : Error("refused");
    if (!node.ok()) return false;
    if (text(part(*node, "spec"), "providerID") != provider_id_) {
      if (just_made) {
        on_name_taken();
      } else {
        lose();
      }
      return true;
    }
    if (uid_.empty()) joined(*node);
    return true;
  });
}

void SimulatedNode::doubt() {
  if (!uid_.empty() && !lost_) look(false);
}

void SimulatedNode::joined(const Json& node) {
  uid_ = text(part(node, "metadata"), "uid");
  ready_since_ = clock_.now();
  for (const Json& known : part(part(node, "status"), "conditions")) {
    if (text(known, "type") != "Ready" || text(known, "status") != "True") continue;
    const Result<Instant> since = parse_rfc3339(text(known, "lastTransitionTime"));
    if (since.ok()) ready_since_ = *since;
  }
  if (!was_joined_) {
    was_joined_ = true;
    on_joined();
  }
  write_status();
  renew_lease();
  if (clock_.now() < times_.devices_at) {
    errands_.after(until(times_.devices_at), [this] { write_status(); });
  }
}

Json SimulatedNode::status() const {
  const Instant now = clock_.now();
  api::Node told = node_;
  if (now < times_.devices_at) {
    for (const auto& [resource, milli] : node_.capacity) {
      if (is_device(resource)) told.capacity.erase(resource);
    }
    for (const auto& [resource, milli] : node_.allocatable) {
      if (is_device(resource)) told.allocatable.erase(resource);
    }
  }
  Json out = api::encode(told)["status"];
  const auto fine = [&](const char* type, const char* reason, const char* message) {
    return condition(type, false, reason, message, ready_since_, now);
  };
  out["conditions"] = Json::array(
      {fine("MemoryPressure", "KubeletHasSufficientMemory",
            "kubelet has sufficient memory available"),
       fine("DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
       fine("PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
       condition("Ready", true, "KubeletReady", "kubelet is posting ready status", ready_since_,
                 now)});
  out["addresses"] = Json::array({{{"type", "InternalIP"}, {"address", address_of(name_)}},
                                  {{"type", "Hostname"}, {"address", name_}}});
  const auto arch = node_.meta.labels.find(api::kArchLabel);
  out["nodeInfo"] = {{"architecture", arch->second},
                     {"operatingSystem", "linux"},
                     {"osImage", "Windlass simulated node"},
                     {"kernelVersion", "simulated"},
                     {"kubeletVersion", "v1.34.0"},
                     {"kubeProxyVersion", ""},
                     {"containerRuntimeVersion", "simulated://1.0"},
                     {"machineID", provider_id_},
                     {"systemUUID", provider_id_},
                     {"bootID", provider_id_}};
  return out;
}

// Always the status of now; what changes while it is under way is written after it.
void SimulatedNode::write_status() {
  if (lost_) return;
  write_again_ = writing_;
  if (writing_) return;
  writing_ = true;
  errands_.send(patch(path() + "/status", {{"status", status()}}, kube::PatchType::kStrategicMerge),
                [this](const kube::Reply& reply) {
                  if (reply.code == kNotFound) {
                    lose();
                    return true;
                  }
                  if (!reply.ok()) return false;
                  writing_ = false;
                  if (write_again_) {
                    write_status();
                  } else if (!ready_) {
                    became_ready();
                  }
                  return true;
                });
}

void SimulatedNode::became_ready() {
  ready_ = true;
  beat();
  drop_not_ready_taint();
  on_ready();
}

void SimulatedNode::beat() {
  errands_.after(times_.heartbeat, [this] {
    write_status();
    if (!lost_) beat();
  });
}

// What the node lifecycle controller does where there is one. Others write taints, too: only the
// version that was read is changed.
void SimulatedNode::drop_not_ready_taint() {
  errands_.send(get(path()), [this](const kube::Reply& reply) {
    if (reply.code == kNotFound) {
      lose();
      return true;
    }
    const Result<Json> found = reply.ok() ? kube::object_in(reply, path()) : Error("refused");
    if (!found.ok()) return false;
    const Json& node = *found;
    Json kept = Json::array();
    bool has = false;
    for (const Json& taint : part(part(node, "spec"), "taints")) {
      if (text(taint, "key") == kNotReadyTaint) {
        has = true;
      } else {
        kept.push_back(taint);
      }
    }
    if (!has) return true;
    const Json meta{{"resourceVersion", text(part(node, "metadata"), "resourceVersion")}};
    errands_.send(
        patch(path(), {{"metadata", meta}, {"spec", {{"taints", kept}}}}, kube::PatchType::kMerge),
        [this](const kube::Reply& answer) {
          if (answer.ok()) return true;
          if (answer.code != kConflict && answer.code != kNotFound) return false;
          drop_not_ready_taint();
          return true;
        });
    return true;
  });
}

void SimulatedNode::renew_lease() {
  if (lost_) return;
  errands_.after(times_.lease_period, [this] { renew_lease(); });
  if (leasing_) return;
  leasing_ = true;
  kube::Request renewal =
      patch(std::string(kLeases) + "/" + name_,
            {{"spec", {{"renewTime", micro_stamp(clock_.now())}}}}, kube::PatchType::kMerge);
  renewal.urgent = true;
  // Not repeated: the next one comes soon, and an old time is no news.
  errands_.send_once(std::move(renewal), [this](const kube::Reply& reply) {
    leasing_ = false;
    if (reply.code == kNotFound) make_lease();
  });
}

void SimulatedNode::make_lease() {
  const Json lease{
      {"apiVersion", "coordination.k8s.io/v1"},
      {"kind", "Lease"},
      {"metadata",
       {{"name", name_},
        {"namespace", "kube-node-lease"},
        {"ownerReferences",
         Json::array({{{"apiVersion", "v1"}, {"kind", "Node"}, {"name", name_}, {"uid", uid_}}})}}},
      {"spec",
       {{"holderIdentity", name_},
        {"leaseDurationSeconds", 40},
        {"renewTime", micro_stamp(clock_.now())}}}};
  leasing_ = true;
  errands_.send_once(post(kLeases, lease), [this](const kube::Reply&) { leasing_ = false; });
}

void SimulatedNode::lose() {
  if (lost_) return;
  lost_ = true;
  on_lost();
}

}  // namespace windlass::live::cloud
