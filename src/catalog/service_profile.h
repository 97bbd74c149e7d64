// How long one iteration of a continuously batching inference server takes on a GPU, and what fits
// its memory. One iteration = a + p * prefill tokens + b * decoding sequences
// + c * context tokens of the decoding sequences.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace windlass::catalog {

// Data-sheet figures of one GPU (gpu_inference.md 3).
struct GpuCard {
  std::string name;  // as in karpenter.k8s.aws/instance-gpu-name: "t4", "a10g", "h100"
  double memory_gib = 0;
  double bandwidth_gb_per_s = 0;
  double dense_fp16_tflops = 0;
};
const GpuCard* find_gpu(std::string_view name);
const std::vector<GpuCard>& gpu_cards();

struct ModelCard {
  std::string name;
  double parameters = 0;         // count
  double bytes_per_weight = 2;
  double kv_bytes_per_token = 0;
  int tensor_parallel = 1;       // GPUs a replica
  double memory_utilization = 0.9;  // of GPU memory, vLLM's gpu_memory_utilization
};

struct ServiceProfile {
  double iteration_base_ms = 0;         // a
  double prefill_ms_per_token = 0;      // p
  double decode_ms_per_sequence = 0;    // b
  double context_ms_per_token = 0;      // c
  int64_t kv_capacity_tokens = 0;
  int max_sequences = 256;              // vLLM max_num_seqs
  int max_batched_tokens = 2048;        // chunked prefill budget of an iteration
};

// Roofline (gpu_inference.md 3, fitted to Vidur's A40, A100 and H100 profiles):
// a = weight bytes / (0.75 * bandwidth), p = 2 * parameters / (0.67 * peak), c = kv bytes a token /
// (0.75 * bandwidth), b from the fits; divided by tensor_parallel. Error if the weights don't fit.
Result<ServiceProfile> roofline_profile(const ModelCard& model, const GpuCard& gpu);

}  // namespace windlass::catalog
