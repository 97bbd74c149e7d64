#include "catalog/cards.h"

#include <array>
#include <cmath>
#include <string>

#include "catalog/service_profile.h"

namespace windlass::catalog {
namespace {

// Lower case, without owner, "meta-" and the endings that name a tuning.
std::string plain_name(std::string_view name) {
  std::string plain(name.substr(name.find_last_of('/') + 1));
  for (char& c : plain) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  if (plain.starts_with("meta-")) plain.erase(0, 5);
  static constexpr std::array<std::string_view, 3> kEndings{"-hf", "-chat", "-instruct"};
  for (bool again = true; again;) {
    again = false;
    for (const std::string_view ending : kEndings) {
      if (!plain.ends_with(ending)) continue;
      plain.resize(plain.size() - ending.size());
      again = true;
    }
  }
  return plain;
}

constexpr double kMibPerGib = 1024;

}  // namespace

bool same_model(std::string_view a, std::string_view b) { return plain_name(a) == plain_name(b); }

const std::vector<GpuCard>& gpu_cards() {
  // Columns of gpu_inference.md 3, which has them from the data sheets. Of one name the smaller
  // memory comes first. The A40 is not sold on EC2; it is here because Vidur measured it.
  static const std::vector<GpuCard> cards{
      {"t4", 16, 320, 65},
      {"v100", 16, 900, 125},
      {"v100", 32, 900, 125},
      {"a10g", 22888 / kMibPerGib, 600, 70},
      {"l4", 22888 / kMibPerGib, 300, 121},
      {"l40s", 45776 / kMibPerGib, 864, 362},
      {"a40", 48, 696, 149.7},
      {"a100", 40, 1555, 312},
      {"a100", 80, 2039, 312},
      {"h100", 80, 3350, 989},
      {"h200", 141, 4800, 989},
      {"b200", 183359 / kMibPerGib, 8000, 2250},
  };
  return cards;
}

const GpuCard* find_gpu(std::string_view name) {
  for (const GpuCard& card : gpu_cards()) {
    if (card.name == name) return &card;
  }
  return nullptr;
}

const GpuCard* gpu_of(const InstanceType& type) {
  if (type.gpu_count <= 0) return nullptr;
  const double memory_gib = static_cast<double>(type.gpu_memory_mib) / kMibPerGib;
  const GpuCard* best = nullptr;
  for (const GpuCard& card : gpu_cards()) {
    if (card.name != type.gpu_name) continue;
    const bool nearer = best == nullptr || std::abs(card.memory_gib - memory_gib) <
                                               std::abs(best->memory_gib - memory_gib);
    if (nearer) best = &card;
  }
  return best;
}

const ModelCard* find_model(std::string_view name) {
  // Parameters as the publishers count them; KV bytes = 2 * layers * KV heads * head size * 2.
  static const std::vector<ModelCard> cards{
      {.name = "Llama-2-7B", .parameters = 6.738e9, .kv_bytes_per_token = 524288},
      {.name = "Llama-2-13B", .parameters = 13.016e9, .kv_bytes_per_token = 819200},
      {.name = "Llama-2-70B", .parameters = 68.977e9, .kv_bytes_per_token = 327680},
      {.name = "Llama-3-8B", .parameters = 8.030e9, .kv_bytes_per_token = 131072},
      {.name = "Llama-3-70B", .parameters = 70.554e9, .kv_bytes_per_token = 327680},
      {.name = "Mistral-7B", .parameters = 7.242e9, .kv_bytes_per_token = 131072},
      {.name = "CodeLlama-34B", .parameters = 33.744e9, .kv_bytes_per_token = 196608},
  };
  for (const ModelCard& card : cards) {
    if (same_model(card.name, name)) return &card;
  }
  return nullptr;
}

}  // namespace windlass::catalog
