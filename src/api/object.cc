#include "api/object.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/decode.h"
#include "api/encode.h"
#include "api/kinds.h"
#include "base/text.h"
#include "base/utf8.h"

namespace windlass::api {
namespace {

struct KindEntry {
  std::string_view kind;
  std::string_view api_version;
  Object (*read)(Reader);
  // Set where `api_version` is an older one that is converted first.
  void (*convert)(Json&, Reader);
};

// The readers return their own types; the table needs one.
template <auto read_kind>
Object as_object(Reader root) {
  return read_kind(std::move(root));
}

// In the order of Object's alternatives; the first of a kind is the version that is written.
constexpr std::array<KindEntry, 30> kKinds{{
    {"Pod", "v1", as_object<read_pod>, nullptr},
    {"Node", "v1", as_object<read_node>, nullptr},
    {"Deployment", "apps/v1", as_object<read_deployment>, nullptr},
    {"DaemonSet", "apps/v1", as_object<read_daemon_set>, nullptr},
    {"Job", "batch/v1", as_object<read_job>, nullptr},
    {"PriorityClass", "scheduling.k8s.io/v1", as_object<read_priority_class>, nullptr},
    {"PodDisruptionBudget", "policy/v1", as_object<read_pod_disruption_budget>, nullptr},
    {"NodePool", "karpenter.sh/v1", as_object<read_node_pool>, nullptr},
    {"NodeClaim", "karpenter.sh/v1", as_object<read_node_claim>, nullptr},
    {"EC2NodeClass", "karpenter.k8s.aws/v1", as_object<read_ec2_node_class>, nullptr},
    {"ScaledObject", "keda.sh/v1alpha1", as_object<read_scaled_object>, nullptr},
    {"StatefulSet", "apps/v1", as_object<read_stateful_set>, nullptr},
    {"Namespace", "v1", as_object<read_namespace>, nullptr},
    {"Secret", "v1", as_object<read_secret>, nullptr},
    {"ConfigMap", "v1", as_object<read_config_map>, nullptr},
    {"PersistentVolumeClaim", "v1", as_object<read_persistent_volume_claim>, nullptr},
    {"PersistentVolume", "v1", as_object<read_persistent_volume>, nullptr},
    {"StorageClass", "storage.k8s.io/v1", as_object<read_storage_class>, nullptr},
    {"CSINode", "storage.k8s.io/v1", as_object<read_csi_node>, nullptr},
    {"HorizontalPodAutoscaler", "autoscaling/v2", as_object<read_horizontal_pod_autoscaler>,
     nullptr},
    {"ScaledJob", "keda.sh/v1alpha1", as_object<read_scaled_job>, nullptr},
    {"TriggerAuthentication", "keda.sh/v1alpha1", as_object<read_trigger_authentication>, nullptr},
    {"NodeOverlay", "karpenter.sh/v1alpha1", as_object<read_node_overlay>, nullptr},
    {"ReplicaSet", "apps/v1", as_object<read_replica_set>, nullptr},
    {"CronJob", "batch/v1", as_object<read_cron_job>, nullptr},
    {"ControllerRevision", "apps/v1", as_object<read_controller_revision>, nullptr},
    {"ClusterTriggerAuthentication", "keda.sh/v1alpha1",
     as_object<read_cluster_trigger_authentication>, nullptr},
    {"NodePool", "karpenter.sh/v1beta1", as_object<read_node_pool>, convert_node_pool},
    {"NodeClaim", "karpenter.sh/v1beta1", as_object<read_node_claim>, convert_node_claim},
    {"EC2NodeClass", "karpenter.k8s.aws/v1beta1", as_object<read_ec2_node_class>,
     convert_ec2_node_class},
}};

const KindEntry* find_kind(std::string_view kind, std::string_view api_version) {
  const auto found = std::find_if(kKinds.begin(), kKinds.end(), [&](const KindEntry& entry) {
    return entry.kind == kind && entry.api_version == api_version;
  });
  return found == kKinds.end() ? nullptr : found;
}

// Findings about the converted object go to where their fields stood before.
void restore_paths(ReadLog& log, size_t errors, size_t warnings, const std::string& kind,
                   const std::string& prefix) {
  const auto restore = [&](ReadFinding& finding) {
    if (!finding.path.starts_with(prefix)) return;
    const size_t dot = prefix.empty() ? 0 : prefix.size() + 1;
    if (finding.path.size() < dot) return;
    finding.path = finding.path.substr(0, dot) + v1beta1_path(kind, finding.path.substr(dot));
  };
  std::for_each(log.errors.begin() + static_cast<int64_t>(errors), log.errors.end(), restore);
  std::for_each(log.warnings.begin() + static_cast<int64_t>(warnings), log.warnings.end(), restore);
}

// The converted JSON becomes the object's raw, so that it is written back as v1.
Object read_converted(const KindEntry& entry, const Json& written, const std::string& path,
                      ReadLog& log) {
  Json converted = written;
  entry.convert(converted, Reader(written, path, log));
  const auto raw = std::make_shared<const Json>(std::move(converted));
  const size_t errors = log.errors.size();
  const size_t warnings = log.warnings.size();
  Object out = entry.read(Reader(*raw, path, log));
  restore_paths(log, errors, warnings, std::string(entry.kind), path);
  std::visit([&](auto& object) { object.raw = raw; }, out);
  return out;
}

}  // namespace

std::string why_not_read(std::string_view kind, std::string_view api_version) {
  std::vector<std::string> versions;
  std::vector<std::string_view> kinds;
  for (const KindEntry& entry : kKinds) {
    if (entry.kind == kind) versions.emplace_back(entry.api_version);
    kinds.push_back(entry.kind);
  }
  std::string out = fmt::format("{} of {} is not a kind Windlass reads", printable(kind, 64),
                                printable(api_version, 64));
  if (!versions.empty()) return out + fmt::format(" (accepted: {})", join(versions, ", "));
  const std::string_view near = kind.size() > 64 ? "" : nearest_name(kind, kinds);
  if (!near.empty()) out += fmt::format("; did you mean {}?", near);
  return out;
}

std::optional<Object> read_object(const RawObject& raw, const std::string& path, ReadLog& log,
                                  bool* unknown_kind) {
  const size_t errors = log.errors.size();
  *unknown_kind = false;
  Reader root(*raw, path, log);
  if (!root.present() || !root.json().is_object()) {
    root.error(fmt::format("found {} (accepted: a map with apiVersion, kind and metadata)",
                           describe(*raw)));
    return std::nullopt;
  }
  const std::string api_version = root.at("apiVersion").required_string();
  const std::string kind = root.at("kind").required_string();
  if (log.errors.size() != errors) return std::nullopt;
  const KindEntry* entry = find_kind(kind, api_version);
  if (entry == nullptr) {
    *unknown_kind = true;
    return std::nullopt;
  }
  Object out = entry->convert != nullptr ? read_converted(*entry, *raw, path, log)
                                         : entry->read(std::move(root));
  if (log.errors.size() != errors) return std::nullopt;
  if (entry->convert == nullptr) std::visit([&](auto& object) { object.raw = raw; }, out);
  return out;
}

const ObjectMeta& meta_of(const Object& object) {
  return std::visit([](const auto& o) -> const ObjectMeta& { return o.meta; }, object);
}

std::string_view kind_of(const Object& object) {
  // One type stands for two kinds.
  const auto* auth = std::get_if<TriggerAuthentication>(&object);
  if (auth != nullptr && auth->meta.namespace_name.empty()) return "ClusterTriggerAuthentication";
  return kKinds[object.index()].kind;
}

Result<Object> decode(const Json& json) {
  ReadLog log;
  bool unknown = false;
  auto object = read_object(std::make_shared<const Json>(json), "", log, &unknown);
  if (object) return *std::move(object);
  if (unknown) {
    return Error(
        why_not_read(json["kind"].get<std::string>(), json["apiVersion"].get<std::string>()));
  }
  return Error(log.joined_errors());
}

std::vector<Finding> read_faults(const Json& json) {
  ReadLog log;
  bool unknown = false;
  read_object(std::make_shared<const Json>(json), "", log, &unknown);
  std::vector<Finding> out;
  if (unknown) return out;
  for (const ReadFinding& error : log.errors) out.push_back({error.path, error.text});
  return out;
}

Json encode(const Object& object) {
  const auto& raw = std::visit([](const auto& o) -> const RawObject& { return o.raw; }, object);
  Json out = raw != nullptr && raw->is_object() ? *raw : Json::object();
  if (!out.contains("kind")) {
    out["apiVersion"] = kKinds[object.index()].api_version;
    out["kind"] = kind_of(object);
  }
  std::visit([&](const auto& o) { write(out, o); }, object);
  return out;
}

}  // namespace windlass::api
