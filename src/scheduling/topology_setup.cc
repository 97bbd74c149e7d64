// Groups and domains from a problem: what prepare_topology() does.
#include <algorithm>
#include <map>
#include <set>

#include "base/hash.h"
#include "scheduling/search.h"

namespace windlass::scheduling {
namespace {

constexpr std::string_view kNamespaceName = "kubernetes.io/metadata.name";

// Adds what matchLabelKeys says of the pod itself to a selector.
void require_same(const api::StringMap& labels, const std::vector<std::string>& keys,
                  api::LabelSelectorTerm::Op op, api::LabelSelector& selector) {
  for (const std::string& key : keys) {
    const auto own = labels.find(key);
    if (own != labels.end()) selector.match_expressions.push_back({key, op, {own->second}});
  }
}

class Setup {
 public:
  Setup(Search& search, const Problem& problem) : search_(search), problem_(problem) {}

  void run() {
    add_own_groups();
    add_groups_of_pods_there();
    if (topology().groups.empty()) return;
    fill_tables();
    for (TopologyGroup& group : topology().groups) add_known_domains(group);
    index_groups();
    count_pods_there();
    for (PodForm& form : search_.forms) bind(form);
  }

 private:
  Topology& topology() { return search_.topology; }

  uint32_t table_of(const std::string& key) {
    auto& tables = topology().tables;
    const auto at = std::ranges::find(tables, key, &DomainTable::key);
    if (at != tables.end()) return static_cast<uint32_t>(at - tables.begin());
    tables.push_back({key, key == api::kHostnameLabel, {}, {}, {}});
    return static_cast<uint32_t>(tables.size() - 1);
  }

  uint32_t add_group(TopologyGroup group) {
    Hash64 hash;
    hash.add(uint64_t{group.table} << 8 | static_cast<uint64_t>(group.rule));
    for (const auto& name : group.namespaces) hash.add(name);
    for (const auto& [key, value] : group.selector.match_labels) {
      hash.add(key);
      hash.add(value);
    }
    auto& groups = topology().groups;
    std::vector<uint32_t>& bucket = by_hash_[hash.value()];
    for (const uint32_t id : bucket) {
      if (groups[id].same_as(group)) return id;
    }
    bucket.push_back(static_cast<uint32_t>(groups.size()));
    groups.push_back(std::move(group));
    return bucket.back();
  }

  TopologyGroup group_of(const api::Pod& pod, const api::TopologySpreadConstraint& constraint) {
    TopologyGroup group;
    group.rule = TopologyRule::kSpread;
    group.table = table_of(constraint.topology_key);
    group.max_skew = constraint.max_skew;
    group.namespaces = {pod.meta.namespace_name};
    group.selector = constraint.selector;
    require_same(pod.meta.labels, constraint.match_label_keys, api::LabelSelectorTerm::Op::kIn,
                 group.selector);
    NodeFilter& filter = group.filter;
    if (constraint.honor_node_affinity) {
      const auto selector = api::Requirements::from_labels(pod.spec.node_selector);
      for (const api::NodeSelectorTerm& term : pod.spec.required_node_terms) {
        filter.any_of.push_back(selector);
        filter.any_of.back().add(api::Requirements::from_specs(term.match_expressions));
      }
      if (filter.any_of.empty() && selector.size() > 0) filter.any_of.push_back(selector);
    }
    filter.honor_taints = constraint.honor_node_taints;
    if (filter.honor_taints) filter.tolerations = pod.spec.tolerations;
    return group;
  }

  TopologyGroup group_of(const api::Pod& pod, const api::PodAffinityTerm& term, TopologyRule rule) {
    TopologyGroup group;
    group.rule = rule;
    group.table = table_of(term.topology_key);
    group.namespaces = term.namespaces;
    if (term.namespace_selector) add_selected_namespaces(*term.namespace_selector, group);
    if (term.namespaces.empty() && !term.namespace_selector) {
      group.namespaces = {pod.meta.namespace_name};
    }
    std::ranges::sort(group.namespaces);
    const auto again = std::ranges::unique(group.namespaces);
    group.namespaces.erase(again.begin(), again.end());
    group.selector = term.selector;
    using Op = api::LabelSelectorTerm::Op;
    require_same(pod.meta.labels, term.match_label_keys, Op::kIn, group.selector);
    require_same(pod.meta.labels, term.mismatch_label_keys, Op::kNotIn, group.selector);
    return group;
  }

