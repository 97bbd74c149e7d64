#include "scheduling/neighbours.h"

#include <algorithm>
#include <utility>

#include "scheduling/search.h"
#include "scheduling/topology_rules.h"

namespace windlass::scheduling {

bool minds_neighbours(const api::PodSpec& spec) {
  const bool hard_spread = std::ranges::any_of(
      spec.topology_spread,
      [](const api::TopologySpreadConstraint& one) { return !one.schedule_anyway; });
  return hard_spread || !spec.affinity.required.empty() || !spec.anti_affinity.required.empty() ||
         !host_ports(spec).empty();
}

struct Neighbours::Impl {
  explicit Impl(Problem the_problem) : problem(std::move(the_problem)), search(problem) {
    for (size_t i = 0; i < search.nodes.size(); ++i) place[search.nodes[i].node->name] = i;
    for (const QueuedPod& queued : search.queue) form[queued.pod->meta.key()] = queued.kind;
    for (auto& [key, of] : form) of = search.kinds[of].form;
  }
  [[nodiscard]] const PodForm& form_of(const api::Pod& pod) const {
    return search.forms[form.at(pod.meta.key())];
  }

  Problem problem;
  Search search;
  std::map<std::string, size_t> place;   // by node, in Search::nodes
  std::map<std::string, uint32_t> form;  // by pod, in Search::forms
};

namespace {

Problem problem_of(std::vector<const api::Pod*> waiting, std::vector<ExistingNode> nodes,
                   std::vector<const api::Namespace*> namespaces) {
  Problem problem;
  problem.pods = std::move(waiting);
  problem.nodes = std::move(nodes);
  problem.surroundings.namespaces = std::move(namespaces);
  problem.settings.ignore_preferences = true;
  problem.settings.no_new_nodes = true;
  return problem;
}

Refusal refusal_of(TopologyRule rule) {
  switch (rule) {
    case TopologyRule::kAntiAffinity:
      return Refusal::kAntiAffinity;
    case TopologyRule::kAvoided:
      return Refusal::kAvoided;
    case TopologyRule::kAffinity:
      return Refusal::kAffinity;
    case TopologyRule::kSpread:
      break;
  }
  return Refusal::kSpread;
}

}  // namespace

Neighbours::Neighbours(std::vector<const api::Pod*> waiting, std::vector<ExistingNode> nodes,
                       std::vector<const api::Namespace*> namespaces)
    : impl_(std::make_unique<Impl>(
          problem_of(std::move(waiting), std::move(nodes), std::move(namespaces)))) {}
Neighbours::~Neighbours() = default;

Refusal Neighbours::why_not(const api::Pod& pod, const std::string& node) const {
  const Search& search = impl_->search;
  const PodForm& form = impl_->form_of(pod);
  const size_t place = impl_->place.at(node);
  if (first_taken(form.ports, search.nodes[place].ports) != nullptr) return Refusal::kPorts;
  // Variants differ in which of the pod's node terms they stand for; each has the same rules.
  Refusal why = Refusal::kNone;
  for (const Variant& variant : form.variants) {
    const std::vector<TopologyRule> rules = refusing_rules(search, variant, place);
    if (rules.empty()) return Refusal::kNone;
    why = refusal_of(rules.front());
    for (const TopologyRule rule : rules) why = std::min(why, refusal_of(rule));
  }
  return why;
}

void Neighbours::bound(const api::Pod& pod, const std::string& node) {
  Search& search = impl_->search;
  const PodForm& form = impl_->form_of(pod);
  const size_t place = impl_->place.at(node);
  HostPorts& ports = search.nodes[place].ports;
  ports.insert(ports.end(), form.ports.begin(), form.ports.end());
  count_on_node(search, form, place);
}

}  // namespace windlass::scheduling
