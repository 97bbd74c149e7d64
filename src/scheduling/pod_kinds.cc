#include "scheduling/pod_kinds.h"

#include <algorithm>

#include <boost/unordered/unordered_flat_map.hpp>

#include "base/hash.h"
#include "scheduling/pod_identity.h"

namespace windlass::scheduling {
namespace {

// Numbers things by hash and a full comparison, so that a collision costs time only.
class Buckets {
 public:
  // The number of the known thing that `same(number)` recognises, else `next` (now known).
  template <typename Same>
  uint32_t find_or_add(uint64_t hash, uint32_t next, Same same) {
    std::vector<uint32_t>& bucket = by_hash_[hash];
    for (const uint32_t known : bucket) {
      if (same(known)) return known;
    }
    bucket.push_back(next);
    return next;
  }

 private:
  boost::unordered_flat_map<uint64_t, std::vector<uint32_t>> by_hash_;
};

// Never placed, whatever there is (karpenter.md 2.1).
std::string why_rejected(const api::Pod& pod, const VolumeNeeds& volumes) {
  if (pod.spec.has_resource_claims) {
    return "resource claims (dynamic resource allocation): such pods are not provisioned for";
  }
  const auto wants_no_pool = [](const api::RequirementSpec& wish) {
    return wish.key == api::kNodePoolLabel && wish.op == api::Operator::kDoesNotExist;
  };
  for (const api::NodeSelectorTerm& term : pod.spec.required_node_terms) {
    if (std::ranges::any_of(term.match_expressions, wants_no_pool)) {
      return "label karpenter.sh/nodepool: asked DoesNotExist, so no pool may make its node";
    }
  }
  return volumes.problem;
}

class Grouping {
 public:
  Grouping(const Problem& problem, const VolumeIndex& volumes)
      : problem_(problem), volumes_(volumes), identity_(problem) {
    attachments_matter_ = std::ranges::any_of(
        problem.nodes, [](const ExistingNode& node) { return !node.attach_limits.empty(); });
  }

  PodKinds run() {
    out_.of_pod.reserve(problem_.pods.size());
    for (const api::Pod* pod : problem_.pods) {
      const uint32_t form = form_of(*pod);
      const uint32_t size = size_of(*pod);
      const uint64_t both = uint64_t{form} << 32 | size;
      const auto next = static_cast<uint32_t>(out_.kinds.size());
      const auto [at, is_new] = kind_of_.try_emplace(both, next);
      if (is_new) {
        PodKind& kind = out_.kinds.emplace_back();
        kind.form = form;
        kind.requests = sizes_[size].requests;
      }
      out_.of_pod.push_back(at->second);
    }
    return std::move(out_);
  }

 private:
  struct Size {
    const api::PodSpec* example;
    api::ResourceList requests;
  };

  uint32_t size_of(const api::Pod& pod) {
    const auto next = static_cast<uint32_t>(sizes_.size());
    const uint32_t size = size_buckets_.find_or_add(hash_size(pod.spec), next, [&](uint32_t known) {
      return same_size(*sizes_[known].example, pod.spec);
    });
    if (size == next) sizes_.push_back({&pod.spec, api::pod_requests(pod.spec)});
    return size;
  }

  uint32_t form_of(const api::Pod& pod) {
    const api::Requirements* extra = nullptr;
    std::optional<int32_t> group;
    if (!problem_.claim_requirements.empty() || !problem_.claim_groups.empty()) {
      const std::string key = pod.meta.key();
      const auto requirements = problem_.claim_requirements.find(key);
      if (requirements != problem_.claim_requirements.end()) extra = &requirements->second;
      const auto number = problem_.claim_groups.find(key);
      if (number != problem_.claim_groups.end()) group = number->second;
    }
    VolumeNeeds needs;
    if (!pod.spec.volumes.empty()) needs = volumes_.needs_of(pod);
    if (!attachments_matter_) needs.attachments.clear();

    Hash64 hash;
    hash.add(identity_.hash_form(pod));
    if (extra != nullptr) hash.add(extra->to_string());
    if (group) hash.add(int64_t{*group});
    hash.add(needs.problem);
    for (const auto& alternative : needs.alternatives) hash.add(alternative.to_string());
    for (const auto& [driver, volume] : needs.attachments) hash.add(volume);
    const auto same = [&](uint32_t known) {
      const PodForm& form = out_.forms[known];
      const bool same_extra = extra == nullptr || form.claim_extra == nullptr
                                  ? extra == form.claim_extra
                                  : *extra == *form.claim_extra;
      return form.claim_group == group && same_extra && form.volumes.problem == needs.problem &&
             form.volumes.alternatives == needs.alternatives &&
             form.volumes.attachments == needs.attachments &&
             identity_.same_form(*form.example, pod);
    };
    const auto next = static_cast<uint32_t>(out_.forms.size());
    const uint32_t found = form_buckets_.find_or_add(hash.value(), next, same);
    if (found == next) {
      PodForm& form = out_.forms.emplace_back();
      form.example = &pod;
      form.claim_extra = extra;
      form.claim_group = group;
      form.rejected = why_rejected(pod, needs);
      form.volumes = std::move(needs);
      form.ports = host_ports(pod.spec);
    }
    return found;
  }

  const Problem& problem_;
  const VolumeIndex& volumes_;
  PodIdentity identity_;
  bool attachments_matter_ = false;
  PodKinds out_;
  std::vector<Size> sizes_;
  Buckets form_buckets_;
  Buckets size_buckets_;
  boost::unordered_flat_map<uint64_t, uint32_t> kind_of_;
};

}  // namespace

PodKinds group_pods(const Problem& problem, const VolumeIndex& volumes) {
  return Grouping(problem, volumes).run();
}

}  // namespace windlass::scheduling
