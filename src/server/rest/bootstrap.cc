// What a new cluster has. Each is created where it is absent, as a controller would through the
// API.
#include "server/rest/bootstrap.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "server/rest/body.h"
#include "server/rest/json_access.h"
#include "server/rest/write.h"

namespace windlass::server::rest {
namespace {

void ensure(Core& core, std::string_view group, std::string_view plural, std::string_view version,
            Json object) {
  Target target;
  target.resource = core.registry.find(group, plural);
  WL_ASSERT(target.resource != nullptr);
  target.version = target.resource->version(version);
  target.namespace_name = text_at(object["metadata"], "namespace");
  target.name = text_at(object["metadata"], "name");
  if (core.store.find(target.key()) != nullptr) return;
  object["apiVersion"] = target.api_version();
  object["kind"] = target.resource->kind;
  WriteOptions options;
  options.manager.name = "windlass";
  options.manager.api_version = target.resource->storage_api_version;
  options.manager.now = core.now();
  const auto created = create_object(core, target, std::move(object), options);
  if (!created) log::warning("not created at start: " + created.fault().message);
}

Json named(const char* name) { return {{"metadata", {{"name", name}}}}; }

void ensure_priority_class(Core& core, const char* name, int64_t value, const char* description) {
  Json object = named(name);
  object["value"] = value;
  object["description"] = description;
  ensure(core, "scheduling.k8s.io", "priorityclasses", "v1", std::move(object));
}

void ensure_role(Core& core, const char* name, const Json& verbs) {
  Json object = named(name);
  object["rules"] = Json::array(
      {{{"apiGroups", Json::array({"*"})}, {"resources", Json::array({"*"})}, {"verbs", verbs}}});
  ensure(core, "rbac.authorization.k8s.io", "clusterroles", "v1", std::move(object));
}

void ensure_kubernetes_service(Core& core) {
  Json object = named("kubernetes");
  object["metadata"]["namespace"] = "default";
  object["metadata"]["labels"] = {{"component", "apiserver"}, {"provider", "kubernetes"}};
  object["spec"] = {
      {"clusterIP", "10.96.0.1"},
      {"type", "ClusterIP"},
      {"ports",
       Json::array(
           {{{"name", "https"}, {"port", 443}, {"protocol", "TCP"}, {"targetPort", 6443}}})}};
  ensure(core, "", "services", "v1", std::move(object));
}

void ensure_storage_class(Core& core) {
  Json object = named("gp3");
  object["metadata"]["annotations"] = {{"storageclass.kubernetes.io/is-default-class", "true"}};
  object["provisioner"] = "ebs.csi.aws.com";
  object["parameters"] = {{"type", "gp3"}};
  object["reclaimPolicy"] = "Delete";
  object["volumeBindingMode"] = "WaitForFirstConsumer";
  object["allowVolumeExpansion"] = true;
  ensure(core, "storage.k8s.io", "storageclasses", "v1", std::move(object));
}

}  // namespace

void create_initial_objects(Core& core) {
  for (const char* name : {"default", "kube-system", "kube-public", "kube-node-lease"}) {
    ensure(core, "", "namespaces", "v1", named(name));
  }
  ensure_kubernetes_service(core);
  ensure_priority_class(core, "system-cluster-critical", 2'000'000'000,
                        "Used for system critical pods that must run in the cluster, but can be "
                        "moved to another node if necessary.");
  ensure_priority_class(core, "system-node-critical", 2'000'001'000,
                        "Used for system critical pods that must not be moved from their current "
                        "node.");
  if (core.store.count("storageclasses.storage.k8s.io") == 0) ensure_storage_class(core);
  for (const auto* crds : {&kinds::built_in_crds(), &kinds::own_crds()}) {
    for (const Json& crd : *crds) {
      ensure(core, "apiextensions.k8s.io", "customresourcedefinitions", "v1", crd);
    }
  }
  ensure_role(core, "cluster-admin", Json::array({"*"}));
  ensure_role(core, "view", Json::array({"get", "list", "watch"}));
  ensure_role(core, "edit",
              Json::array({"create", "delete", "get", "list", "patch", "update", "watch"}));
}

}  // namespace windlass::server::rest
