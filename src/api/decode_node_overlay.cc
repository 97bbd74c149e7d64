// NodeOverlay of karpenter.sh/v1alpha1 (reference karpenter.md 1.5).
#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/decode.h"
#include "base/text.h"

namespace windlass::api {
namespace {

// What the kubelet or the provider measures itself can't be overlaid; GPUs can.
constexpr std::array<std::string_view, 9> kForbidden{
    kCpu,
    kMemory,
    kEphemeralStorage,
    kPods,
    "vpc.amazonaws.com/pod-eni",
    "aws.amazon.com/neuron",
    "aws.amazon.com/neuroncore",
    "habana.ai/gaudi",
    "vpc.amazonaws.com/efa",
};

bool is_plain_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789.") == std::string_view::npos &&
         parse_double(text).ok();
}

// A sign, a number and perhaps a percent sign; no price falls by more than all of it.
bool is_adjustment(std::string_view text) {
  if (text.size() < 2 || (text[0] != '+' && text[0] != '-')) return false;
  const bool percent = text.ends_with('%');
  const std::string_view number = text.substr(1, text.size() - (percent ? 2 : 1));
  if (!is_plain_number(number)) return false;
  return !percent || text[0] == '+' || *parse_double(number) <= 100;
}

void read_price(Reader& spec, NodeOverlay& out) {
  Reader price = spec.at("price");
  if (const auto text = price.string()) {
    if (is_plain_number(*text)) {
      out.price_usd_per_hour = *parse_double(*text);
    } else {
      price.error(fmt::format("found {} (accepted: dollars per hour, like \"1.25\")",
                              describe(price.json())));
    }
  }
  Reader adjustment = spec.at("priceAdjustment");
  out.price_adjustment = adjustment.string().value_or("");
  if (adjustment.present() && !is_adjustment(out.price_adjustment)) {
    adjustment.error(
        fmt::format("found {} (accepted: a change like \"+0.05\", \"-0.05\", \"+10%\" or \"-10%\")",
                    describe(adjustment.json())));
  }
  if (price.present() && adjustment.present()) {
    adjustment.error("stands beside price (accepted: one of the two)");
  }
}

}  // namespace

NodeOverlay read_node_overlay(Reader root) {
  NodeOverlay out;
  out.meta = read_meta(root.required("metadata"), Scope::kCluster);
  Reader spec = root.required("spec");
  Reader requirements = spec.at("requirements");
  out.requirements = read_requirements(requirements, RequirementsOf::kNodeOverlay);
  if (out.requirements.size() > 100) requirements.error("has more than 100 entries");
  read_price(spec, out);
  Reader capacity = spec.at("capacity");
  out.capacity = capacity.resources();
  for (const std::string_view name : kForbidden) {
    if (out.capacity.has(name)) capacity.error(fmt::format("{} can't be overlaid", name));
  }
  out.weight = spec.at("weight").int32(1, 10'000).value_or(0);
  spec.warn_unknown_keys();
  root.allow({"apiVersion", "kind", "status"});
  root.warn_unknown_keys();
  return out;
}

}  // namespace windlass::api
