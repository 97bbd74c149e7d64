// Claims, volumes, storage classes and CSINodes: what binds a pod to a place.
#include <nlohmann/json.hpp>

#include "api/decode.h"

namespace windlass::api {
namespace {

constexpr const char* kDefaultClass = "storageclass.kubernetes.io/is-default-class";

// allowedTopologies: terms like a node selector's, of In alone.
NodeSelectorTerm read_topology_term(Reader term) {
  NodeSelectorTerm out;
  for (Reader item : term.at("matchLabelExpressions").items()) {
    RequirementSpec spec;
    spec.key = stable_label(item.at("key").required_string());
    Reader values = item.required("values");
    spec.values = values.strings();
    if (values.present() && values.json().is_array() && spec.values.empty()) {
      values.error("is empty (accepted: at least one value)");
    }
    out.match_expressions.push_back(std::move(spec));
  }
  return out;
}

}  // namespace

PersistentVolumeClaim read_persistent_volume_claim(Reader root) {
  PersistentVolumeClaim out;
  out.meta = read_meta(root.required("metadata"), Scope::kNamespaced);
  Reader spec = root.required("spec");
  out.storage_class = spec.at("storageClassName").string().value_or("");
  out.volume = spec.at("volumeName").string().value_or("");
  return out;
}

PersistentVolume read_persistent_volume(Reader root) {
  PersistentVolume out;
  out.meta = read_meta(root.required("metadata"), Scope::kCluster);
  Reader spec = root.required("spec");
  Reader required = spec.at("nodeAffinity").at("required");
  if (required.present()) out.node_terms = read_node_selector(std::move(required));
  Reader csi = spec.at("csi");
  if (csi.present()) out.csi_driver = csi.at("driver").required_string();
  out.local = spec.has("local") || spec.has("hostPath");
  return out;
}

StorageClass read_storage_class(Reader root) {
  StorageClass out;
  out.meta = read_meta(root.required("metadata"), Scope::kCluster);
  out.provisioner = root.at("provisioner").required_string();
  out.wait_for_first_consumer =
      root.at("volumeBindingMode")
          .one_of<bool>({{"Immediate", false}, {"WaitForFirstConsumer", true}})
          .value_or(false);
  const auto marked = out.meta.annotations.find(kDefaultClass);
  out.is_default = marked != out.meta.annotations.end() && marked->second == "true";
  for (Reader term : root.at("allowedTopologies").items()) {
    out.allowed_terms.push_back(read_topology_term(std::move(term)));
  }
  return out;
}

CsiNode read_csi_node(Reader root) {
  CsiNode out;
  out.meta = read_meta(root.required("metadata"), Scope::kCluster);
  for (Reader driver : root.required("spec").at("drivers").items()) {
    const std::string name = driver.at("name").required_string();
    const auto count = driver.at("allocatable").at("count").int32(0, INT32_MAX);
    if (count) out.attach_limits[name] = *count;
  }
  return out;
}

}  // namespace windlass::api
