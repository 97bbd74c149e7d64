#include "sim/apps/pod_template.h"

#include <nlohmann/json.hpp>

#include "base/quantity.h"

namespace windlass::sim::apps {
namespace {

Json canonical_quantities(const Json& resources) {
  Json out = Json::object();
  for (const auto& [name, value] : resources.items()) {
    const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    const auto quantity = Quantity::parse(text);
    // Nanos, not the spelling: "1024Mi" and "1Gi" print differently but are equal.
    out[name] = quantity.ok() ? Quantity::from_milli(quantity->milli()).to_string() : text;
  }
  return out;
}

// Without what says nothing: nulls, empty maps and lists. Depth is bounded by the parser's.
Json canonical(const Json& value) {
  if (value.is_object()) {
    Json out = Json::object();
    for (const auto& [key, field] : value.items()) {
      const bool amounts = (key == "requests" || key == "limits") && field.is_object();
      Json kept = amounts ? canonical_quantities(field) : canonical(field);
      const bool empty = kept.is_null() || (kept.is_structured() && kept.empty());
      if (!empty) out[key] = std::move(kept);
    }
    return out;
  }
  if (value.is_array()) {
    Json out = Json::array();
    for (const Json& element : value) out.push_back(canonical(element));
    return out;
  }
  return value;
}

}  // namespace

Json template_of(const api::Object& workload) {
  const Json object = api::encode(workload);
  const auto spec = object.find("spec");
  if (spec == object.end() || !spec->is_object()) return Json::object();
  const auto found = spec->find("template");
  return found == spec->end() || !found->is_object() ? Json::object() : *found;
}

std::string template_hash(const Json& pod_template) {
  static constexpr std::string_view kLetters = "bcdfghjklmnpqrstvwxz2456789";
  Json plain = canonical(pod_template);
  if (plain.contains("metadata") && plain["metadata"].contains("labels")) {
    Json& labels = plain["metadata"]["labels"];
    labels.erase(kTemplateHashLabel);
    if (labels.empty()) plain["metadata"].erase("labels");
  }
  Hash64 hash;
  hash.add(plain.dump(-1, ' ', false, Json::error_handler_t::replace));
  uint64_t bits = hash.value();
  std::string out;
  for (int i = 0; i < 10; ++i) {
    out += kLetters[bits % kLetters.size()];
    bits /= kLetters.size();
  }
  return out;
}

api::RawObject raw_pod(const Json& pod_template) {
  Json raw{{"apiVersion", "v1"}, {"kind", "Pod"}};
  const auto spec = pod_template.find("spec");
  if (spec != pod_template.end()) raw["spec"] = *spec;
  return std::make_shared<const Json>(std::move(raw));
}

api::Pod make_pod(const Reconciler& reconciler, const api::PodTemplate& typed, api::RawObject raw,
                  const api::ObjectMeta& owner, std::string_view kind,
                  std::string_view api_version) {
  api::Pod pod;
  pod.meta.namespace_name = owner.namespace_name;
  pod.meta.labels = typed.labels;
  pod.meta.annotations = typed.annotations;
  pod.meta.created = reconciler.context.now;
  pod.meta.owners.push_back(
      {std::string(api_version), std::string(kind), owner.name, owner.uid, true});
  pod.spec = typed.spec;
  if (const auto* priority =
          reconciler.context.state.priority_classes().find(pod.spec.priority_class)) {
    pod.spec.priority = priority->value;
  }
  pod.raw = std::move(raw);
  return pod;
}

}  // namespace windlass::sim::apps
