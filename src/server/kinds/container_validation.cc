// Containers of all three sorts, and the volumes they mount.
#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

#include "server/kinds/fields.h"
#include "server/kinds/names.h"
#include "server/kinds/validation.h"

namespace windlass::server::kinds {
namespace {

const std::vector<std::string_view> kProtocols = {"SCTP", "TCP", "UDP"};

void check_ports(const Json& container, const std::string& path, Faults& faults) {
  std::set<std::string> names;
  const Json& ports = items(at(container, "ports"));
  for (size_t i = 0; i < ports.size(); ++i) {
    const std::string here = index(path + ".ports", i);
    const std::string name = text(at(ports[i], "name"));
    if (!name.empty()) {
      const std::string fault = port_name_fault(name);
      faults.check(here + ".name", name, fault);
      if (fault.empty() && !names.insert(name).second) faults.duplicate(here + ".name", name);
    }
    const Json& number = at(ports[i], "containerPort");
    if (whole(number) == 0) {
      faults.required(here + ".containerPort");
    } else {
      faults.check(here + ".containerPort", number, port_number_fault(whole(number)));
    }
    const Json& host = at(ports[i], "hostPort");
    if (whole(host) != 0) faults.check(here + ".hostPort", host, port_number_fault(whole(host)));
    faults.one_of(here + ".protocol", at(ports[i], "protocol"), kProtocols);
  }
}

// What a pod may learn of itself through its environment.
void check_field_path(const std::string& field, const std::string& path, Faults& faults) {
  const std::vector<std::string_view> kFields = {"metadata.name",
                                                 "metadata.namespace",
                                                 "metadata.uid",
                                                 "spec.nodeName",
                                                 "spec.serviceAccountName",
                                                 "status.hostIP",
                                                 "status.hostIPs",
                                                 "status.podIP",
                                                 "status.podIPs"};
  if (field.empty()) {
    faults.required(path);
  } else if (field.starts_with("metadata.labels['") ||
             field.starts_with("metadata.annotations['")) {
    const size_t from = field.find('\'') + 1;
    const std::string name = field.substr(from, field.rfind("']") - from);
    faults.check(path, name, qualified_name_fault(name));
  } else {
    faults.one_of(path, field, kFields);
  }
}

void check_value_from(const Json& variable, const std::string& path, Faults& faults) {
  const Json& source = at(variable, "valueFrom");
  if (source.is_null()) return;
  if (members(source).empty()) {
    faults.invalid(path, "",
                   "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, "
                   "`secretKeyRef` or `fileKeyRef`");
    return;
  }
  if (!text(at(variable, "value")).empty()) {
    faults.invalid(path, "", "may not be specified when `value` is not empty");
  } else if (source.size() > 1) {
    faults.invalid(path, "", "may not have more than one field specified at a time");
  }
  for (const std::string ref : {"configMapKeyRef", "secretKeyRef"}) {
    const Json& given = at(source, ref);
    if (given.is_null()) continue;
    const std::string object = text(at(given, "name"));
    faults.check(path + "." + ref + ".name", object, dns_subdomain_fault(object));
    const std::string name = text(at(given, "key"));
    if (name.empty()) {
      faults.required(path + "." + ref + ".key");
    } else {
      faults.check(path + "." + ref + ".key", name, config_key_fault(name));
    }
  }
  if (const Json& ref = at(source, "fieldRef"); ref.is_object()) {
    check_field_path(text(at(ref, "fieldPath")), path + ".fieldRef.fieldPath", faults);
  }
}

void check_environment(const Json& container, const std::string& path, Faults& faults) {
  const Json& variables = items(at(container, "env"));
  for (size_t i = 0; i < variables.size(); ++i) {
    const std::string here = index(path + ".env", i);
    const std::string name = text(at(variables[i], "name"));
    if (name.empty()) {
      faults.required(here + ".name");
    } else {
      faults.check(here + ".name", name, env_name_fault(name));
    }
    check_value_from(variables[i], here + ".valueFrom", faults);
  }
  const Json& sources = items(at(container, "envFrom"));
  for (size_t i = 0; i < sources.size(); ++i) {
    const Json& source = sources[i];
    for (const std::string ref : {"configMapRef", "secretRef"}) {
      if (at(source, ref).is_object() && text(at(source, {ref, "name"})).empty()) {
        faults.required(index(path + ".envFrom", i) + "." + ref + ".name");
      }
    }
    const int given = static_cast<int>(at(source, "configMapRef").is_object()) +
                      static_cast<int>(at(source, "secretRef").is_object());
    if (given == 1) continue;
    faults.invalid(path + ".envFrom", "",
                   given == 0 ? "must specify one of: `configMapRef` or `secretRef`"
                              : "may not have more than one field specified at a time");
  }
}

void check_mounts(const Json& container, const std::string& path,
                  const std::vector<std::string>& volumes, Faults& faults) {
  std::set<std::string> places;
  const Json& mounts = items(at(container, "volumeMounts"));
  for (size_t i = 0; i < mounts.size(); ++i) {
    const std::string here = index(path + ".volumeMounts", i);
    const std::string name = text(at(mounts[i], "name"));
    const std::string place = text(at(mounts[i], "mountPath"));
    if (name.empty()) faults.required(here + ".name");
    if (std::find(volumes.begin(), volumes.end(), name) == volumes.end()) {
      faults.not_found(here + ".name", name);
    }
    if (place.empty()) faults.required(here + ".mountPath");
    if (!places.insert(place).second) {
      faults.invalid(here + ".mountPath", place, "must be unique");
    }
    const std::string below = text(at(mounts[i], "subPath"));
    if (below.starts_with('/')) {
      faults.invalid(here + ".subPath", below, "must be a relative path");
    } else if (below == ".." || below.starts_with("../") || below.ends_with("/..") ||
               below.find("/../") != std::string::npos) {
      faults.invalid(here + ".subPath", below, "must not contain '..'");
    }
  }
}

void check_probe(const Json& probe, const std::string& path, Faults& faults) {
  if (!probe.is_object()) return;
  int handlers = 0;
  for (const std::string_view handler : {"exec", "httpGet", "tcpSocket", "grpc"}) {
    handlers += static_cast<int>(at(probe, handler).is_object());
  }
  if (handlers == 0) faults.required(path, "must specify a handler type");
  if (handlers > 1) faults.forbidden(path, "may not specify more than 1 handler type");
  if (at(probe, "exec").is_object() && items(at(probe, {"exec", "command"})).empty()) {
    faults.required(path + ".exec.command");
  }
  for (const std::string handler : {"httpGet", "tcpSocket", "grpc"}) {
    const Json& port = at(probe, {handler, "port"});
    const std::string here = path + "." + handler + ".port";
    if (!at(probe, handler).is_object()) continue;
    if (port.is_string()) {
      faults.check(here, port, port_name_fault(text(port)));
    } else {
      faults.check(here, port.is_null() ? Json(0) : port, port_number_fault(whole(port)));
    }
  }
  for (const std::string number : {"initialDelaySeconds", "timeoutSeconds", "periodSeconds",
                                   "successThreshold", "failureThreshold"}) {
    faults.non_negative(path + "." + number, at(probe, number));
  }
  // More than one success makes no sense of what restarts a container.
  const Json& successes = at(probe, "successThreshold");
  if (!path.ends_with(".readinessProbe") && whole(successes, 1) > 1) {
    faults.invalid(path + ".successThreshold", successes, "must be 1");
  }
}

void check_container(const Json& container, const std::string& path,
                     const std::vector<std::string>& volumes, Faults& faults) {
  const std::string name = text(at(container, "name"));
  if (name.empty()) {
    faults.required(path + ".name");
  } else {
    faults.check(path + ".name", name, dns_label_fault(name));
  }
  if (text(at(container, "image")).empty()) faults.required(path + ".image");
  faults.one_of(path + ".terminationMessagePolicy", at(container, "terminationMessagePolicy"),
                {"File", "FallbackToLogsOnError"});
  faults.one_of(path + ".imagePullPolicy", at(container, "imagePullPolicy"),
                {"Always", "IfNotPresent", "Never"});
  check_ports(container, path, faults);
  check_environment(container, path, faults);
  check_mounts(container, path, volumes, faults);
  check_resources(at(container, "resources"), path + ".resources", faults);
}

// Two containers can't have one port of the host.
void check_host_ports(const Json& containers, const std::string& path, std::set<std::string>& taken,
                      Faults& faults) {
  for (size_t i = 0; i < containers.size(); ++i) {
    const Json& ports = items(at(containers[i], "ports"));
    for (size_t j = 0; j < ports.size(); ++j) {
      const int64_t port = whole(at(ports[j], "hostPort"));
      if (port == 0) continue;
      const std::string use = text(at(ports[j], "protocol")) + "/" + text(at(ports[j], "hostIP")) +
                              "/" + std::to_string(port);
      if (!taken.insert(use).second) {
        faults.duplicate(index(index(path, i) + ".ports", j) + ".hostPort", use);
      }
    }
  }
}

// What only some containers may have: an init container that ends can't be probed.
void check_init_container(const Json& container, const std::string& path, Faults& faults) {
  const Json& restart = at(container, "restartPolicy");
  if (restart == "Always") return;
  if (!restart.is_null()) faults.not_supported(path + ".restartPolicy", restart, {"Always"});
  for (const std::string probe : {"livenessProbe", "readinessProbe", "startupProbe", "lifecycle"}) {
    if (at(container, probe).is_null()) continue;
    faults.forbidden(path + "." + probe,
                     "may not be set for init containers without restartPolicy=Always");
  }
}

}  // namespace

void check_containers(const Json& spec, const std::string& path,
                      const std::vector<std::string>& volumes, Faults& faults) {
  if (items(at(spec, "containers")).empty()) faults.required(path + ".containers");
  std::set<std::string> names, host_ports;
  for (const std::string sort : {"containers", "initContainers", "ephemeralContainers"}) {
    const std::string list = path + "." + sort;
    const Json& containers = items(at(spec, sort));
    for (size_t i = 0; i < containers.size(); ++i) {
      const std::string here = index(list, i);
      check_container(containers[i], here, volumes, faults);
      const std::string name = text(at(containers[i], "name"));
      if (!name.empty() && !names.insert(name).second) faults.duplicate(here + ".name", name);
      if (sort == "initContainers") check_init_container(containers[i], here, faults);
      for (const std::string probe : {"livenessProbe", "readinessProbe", "startupProbe"}) {
        check_probe(at(containers[i], probe), here + "." + probe, faults);
      }
    }
    if (sort == "containers") check_host_ports(containers, list, host_ports, faults);
  }
}

std::vector<std::string> check_volumes(const Json& spec, const std::string& path, Faults& faults) {
  // The member of a source without which it says nothing.
  constexpr std::pair<std::string_view, std::string_view> kNeeds[] = {
      {"secret", "secretName"}, {"persistentVolumeClaim", "claimName"},
      {"configMap", "name"},    {"hostPath", "path"},
      {"csi", "driver"},        {"nfs", "server"}};
  std::vector<std::string> good;
  const Json& volumes = items(at(spec, "volumes"));
  for (size_t i = 0; i < volumes.size(); ++i) {
    const std::string here = index(path, i);
    const std::string name = text(at(volumes[i], "name"));
    const size_t before = faults.size();
    const size_t sources = members(volumes[i]).size() - (at(volumes[i], "name").is_null() ? 0 : 1);
    if (sources == 0) faults.required(here, "must specify a volume type");
    if (sources > 1) faults.forbidden(here, "may not specify more than 1 volume type");
    for (const auto& [source, need] : kNeeds) {
      const Json& given = at(volumes[i], source);
      if (given.is_object() && text(at(given, need)).empty()) {
        faults.required(here + "." + std::string(source) + "." + std::string(need));
      }
    }
    if (const Json& ephemeral = at(volumes[i], "ephemeral"); ephemeral.is_object()) {
      const std::string claim = here + ".ephemeral.volumeClaimTemplate";
      if (at(ephemeral, "volumeClaimTemplate").is_null()) {
        faults.required(claim);
      } else {
        check_claim_spec(at(ephemeral, {"volumeClaimTemplate", "spec"}), claim + ".spec", faults);
      }
    }
    if (name.empty()) {
      faults.required(here + ".name");
    } else {
      faults.check(here + ".name", name, dns_label_fault(name));
    }
    if (std::find(good.begin(), good.end(), name) != good.end()) {
      faults.duplicate(here + ".name", name);
    }
    if (faults.size() == before) good.push_back(name);
  }
  return good;
}

}  // namespace windlass::server::kinds
