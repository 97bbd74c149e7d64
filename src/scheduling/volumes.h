// Where a pod's volumes let it go, and what they take of a node's attach limits (karpenter.md 2.1,
// 2.6). A bound claim follows its volume's node affinity, an unbound one its class's
// allowedTopologies; each is a list of alternatives, and those of all volumes are multiplied out.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "scheduling/solve.h"

namespace windlass::scheduling {

// One volume as a node's driver sees it: driver, then the claim's key.
using Attachment = std::pair<std::string, std::string>;

struct VolumeNeeds {
  std::string problem;                          // why the pod cannot be placed at all, or empty
  std::vector<api::Requirements> alternatives;  // any one of them; empty: anywhere
  std::vector<Attachment> attachments;          // sorted, each once
};

class VolumeIndex {
 public:
  explicit VolumeIndex(const Surroundings& surroundings);
  [[nodiscard]] VolumeNeeds needs_of(const api::Pod& pod) const;
  // The same without a look at what can be had: of pods that run already.
  [[nodiscard]] std::vector<Attachment> attachments_of(const api::Pod& pod) const;

 private:
  struct Volume;
  [[nodiscard]] Volume resolve(const api::Pod& pod, const api::PodVolume& volume) const;
  [[nodiscard]] const api::StorageClass* class_named(std::string_view name) const;

  boost::unordered_flat_map<std::string, const api::PersistentVolumeClaim*> claims_;  // by key
  boost::unordered_flat_map<std::string_view, const api::PersistentVolume*> volumes_;
  boost::unordered_flat_map<std::string_view, const api::StorageClass*> classes_;
  const api::StorageClass* default_class_ = nullptr;
};

}  // namespace windlass::scheduling
