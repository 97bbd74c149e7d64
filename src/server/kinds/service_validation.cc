// Services, ingresses, network policies.
#include <set>

#include <nlohmann/json.hpp>

#include "server/kinds/fields.h"
#include "server/kinds/names.h"
#include "server/kinds/validation.h"

namespace windlass::server::kinds {
namespace {

const std::vector<std::string_view> kProtocols = {"SCTP", "TCP", "UDP"};

void check_service_port(const Json& port, bool needs_name, std::set<std::string>& names,
                        const std::string& path, Faults& faults) {
  const std::string name = text(at(port, "name"));
  if (!name.empty()) {
    faults.check(path + ".name", name, dns_label_fault(name));
    if (!names.insert(name).second) faults.duplicate(path + ".name", name);
  } else if (needs_name) {
    faults.required(path + ".name");
  }
  const int64_t number = whole(at(port, "port"));
  faults.check(path + ".port", number, port_number_fault(number));
  faults.one_of(path + ".protocol", at(port, "protocol"), kProtocols);
  const Json& target = at(port, "targetPort");
  if (target.is_string()) {
    faults.check(path + ".targetPort", target, port_name_fault(text(target)));
  } else if (!target.is_null()) {
    faults.check(path + ".targetPort", target, port_number_fault(whole(target)));
  }
}

void check_service_ports(const Json& spec, Faults& faults) {
  const Json& ports = items(at(spec, "ports"));
  const std::string type = text(at(spec, "type"));
  const bool headless = at(spec, "clusterIP") == "None";
  if (ports.empty() && !headless && type != "ExternalName") faults.required("spec.ports");
  std::set<std::string> names, numbers, node_ports;
  for (size_t i = 0; i < ports.size(); ++i) {
    const std::string here = index("spec.ports", i);
    check_service_port(ports[i], ports.size() > 1, names, here, faults);
    const std::string protocol = text(at(ports[i], "protocol"));
    const int64_t node_port = whole(at(ports[i], "nodePort"));
    if (node_port != 0 && type == "ClusterIP") {
      faults.forbidden(here + ".nodePort", "may not be used when `type` is 'ClusterIP'");
    }
    if (node_port != 0 && !node_ports.insert(protocol + std::to_string(node_port)).second) {
      faults.duplicate(here + ".nodePort", node_port);
    }
    const Json pair = {{"protocol", protocol}, {"port", whole(at(ports[i], "port"))}};
    if (!numbers.insert(pair.dump(-1, ' ', false, Json::error_handler_t::replace)).second) {
      faults.duplicate(here, pair);
    }
  }
}

void check_external_name(const Json& spec, Faults& faults) {
  std::string name = text(at(spec, "externalName"));
  if (!same(at(spec, "clusterIPs"), Json())) {
    faults.forbidden("spec.clusterIPs", "may not be set for ExternalName services");
  }
  if (name.ends_with('.')) name.pop_back();
  if (name.empty()) {
    faults.required("spec.externalName");
  } else {
    faults.check("spec.externalName", name, dns_subdomain_fault(name));
  }
}

void check_backend(const Json& backend, const std::string& path, Faults& faults) {
  const Json& service = at(backend, "service");
  const bool resource = at(backend, "resource").is_object();
  if (service.is_object() && resource) {
    faults.invalid(path, "", "cannot set both resource and service backends");
  } else if (!service.is_object() && !resource) {
    faults.required(path, "must specify a service or a resource");
  }
  if (!service.is_object()) return;
  const std::string name = text(at(service, "name"));
  if (name.empty()) {
    faults.required(path + ".service.name");
  } else {
    faults.check(path + ".service.name", name, dns_1035_label_fault(name));
  }
  const bool by_name = !text(at(service, {"port", "name"})).empty();
  const int64_t number = whole(at(service, {"port", "number"}));
  if (by_name && number != 0) {
    faults.invalid(path, "", "cannot set both port name & port number");
  } else if (!by_name && number == 0) {
    faults.required(path, "port name or number is required");
  } else if (!by_name) {
    faults.check(path + ".service.port.number", number, port_number_fault(number));
  }
}

void check_ingress_rule(const Json& rule, const std::string& path, Faults& faults) {
  std::string host = text(at(rule, "host"));
  if (host.starts_with("*.")) host.erase(0, 2);
  if (!host.empty()) faults.check(path + ".host", at(rule, "host"), dns_subdomain_fault(host));
  const Json& http = at(rule, "http");
  if (http.is_null()) return;
  const Json& paths = items(at(http, "paths"));
  if (paths.empty()) faults.required(path + ".http.paths");
  for (size_t i = 0; i < paths.size(); ++i) {
    const std::string here = index(path + ".http.paths", i);
    const std::string type = text(at(paths[i], "pathType"));
    const std::string place = text(at(paths[i], "path"));
    if (type.empty()) {
      faults.required(here + ".pathType", "pathType must be specified");
    } else if (type != "Exact" && type != "Prefix" && type != "ImplementationSpecific") {
      faults.not_supported(here + ".pathType", type, {"Exact", "ImplementationSpecific", "Prefix"});
    } else if (type != "ImplementationSpecific" && !place.starts_with('/')) {
      faults.invalid(here + ".path", place, "must be an absolute path");
    }
    check_backend(at(paths[i], "backend"), here + ".backend", faults);
  }
}

}  // namespace

void check_service(const Json& object, const Json* old, Faults& faults) {
  const Json& spec = at(object, "spec");
  const std::string type = text(at(spec, "type"));
  const bool headless = at(spec, "clusterIP") == "None";
  check_service_ports(spec, faults);
  if (headless && (type == "LoadBalancer" || type == "NodePort")) {
    faults.invalid("spec.clusterIPs[0]", "None",
                   "may not be set to 'None' for " + type + " services");
  }
  if (type == "ExternalName") check_external_name(spec, faults);
  check_labels(at(spec, "selector"), "spec.selector", faults);
  faults.one_of("spec.sessionAffinity", at(spec, "sessionAffinity"), {"ClientIP", "None"});
  faults.one_of("spec.type", at(spec, "type"),
                {"ClusterIP", "ExternalName", "LoadBalancer", "NodePort"});
  faults.one_of("spec.internalTrafficPolicy", at(spec, "internalTrafficPolicy"),
                {"Cluster", "Local"});
  const Json& timeout = at(spec, {"sessionAffinityConfig", "clientIP", "timeoutSeconds"});
  if (!timeout.is_null() && (whole(timeout) <= 0 || whole(timeout) > 86400)) {
    faults.invalid("spec.sessionAffinityConfig.clientIP.timeoutSeconds", timeout,
                   "must be greater than 0 and less than 86400");
  }
  if (old == nullptr) return;
  // The address stays as long as the service has one.
  const std::string before = text(at(*old, {"spec", "clusterIP"}));
  const std::string old_type = text(at(*old, {"spec", "type"}));
  if (old_type == "ExternalName" || type == "ExternalName" || before.empty()) return;
  const std::string after = text(at(spec, "clusterIP"));
  if (!after.empty() && after != before) {
    faults.invalid("spec.clusterIPs[0]", after, "may not change once set");
  }
}

void check_ingress(const Json& object, const Json*, Faults& faults) {
  const Json& spec = at(object, "spec");
  const Json& rules = items(at(spec, "rules"));
  const Json& fallback = at(spec, "defaultBackend");
  if (rules.empty() && fallback.is_null()) {
    faults.invalid("spec", members(spec), "either `defaultBackend` or `rules` must be specified");
  }
  if (!fallback.is_null()) check_backend(fallback, "spec.defaultBackend", faults);
  for (size_t i = 0; i < rules.size(); ++i) {
    check_ingress_rule(rules[i], index("spec.rules", i), faults);
  }
  const std::string name = text(at(spec, "ingressClassName"));
  if (!name.empty()) faults.check("spec.ingressClassName", name, dns_subdomain_fault(name));
}

void check_network_policy(const Json& object, const Json*, Faults& faults) {
  const Json& spec = at(object, "spec");
  check_label_selector(at(spec, "podSelector"), "spec.podSelector", faults);
  const Json& types = items(at(spec, "policyTypes"));
  for (size_t i = 0; i < types.size(); ++i) {
    faults.one_of(index("spec.policyTypes", i), types[i], {"Egress", "Ingress"});
  }
  for (const std::string side : {"ingress", "egress"}) {
    const Json& rules = items(at(spec, side));
    for (size_t i = 0; i < rules.size(); ++i) {
      const std::string here = index("spec." + side, i);
      const std::string peers_name = side == "ingress" ? "from" : "to";
      const Json& ports = items(at(rules[i], "ports"));
      for (size_t j = 0; j < ports.size(); ++j) {
        faults.one_of(index(here + ".ports", j) + ".protocol", at(ports[j], "protocol"),
                      kProtocols);
      }
      const Json& peers = items(at(rules[i], peers_name));
      for (size_t j = 0; j < peers.size(); ++j) {
        const std::string peer = index(here + "." + peers_name, j);
        if (members(peers[j]).empty()) faults.required(peer, "must specify a peer");
        for (const std::string selector : {"podSelector", "namespaceSelector"}) {
          check_label_selector(at(peers[j], selector), peer + "." + selector, faults);
        }
      }
    }
  }
}

}  // namespace windlass::server::kinds
