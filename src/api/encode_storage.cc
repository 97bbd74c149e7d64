#include "api/base64.h"
#include "api/encode.h"

namespace windlass::api {
namespace {

constexpr const char* kDefaultClass = "storageclass.kubernetes.io/is-default-class";

// The keys of `map` that are not in `wanted` go; a key that reads as it should stays as it is.
void drop_unwanted(Json& out, const char* field, const StringMap& wanted) {
  const auto map = out.find(field);
  if (map == out.end() || !map->is_object()) return;
  for (auto entry = map->begin(); entry != map->end();) {
    entry = wanted.contains(entry.key()) ? std::next(entry) : map->erase(entry);
  }
}

bool holds_text(const Json& out, const char* field, const std::string& key,
                const std::string& text) {
  const auto map = out.find(field);
  if (map == out.end() || !map->is_object()) return false;
  const auto value = map->find(key);
  return value != map->end() && *value == text;
}

}  // namespace

void write(Json& out, const Namespace& namespace_object) { write_meta(out, namespace_object.meta); }

// stringData stands over data, as it does for the API server.
void write(Json& out, const Secret& secret) {
  write_meta(out, secret.meta);
  drop_unwanted(out, "data", secret.data);
  drop_unwanted(out, "stringData", secret.data);
  for (const auto& [key, value] : secret.data) {
    if (holds_text(out, "stringData", key, value)) continue;
    if (out.contains("stringData") && out["stringData"].is_object()) out["stringData"].erase(key);
    const std::string encoded = to_base64(value);
    if (!holds_text(out, "data", key, encoded)) out["data"][key] = encoded;
  }
}

void write(Json& out, const ConfigMap& config_map) {
  write_meta(out, config_map.meta);
  put_string_map(out, "data", config_map.data);
}

void write(Json& out, const PersistentVolumeClaim& claim) {
  write_meta(out, claim.meta);
  within(out, "spec", [&](Json& spec) {
    put_string(spec, "storageClassName", claim.storage_class);
    put_string(spec, "volumeName", claim.volume);
  });
  if (!out.contains("spec")) out["spec"] = Json::object();
}

// Whether a volume is local is a matter of its source, which stays as it was read.
void write(Json& out, const PersistentVolume& volume) {
  write_meta(out, volume.meta);
  within(out, "spec", [&](Json& spec) {
    if (!volume.node_terms.empty()) {
      within(spec, "nodeAffinity", [&](Json& affinity) {
        within(affinity, "required", [&](Json& required) {
          put_each(required, "nodeSelectorTerms", volume.node_terms, "", write_node_term);
        });
      });
    }
    if (!volume.csi_driver.empty()) {
      within(spec, "csi", [&](Json& csi) { put_string(csi, "driver", volume.csi_driver); });
    }
  });
  if (!out.contains("spec")) out["spec"] = Json::object();
}

void write(Json& out, const StorageClass& storage_class) {
  write_meta(out, storage_class.meta);
  if (storage_class.is_default) out["metadata"]["annotations"][kDefaultClass] = "true";
  put_string(out, "provisioner", storage_class.provisioner);
  put_string(out, "volumeBindingMode",
             storage_class.wait_for_first_consumer ? "WaitForFirstConsumer" : "Immediate",
             "Immediate");
  put_each(out, "allowedTopologies", storage_class.allowed_terms, "",
           [](Json& t, const NodeSelectorTerm& term) {
             put_each(t, "matchLabelExpressions", term.match_expressions, "key",
                      [](Json& e, const RequirementSpec& spec) {
                        e["key"] = spec.key;
                        put_strings(e, "values", spec.values);
                      });
           });
}

void write(Json& out, const CsiNode& csi_node) {
  write_meta(out, csi_node.meta);
  within(out, "spec", [&](Json& spec) {
    Json& drivers = spec["drivers"];
    if (!drivers.is_array()) drivers = Json::array();
    for (const auto& [name, count] : csi_node.attach_limits) {
      auto driver = drivers.begin();
      while (driver != drivers.end() && driver->value("name", Json()) != name) ++driver;
      if (driver == drivers.end()) driver = drivers.insert(driver, Json{{"name", name}});
      within(*driver, "allocatable",
             [&, n = count](Json& a) { put_int(a, "count", n, std::nullopt); });
    }
  });
}

}  // namespace windlass::api
