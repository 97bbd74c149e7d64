// When two pods are the same to every rule of scheduling but for their size, and when they are of
// one size. Names, owners and ages play no part; labels only where some selector reads them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "scheduling/solve.h"

namespace windlass::scheduling {

// What of a problem decides identity beside the pods themselves.
class PodIdentity {
 public:
  explicit PodIdentity(const Problem& problem);

  // Some pod, waiting or there, looks at other pods: namespaces and the labels that are read count.
  [[nodiscard]] bool topology_matters() const { return topology_matters_; }
  // Hashes what nearly always tells pods apart; same_form() decides.
  [[nodiscard]] uint64_t hash_form(const api::Pod& pod) const;
  // Volumes are left out: what they come to counts, not what they are called.
  [[nodiscard]] bool same_form(const api::Pod& a, const api::Pod& b) const;

 private:
  void learn(const api::LabelSelector& selector, const std::vector<std::string>& label_keys);
  void learn(const api::PodAffinity& affinity);
  void learn(const api::PodSpec& spec);
  [[nodiscard]] bool is_read(std::string_view label) const;

  bool topology_matters_ = false;
  std::vector<std::string> labels_read_;  // keys, sorted
};

uint64_t hash_size(const api::PodSpec& spec);
bool same_size(const api::PodSpec& a, const api::PodSpec& b);

}  // namespace windlass::scheduling
