#include "scaling/scaled_object_plan.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/text.h"

namespace windlass::scaling {

std::optional<ModifiersPlan> read_modifiers(const api::ScaledObject& object,
                                            const std::vector<TriggerPlan>& triggers,
                                            std::vector<std::string>& errors) {
  constexpr std::string_view kPlace = "advanced.scalingModifiers";
  const auto& given = object.modifiers;
  const bool behavior_needs_formula =
      object.fallback && object.fallback->behavior == api::FallbackBehavior::kScalingModifiers;
  if (!given || (given->formula.empty() && given->target.empty())) {
    if (behavior_needs_formula) {
      errors.emplace_back("fallback.behavior: scalingModifiers needs " + std::string(kPlace) +
                          ".formula");
    }
    return std::nullopt;
  }
  ModifiersPlan plan;
  plan.target_type = given->metric_type;
  const auto target = parse_double(trim(given->target));
  const double milli = target.ok() ? std::trunc(*target * 1000) : 0;
  if (!(milli >= 1 && milli < 9.2e18)) {
    errors.push_back(fmt::format("{}.target: found \"{}\" (accepted: a number above 0)", kPlace,
                                 given->target.substr(0, 40)));
  } else {
    plan.target_milli = static_cast<int64_t>(milli);
  }
  plan.fallback_works = parse_int(trim(given->target)).ok();
  if (!given->activation_target.empty()) {
    const auto activation = parse_double(trim(given->activation_target));
    if (!activation.ok()) {
      errors.push_back(
          fmt::format("{}.activationTarget: {}", kPlace, activation.error().message()));
    } else {
      plan.activation = *activation;
    }
  }
  std::vector<std::string> names;
  for (size_t i = 0; i < triggers.size(); ++i) {
    if (triggers[i].name.empty() || triggers[i].is_resource()) continue;
    names.push_back(triggers[i].name);
    plan.triggers.push_back(i);
  }
  auto formula = Formula::parse(given->formula, names);
  // Tried once, so that what the types of the values forbid shows now and not at night.
  const std::vector<std::optional<double>> dummies(names.size(), -1.0);
  const auto tried = formula.ok() ? formula->evaluate(dummies) : formula.error();
  if (!tried.ok()) {
    errors.push_back(fmt::format("{}.formula: {}", kPlace, tried.error().message()));
    return std::nullopt;
  }
  plan.formula = *std::move(formula);
  return plan;
}

Result<ScaledObjectPlan> plan_scaled_object(const api::ScaledObject& object,
                                            std::span<const ResolvedValues> values,
                                            std::vector<std::string>* ignored) {
  ScaledObjectPlan plan;
  std::vector<std::string> errors;
  auto triggers = plan_triggers(object.triggers, object.meta.namespace_name, values, ignored);
  if (triggers.ok()) {
    plan.triggers = *std::move(triggers);
    plan.modifiers = read_modifiers(object, plan.triggers, errors);
  } else {
    errors.push_back(triggers.error().message());
  }
  auto opt_ins = read_opt_ins(object.meta.annotations);
  if (opt_ins.ok()) {
    plan.opt_ins = *std::move(opt_ins);
  } else {
    errors.push_back(opt_ins.error().message());
  }
  if (!errors.empty()) return Error(join(errors, "; "));
  plan.pause = read_pause_annotations(object.meta.annotations);
  plan.behavior = hpa_behavior(object);
  plan.only_resources = std::ranges::all_of(plan.triggers, &TriggerPlan::is_resource);
  return plan;
}

std::string hpa_name(const api::ScaledObject& object) {
  return object.hpa_name.empty() ? "keda-hpa-" + object.meta.name : object.hpa_name;
}

}  // namespace windlass::scaling
