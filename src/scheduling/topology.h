// Topology of a solve: its groups with their counts, made ready from the problem, and what a placed
// pod adds to them. Which places the counts leave open is in topology_rules.h.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "scheduling/topology_group.h"

namespace windlass::scheduling {

struct Search;
struct OpenClaim;
struct PodForm;
struct Problem;

struct Topology {
  std::vector<DomainTable> tables;
  std::vector<TopologyGroup> groups;

  // Domains of a key that a claim's state leaves open, in order of name. Remembered.
  const std::vector<uint32_t>& open_domains(const Search& search, uint32_t template_index,
                                            int32_t state, uint32_t table);
  // Whether the group counts pods of a claim in this state. Remembered.
  bool counts_claim(const Search& search, uint32_t group, uint32_t template_index, int32_t state);
  // "In" of these domains, interned.
  uint32_t pin(Search& search, uint32_t table, const std::vector<uint32_t>& domains);

 private:
  boost::unordered_flat_map<uint64_t, std::vector<uint32_t>> open_;
  boost::unordered_flat_map<uint64_t, bool> counted_;
};

// Gives every variant of every form its rules and every form the groups that count it; fills the
// groups' domains and counts the pods that are on nodes already.
void prepare_topology(Search& search, const Problem& problem);

// Counts a pod that was placed.
void count_on_node(Search& search, const PodForm& form, size_t node);
// A claim that may still be in several domains counts in none, but for anti-affinity in all of
// them, as in Karpenter: whichever it will be, nobody avoided may go there.
void count_on_claim(Search& search, const PodForm& form, const OpenClaim& claim);

}  // namespace windlass::scheduling
