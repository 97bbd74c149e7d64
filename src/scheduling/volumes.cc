#include "scheduling/volumes.h"

#include <algorithm>

#include <fmt/format.h>

namespace windlass::scheduling {

// One volume of a pod, looked up.
struct VolumeIndex::Volume {
  std::string problem;
  const std::vector<api::NodeSelectorTerm>* terms = nullptr;  // ORed; null: anywhere
  bool local = false;
  Attachment attachment;
};

namespace {

// The label drivers put on volumes for the zone, and Kubernetes' old one.
constexpr std::string_view kEbsZone = "topology.ebs.csi.aws.com/zone";
constexpr std::string_view kBetaZone = "failure-domain.beta.kubernetes.io/zone";

api::Requirements requirements_of(const api::NodeSelectorTerm& term, bool local) {
  api::Requirements out;
  for (const api::RequirementSpec& spec : term.match_expressions) {
    // A local volume is tied to a host that is gone when the pod has to be placed anew.
    if (local && spec.key == api::kHostnameLabel) continue;
    const bool zone = spec.key == kEbsZone || spec.key == kBetaZone;
    out.add(zone ? api::kZoneLabel : std::string_view(spec.key),
            api::Requirement(spec.op, spec.values));
  }
  return out;
}

// Every combination that some node could meet, each once, in the order of the terms.
std::vector<api::Requirements> multiply(const std::vector<api::Requirements>& before,
                                        const std::vector<api::NodeSelectorTerm>& terms,
                                        bool local) {
  std::vector<api::Requirements> out;
  for (const api::Requirements& so_far : before) {
    for (const api::NodeSelectorTerm& term : terms) {
      const api::Requirements more = requirements_of(term, local);
      if (!so_far.intersects(more)) continue;
      api::Requirements both = so_far;
      both.add(more);
      if (std::ranges::find(out, both) == out.end()) out.push_back(std::move(both));
    }
  }
  return out;
}

}  // namespace

VolumeIndex::VolumeIndex(const Surroundings& surroundings) {
  for (const auto* claim : surroundings.claims) claims_.emplace(claim->meta.key(), claim);
  for (const auto* volume : surroundings.volumes) volumes_.emplace(volume->meta.name, volume);
  for (const auto* storage_class : surroundings.classes) {
    classes_.emplace(storage_class->meta.name, storage_class);
    if (!storage_class->is_default) continue;
    // Of several defaults the newest counts, as in Kubernetes; ties: the first by name.
    const auto rank = [](const api::StorageClass& one) {
      return std::pair(-one.meta.created.ns, std::string_view(one.meta.name));
    };
    const bool better = default_class_ == nullptr || rank(*storage_class) < rank(*default_class_);
    if (better) default_class_ = storage_class;
  }
}

const api::StorageClass* VolumeIndex::class_named(std::string_view name) const {
  if (name.empty()) return default_class_;
  const auto at = classes_.find(name);
  return at == classes_.end() ? nullptr : at->second;
}

VolumeIndex::Volume VolumeIndex::resolve(const api::Pod& pod, const api::PodVolume& volume) const {
  Volume out;
  const std::string name = volume.ephemeral ? pod.meta.name + "-" + volume.name : volume.claim;
  const std::string key = pod.meta.namespace_name + "/" + name;
  const auto claim = claims_.find(key);
  if (claim == claims_.end() && !volume.ephemeral) {
    out.problem = fmt::format("volume {}: claim {} does not exist", volume.name, key);
    return out;
  }
  const bool there = claim != claims_.end();
  if (there && !claim->second->volume.empty()) {
    const auto bound = volumes_.find(claim->second->volume);
    if (bound == volumes_.end()) {
      out.problem = fmt::format("volume {}: claim {} is bound to volume {}, which does not exist",
                                volume.name, key, claim->second->volume);
      return out;
    }
    if (!bound->second->node_terms.empty()) out.terms = &bound->second->node_terms;
    out.local = bound->second->local;
    out.attachment = {bound->second->csi_driver, key};
    return out;
  }
  const std::string& wanted = there ? claim->second->storage_class : volume.storage_class;
  const api::StorageClass* storage_class = class_named(wanted);
  if (storage_class == nullptr) {
    out.problem = wanted.empty()
                      ? fmt::format(
                            "volume {}: claim {} is not bound and names no storage class, "
                            "and no class is the default",
                            volume.name, key)
                      : fmt::format("volume {}: storage class {} of claim {} does not exist",
                                    volume.name, wanted, key);
    return out;
  }
  if (!storage_class->allowed_terms.empty()) out.terms = &storage_class->allowed_terms;
  out.attachment = {storage_class->provisioner, key};
  return out;
}

VolumeNeeds VolumeIndex::needs_of(const api::Pod& pod) const {
  VolumeNeeds needs;
  for (const api::PodVolume& volume : pod.spec.volumes) {
    Volume found = resolve(pod, volume);
    if (!found.problem.empty()) {
      needs.problem = std::move(found.problem);
      return needs;
    }
    if (!found.attachment.first.empty()) needs.attachments.push_back(std::move(found.attachment));
    if (found.terms == nullptr) continue;
    const std::vector<api::Requirements> before =
        needs.alternatives.empty() ? std::vector<api::Requirements>(1) : needs.alternatives;
    needs.alternatives = multiply(before, *found.terms, found.local);
    if (needs.alternatives.empty()) {
      needs.problem =
          fmt::format("volume {}: no node can reach it and the volumes before it", volume.name);
      return needs;
    }
  }
  std::ranges::sort(needs.attachments);
  const auto again = std::ranges::unique(needs.attachments);
  needs.attachments.erase(again.begin(), again.end());
  return needs;
}

std::vector<Attachment> VolumeIndex::attachments_of(const api::Pod& pod) const {
  std::vector<Attachment> out;
  for (const api::PodVolume& volume : pod.spec.volumes) {
    Volume found = resolve(pod, volume);
    const bool counts = found.problem.empty() && !found.attachment.first.empty();
    if (counts) out.push_back(std::move(found.attachment));
  }
  return out;
}

}  // namespace windlass::scheduling