  void add_selected_namespaces(const api::LabelSelector& selector, TopologyGroup& group) {
    group.all_namespaces = selector == api::LabelSelector{};
    if (group.all_namespaces) {
      group.namespaces.clear();
      return;
    }
    for (const api::Namespace* one : problem_.surroundings.namespaces) {
      api::StringMap labels = one->meta.labels;
      // The API server sets it on every namespace; a manifest need not.
      labels.emplace(kNamespaceName, one->meta.name);
      if (selector.matches(labels)) group.namespaces.push_back(one->meta.name);
    }
  }

  // Rules that narrow to a set come before those that choose one domain of it.
  void add_own_groups() {
    for (PodForm& form : search_.forms) {
      const api::Pod& pod = *form.example;
      for (const api::PodAffinityTerm& term : pod.spec.anti_affinity.required) {
        form.counted_by.push_back(add_group(group_of(pod, term, TopologyRule::kAvoided)));
      }
      for (Variant& variant : form.variants) {
        const auto use = [&](TopologyGroup group, std::optional<int> min_domains) {
          const TopologyRule rule = group.rule;
          variant.uses.push_back(
              {add_group(std::move(group)), rule, false, false, min_domains, {}});
        };
        for (const auto& term : variant.wishes.anti_affinity) {
          use(group_of(pod, term, TopologyRule::kAntiAffinity), std::nullopt);
        }
        for (const auto& term : variant.wishes.affinity) {
          use(group_of(pod, term, TopologyRule::kAffinity), std::nullopt);
        }
        for (const auto& constraint : variant.wishes.spread) {
          use(group_of(pod, constraint), constraint.min_domains);
        }
      }
    }
  }

  // A node's pods come in any order; by key, so that groups and the reasons they give do not.
  void add_groups_of_pods_there() {
    for (size_t node = 0; node < search_.nodes.size(); ++node) {
      std::vector<const api::Pod*> avoiding;
      for (const api::Pod* pod : search_.nodes[node].node->pods) {
        if (!pod->spec.anti_affinity.required.empty()) avoiding.push_back(pod);
      }
      std::ranges::sort(avoiding, {}, [](const api::Pod* pod) { return pod->meta.key(); });
      for (const api::Pod* pod : avoiding) {
        for (const api::PodAffinityTerm& term : pod->spec.anti_affinity.required) {
          const uint32_t group = add_group(group_of(*pod, term, TopologyRule::kAvoided));
          avoiding_.push_back({pod, node, group});
        }
      }
    }
  }

  void fill_tables() {
    for (DomainTable& table : topology().tables) {
      std::set<std::string> names;
      for (const NodePlace& place : search_.nodes) {
        if (const std::string* name = label_of(*place.node, table.key)) names.insert(*name);
      }
      if (!table.by_host) add_names_to_come(table.key, names);
      table.names.assign(names.begin(), names.end());
      for (const NodePlace& place : search_.nodes) {
        const std::string* name = label_of(*place.node, table.key);
        table.of_node.push_back(name == nullptr ? -1 : static_cast<int32_t>(*table.find(*name)));
      }
      if (table.by_host) continue;
      for (const std::string& name : table.names) {
        api::Requirements pin;
        pin.add(table.key, {api::Operator::kIn, {name}});
        table.pins.push_back(search_.interned.intern(std::move(pin)));
      }
    }
  }

  void add_names_to_come(const std::string& key, std::set<std::string>& names) {
    for (size_t t = 0; t < search_.templates.size(); ++t) {
      const std::set<std::string> offered = offered_by(search_.templates[t], key);
      names.insert(offered.begin(), offered.end());
    }
    for (const PodForm& form : search_.forms) {
      for (const Variant& variant : form.variants) {
        const api::Requirement& asked = search_.interned[variant.asks].get(key);
        if (!asked.complement()) names.insert(asked.values().begin(), asked.values().end());
      }
    }
  }

  // What the pool admits of what its types offer, and what it names itself.
  static std::set<std::string> offered_by(const ClaimTemplate& made_from, const std::string& key) {
    std::set<std::string> out;
    const api::Requirement& admitted = made_from.requirements(ClaimTemplate::kInitial).get(key);
    if (!admitted.complement()) out.insert(admitted.values().begin(), admitted.values().end());
    const TypeSet& types = made_from.state(ClaimTemplate::kInitial).types;
    for (size_t i = types.next(0); i != TypeSet::kNone; i = types.next(i + 1)) {
      const api::Requirement& offered = made_from.type(i).requirements.get(key);
      if (offered.complement()) continue;
      for (const std::string& value : offered.values()) {
        if (admitted.has(value)) out.insert(value);
      }
    }
    return out;
  }

