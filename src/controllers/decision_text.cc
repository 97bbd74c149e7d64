#include "controllers/decision_text.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace windlass::controllers {
namespace {

std::string_view who(std::string_view controller) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kNames{{
      {"scaled_object", "KEDA's loop and the HPA"},
      {"joint", "the joint policy"},
      {"provisioning", "provisioning"},
      {"claim_lifecycle", "the claim's lifecycle"},
      {"disruption", "disruption"},
      {"interruption", "the interruption watch"},
      {"kube_scheduler", "the scheduler"},
      {"static_pools", "the static pools' loop"},
      {"termination", "the claim's termination"},
  }};
  for (const auto& [name, words] : kNames) {
    if (name == controller) return words;
  }
  return controller;
}

// "NodeClaim/a,b" as "NodeClaim/a, b": several claims of one command.
std::string named(std::string_view object) {
  std::string out(object);
  for (size_t at = out.find(','); at != std::string::npos; at = out.find(',', at + 2)) {
    if (out.compare(at, 2, ", ") != 0) out.insert(at + 1, " ");
  }
  return out;
}

// Why disruption takes nodes away; empty for what is none of its methods.
std::string_view method_words(std::string_view what) {
  if (what == "emptiness") return "nothing runs there";
  if (what == "drift" || what == "static_drift") return "drift from the pool or node class";
  if (what == "multi_node_consolidation") return "fewer nodes do";
  if (what == "single_node_consolidation") return "cheaper without";
  return {};
}

// Deeds that end nodes, as the middle of a sentence; empty for others.
std::string ending_deed(const Decision& decision) {
  const std::string object = named(decision.object);
  const std::string& what = decision.what;
  if (what == "delete") return fmt::format("deleted {}: {}", object, decision.result);
  if (what == "expire") return fmt::format("deleted {}: expired", object);
  if (what == "drain") return fmt::format("drains {}: {}", object, decision.result);
  if (what == "abandon") return fmt::format("gave up replacing {}: {}", object, decision.result);
  const std::string_view why = method_words(what);
  if (why.empty()) return {};
  const size_t by = decision.result.rfind(" by ");
  if (decision.result.starts_with("replace ") && by != std::string::npos) {
    return fmt::format("sets out to replace {}{} ({})", object, decision.result.substr(by), why);
  }
  return fmt::format("deleted {} ({})", object, why);
}

// What was done, as the middle of a sentence.
std::string deed(const Decision& decision) {
  if (std::string ending = ending_deed(decision); !ending.empty()) return ending;
  const std::string& object = decision.object;
  const std::string& what = decision.what;
  if (what == "scale" || what == "activate") {
    const std::string_view target = input_of(decision, "target");
    return fmt::format("{} {}{}: {}", what == "scale" ? "scaled" : "activated", object,
                       target.empty() ? "" : fmt::format(" ({})", target), decision.result);
  }
  if (what == "create" && object.starts_with("NodePool/")) {
    return fmt::format("found no instance type for {}: {}", object, decision.result);
  }
  if (what == "create") return fmt::format("asked for {}: {}", object, decision.result);
  if (what == "fail") return fmt::format("got no answer for {}: {}", object, decision.result);
  if (what == "refuse") return fmt::format("can't read {}: {}", object, decision.result);
  if (what == "leave") return fmt::format("leaves {} alone: {}", object, decision.result);
  if (what == "reject") return fmt::format("could not write {}: {}", object, decision.result);
  if (what == "launch") return fmt::format("launched {}: {}", object, decision.result);
  if (what == "bind") {
    return fmt::format("bound {} to {} after {}", object, input_of(decision, "node"),
                       input_of(decision, "waited"));
  }
  if (what == "unschedulable") return fmt::format("found {} for {}", decision.result, object);
  return fmt::format("decided {} of {}: {}", what, object, decision.result);
}

}  // namespace

std::string_view input_of(const Decision& decision, std::string_view name) {
  const auto found =
      std::ranges::find(decision.inputs, name, &std::pair<std::string, std::string>::first);
  return found == decision.inputs.end() ? std::string_view() : found->second;
}

std::string deed_sentence(std::string_view controller, const Decision& decision) {
  return fmt::format("{} {}.", who(controller), deed(decision));
}

std::string full_sentence(std::string_view controller, const Decision& decision) {
  std::string out = deed_sentence(controller, decision);
  std::string inputs;
  for (const auto& [name, value] : decision.inputs) {
    // Said in the sentence already.
    if (name == "target" || name == "waited" || name == "node" || value.empty()) continue;
    inputs += fmt::format("{}{} {}", inputs.empty() ? "" : "; ", name, value);
  }
  if (!inputs.empty()) out += fmt::format(" It saw: {}.", inputs);
  if (!decision.reasons.empty()) out += fmt::format(" Why: {}.", join(decision.reasons, "; "));
  return out;
}

std::string decision_line(Instant now, Policy policy, std::string_view controller,
                          const Decision& decision) {
  nlohmann::ordered_json line;
  line["time"] = to_rfc3339(now);
  line["policy"] = to_string(policy);
  line["controller"] = controller;
  line["object"] = decision.object;
  line["decision"] = decision.what;
  line["inputs"] = nlohmann::ordered_json::object();
  for (const auto& [name, value] : decision.inputs) line["inputs"][name] = value;
  line["result"] = decision.result;
  line["reasons"] = decision.reasons;
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace windlass::controllers
