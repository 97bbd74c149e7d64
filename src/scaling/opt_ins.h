// What Windlass does beyond KEDA when an annotation of the ScaledObject asks for it. Without one,
// nothing here plays a part.
//
//   windlass.dev/straight-activation: "true"   from zero straight to what the metrics ask for
//   windlass.dev/max-sample-age: 90s           older samples, failures and empty answers count as
//                                              no reading; the last good one is held
//   windlass.dev/hold-last: 10m                for how long; without it, without end
//   windlass.dev/gpu-weights: h100=1,l40s=0.4  what a replica on each GPU type is worth
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/meta.h"
#include "base/result.h"
#include "base/time.h"

namespace windlass::scaling {

inline constexpr const char* kStraightActivation = "windlass.dev/straight-activation";
inline constexpr const char* kMaxSampleAge = "windlass.dev/max-sample-age";
inline constexpr const char* kHoldLast = "windlass.dev/hold-last";
inline constexpr const char* kGpuWeights = "windlass.dev/gpu-weights";

struct OptIns {
  bool straight_activation = false;
  std::optional<Duration> max_sample_age;
  std::optional<Duration> hold_last;
  // By the GPU's name as karpenter.k8s.aws/instance-gpu-name has it; > 0. Empty: not asked for.
  std::map<std::string, double, std::less<>> gpu_weights;
};

// The error names the annotation, what was found and what is accepted.
Result<OptIns> read_opt_ins(const api::StringMap& annotations);

// The mean weight of a target's pods, one GPU name each (empty: not known). A GPU without a weight
// counts as 1, and so does a target without pods. A trigger's AverageValue target is then per unit
// of weight: pods on slower GPUs need to be more.
double mean_gpu_weight(const OptIns& opt_ins, std::span<const std::string> gpus);

}  // namespace windlass::scaling
