#include "server/observe/karpenter_metrics.h"

#include "server/observe/frame_builder.h"

namespace windlass::server::observe {
namespace {

const std::string& label(const api::StringMap& labels, std::string_view name) {
  static const std::string kAbsent;
  const auto at = labels.find(std::string(name));
  return at == labels.end() ? kAbsent : at->second;
}

constexpr std::string_view kAllocatable = "karpenter_nodes_allocatable";
constexpr std::string_view kRequests = "karpenter_nodes_total_pod_requests";

std::string_view phase_name(api::PodPhase phase) {
  static constexpr std::string_view kNames[] = {"Pending", "Running", "Succeeded", "Failed"};
  return kNames[static_cast<size_t>(phase)];
}

}  // namespace

KarpenterMetrics::KarpenterMetrics(Registry& registry, const Sources& sources)
    : registry_(registry),
      sources_(sources),
      claims_created_(registry.counter("karpenter_nodeclaims_created_total", "NodeClaims created.",
                                       {"nodepool"})),
      claims_terminated_(registry.counter("karpenter_nodeclaims_terminated_total",
                                          "NodeClaims that are gone.",
                                          {"nodepool", "capacity_type"})),
      nodes_created_(registry.counter("karpenter_nodes_created_total",
                                      "Nodes of NodePools that have joined.", {"nodepool"})),
      nodes_terminated_(registry.counter("karpenter_nodes_terminated_total",
                                         "Nodes of NodePools that are gone.", {"nodepool"})) {
  const std::vector<std::string> of_node{"node_name",     "nodepool", "resource_type",
                                         "instance_type", "zone",     "capacity_type"};
  registry_.gauge(std::string(kAllocatable), "What the node can hold.", of_node)
      .tell_by([this](const Family::Row& row) { tell_nodes(kAllocatable, row); });
  registry_
      .gauge(std::string(kRequests), "What the node's pods request, daemons left out.", of_node)
      .tell_by([this](const Family::Row& row) { tell_nodes(kRequests, row); });
  registry_
      .gauge("karpenter_pods_state", "1 for each pod.",
             {"name", "namespace", "owner", "node", "nodepool", "zone", "capacity_type",
              "instance_type", "phase"})
      .tell_by([this](const Family::Row& row) { tell_pods(row); });
}

// Several changes of an object may come in one; what counts is whether it is there.
void KarpenterMetrics::claim_changed(const std::string& key) {
  const api::NodeClaim* claim = sources_.state->node_claims().find(key);
  if (claim != nullptr) {
    const auto [at, added] = claims_.try_emplace(key);
    at->second = {claim->pool(), claim->capacity_type()};
    if (added) claims_created_.with({at->second.pool}).add();
  } else if (const auto at = claims_.find(key); at != claims_.end()) {
    claims_terminated_.with({at->second.pool, at->second.capacity_type}).add();
    claims_.erase(at);
  }
}

void KarpenterMetrics::node_changed(const std::string& key) {
  const api::Node* node = sources_.state->nodes().find(key);
  if (node == nullptr) {
    const auto at = nodes_.find(key);
    if (at == nodes_.end()) return;
    nodes_terminated_.with({at->second.pool}).add();
    nodes_.erase(at);
    return;
  }
  // A node joins before its claim labels it; from then on it is one of the pool's.
  const std::string pool = label(node->meta.labels, api::kNodePoolLabel);
  if (!pool.empty() && nodes_.try_emplace(key, Known{pool, {}}).second) {
    nodes_created_.with({pool}).add();
  }
}

void KarpenterMetrics::observe(const cluster::Change& change) {
  if (change.kind == cluster::Kind::kNodeClaim) claim_changed(change.key);
  if (change.kind == cluster::Kind::kNode) node_changed(change.key);
}

void KarpenterMetrics::collect_pools() {
  Family& usage = registry_.gauge("karpenter_nodepools_usage",
                                  "What the pool's nodes provide, as counted against its limits.",
                                  {"nodepool", "resource_type"});
  Family& limit = registry_.gauge("karpenter_nodepools_limit", "The pool's limits.",
                                  {"nodepool", "resource_type"});
  usage.clear();
  limit.clear();
  for (const auto& [name, pool] : sources_.state->node_pools()) {
    for (const auto& [resource, milli] : pool.status_resources) {
      usage.with({name, resource}).set(static_cast<double>(milli) / 1000);
    }
    for (const auto& [resource, milli] : pool.limits) {
      limit.with({name, resource}).set(static_cast<double>(milli) / 1000);
    }
  }
}

void KarpenterMetrics::tell_nodes(std::string_view family, const Family::Row& row) const {
  if (sources_.state == nullptr) return;
  const cluster::State& state = *sources_.state;
  for (const auto& [name, node] : state.nodes()) {
    const api::StringMap& of = node.meta.labels;
    std::vector<std::string_view> values{name,
                                         label(of, api::kNodePoolLabel),
                                         "",
                                         label(of, api::kInstanceTypeLabel),
                                         label(of, api::kZoneLabel),
                                         label(of, api::kCapacityTypeLabel)};
    api::ResourceList sum;
    if (family == kRequests) {
      for (const std::string& key : state.pods_on(name)) {
        const api::Pod& pod = state.pods().at(key);
        if (!pod.terminal() && !pod.daemon()) sum += api::pod_requests(pod.spec);
      }
    }
    for (const auto& [resource, milli] : family == kRequests ? sum : node.allocatable) {
      values[2] = resource;
      row(values, static_cast<double>(milli) / 1000);
    }
  }
}

void KarpenterMetrics::tell_pods(const Family::Row& row) const {
  if (sources_.state == nullptr) return;
  const cluster::State& state = *sources_.state;
  static const api::StringMap kNone;
  for (const auto& [key, pod] : state.pods()) {
    const api::Node* node = state.nodes().find(pod.spec.node_name);
    const api::StringMap& of = node == nullptr ? kNone : node->meta.labels;
    const std::string owner = owner_of(pod, state);
    row({pod.meta.name, pod.meta.namespace_name, owner, pod.spec.node_name,
         label(of, api::kNodePoolLabel), label(of, api::kZoneLabel),
         label(of, api::kCapacityTypeLabel), label(of, api::kInstanceTypeLabel),
         phase_name(pod.phase)},
        1);
  }
}

void KarpenterMetrics::collect() {
  if (sources_.state == nullptr) return;
  collect_pools();
  double unschedulable = 0;
  for (const std::string& key : sources_.state->unbound_pods()) {
    unschedulable += sources_.state->pods().at(key).unschedulable_since ? 1 : 0;
  }
  registry_.gauge("karpenter_scheduler_unschedulable_pods_count", "Pods that no node has room for.")
      .get()
      .set(unschedulable);
  registry_.gauge("karpenter_cluster_state_node_count", "Nodes and claims without one.")
      .get()
      .set(static_cast<double>(sources_.state->nodes().size()));
  registry_.gauge("karpenter_cluster_state_synced", "1 when the state is complete.").get().set(1);
}

}  // namespace windlass::server::observe
