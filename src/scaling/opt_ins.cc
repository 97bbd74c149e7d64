#include "scaling/opt_ins.h"

#include <fmt/format.h>

#include "base/text.h"

namespace windlass::scaling {
namespace {

Error bad(const char* annotation, std::string_view found, std::string_view accepted) {
  return Error(fmt::format("metadata.annotations[{}]: found \"{}\" (accepted: {})", annotation,
                           found.substr(0, 80), accepted));
}

const std::string* find(const api::StringMap& annotations, const char* key) {
  const auto it = annotations.find(key);
  return it == annotations.end() ? nullptr : &it->second;
}

Result<std::optional<Duration>> read_duration(const api::StringMap& annotations, const char* key) {
  const std::string* text = find(annotations, key);
  if (text == nullptr) return std::optional<Duration>();
  const auto duration = parse_duration(trim(*text));
  if (duration.ok() && *duration > Duration{}) return std::optional(*duration);
  return bad(key, *text, "a duration above 0, such as 90s");
}

Status read_weights(const std::string& text, OptIns& out) {
  for (const std::string_view item : split(text, ',')) {
    const auto sides = split(item, '=');
    const auto weight = sides.size() == 2 ? parse_double(trim(sides[1])) : Error("no =");
    const bool good = weight.ok() && *weight >= 0.001 && *weight <= 1000 && !trim(sides[0]).empty();
    if (!good) return bad(kGpuWeights, text, "h100=1,l40s=0.4, weights from 0.001 to 1000");
    out.gpu_weights[std::string(trim(sides[0]))] = *weight;
  }
  return {};
}

}  // namespace

Result<OptIns> read_opt_ins(const api::StringMap& annotations) {
  OptIns out;
  if (const std::string* text = find(annotations, kStraightActivation)) {
    if (*text != "true" && *text != "false") return bad(kStraightActivation, *text, "true, false");
    out.straight_activation = *text == "true";
  }
  const auto age = read_duration(annotations, kMaxSampleAge);
  if (!age.ok()) return age.error();
  const auto hold = read_duration(annotations, kHoldLast);
  if (!hold.ok()) return hold.error();
  out.max_sample_age = *age;
  out.hold_last = *hold;
  if (out.hold_last && !out.max_sample_age) {
    return Error(fmt::format("metadata.annotations[{}]: means nothing without {}", kHoldLast,
                             kMaxSampleAge));
  }
  if (const std::string* text = find(annotations, kGpuWeights)) {
    if (const Status status = read_weights(*text, out); !status.ok()) return status.error();
  }
  return out;
}

double mean_gpu_weight(const OptIns& opt_ins, std::span<const std::string> gpus) {
  if (opt_ins.gpu_weights.empty() || gpus.empty()) return 1;
  double sum = 0;
  for (const std::string& gpu : gpus) {
    const auto it = opt_ins.gpu_weights.find(gpu);
    sum += it == opt_ins.gpu_weights.end() ? 1 : it->second;
  }
  return sum / static_cast<double>(gpus.size());
}

}  // namespace windlass::scaling
