// Defaults of pods and of pod specs in templates.
#include <nlohmann/json.hpp>

#include "base/quantity.h"
#include "server/kinds/defaults.h"
#include "server/kinds/fields.h"

namespace windlass::server::kinds {
namespace {

// What `work` does to each object of a list.
template <typename Work>
void each(Json& value, std::string_view key, Work work) {
  if (!value.is_object()) return;
  const auto list = value.find(key);
  if (list == value.end() || !list->is_array()) return;
  for (Json& one : *list) {
    if (one.is_object()) work(one);
  }
}

// The member where it is an object, else nullptr.
Json* object_at(Json& value, std::string_view key) {
  if (!value.is_object()) return nullptr;
  const auto found = value.find(key);
  return found != value.end() && found->is_object() ? &*found : nullptr;
}

// Always for :latest and for no tag at all, unless the image is named by digest (or no image's
// name).
std::string_view pull_policy(const std::string& image) {
  const bool no_name = image.empty() || image.find(' ') != std::string::npos;
  if (no_name || image.find('@') != std::string::npos) return "IfNotPresent";
  const size_t name = image.rfind('/');  // a colon before it belongs to a registry's port
  const size_t colon = image.find(':', name == std::string::npos ? 0 : name);
  if (colon == std::string::npos) return "Always";
  return image.substr(colon + 1) == "latest" ? "Always" : "IfNotPresent";
}

void default_http_get(Json& action) {
  Json* get = object_at(action, "httpGet");
  if (get == nullptr) return;
  set_if_zero(*get, "path", "/");
  set_if_zero(*get, "scheme", "HTTP");
}

void default_probe(Json& container, std::string_view name) {
  Json* probe = object_at(container, name);
  if (probe == nullptr) return;
  set_if_zero(*probe, "timeoutSeconds", 1);
  set_if_zero(*probe, "periodSeconds", 10);
  set_if_zero(*probe, "successThreshold", 1);
  set_if_zero(*probe, "failureThreshold", 3);
  default_http_get(*probe);
  if (Json* grpc = object_at(*probe, "grpc")) set_if_absent(*grpc, "service", "");
}

void default_field_ref(Json& source) {
  if (Json* ref = object_at(source, "fieldRef")) set_if_zero(*ref, "apiVersion", "v1");
}

void default_container(Json& container) {
  set_if_zero(container, "imagePullPolicy", pull_policy(text(at(container, "image"))));
  set_if_zero(container, "terminationMessagePath", "/dev/termination-log");
  set_if_zero(container, "terminationMessagePolicy", "File");
  set_if_absent(container, "resources", Json::object());
  if (Json* resources = object_at(container, "resources")) {
    if (Json* limits = object_at(*resources, "limits")) canonical_quantities(*limits);
    if (Json* requests = object_at(*resources, "requests")) canonical_quantities(*requests);
  }
  each(container, "ports", [](Json& port) { set_if_zero(port, "protocol", "TCP"); });
  each(container, "env", [](Json& variable) {
    if (Json* source = object_at(variable, "valueFrom")) default_field_ref(*source);
  });
  for (const std::string_view name : {"livenessProbe", "readinessProbe", "startupProbe"}) {
    default_probe(container, name);
  }
  if (Json* lifecycle = object_at(container, "lifecycle")) {
    for (const std::string_view hook : {"postStart", "preStop"}) {
      if (Json* action = object_at(*lifecycle, hook)) default_http_get(*action);
    }
  }
}

void default_projected(Json& projected) {
  set_if_absent(projected, "defaultMode", 420);
  each(projected, "sources", [](Json& source) {
    if (Json* token = object_at(source, "serviceAccountToken")) {
      set_if_absent(*token, "expirationSeconds", 3600);
    }
    if (Json* downward = object_at(source, "downwardAPI")) {
      each(*downward, "items", default_field_ref);
    }
  });
}

void default_volume(Json& volume) {
  if (volume.size() == (at(volume, "name").is_null() ? 0 : 1)) {
    volume["emptyDir"] = Json::object();  // a volume of no kind
  }
  for (const std::string_view kind : {"secret", "configMap", "downwardAPI"}) {
    if (Json* source = object_at(volume, kind)) set_if_absent(*source, "defaultMode", 420);
  }
  if (Json* downward = object_at(volume, "downwardAPI"))
    each(*downward, "items", default_field_ref);
  if (Json* projected = object_at(volume, "projected")) default_projected(*projected);
  if (Json* path = object_at(volume, "hostPath")) set_if_absent(*path, "type", "");
  if (Json* ephemeral = object_at(volume, "ephemeral")) {
    if (Json* claim = object_at(*ephemeral, "volumeClaimTemplate")) {
      default_claim_spec(make_object(*claim, "spec"));
    }
  }
  if (Json* empty = object_at(volume, "emptyDir")) {
    if (!at(*empty, "sizeLimit").is_null()) {
      (*empty)["sizeLimit"] = quantity_text(at(*empty, "sizeLimit"));
    }
  }
}

void requests_from_limits(Json& container) {
  Json* resources = object_at(container, "resources");
  if (resources == nullptr) return;
  const Json limits = members(at(*resources, "limits"));
  if (limits.empty()) return;
  Json& requests = make_object(*resources, "requests");
  for (const auto& [name, limit] : limits.items()) set_if_absent(requests, name, limit);
}

// Pods stay five minutes on a node that is not ready or out of reach.
void tolerate_lost_nodes(Json& spec) {
  for (const std::string key : {"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"}) {
    bool tolerated = false;
    for (const Json& one : items(at(spec, "tolerations"))) {
      const std::string effect = text(at(one, "effect"));
      const std::string other = text(at(one, "key"));
      tolerated |= (other == key || other.empty()) && (effect == "NoExecute" || effect.empty());
    }
    if (tolerated) continue;
    Json& all = spec["tolerations"];
    if (!all.is_array()) all = Json::array();
    all.push_back({{"key", key},
                   {"operator", "Exists"},
                   {"effect", "NoExecute"},
                   {"tolerationSeconds", 300}});
  }
}

bool positive(const Json& quantity) {
  if (quantity.is_null()) return false;
  const Result<Quantity> value = Quantity::parse(scalar_text(quantity));
  return value.ok() && *value > Quantity();
}

// Guaranteed: every container limits cpu and memory and requests as much. BestEffort: none asks.
std::string_view qos_class(const Json& spec) {
  bool any = false, all = true;
  for (const std::string_view kind : {"initContainers", "containers"}) {
    for (const Json& container : items(at(spec, kind))) {
      for (const std::string_view resource : {"cpu", "memory"}) {
        const Json& request = at(container, {"resources", "requests", resource});
        const Json& limit = at(container, {"resources", "limits", resource});
        any |= positive(request) || positive(limit);
        all &= positive(limit) && quantity_text(request) == quantity_text(limit);
      }
    }
  }
  return !any ? "BestEffort" : all ? "Guaranteed" : "Burstable";
}

void default_host_ports(Json& spec) {
  for (const std::string_view kind : {"containers", "initContainers"}) {
    each(spec, kind, [](Json& container) {
      each(container, "ports", [](Json& port) {
        if (!at(port, "containerPort").is_null()) {
          set_if_zero(port, "hostPort", Json(at(port, "containerPort")));
        }
      });
    });
  }
}

// The older name of the field, which the API still gives back beside the newer.
void mirror_service_account(Json& spec) {
  const std::string name =
      or_else_text(text(at(spec, "serviceAccountName")), text(at(spec, "serviceAccount")));
  if (name.empty()) return;
  spec["serviceAccountName"] = name;
  spec["serviceAccount"] = name;
}

}  // namespace

void canonical_quantities(Json& resource_list) {
  for (auto& [name, amount] : resource_list.items()) {
    if (!amount.is_null() && !amount.is_structured()) amount = quantity_text(amount);
  }
}

void default_pod_spec(Json& spec) {
  if (!spec.is_object()) return;
  set_if_zero(spec, "dnsPolicy", "ClusterFirst");
  set_if_zero(spec, "restartPolicy", "Always");
  set_if_absent(spec, "securityContext", Json::object());
  set_if_absent(spec, "terminationGracePeriodSeconds", 30);
  set_if_zero(spec, "schedulerName", "default-scheduler");
  each(spec, "initContainers", default_container);
  each(spec, "containers", default_container);
  each(spec, "ephemeralContainers", default_container);
  each(spec, "volumes", default_volume);
  mirror_service_account(spec);
  if (Json* overhead = object_at(spec, "overhead")) canonical_quantities(*overhead);
}

void default_pod_template(Json& object) {
  if (!object.is_object()) return;
  default_pod_spec(make_object(make_object(make_object(object, "spec"), "template"), "spec"));
}

void default_pod(Json& pod) {
  if (!pod.is_object()) return;
  Json& spec = make_object(pod, "spec");
  if (!spec.is_object()) return;
  set_if_zero(spec, "serviceAccountName",
              or_else_text(text(at(spec, "serviceAccount")), "default"));
  default_pod_spec(spec);
  each(spec, "initContainers", requests_from_limits);
  each(spec, "containers", requests_from_limits);
  set_if_absent(spec, "enableServiceLinks", true);
  if (truth(at(spec, "hostNetwork"))) default_host_ports(spec);
  tolerate_lost_nodes(spec);
  if (text(at(spec, "priorityClassName")).empty()) {
    set_if_absent(spec, "priority", 0);
    set_if_absent(spec, "preemptionPolicy", "PreemptLowerPriority");
  }
  Json& status = make_object(pod, "status");
  set_if_zero(status, "phase", "Pending");
  set_if_zero(status, "qosClass", qos_class(spec));
}

}  // namespace windlass::server::kinds
