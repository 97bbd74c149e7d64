// What is particular to single kinds: printer columns, defaults, validation, selectable fields.
// Pure functions of JSON objects; rest calls them by group and kind and knows no kind itself.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/time.h"
#include "server/schema/schema.h"

namespace windlass::server::kinds {

// --- tables ---
struct Column {
  std::string name;      // "Ready"
  std::string type;      // string, integer, number, boolean, date
  std::string format{};  // "name" for the first
  std::string description{};
  int priority = 0;  // > 0: wide only
};
using Cells = std::vector<Json>;
struct Table {
  std::vector<Column> columns;
  std::function<Cells(const Json& object, Instant now)> row;
};
// The columns kubectl shows for a built-in kind, else Name and Created At (as kube-apiserver does).
Table table_for(std::string_view group, std::string_view version, std::string_view kind);
// A CRD version's additionalPrinterColumns (JSONPath), with Name first; dates as ages.
Table table_for_crd(const Json& additional_printer_columns);
// "5m", "3d4h": as kubectl prints ages.
std::string human_duration(Duration d);

// --- writes ---
// Defaults a served object shows (restartPolicy, strategy, imagePullPolicy, protocol, ...). `now`
// is not needed: nothing here depends on time.
void set_defaults(std::string_view group, std::string_view kind, Json& object);
// What kube-apiserver would refuse with 422, beyond types: names, required fields, immutable
// selectors (`old` not null: an update), selector against template labels, ports, quantities, ...
std::vector<schema::FieldFault> validate(std::string_view group, std::string_view kind,
                                         const Json& object, const Json* old);
// Whether metadata.generation counts up with this update (spec changed; for kinds without status:
// never).
bool counts_generation(std::string_view group, std::string_view kind, const Json& before,
                       const Json& after);
// Whether objects of the kind have a metadata.generation at all.
bool has_generation(std::string_view group, std::string_view kind);
// Field selectors beside metadata.*: pods spec.nodeName, status.phase, ...; events
// involvedObject.*.
std::vector<std::pair<std::string, std::string>> selectable_fields(std::string_view resource,
                                                                   const Json& object);
// Names as metadata.name may be (DNS subdomain or label by kind); empty: fine, else the message.
std::string name_fault(std::string_view resource, std::string_view name);

// --- the CRDs that are there from the start (Karpenter, EC2NodeClass, KEDA) ---
const std::vector<Json>& built_in_crds();
// Windlass' own, which are of no use in a real cluster (Scenario).
const std::vector<Json>& own_crds();

}  // namespace windlass::server::kinds
