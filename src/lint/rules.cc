#include "lint/rules.h"

#include <algorithm>

#include "base/assert.h"

namespace windlass::lint {

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::kError:
      return "error";
    case Severity::kWarning:
      return "warning";
    case Severity::kInfo:
      return "info";
  }
  WL_UNREACHABLE("severity");
}

const std::vector<Rule>& rules() {
  constexpr Severity kError = Severity::kError;
  constexpr Severity kWarning = Severity::kWarning;
  constexpr Severity kInfo = Severity::kInfo;
  static const std::vector<Rule> kRules{
      // Reading.
      {"manifest-invalid", kError, "The manifest is refused as it stands"},
      {"manifest-note", kWarning, "A field is read otherwise than it looks"},
      {"unknown-field", kWarning, "A field that the kind does not have"},
      {"kind-not-read", kInfo, "A kind Windlass does not read"},
      {"name-twice", kWarning, "Two objects of one kind and name"},
      {"api-removed", kWarning, "An API version that current releases no longer serve"},
      // Triggers.
      {"average-capped", kError, "A bounded average that can never ask for enough replicas"},
      {"average-under-average-value", kWarning, "An average where AverageValue wants a sum"},
      {"sum-under-value", kWarning, "A sum under Value grows with its own answer"},
      {"query-many-series", kWarning, "A query that returns more than one series"},
      {"trigger-invalid", kError, "Trigger metadata that KEDA refuses"},
      {"trigger-metadata-ignored", kWarning, "Trigger metadata that KEDA ignores"},
      {"trigger-not-evaluated", kInfo, "A trigger type that Windlass does not decide"},
      {"null-is-zero", kWarning, "An outage reads as zero"},
      {"no-fallback", kInfo, "No fallback for when the metric fails"},
      {"activation-above-threshold", kWarning, "Activation above the threshold"},
      {"zero-without-wake", kError, "Scale to zero with nothing that can wake"},
      {"histogram-coarse", kWarning, "Histogram buckets too coarse for the target"},
      {"gpu-utilization-signal", kInfo, "GPU utilisation is a duty cycle, not a load"},
      // Autoscalers.
      {"two-autoscalers", kError, "Two autoscalers on one target"},
      {"target-missing", kInfo, "The scale target is not among the manifests"},
      {"idle-count-not-zero", kWarning, "An idle count the HPA will not keep"},
      {"max-unset", kInfo, "No maximum: 100 replicas"},
      // Node pools.
      {"consolidate-after-v1beta1", kError, "consolidateAfter with WhenUnderutilized in v1beta1"},
      {"consolidate-after-short", kWarning, "Nodes are consolidated while their pods still start"},
      {"limits-below-max", kWarning, "Pool limits too low for maxReplicaCount"},
      {"gpu-taint-missing", kWarning, "A GPU pool that any pod may use"},
      {"node-class-missing", kInfo, "The node class is not among the manifests"},
      {"requirements-unmet", kError, "No instance type meets the pool's requirements"},
      // Pods.
      {"requests-above-allocatable", kError, "Requests above every instance type's allocatable"},
      {"gpu-unmet", kError, "A GPU request that no pool can meet"},
      {"gpu-toleration-missing", kError, "A GPU pod that does not tolerate the pools' taints"},
      {"fits-no-pool", kWarning, "A pod that fits none of the pools"},
      {"gpu-too-old", kWarning, "GPUs that the image no longer supports"},
      {"spot-only-do-not-disrupt", kWarning, "do-not-disrupt pods on spot capacity alone"},
      {"do-not-disrupt-ignored", kWarning, "A do-not-disrupt value that is ignored"},
      {"pdb-blocks-drain", kWarning, "A PodDisruptionBudget that blocks every drain"},
  };
  return kRules;
}

const Rule& rule(std::string_view id) {
  const auto found = std::ranges::find(rules(), id, &Rule::id);
  WL_ASSERT(found != rules().end());
  return *found;
}

}  // namespace windlass::lint
