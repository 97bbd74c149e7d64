// How long one iteration of a continuously batching inference server takes on a GPU, and what fits
// its memory. An iteration of decoding sequences only takes a + b * sequences + c * context tokens:
// linear, so that many equal iterations can be summed in closed form. With prompt tokens in it,
// reading the weights and doing the arithmetic overlap and the longer one counts; see
// iteration_ms(). The constants leave out what no GPU profile holds: the server's own CPU time
// (1-3 ms an iteration), sampling, and all-reduce between GPUs.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "catalog/catalog.h"

namespace windlass::catalog {

// Figures of one GPU (gpu_inference.md 3): bandwidth and arithmetic by the data sheet, memory as
// EC2 reports it where it sells the GPU (an A10G of "24 GB" has 22,888 MiB).
struct GpuCard {
  std::string name;  // as in karpenter.k8s.aws/instance-gpu-name: "t4", "a10g", "h100"
  double memory_gib = 0;
  double bandwidth_gb_per_s = 0;
  double dense_fp16_tflops = 0;
};
// By name; where a name has two memory sizes (a100, v100) the smaller. nullptr if unknown.
const GpuCard* find_gpu(std::string_view name);
// The GPU of an instance type, by name and memory. nullptr if it has no whole nvidia GPU, or one
// without a card here (t4g, b300, the RTX PRO series: no figures with a source yet).
const GpuCard* gpu_of(const InstanceType& type);
const std::vector<GpuCard>& gpu_cards();

struct ModelCard {
  std::string name;
  double parameters = 0;  // count
  double bytes_per_weight = 2;
  double kv_bytes_per_token = 0;
  int tensor_parallel = 1;          // GPUs a replica
  double memory_utilization = 0.9;  // of GPU memory, vLLM's gpu_memory_utilization
};

// Published models, fp16, one GPU; nullptr if unknown. Case, an owner ("meta-llama/"), "Meta-" and
// the endings "-hf", "-chat" and "-Instruct" make no difference.
const ModelCard* find_model(std::string_view name);

struct ServiceProfile {
  double iteration_base_ms = 0;       // a
  double prefill_ms_per_token = 0;    // p
  double decode_ms_per_sequence = 0;  // b
  double context_ms_per_token = 0;    // c
  int64_t kv_capacity_tokens = 0;
  int max_sequences = 256;        // vLLM max_num_seqs
  int max_batched_tokens = 2048;  // chunked prefill budget of an iteration
  double prefill_base_ms = 0;     // q, at most a: what p * tokens starts from
};

// Milliseconds of one iteration that prefills `prefill_tokens`, decodes one token of each of
// `decode_sequences`, and reads `context_tokens` of their KV cache (the sum over the sequences).
// Bound by memory, n tokens take a + b n; bound by arithmetic, q + p n; the longer one counts.
// Against Vidur's operator profiles of Llama-2-7B the best sum a + p n is 10-12 % off at up to 128
// tokens, the maximum 4-6 %. A profile with b > p (per-sequence costs beyond the operators') is
// thereby the plain sum a + p * prefill + b * decode.
inline double iteration_ms(const ServiceProfile& profile, int prefill_tokens, int decode_sequences,
                           double context_tokens) {
  const double b = profile.decode_ms_per_sequence;
  const double p = profile.prefill_ms_per_token;
  double tokens_ms = profile.iteration_base_ms + b * decode_sequences;
  if (prefill_tokens > 0) {
    const double memory_bound = tokens_ms + std::min(b, p) * prefill_tokens;
    const double compute_bound =
        profile.prefill_base_ms + std::max(b, p) * decode_sequences + p * prefill_tokens;
    tokens_ms = std::max(memory_bound, compute_bound);
  }
  return tokens_ms + profile.context_ms_per_token * context_tokens;
}

// Roofline (gpu_inference.md 3, fitted to Vidur's A40, A100 and H100 profiles):
// a = weight bytes / (0.75 * bandwidth), p = 2 * parameters / (0.67 * peak), c = kv bytes a token /
// (0.75 * bandwidth), b = 0.45 * p, q = 0; divided by tensor_parallel. The ratio b / p is the
// middle of the same fits, which spread from 0.21 to 0.55; measured servers (WVA, Splitwise) show
// 2-10 times that b, because of attention and sampling. GPUs without a profile: +-25 % on a and p.
// KV capacity: memory * utilization - weights - 1 GiB a GPU for activations and the CUDA context.
// Error if a figure is out of range or the weights leave no room for a token.
Result<ServiceProfile> roofline_profile(const ModelCard& model, const GpuCard& gpu);

// a, b, p and q fitted to Vidur's measured operator times of this very model, GPU and degree of
// tensor parallelism (mean error over the whole range 3-5 %; tools/fit_profiles.py prints it by
// region), c and KV capacity as roofline_profile. nullopt if not measured, if the weights are not
// fp16, or if they don't fit. The second form takes a model of find_model() with its defaults, and
// the memory size that was measured ("a100": 80 GiB).
std::optional<ServiceProfile> measured_profile(const ModelCard& model, const GpuCard& gpu);
std::optional<ServiceProfile> measured_profile(std::string_view model, std::string_view gpu,
                                               int tensor_parallel);

}  // namespace windlass::catalog
