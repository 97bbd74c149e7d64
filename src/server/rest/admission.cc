#include "server/rest/admission.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "server/rest/base64_text.h"
#include "server/rest/crd.h"
#include "server/rest/json_access.h"
#include "server/rest/write.h"

namespace windlass::server::rest {
namespace {

void merge_string_data(Json& object) {
  const auto plain = object.find("stringData");
  if (plain == object.end()) return;
  Json& data = make_object(object, "data");
  if (plain->is_object()) {
    for (const auto& [key, value] : plain->items()) {
      if (value.is_string()) data[key] = base64(value.get_ref<const std::string&>());
    }
  }
  object.erase("stringData");
}

void prepare_namespace(const Target& target, Json& object) {
  make_object(object["metadata"], "labels")["kubernetes.io/metadata.name"] = target.name;
  Json& finalizers = make_object(object, "spec")["finalizers"];
  if (!finalizers.is_array()) finalizers = Json::array();
  if (std::find(finalizers.begin(), finalizers.end(), "kubernetes") == finalizers.end()) {
    finalizers.push_back("kubernetes");
  }
  object["status"] = {{"phase", "Active"}};
}

// Whether every container asks for exactly what it may use, for something, or for nothing.
std::string qos_class(const Json& spec) {
  bool any = false;
  bool all_equal = true;
  for (const char* list : {"initContainers", "containers"}) {
    for (const Json& container : at(spec, list)) {
      const Json& requests = at(container, "resources", "requests");
      const Json& limits = at(container, "resources", "limits");
      for (const char* name : {"cpu", "memory"}) {
        const Json& limit = at(limits, name);
        const Json& request = at(requests, name).is_null() ? limit : at(requests, name);
        any = any || !request.is_null() || !limit.is_null();
        all_equal = all_equal && !limit.is_null() && request == limit;
      }
    }
  }
  return !any ? "BestEffort" : all_equal ? "Guaranteed" : "Burstable";
}

void prepare_pod(Core& core, Json& object) {
  Json& spec = make_object(object, "spec");
  object["status"] = {{"phase", "Pending"}, {"qosClass", qos_class(spec)}};
  if (at(spec, "serviceAccountName").is_null()) {
    spec["serviceAccountName"] = "default";
    spec["serviceAccount"] = "default";
  }
  if (const std::string name = text_at(spec, "priorityClassName"); !name.empty()) {
    const auto found = core.store.find({"priorityclasses.scheduling.k8s.io", "", name});
    if (found == nullptr) return;
    const Json priority_class = json_of(*found);
    if (const auto value = integer_at(priority_class, "value")) spec["priority"] = *value;
    if (const auto policy = text_at(priority_class, "preemptionPolicy");
        !policy.empty() && at(spec, "preemptionPolicy").is_null()) {
      spec["preemptionPolicy"] = policy;
    }
    return;
  }
  for (const auto& document : core.store.list("priorityclasses.scheduling.k8s.io")) {
    const Json priority_class = json_of(*document);
    if (!flag_at(priority_class, "globalDefault")) continue;
    spec["priorityClassName"] = document->key.name;
    spec["priority"] = integer_at(priority_class, "value").value_or(0);
  }
  if (at(spec, "priority").is_null()) spec["priority"] = 0;
}

// A virtual address of 10.96.0.0/16 that no other Service has; .1 is Service kubernetes.
std::string free_address(const Core& core, const Target& target) {
  std::set<std::string> taken;
  for (const auto& document : core.store.list("services")) {
    taken.insert(text_at(at(json_of(*document), "spec"), "clusterIP"));
  }
  Hash64 hash;
  hash.add(target.namespace_name);
  hash.add(target.name);
  const uint64_t start = hash.value();
  for (uint64_t i = 0; i < 65'000; ++i) {
    const uint64_t host = (start + i) % 65'000 + 16;
    std::string address = fmt::format("10.96.{}.{}", host / 256, host % 256);
    if (!taken.contains(address)) return address;
  }
  return "None";
}

void prepare_service(const Core& core, const Target& target, Json& object) {
  Json& spec = make_object(object, "spec");
  const std::string type = text_at(spec, "type");
  object["status"] = {{"loadBalancer", Json::object()}};
  if (type == "ExternalName") return;
  if (text_at(spec, "clusterIP").empty()) spec["clusterIP"] = free_address(core, target);
  spec["clusterIPs"] = Json::array({spec["clusterIP"]});
  if (at(spec, "ipFamilies").is_null()) spec["ipFamilies"] = Json::array({"IPv4"});
  if (at(spec, "ipFamilyPolicy").is_null()) spec["ipFamilyPolicy"] = "SingleStack";
}

// A Job that names no selector gets one by its own uid, so that Jobs never share pods.
void prepare_job(Json& object) {
  Json& spec = make_object(object, "spec");
  if (flag_at(spec, "manualSelector") || !at(spec, "selector").is_null()) return;
  const Json& metadata = object["metadata"];
  Json& labels = make_object(make_object(make_object(spec, "template"), "metadata"), "labels");
  for (const char* prefix : {"", "batch.kubernetes.io/"}) {
    labels[std::string(prefix) + "controller-uid"] = metadata["uid"];
    labels[std::string(prefix) + "job-name"] = metadata["name"];
  }
  spec["selector"] = {{"matchLabels", {{"batch.kubernetes.io/controller-uid", metadata["uid"]}}}};
}

void prepare_claim(const Core& core, Json& object) {
  object["status"] = {{"phase", "Pending"}};
  Json& spec = make_object(object, "spec");
  if (spec.contains("storageClassName")) return;
  for (const auto& document : core.store.list("storageclasses.storage.k8s.io")) {
    const Json storage_class = json_of(*document);
    const Json& annotations = at(storage_class, "metadata", "annotations");
    if (text_at(annotations, "storageclass.kubernetes.io/is-default-class") == "true") {
      spec["storageClassName"] = document->key.name;
      return;
    }
  }
}

}  // namespace

void prepare_create(Core& core, const Target& target, Json& object) {
  const std::string& name = target.resource->store_name;
  if (name == "namespaces") prepare_namespace(target, object);
  if (name == "secrets") merge_string_data(object);
  if (name == "pods") prepare_pod(core, object);
  if (name == "services") prepare_service(core, target, object);
  if (name == "jobs.batch") prepare_job(object);
  if (name == "persistentvolumeclaims") prepare_claim(core, object);
  if (name == "persistentvolumes") object["status"] = {{"phase", "Pending"}};
  if (name == kCrdResource) settle_crd(core, object);
}

void prepare_update(Core& core, const Target& target, const Json& live, Json& object) {
  const std::string& name = target.resource->store_name;
  if (name == "secrets") merge_string_data(object);
  if (name == "namespaces" && target.subresource != "finalize") {
    make_object(object["metadata"], "labels")["kubernetes.io/metadata.name"] = target.name;
    object["spec"] = at(live, "spec");  // finalizers change through /finalize alone
  }
  if (name == "services" && text_at(at(object, "spec"), "clusterIP").empty()) {
    const Json& spec = at(live, "spec");
    for (const char* field : {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"}) {
      if (spec.contains(field)) object["spec"][field] = spec[field];
    }
  }
  if (name == kCrdResource && target.subresource.empty()) settle_crd(core, object);
}

void after_create(Core& core, const Target& target) {
  if (target.resource->store_name != "namespaces") return;
  Target account;
  account.resource = core.registry.find("", "serviceaccounts");
  account.version = account.resource->version("v1");
  account.namespace_name = target.name;
  WriteOptions options;
  options.manager.name = "kube-controller-manager";
  options.manager.api_version = "v1";
  options.manager.now = core.now();
  Json object = {
      {"apiVersion", "v1"}, {"kind", "ServiceAccount"}, {"metadata", {{"name", "default"}}}};
  // Nothing can be wrong with it, and a namespace without it is still one.
  (void)create_object(core, account, std::move(object), options);
}

}  // namespace windlass::server::rest
