// karpenter.sh and karpenter.k8s.aws v1beta1 become v1, as Karpenter's own conversion does it
// (reference karpenter.md 1.3). It works on JSON, so that fields nobody here knows come through.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/decode.h"

namespace windlass::api {
namespace {

constexpr std::string_view kKubeletAnnotation =
    "compatibility.karpenter.sh/v1beta1-kubelet-conversion";
constexpr std::string_view kNodeClassAnnotation =
    "compatibility.karpenter.sh/v1beta1-nodeclass-reference";

// The map at `key`, or null if there is none.
Json* map_at(Json* parent, const char* key) {
  if (parent == nullptr) return nullptr;
  const auto found = parent->find(key);
  return found != parent->end() && found->is_object() ? &*found : nullptr;
}

// Finds or makes the map at `key`; null where another type stands in the way (the v1 reader says
// so).
Json* make_map(Json& parent, const char* key) {
  Json& field = parent[key];
  if (field.is_null()) field = Json::object();
  return field.is_object() ? &field : nullptr;
}

void annotate(Json& object, std::string_view key, const std::string& value) {
  Json* metadata = make_map(object, "metadata");
  Json* annotations = metadata == nullptr ? nullptr : make_map(*metadata, "annotations");
  if (annotations != nullptr) (*annotations)[std::string(key)] = value;
}

// {apiVersion, kind, name} becomes {group, kind, name}; what is missing is the AWS provider's
// class.
void convert_node_class_ref(Json& object, Json& spec) {
  Json* ref = map_at(&spec, "nodeClassRef");
  if (ref == nullptr) return;
  annotate(object, kNodeClassAnnotation, ref->dump());
  std::string group = "karpenter.k8s.aws";
  if (const auto version = ref->find("apiVersion"); version != ref->end()) {
    if (version->is_string()) {
      const auto& text = version->get_ref<const std::string&>();
      if (text.find('/') != std::string::npos) group = text.substr(0, text.find('/'));
    }
    ref->erase(version);
  }
  if (!ref->contains("group")) (*ref)["group"] = group;
  if (!ref->contains("kind")) (*ref)["kind"] = "EC2NodeClass";
}

void convert_kubelet(Json& object, Json& spec, Reader place) {
  const auto kubelet = spec.find("kubelet");
  if (kubelet == spec.end()) return;
  annotate(object, kKubeletAnnotation, kubelet->dump());
  spec.erase(kubelet);
  if (place.present()) {
    place.warning(
        "moved to an annotation, as Karpenter's conversion does; v1 reads the kubelet's "
        "settings from the EC2NodeClass");
  }
}

// The policy's name, and the v1beta1 rule for consolidateAfter beside it.
void convert_policy(Json& disruption, Reader place) {
  const std::string policy =
      disruption.contains("consolidationPolicy") && disruption["consolidationPolicy"].is_string()
          ? disruption["consolidationPolicy"].get<std::string>()
          : "WhenUnderutilized";
  Reader after = place.at("consolidateAfter");
  Reader policy_field = place.at("consolidationPolicy");
  if (policy == "WhenUnderutilized") {
    disruption["consolidationPolicy"] = "WhenEmptyOrUnderutilized";
    if (!after.present()) {
      disruption["consolidateAfter"] = "0s";
    } else if (!after.json().is_string() || after.json() != "Never") {
      after.warning(
          "consolidateAfter beside WhenUnderutilized is refused by Karpenter's own v1beta1; read "
          "with v1's meaning: how long a node must see no pod come or go before it is "
          "consolidated");
    }
  } else if (policy == "WhenEmpty") {
    if (!after.present()) after.error("is missing (v1beta1 requires it beside WhenEmpty)");
  } else {
    policy_field.error(
        fmt::format("found \"{}\" (accepted: WhenEmpty, WhenUnderutilized)", policy.substr(0, 64)));
    // Said once is enough.
    disruption.erase("consolidationPolicy");
  }
}

void convert_disruption(Json& spec, Json* template_spec, Reader place) {
  Json* disruption = make_map(spec, "disruption");
  if (disruption == nullptr) return;
  convert_policy(*disruption, place);
  if (const auto expire = disruption->find("expireAfter"); expire != disruption->end()) {
    if (template_spec != nullptr) (*template_spec)["expireAfter"] = *expire;
    disruption->erase(expire);
  }
}

}  // namespace

void convert_node_pool(Json& object, Reader root) {
  object["apiVersion"] = "karpenter.sh/v1";
  Json* spec = map_at(&object, "spec");
  if (spec == nullptr) return;
  Reader spec_place = root.at("spec");
  Json* template_spec = map_at(map_at(spec, "template"), "spec");
  if (template_spec != nullptr) {
    convert_node_class_ref(object, *template_spec);
    convert_kubelet(object, *template_spec, spec_place.at("template").at("spec").at("kubelet"));
  }
  convert_disruption(*spec, template_spec, spec_place.at("disruption"));
}

void convert_node_claim(Json& object, Reader root) {
  object["apiVersion"] = "karpenter.sh/v1";
  Json* spec = map_at(&object, "spec");
  if (spec == nullptr) return;
  convert_node_class_ref(object, *spec);
  convert_kubelet(object, *spec, root.at("spec").at("kubelet"));
}

void convert_ec2_node_class(Json& object, Reader root) {
  object["apiVersion"] = "karpenter.k8s.aws/v1";
  Json* spec = map_at(&object, "spec");
  if (spec == nullptr) return;
  Reader place = root.at("spec");
  Reader family = place.at("amiFamily");
  const std::string name = family.required_string();
  const bool has_terms = place.has("amiSelectorTerms");
  if (!has_terms && name == "Custom") {
    place.at("amiSelectorTerms").error("is missing (required beside amiFamily Custom)");
  }
  std::string alias = name;
  for (char& c : alias) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (name == "Ubuntu") {
    // v1 has no such family: Karpenter reads it as AL2 with Ubuntu's root disk.
    alias = "al2";
    (*spec)["amiFamily"] = "AL2";
    if (!place.has("blockDeviceMappings")) {
      (*spec)["blockDeviceMappings"] = Json::parse(
          R"([{"deviceName": "/dev/sda1", "rootVolume": true,
               "ebs": {"encrypted": true, "volumeType": "gp3", "volumeSize": "20Gi"}}])");
    }
    family.warning("v1 has no Ubuntu; read as AL2, as Karpenter's conversion does");
  }
  if (!has_terms && name != "Custom" && !name.empty()) {
    (*spec)["amiSelectorTerms"] = Json::array({{{"alias", alias + "@latest"}}});
  }
}

std::string v1beta1_path(const std::string& kind, const std::string& path) {
  if (kind == "NodePool" && path == "spec.template.spec.expireAfter") {
    return "spec.disruption.expireAfter";
  }
  if (path.ends_with("nodeClassRef.group")) {
    return path.substr(0, path.size() - std::string_view("group").size()) + "apiVersion";
  }
  return path;
}

}  // namespace windlass::api