  void add_known_domains(TopologyGroup& group) {
    const DomainTable& table = topology().tables[group.table];
    group.counts.resize(table.names.size(), 0);
    if (!table.by_host) {
      for (size_t t = 0; t < search_.templates.size(); ++t) {
        if (!group.filter.admits(search_.templates[t].pool().taints)) continue;
        auto [at, is_new] = offered_.try_emplace({t, group.table});
        if (is_new) at->second = offered_by(search_.templates[t], table.key);
        for (const std::string& name : at->second) group.known.add(*table.find(name));
      }
    }
    for (size_t node = 0; node < search_.nodes.size(); ++node) {
      const bool counts =
          table.of_node[node] >= 0 && group.filter.admits(*search_.nodes[node].node);
      if (counts) group.known.add(static_cast<size_t>(table.of_node[node]));
    }
  }

  static bool stays(const api::Pod& pod, const std::set<std::string>& to_place) {
    return !pod.terminal() && !pod.meta.deleted && !to_place.contains(pod.meta.key());
  }

  void count_pods_there() {
    const auto empty = [](const NodePlace& place) { return place.node->pods.empty(); };
    if (std::ranges::all_of(search_.nodes, empty)) return;
    std::set<std::string> to_place;
    for (const api::Pod* pod : problem_.pods) to_place.insert(pod->meta.key());
    for (size_t node = 0; node < search_.nodes.size(); ++node) {
      for (const api::Pod* pod : search_.nodes[node].node->pods) {
        if (!stays(*pod, to_place)) continue;
        for (const uint32_t id : groups_that_select(*pod)) {
          TopologyGroup& group = topology().groups[id];
          const int32_t domain = topology().tables[group.table].of_node[node];
          const bool counts = group.rule != TopologyRule::kAvoided && domain >= 0 &&
                              group.filter.admits(*search_.nodes[node].node);
          if (counts) ++group.counts[static_cast<size_t>(domain)];
        }
      }
    }
    for (const Avoiding& one : avoiding_) {
      TopologyGroup& group = topology().groups[one.group];
      const int32_t domain = topology().tables[group.table].of_node[one.node];
      if (domain >= 0 && stays(*one.pod, to_place)) ++group.counts[static_cast<size_t>(domain)];
    }
  }

  // By one label that a selected pod must have, so that a pod is held against a few groups only.
  void index_groups() {
    const auto& groups = topology().groups;
    for (uint32_t id = 0; id < groups.size(); ++id) {
      const auto& labels = groups[id].selector.match_labels;
      if (labels.empty()) {
        unindexed_.push_back(id);
      } else {
        by_label_[labels.begin()->first + "=" + labels.begin()->second].push_back(id);
      }
    }
  }

  std::vector<uint32_t> groups_that_select(const api::Pod& pod) {
    std::vector<uint32_t> out;
    const auto keep_selecting = [&](const std::vector<uint32_t>& ids) {
      for (const uint32_t id : ids) {
        if (topology().groups[id].selects(pod)) out.push_back(id);
      }
    };
    keep_selecting(unindexed_);
    for (const auto& [key, value] : pod.meta.labels) {
      const auto at = by_label_.find(key + "=" + value);
      if (at != by_label_.end()) keep_selecting(at->second);
    }
    return out;
  }

  void bind(PodForm& form) {
    std::vector<TopologyUse> avoided;
    for (const uint32_t id : groups_that_select(*form.example)) {
      if (topology().groups[id].rule == TopologyRule::kAvoided) {
        avoided.push_back({id, TopologyRule::kAvoided, false, true, std::nullopt, {}});
      } else {
        form.counted_by.push_back(id);
      }
    }
    for (Variant& variant : form.variants) {
      // Before affinity and spread, which choose among what it leaves.
      variant.uses.insert(variant.uses.begin(), avoided.begin(), avoided.end());
      for (TopologyUse& use : variant.uses) {
        const TopologyGroup& group = topology().groups[use.group];
        const DomainTable& table = topology().tables[group.table];
        use.by_host = table.by_host;
        use.selects_self = group.selects(*form.example);
        const api::Requirement& asked = variant.wishes.required.get(table.key);
        for (size_t domain = 0; domain < table.names.size(); ++domain) {
          if (asked.has(table.names[domain])) use.usable.add(domain);
        }
      }
    }
  }

  struct Avoiding {
    const api::Pod* pod;
    size_t node;
    uint32_t group;
  };
  Search& search_;
  const Problem& problem_;
  std::vector<Avoiding> avoiding_;
  boost::unordered_flat_map<uint64_t, std::vector<uint32_t>> by_hash_;
  std::map<std::pair<size_t, uint32_t>, std::set<std::string>> offered_;
  std::vector<uint32_t> unindexed_;
  boost::unordered_flat_map<std::string, std::vector<uint32_t>> by_label_;
};

}  // namespace

void prepare_topology(Search& search, const Problem& problem) { Setup(search, problem).run(); }

}  // namespace windlass::scheduling
