#include "lint/pool_fit.h"

#include <algorithm>

#include "base/text.h"
#include "catalog/labels.h"
#include "scheduling/solve.h"

namespace windlass::lint {
namespace {

bool is_place(std::string_view key) {
  return key == api::kZoneLabel || key == api::kRegionLabel || key == "topology.k8s.aws/zone-id" ||
         key == api::kHostnameLabel;
}

void drop_places(std::vector<api::RequirementSpec>& specs) {
  std::erase_if(specs, [](const api::RequirementSpec& spec) { return is_place(spec.key); });
}

// The pod as the only one in the world, wherever that is.
api::Pod probe_of(const Workload& workload) {
  api::Pod pod;
  pod.meta.name = workload.meta->name;
  pod.meta.namespace_name = workload.meta->namespace_name;
  pod.meta.uid = "probe";
  pod.meta.labels = workload.pods->labels;
  pod.spec = workload.pods->spec;
  pod.spec.volumes.clear();
  pod.spec.affinity = {};
  pod.spec.anti_affinity = {};
  pod.spec.topology_spread.clear();
  pod.spec.preferred_node_terms.clear();
  std::erase_if(pod.spec.node_selector, [](const auto& entry) { return is_place(entry.first); });
  for (api::NodeSelectorTerm& term : pod.spec.required_node_terms) {
    drop_places(term.match_expressions);
  }
  return pod;
}

// Without taints, limits and places: those are looked at by themselves.
api::NodePool open_pool(const api::NodePool& pool) {
  api::NodePool out = pool;
  out.taints.clear();
  out.limits = {};
  out.replicas.reset();
  drop_places(out.requirements);
  for (const std::string_view key : {api::kZoneLabel, api::kRegionLabel}) {
    out.labels.erase(std::string(key));
  }
  return out;
}

}  // namespace

std::vector<PoolFit> try_pools(const Workload& workload, const Manifests& manifests) {
  std::vector<PoolFit> out;
  const api::Pod pod = probe_of(workload);
  for (const Item<api::NodePool>& item : manifests.all<api::NodePool>()) {
    PoolFit fit;
    fit.pool = item;
    fit.tolerated =
        api::first_untolerated(item.object->taints, pod.spec.tolerations, false) == nullptr;
    const api::NodePool pool = open_pool(*item.object);
    scheduling::Problem problem;
    problem.pods = {&pod};
    problem.pools.push_back({&pool, &manifests.types_of(pool), {}});
    problem.settings.best_effort_min_values = true;
    scheduling::Plan plan = scheduling::solve(problem);
    fit.fits = !plan.claims.empty();
    if (fit.fits) fit.types = std::move(plan.claims.front().types);
    if (!plan.unschedulable.empty()) fit.why = join(plan.unschedulable.front().reasons, "; ");
    out.push_back(std::move(fit));
  }
  return out;
}

api::Requirements requirements_of(const api::NodePool& pool) {
  std::vector<api::RequirementSpec> specs = pool.requirements;
  drop_places(specs);
  api::Requirements out = api::Requirements::from_specs(specs);
  api::StringMap labels = pool.labels;
  std::erase_if(labels, [](const auto& entry) { return is_place(entry.first); });
  out.add(api::Requirements::from_labels(labels));
  return out;
}

std::vector<const catalog::InstanceType*> types_for(const api::NodePool& pool,
                                                    const Manifests& manifests) {
  std::vector<const catalog::InstanceType*> out;
  const api::Requirements asked = requirements_of(pool);
  for (const catalog::InstanceType& type : manifests.types_of(pool).types) {
    if (asked.intersects(type.requirements) && type.cheapest(asked) != nullptr) {
      out.push_back(&type);
    }
  }
  return out;
}

bool is_gpu_pool(const api::NodePool& pool, const Manifests& manifests) {
  const auto types = types_for(pool, manifests);
  return !types.empty() && std::ranges::all_of(types, [](const catalog::InstanceType* type) {
    // By label, as pools ask for them: of any vendor, and parts of one, too.
    const api::Requirement& count = type->requirements.get(catalog::kGpuCountLabel);
    return type->requirements.has(catalog::kGpuCountLabel) && !count.empty() && !count.has("0");
  });
}

bool is_reserved_only(const api::NodePool& pool) {
  const api::Requirements all = requirements_of(pool);
  const api::Requirement& asked = all.get(api::kCapacityTypeLabel);
  return !asked.has(api::kSpot) && !asked.has(api::kOnDemand);
}

}  // namespace windlass::lint
