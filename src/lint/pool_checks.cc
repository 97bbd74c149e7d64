// NodePools by themselves (reference karpenter.md 1.1, 1.3; gpu_inference.md 0, 7).
#include <algorithm>

#include <fmt/format.h>

#include "lint/checks.h"
#include "lint/pool_fit.h"

namespace windlass::lint {
namespace {

// From a GPU node's Ready to a model server's first token (gpu_inference.md 7): the GPU shows up,
// an image of 15-20 GB is pulled, 15 GB of weights are read, the engine starts cold.
constexpr Duration kGpuPlugin = seconds(30);
constexpr Duration kImagePull = seconds(240);
constexpr Duration kWeights = seconds(48);
constexpr Duration kEngineStart = seconds(80);

using PoolItem = Item<api::NodePool>;

void check_api_version(Manifests& manifests, const PoolItem& item) {
  if (!item.origin->api_version.ends_with("/v1beta1")) return;
  manifests.report("api-removed", item, "",
                   "karpenter.sh/v1beta1 is not served since Karpenter 1.1; here it is read as "
                   "Karpenter's conversion to v1 does",
                   "apiVersion: karpenter.sh/v1");
}

// A pod's coming counts as an event, its getting ready does not.
void check_consolidate_after(Manifests& manifests, const PoolItem& item) {
  const api::NodePool& pool = *item.object;
  if (pool.consolidation_policy == api::ConsolidationPolicy::kWhenEmpty) return;
  const Duration start = kGpuPlugin + kImagePull + kWeights + kEngineStart;
  if (!pool.consolidate_after || *pool.consolidate_after >= start) return;
  if (!is_gpu_pool(pool, manifests)) return;
  manifests.report(
      "consolidate-after-short", item, "spec.disruption.consolidateAfter",
      fmt::format(
          "a node may be consolidated {} after the last pod came or went, and a model "
          "server needs about {} from there to its first token ({} for the GPU to show "
          "up, {} image pull, {} weights, {} engine start): nodes are taken away while "
          "their pods still start, and the start begins again elsewhere",
          *pool.consolidate_after == Duration{} ? "at once" : to_string(*pool.consolidate_after),
          to_string(start), to_string(kGpuPlugin), to_string(kImagePull), to_string(kWeights),
          to_string(kEngineStart)),
      fmt::format("consolidateAfter: {} or more, or images and weights that start faster",
                  to_string(minutes(10))));
}

void check_taint(Manifests& manifests, const PoolItem& item) {
  const api::NodePool& pool = *item.object;
  const bool tainted = std::ranges::any_of(pool.taints, [](const api::Taint& taint) {
    return taint.effect == "NoSchedule" || taint.effect == "NoExecute";
  });
  if (tainted || !is_gpu_pool(pool, manifests)) return;
  manifests.report(
      "gpu-taint-missing", item, "spec.template.spec",
      "any pod may run on these GPU nodes, and one that does keeps an otherwise empty "
      "node alive",
      "a taint like nvidia.com/gpu:NoSchedule, and a toleration of it in the GPU pods");
}

void check_node_class(Manifests& manifests, const PoolItem& item) {
  const api::NodeClassRef& ref = item.object->node_class;
  if (ref.kind != "EC2NodeClass") return;
  const auto classes = manifests.all<api::Ec2NodeClass>();
  if (std::ranges::any_of(classes,
                          [&](const auto& c) { return c.object->meta.name == ref.name; })) {
    return;
  }
  manifests.report("node-class-missing", item, "spec.template.spec.nodeClassRef",
                   fmt::format("EC2NodeClass {} is not among the files; without it the pool is not "
                               "Ready and buys nothing, and here its nodes are taken to be "
                               "AL2023's defaults",
                               ref.name),
                   "give its file, too, or correct the name");
}

void check_requirements(Manifests& manifests, const PoolItem& item) {
  const api::NodePool& pool = *item.object;
  if (is_reserved_only(pool) || !types_for(pool, manifests).empty()) return;
  const api::Requirements asked = requirements_of(pool);
  // The one requirement that rules out the most says more than all of them.
  std::string hardest;
  for (const auto& [key, requirement] : asked) {
    api::Requirements alone;
    alone.add(key, requirement);
    const auto& types = manifests.types_of(pool).types;
    const bool none = std::ranges::none_of(types, [&](const catalog::InstanceType& type) {
      return alone.intersects(type.requirements);
    });
    if (none) hardest = fmt::format("{} {}", key, requirement.to_string());
  }
  manifests.report(
      "requirements-unmet", item, "spec.template.spec.requirements",
      hardest.empty()
          ? fmt::format("no instance type of the catalogue meets all of: {}", asked.to_string())
          : fmt::format("no instance type of the catalogue meets {}", hardest),
      "requirements that leave some types (windlass catalog --require shows which)");
}

}  // namespace

void check_pools(Manifests& manifests) {
  for (const PoolItem& item : manifests.all<api::NodePool>()) {
    check_api_version(manifests, item);
    check_consolidate_after(manifests, item);
    check_taint(manifests, item);
    check_node_class(manifests, item);
    check_requirements(manifests, item);
  }
}

}  // namespace windlass::lint
