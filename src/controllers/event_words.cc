#include "controllers/event_words.h"

#include <array>

#include "base/text.h"

namespace windlass::controllers {
namespace {

constexpr size_t kMessageBytes = 1024;

struct Words {
  std::string_view controller;
  std::string_view what;
  std::string_view type;
  std::string_view reason;
  std::string_view component;
};
// Reasons as Karpenter, KEDA and the HPA give them where they have one.
constexpr std::array<Words, 19> kWords{{
    {"claim_lifecycle", "launch", "Normal", "Launched", "karpenter"},
    {"claim_lifecycle", "delete", "Warning", "InsufficientCapacityError", "karpenter"},
    {"provisioning", "create", "Normal", "NodeClaimCreated", "karpenter"},
    {"provisioning", "unschedulable", "Warning", "FailedScheduling", "karpenter"},
    {"joint", "create", "Normal", "NodeClaimCreated", "windlass"},
    {"joint", "scale", "Normal", "SuccessfulRescale", "windlass"},
    {"scaled_object", "scale", "Normal", "SuccessfulRescale", "horizontal-pod-autoscaler"},
    {"scaled_object", "activate", "Normal", "KEDAScaleTargetActivated", "keda-operator"},
    {"scaled_object", "deactivate", "Normal", "KEDAScaleTargetDeactivated", "keda-operator"},
    {"scaled_object", "fail", "Warning", "KEDAScalerFailed", "keda-operator"},
    {"scaled_object", "refuse", "Warning", "ScaledObjectCheckFailed", "keda-operator"},
    {"termination", "drain", "Normal", "Draining", "karpenter"},
    {"interruption", "delete", "Warning", "SpotInterrupted", "karpenter"},
    {"expiry", "expire", "Normal", "Expired", "karpenter"},
    {"live", "leave", "Warning", "LeftAlone", "windlass"},
    {"live", "reject", "Warning", "WriteRefused", "windlass"},
    {"live", "keep", "Warning", "FailedDraining", "karpenter"},
    {"live", "collect", "Normal", "GarbageCollected", "karpenter"},
    {"disruption", "abandon", "Warning", "DisruptionBlocked", "karpenter"},
}};

std::string camel_case(std::string_view words) {
  std::string out;
  bool upper = true;
  for (const char c : words) {
    if (c == ' ' || c == '_' || c == '-') {
      upper = true;
      continue;
    }
    out += upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    upper = false;
  }
  return out;
}

}  // namespace

EventWords event_words(std::string_view controller, const Decision& decision) {
  for (const Words& words : kWords) {
    if (words.controller != controller || words.what != decision.what) continue;
    // A claim goes for other reasons, too; only the one Karpenter names so is named so.
    if (words.what == "delete" && controller == "claim_lifecycle" &&
        decision.result != "insufficient capacity") {
      return {"Warning", camel_case(decision.result), words.component};
    }
    return {words.type, std::string(words.reason), words.component};
  }
  return {"Normal", camel_case(decision.what), "windlass"};
}

std::string event_message(const Decision& decision) {
  std::string message = decision.result;
  if (!decision.reasons.empty()) message += ": " + join(decision.reasons, "; ");
  if (message.size() <= kMessageBytes) return message;
  // Never half a character.
  size_t end = kMessageBytes - 3;
  while (end > 0 && (static_cast<unsigned char>(message[end]) & 0xc0) == 0x80) --end;
  return message.substr(0, end) + "...";
}

}  // namespace windlass::controllers
