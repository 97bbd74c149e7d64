// Tables of services, endpoints, ingresses and network policies.
#include <set>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "server/kinds/fields.h"
#include "server/kinds/tables.h"

namespace windlass::server::kinds {
namespace {

std::vector<std::string> texts(const Json& list) {
  std::vector<std::string> all;
  for (const Json& one : items(list)) all.push_back(text(one));
  return all;
}

// Addresses of status.loadBalancer, sorted.
std::vector<std::string> balancer_addresses(const Json& object) {
  std::set<std::string> all;
  for (const Json& one : items(at(object, {"status", "loadBalancer", "ingress"}))) {
    const std::string address = or_else_text(text(at(one, "ip")), text(at(one, "hostname")));
    if (!address.empty()) all.insert(address);
  }
  return {all.begin(), all.end()};
}

std::string external_ip(const Json& service) {
  const std::string type = text(at(service, {"spec", "type"}));
  const std::vector<std::string> external = texts(at(service, {"spec", "externalIPs"}));
  if (type == "ClusterIP" || type == "NodePort") return or_else_text(join(external, ","), "<none>");
  if (type == "ExternalName") return text(at(service, {"spec", "externalName"}));
  if (type != "LoadBalancer") return "<unknown>";
  std::vector<std::string> all = balancer_addresses(service);
  all.insert(all.end(), external.begin(), external.end());
  return or_else_text(join(all, ","), "<pending>");
}

std::string service_ports(const Json& service) {
  std::vector<std::string> all;
  for (const Json& port : items(at(service, {"spec", "ports"}))) {
    std::string one = std::to_string(whole(at(port, "port")));
    const int64_t node_port = whole(at(port, "nodePort"));
    if (node_port > 0) one += ":" + std::to_string(node_port);
    all.push_back(one + "/" + text(at(port, "protocol")));
  }
  return or_else_text(join(all, ","), "<none>");
}

std::string cluster_ip(const Json& service) {
  const Json& all = items(at(service, {"spec", "clusterIPs"}));
  const std::string first = all.empty() ? "" : text(all[0]);
  return or_else_text(or_else_text(first, text(at(service, {"spec", "clusterIP"}))), "<none>");
}

std::string host_port(const std::string& address, int64_t port) {
  const bool brackets = address.find(':') != std::string::npos;  // IPv6
  return (brackets ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

std::string endpoint_addresses(const Json& endpoints) {
  std::vector<std::string> all;
  for (const Json& subset : items(at(endpoints, "subsets"))) {
    const Json& addresses = items(at(subset, "addresses"));
    const Json& ports = items(at(subset, "ports"));
    if (ports.empty()) {  // a headless service may have none
      for (const Json& one : addresses) all.push_back(text(at(one, "ip")));
    }
    for (const Json& port : ports) {
      for (const Json& one : addresses) {
        all.push_back(host_port(text(at(one, "ip")), whole(at(port, "port"))));
      }
    }
  }
  if (items(at(endpoints, "subsets")).empty()) return "<none>";
  return first_three(all, "");
}

Cells endpoint_slice_row(const Json& slice, Instant now) {
  std::vector<std::string> ports, addresses;
  for (const Json& port : items(at(slice, "ports"))) {
    const Json& number = at(port, "port");
    const Json& name = at(port, "name");
    ports.push_back(!number.is_null() ? std::to_string(whole(number))
                    : name.is_null()  ? "*"
                                      : text(name));
  }
  for (const Json& endpoint : items(at(slice, "endpoints"))) {
    for (const Json& one : items(at(endpoint, "addresses"))) addresses.push_back(text(one));
  }
  return {name_of(slice), text(at(slice, "addressType")), first_three(ports, "<unset>"),
          first_three(addresses, "<unset>"), age(slice, now)};
}

// Rules beyond the third are only counted, with or without a host of their own.
std::string ingress_hosts(const Json& ingress) {
  const Json& rules = items(at(ingress, {"spec", "rules"}));
  std::vector<std::string> hosts;
  bool more = false;
  for (const Json& rule : rules) {
    if (hosts.size() == 3) more = true;
    const std::string host = text(at(rule, "host"));
    if (!more && !host.empty()) hosts.push_back(host);
  }
  if (hosts.empty()) return "*";
  std::string all = join(hosts, ",");
  if (more) all += " + " + std::to_string(rules.size() - 3) + " more...";
  return all;
}

Cells ingress_row(const Json& ingress, Instant now) {
  const Json& class_name = at(ingress, {"spec", "ingressClassName"});
  const bool tls = !items(at(ingress, {"spec", "tls"})).empty();
  return {name_of(ingress),       class_name.is_null() ? "<none>" : text(class_name),
          ingress_hosts(ingress), join(balancer_addresses(ingress), ","),
          tls ? "80, 443" : "80", age(ingress, now)};
}

Cells ingress_class_row(const Json& object, Instant now) {
  std::string parameters = "<none>";
  if (const Json& given = at(object, {"spec", "parameters"}); given.is_object()) {
    parameters = text(at(given, "kind"));
    if (at(given, "apiGroup").is_string()) parameters += "." + text(at(given, "apiGroup"));
    parameters += "/" + text(at(given, "name"));
  }
  return {name_of(object), text(at(object, {"spec", "controller"})), parameters, age(object, now)};
}

}  // namespace

Table service_table() {
  return {{name_column(), shown("Type"), shown("Cluster-IP"), shown("External-IP"),
           shown("Port(s)"), shown("Age"), wide("Selector")},
          [](const Json& object, Instant now) -> Cells {
            return {name_of(object),
                    text(at(object, {"spec", "type"})),
                    cluster_ip(object),
                    external_ip(object),
                    service_ports(object),
                    age(object, now),
                    or_else_text(labels_text(at(object, {"spec", "selector"})), "<none>")};
          }};
}

Table endpoints_table() {
  return {{name_column(), shown("Endpoints"), shown("Age")},
          [](const Json& object, Instant now) -> Cells {
            return {name_of(object), endpoint_addresses(object), age(object, now)};
          }};
}

Table endpoint_slice_table() {
  return {{name_column(), shown("AddressType"), shown("Ports"), shown("Endpoints"), shown("Age")},
          endpoint_slice_row};
}

Table ingress_table() {
  return {{name_column(), shown("Class"), shown("Hosts"), shown("Address"), shown("Ports"),
           shown("Age")},
          ingress_row};
}

Table ingress_class_table() {
  return {{name_column(), shown("Controller"), shown("Parameters"), shown("Age")},
          ingress_class_row};
}

Table network_policy_table() {
  return {{name_column(), shown("Pod-Selector"), shown("Age")},
          [](const Json& object, Instant now) -> Cells {
            return {name_of(object),
                    or_else_text(selector_text(at(object, {"spec", "podSelector"})), "<none>"),
                    age(object, now)};
          }};
}

}  // namespace windlass::server::kinds
