// Custom resource definitions, but for their schemas, which the schema room reads.
#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

#include "server/kinds/fields.h"
#include "server/kinds/json_path.h"
#include "server/kinds/names.h"
#include "server/kinds/validation.h"

namespace windlass::server::kinds {
namespace {

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

void check_crd_names(const Json& names, Faults& faults) {
  for (const std::string part : {"plural", "singular", "kind", "listKind"}) {
    const std::string name = text(at(names, part));
    const std::string here = "spec.names." + part;
    if (name.empty()) {
      faults.required(here);
      continue;
    }
    const bool mixed = part == "kind" || part == "listKind";
    const std::string fault = dns_1035_label_fault(mixed ? lower(name) : name);
    faults.check(here, name,
                 fault.empty() || !mixed
                     ? fault
                     : "may have mixed case, but should otherwise match: " + fault);
  }
  for (const std::string list : {"shortNames", "categories"}) {
    const Json& all = items(at(names, list));
    for (size_t i = 0; i < all.size(); ++i) {
      faults.check(index("spec.names." + list, i), all[i], dns_1035_label_fault(text(all[i])));
    }
  }
  if (!text(at(names, "kind")).empty() && at(names, "kind") == at(names, "listKind")) {
    faults.invalid("spec.names.listKind", at(names, "listKind"),
                   "kind and listKind may not be the same");
  }
}

void check_column(const Json& column, const std::string& path, Faults& faults) {
  constexpr std::string_view kTypes = "must be one of boolean,date,integer,number,string";
  const std::string type = text(at(column, "type"));
  if (text(at(column, "name")).empty()) faults.required(path + ".name");
  if (type.empty()) {
    faults.required(path + ".type", kTypes);
  } else if (type != "boolean" && type != "date" && type != "integer" && type != "number" &&
             type != "string") {
    faults.invalid(path + ".type", type, kTypes);
  }
  const std::string json_path = text(at(column, "jsonPath"));
  if (json_path.empty()) {
    faults.required(path + ".JSONPath");
  } else if (const auto parsed = JsonPath::parse(json_path); !parsed.ok()) {
    faults.invalid(path + ".JSONPath", json_path,
                   "is an invalid path: " + parsed.error().message());
  }
}

void check_scale(const Json& scale, const std::string& path, Faults& faults) {
  if (!scale.is_object()) return;
  constexpr std::pair<std::string_view, std::string_view> kPaths[] = {
      {"specReplicasPath", ".spec."}, {"statusReplicasPath", ".status."}};
  for (const auto& [field, prefix] : kPaths) {
    const std::string here = path + "." + std::string(field);
    const std::string value = text(at(scale, field));
    if (value.empty()) {
      faults.required(here);
    } else if (!value.starts_with(prefix)) {
      faults.invalid(
          here, value,
          "should be a json path under " + std::string(prefix.substr(0, prefix.size() - 1)));
    }
  }
}

void check_versions(const Json& spec, Faults& faults) {
  const Json& versions = items(at(spec, "versions"));
  std::set<std::string> names;
  int64_t stored = 0;
  bool unique = true;
  for (size_t i = 0; i < versions.size(); ++i) {
    const std::string here = index("spec.versions", i);
    const std::string name = text(at(versions[i], "name"));
    faults.check(here + ".name", name, dns_1035_label_fault(name));
    unique &= names.insert(name).second;
    stored += static_cast<int64_t>(truth(at(versions[i], "storage")));
    if (!at(versions[i], {"schema", "openAPIV3Schema"}).is_object()) {
      faults.required(here + ".schema.openAPIV3Schema");
    }
    const Json& columns = items(at(versions[i], "additionalPrinterColumns"));
    for (size_t j = 0; j < columns.size(); ++j) {
      check_column(columns[j], index(here + ".additionalPrinterColumns", j), faults);
    }
    check_scale(at(versions[i], {"subresources", "scale"}), here + ".subresources.scale", faults);
  }
  // The versions themselves may be very long; the message tells their names.
  const Json shown = Json(std::vector<std::string>(names.begin(), names.end()));
  if (!unique) faults.invalid("spec.versions", shown, "must contain unique version names");
  if (stored != 1) {
    faults.invalid("spec.versions", shown,
                   "must have exactly one version marked as storage version");
  }
}

void check_stored_versions(const Json& object, Faults& faults) {
  const Json& stored = items(at(object, {"status", "storedVersions"}));
  const Json& versions = items(at(object, {"spec", "versions"}));
  for (size_t i = 0; i < stored.size(); ++i) {
    const bool there = std::any_of(versions.begin(), versions.end(),
                                   [&](const Json& one) { return at(one, "name") == stored[i]; });
    if (there) continue;
    faults.invalid(index("status.storedVersions", i), stored[i],
                   "missing from spec.versions; " + text(stored[i]) +
                       " was previously a storage version, and must remain in spec.versions");
  }
}

}  // namespace

void check_crd(const Json& object, const Json* old, Faults& faults) {
  const Json& spec = at(object, "spec");
  const std::string group = text(at(spec, "group"));
  const std::string plural = text(at(spec, {"names", "plural"}));
  if (at(object, {"metadata", "name"}) != plural + "." + group) {
    faults.invalid("metadata.name", at(object, {"metadata", "name"}),
                   "must be spec.names.plural+\".\"+spec.group");
  }
  if (group.empty()) {
    faults.required("spec.group");
  } else if (const std::string fault = dns_subdomain_fault(group); !fault.empty()) {
    faults.invalid("spec.group", group, fault);
  } else if (group.find('.') == std::string::npos) {
    faults.invalid("spec.group", group, "should be a domain with at least one dot");
  }
  if (text(at(spec, "scope")).empty()) {
    faults.required("spec.scope");
  } else {
    faults.one_of("spec.scope", at(spec, "scope"), {"Cluster", "Namespaced"});
  }
  check_versions(spec, faults);
  check_crd_names(at(spec, "names"), faults);
  faults.one_of("spec.conversion.strategy", at(spec, {"conversion", "strategy"}),
                {"None", "Webhook"});
  check_stored_versions(object, faults);
  if (old == nullptr) return;
  const Json& before = at(*old, "spec");
  faults.immutable("spec.group", at(before, "group"), at(spec, "group"));
  // Objects are stored by scope, plural and kind as soon as it is served.
  if (condition(at(*old, {"status", "conditions"}), "Established") != "True") return;
  faults.immutable("spec.scope", at(before, "scope"), at(spec, "scope"));
  for (const std::string part : {"kind", "plural"}) {
    faults.immutable("spec.names." + part, at(before, {"names", part}), at(spec, {"names", part}));
  }
}

}  // namespace windlass::server::kinds
