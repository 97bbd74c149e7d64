#include "catalog/service_profile.h"

#include <cmath>

#include <fmt/format.h>

#include "catalog/cards.h"

namespace windlass::catalog {
namespace {

constexpr double kGibBytes = 1024.0 * 1024.0 * 1024.0;
// Shares of the data sheet's peak that the measured GPUs reach.
constexpr double kBandwidthShare = 0.75;
constexpr double kComputeShare = 0.67;
constexpr double kDecodeShareOfPrefill = 0.45;
// Assumed, of each GPU: activations of a full batch, CUDA context and graphs.
constexpr double kActivationReserveGib = 1.0;

struct MeasuredFit {
  const char* model;
  const char* gpu;
  int memory_gib;
  int tensor_parallel;
  double a;
  double b;
  double q;
  double p;
};
constexpr MeasuredFit kFits[] = {
#include "catalog/measured_profiles.inc"
};

// What is wrong with the figures, or empty.
std::string why_invalid(const ModelCard& model, const GpuCard& gpu) {
  const auto positive = [](double value) { return std::isfinite(value) && value > 0; };
  if (!positive(model.parameters)) return "parameters must be above 0";
  if (!positive(model.bytes_per_weight)) return "bytes per weight must be above 0";
  if (!positive(model.kv_bytes_per_token)) return "KV bytes per token must be above 0";
  if (model.tensor_parallel < 1) return "tensor parallel must be at least 1";
  if (!positive(model.memory_utilization) || model.memory_utilization > 1) {
    return "memory utilization must be above 0 and at most 1";
  }
  if (!positive(gpu.memory_gib) || !positive(gpu.bandwidth_gb_per_s) ||
      !positive(gpu.dense_fp16_tflops)) {
    return fmt::format("GPU \"{}\": memory, bandwidth and TFLOPS must be above 0", gpu.name);
  }
  return {};
}

// Bytes of all the replica's GPUs that are left for the KV cache; negative if the weights don't
// fit.
double kv_bytes(const ModelCard& model, const GpuCard& gpu) {
  const double usable_gib = gpu.memory_gib * model.memory_utilization - kActivationReserveGib;
  return usable_gib * kGibBytes * model.tensor_parallel - model.parameters * model.bytes_per_weight;
}

const MeasuredFit* find_fit(const ModelCard& model, const GpuCard& gpu) {
  if (model.bytes_per_weight != 2) return nullptr;
  for (const MeasuredFit& fit : kFits) {
    if (same_model(fit.model, model.name) && gpu.name == fit.gpu &&
        gpu.memory_gib == fit.memory_gib && model.tensor_parallel == fit.tensor_parallel) {
      return &fit;
    }
  }
  return nullptr;
}

}  // namespace

Result<ServiceProfile> roofline_profile(const ModelCard& model, const GpuCard& gpu) {
  if (const std::string why = why_invalid(model, gpu); !why.empty()) {
    return Error(why).in(fmt::format("model \"{}\"", model.name));
  }
  const double tokens = std::floor(kv_bytes(model, gpu) / model.kv_bytes_per_token);
  if (tokens < 1) {
    return Error(fmt::format(
        "model \"{}\": {:.1f} GiB of weights do not fit {} x {} of {:.1f} GiB at {:.0f} % "
        "utilization with {:.0f} GiB each for activations; accepted: more GPUs a replica "
        "(tensor parallel), larger GPUs, or fewer bytes a weight",
        model.name, model.parameters * model.bytes_per_weight / kGibBytes, model.tensor_parallel,
        gpu.name, gpu.memory_gib, model.memory_utilization * 100, kActivationReserveGib));
  }
  // GB/s * 1e6 = bytes per ms; TFLOPS * 1e9 = operations per ms.
  const double bytes_per_ms =
      kBandwidthShare * gpu.bandwidth_gb_per_s * 1e6 * model.tensor_parallel;
  const double flops_per_ms = kComputeShare * gpu.dense_fp16_tflops * 1e9 * model.tensor_parallel;
  ServiceProfile profile;
  profile.iteration_base_ms = model.parameters * model.bytes_per_weight / bytes_per_ms;
  profile.prefill_ms_per_token = 2 * model.parameters / flops_per_ms;
  profile.decode_ms_per_sequence = kDecodeShareOfPrefill * profile.prefill_ms_per_token;
  profile.context_ms_per_token = model.kv_bytes_per_token / bytes_per_ms;
  // Beyond any real cache; keeps the conversion defined for absurd figures.
  profile.kv_capacity_tokens = static_cast<int64_t>(std::min(tokens, 1e15));
  return profile;
}

std::optional<ServiceProfile> measured_profile(const ModelCard& model, const GpuCard& gpu) {
  const MeasuredFit* fit = find_fit(model, gpu);
  if (fit == nullptr) return std::nullopt;
  Result<ServiceProfile> profile = roofline_profile(model, gpu);
  if (!profile.ok()) return std::nullopt;
  profile->iteration_base_ms = fit->a;
  profile->decode_ms_per_sequence = fit->b;
  profile->prefill_base_ms = fit->q;
  profile->prefill_ms_per_token = fit->p;
  return *profile;
}

std::optional<ServiceProfile> measured_profile(std::string_view model, std::string_view gpu,
                                               int tensor_parallel) {
  const ModelCard* known = find_model(model);
  if (known == nullptr) return std::nullopt;
  ModelCard card = *known;
  card.tensor_parallel = tensor_parallel;
  for (const GpuCard& candidate : gpu_cards()) {
    if (candidate.name != gpu) continue;
    if (auto profile = measured_profile(card, candidate)) return profile;
  }
  return std::nullopt;
}

}  // namespace windlass::catalog
