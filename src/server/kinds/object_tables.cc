// Tables of small kinds: configuration, access, namespaces, quotas, classes, budgets.
#include <nlohmann/json.hpp>

#include "base/quantity.h"
#include "base/text.h"
#include "server/kinds/fields.h"
#include "server/kinds/tables.h"

namespace windlass::server::kinds {
namespace {

int64_t count(const Json& container) {
  return container.is_array() || container.is_object() ? static_cast<int64_t>(container.size()) : 0;
}

Cells resource_quota_row(const Json& quota, Instant now) {
  std::vector<std::string> requests, limits;
  for (const auto& [resource, hard] : members(at(quota, {"status", "hard"})).items()) {
    const Json& used = at(quota, {"status", "used", resource});
    auto& column = resource.starts_with("limits.") ? limits : requests;
    column.push_back(resource + ": " + quantity_text(used) + "/" + quantity_text(hard));
  }
  return {name_of(quota), join(requests, ", "), join(limits, ", "), age(quota, now)};
}

Cells role_binding_row(const Json& binding, Instant now) {
  std::vector<std::string> users, groups, accounts;
  for (const Json& subject : items(at(binding, "subjects"))) {
    const std::string kind = text(at(subject, "kind"));
    const std::string name = text(at(subject, "name"));
    if (kind == "User") users.push_back(name);
    if (kind == "Group") groups.push_back(name);
    if (kind == "ServiceAccount") accounts.push_back(text(at(subject, "namespace")) + "/" + name);
  }
  return {name_of(binding),
          text(at(binding, {"roleRef", "kind"})) + "/" + text(at(binding, {"roleRef", "name"})),
          age(binding, now),
          join(users, ", "),
          join(groups, ", "),
          join(accounts, ", ")};
}

// "N/A": the budget is by the other.
std::string budget_side(const Json& value) { return value.is_null() ? "N/A" : scalar_text(value); }

// "True", or "False (MissingEndpoints)".
std::string api_service_available(const Json& service) {
  for (const Json& one : items(at(service, {"status", "conditions"}))) {
    if (at(one, "type") != "Available") continue;
    const std::string status = text(at(one, "status"));
    return status == "True" ? status : status + " (" + text(at(one, "reason")) + ")";
  }
  return "Unknown";
}

Cells api_service_row(const Json& object, Instant now) {
  const Json& service = at(object, {"spec", "service"});
  const std::string local = text(at(service, "namespace")) + "/" + text(at(service, "name"));
  return {name_of(object), service.is_null() ? "Local" : local, api_service_available(object),
          age(object, now)};
}

Cells component_status_row(const Json& object, Instant) {
  for (const Json& one : items(at(object, "conditions"))) {
    if (at(one, "type") != "Healthy") continue;
    const bool healthy = at(one, "status") == "True";
    return {name_of(object), healthy ? "Healthy" : "Unhealthy", text(at(one, "message")),
            text(at(one, "error"))};
  }
  return {name_of(object), "Unknown", "", ""};
}

// A node's usage, or the sum of a pod's containers.
std::string usage(const Json& object, std::string_view resource) {
  const Json& of_node = at(object, {"usage", resource});
  if (!of_node.is_null()) return scalar_text(of_node);
  int64_t milli = 0;
  for (const Json& container : items(at(object, "containers"))) {
    const Result<Quantity> part = Quantity::parse(scalar_text(at(container, {"usage", resource})));
    if (part.ok() && __builtin_add_overflow(milli, part->milli(), &milli)) milli = INT64_MAX;
  }
  if (resource == "cpu") return Quantity::from_milli(milli).to_string();
  return Quantity::from_units(milli / 1000, Quantity::Format::kBinarySI).to_string();
}

}  // namespace

Table config_map_table() {
  return {{name_column(), shown("Data"), shown("Age")},
          [](const Json& object, Instant now) -> Cells {
            return {name_of(object), count(at(object, "data")) + count(at(object, "binaryData")),
                    age(object, now)};
          }};
}

Table secret_table() {
  return {{name_column(), shown("Type"), shown("Data"), shown("Age")},
          [](const Json& object, Instant now) -> Cells {
            return {name_of(object), text(at(object, "type")), count(at(object, "data")),
                    age(object, now)};
          }};
}

Table service_account_table() {
  return {{name_column(), shown("Secrets"), shown("Age")},
          [](const Json& object, Instant now) -> Cells {
            return {name_of(object), count(at(object, "secrets")), age(object, now)};
          }};
}

Table namespace_table() {
  return {{name_column(), shown("Status"), shown("Age")},
          [](const Json& object, Instant now) -> Cells {
            return {name_of(object), text(at(object, {"status", "phase"})), age(object, now)};
          }};
}

Table resource_quota_table() {
  return {{name_column(), shown("Request"), shown("Limit"), shown("Age")}, resource_quota_row};
}

Table role_binding_table() {
  return {{name_column(), shown("Role"), shown("Age"), wide("Users"), wide("Groups"),
           wide("ServiceAccounts")},
          role_binding_row};
}

Table lease_table() {
  return {
      {name_column(), shown("Holder"), shown("Age")}, [](const Json& object, Instant now) -> Cells {
        return {name_of(object), text(at(object, {"spec", "holderIdentity"})), age(object, now)};
      }};
}

Table priority_class_table() {
  return {{name_column(), shown("Value", "integer"), shown("Global-Default", "boolean"),
           shown("Age"), shown("PreemptionPolicy")},
          [](const Json& object, Instant now) -> Cells {
            return {name_of(object), whole(at(object, "value")), truth(at(object, "globalDefault")),
                    age(object, now), text(at(object, "preemptionPolicy"))};
          }};
}

Table runtime_class_table() {
  return {{name_column(), shown("Handler"), shown("Age")},
          [](const Json& object, Instant now) -> Cells {
            return {name_of(object), text(at(object, "handler")), age(object, now)};
          }};
}

Table pod_disruption_budget_table() {
  return {{name_column(), shown("Min Available"), shown("Max Unavailable"),
           shown("Allowed Disruptions", "integer"), shown("Age")},
          [](const Json& object, Instant now) -> Cells {
            return {name_of(object), budget_side(at(object, {"spec", "minAvailable"})),
                    budget_side(at(object, {"spec", "maxUnavailable"})),
                    whole(at(object, {"status", "disruptionsAllowed"})), age(object, now)};
          }};
}

Table webhook_table() {
  return {{name_column(), shown("Webhooks", "integer"), shown("Age")},
          [](const Json& object, Instant now) -> Cells {
            return {name_of(object), count(at(object, "webhooks")), age(object, now)};
          }};
}

Table api_service_table() {
  return {{name_column(), shown("Service"), shown("Available"), shown("Age")}, api_service_row};
}

Table component_status_table() {
  return {{name_column(), shown("Status"), shown("Message"), shown("Error")}, component_status_row};
}

Table usage_table() {
  return {{name_column(), shown("cpu"), shown("memory"), shown("Window")},
          [](const Json& object, Instant) -> Cells {
            return {name_of(object), usage(object, "cpu"), usage(object, "memory"),
                    text(at(object, "window"))};
          }};
}

}  // namespace windlass::server::kinds
