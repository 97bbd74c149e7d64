// Volumes, claims, storage classes.
#include <nlohmann/json.hpp>

#include "base/quantity.h"
#include "server/kinds/fields.h"
#include "server/kinds/names.h"
#include "server/kinds/validation.h"

namespace windlass::server::kinds {
namespace {

void check_access_modes(const Json& modes, const std::string& path, std::string_view detail,
                        Faults& faults) {
  const Json& all = items(modes);
  if (all.empty()) faults.required(path, detail);
  bool alone = false;
  for (const Json& mode : all) {
    faults.one_of(path, mode,
                  {"ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"});
    alone |= mode == "ReadWriteOncePod";
  }
  if (alone && all.size() > 1) {
    faults.forbidden(path, "may not use ReadWriteOncePod with other access modes");
  }
}

void check_size(const Json& size, const std::string& path, Faults& faults) {
  const Result<Quantity> amount = Quantity::parse(scalar_text(size));
  if (amount.ok() && *amount <= Quantity()) {
    faults.invalid(path, amount->to_string(), "must be greater than zero");
  } else {
    check_quantity("storage", size, path, faults);
  }
}

void check_class_name(const Json& name, const std::string& path, Faults& faults) {
  if (!text(name).empty()) faults.check(path, name, dns_subdomain_fault(text(name)));
}

// What remains of a claim's spec when all is put back that may change.
void check_claim_update(const Json& object, const Json& old, Faults& faults) {
  const Json& before = at(old, "spec");
  if (!at(object, "spec").is_object()) return;
  Json after = at(object, "spec");
  if (text(at(before, "volumeName")).empty()) after["volumeName"] = at(before, "volumeName");
  if (at(before, "storageClassName").is_null()) after.erase("storageClassName");
  if (at(object, {"status", "phase"}) == "Bound") {
    const Json& size = at(before, {"resources", "requests", "storage"});
    make_object(make_object(after, "resources"), "requests")["storage"] = size;
    after["volumeAttributesClassName"] = at(before, "volumeAttributesClassName");
  }
  if (!same(after, before)) {
    faults.forbidden("spec",
                     "spec is immutable after creation except resources.requests and "
                     "volumeAttributesClassName for bound claims");
  }
  const auto size_of = [](const Json& claim) {
    return Quantity::parse(scalar_text(at(claim, {"spec", "resources", "requests", "storage"})));
  };
  const Result<Quantity> from = size_of(old), to = size_of(object);
  // Asking for less is fine as long as no volume has grown that far.
  const Result<Quantity> have =
      Quantity::parse(quantity_text(at(old, {"status", "capacity", "storage"})));
  if (from.ok() && to.ok() && have.ok() && *to < *from && *to <= *have) {
    faults.forbidden("spec.resources.requests.storage",
                     "field can not be less than status.capacity");
  }
}

}  // namespace

void check_claim_spec(const Json& spec, const std::string& path, Faults& faults) {
  check_access_modes(at(spec, "accessModes"), path + ".accessModes",
                     "at least 1 access mode is required", faults);
  check_label_selector(at(spec, "selector"), path + ".selector", faults);
  const Json& size = at(spec, {"resources", "requests", "storage"});
  if (size.is_null()) {
    faults.required(path + ".resources[storage]");
  } else {
    check_size(size, path + ".resources[storage]", faults);
  }
  check_class_name(at(spec, "storageClassName"), path + ".storageClassName", faults);
  faults.one_of(path + ".volumeMode", at(spec, "volumeMode"), {"Block", "Filesystem"});
}

void check_claim(const Json& object, const Json* old, Faults& faults) {
  check_claim_spec(at(object, "spec"), "spec", faults);
  if (old != nullptr) check_claim_update(object, *old, faults);
}

void check_volume(const Json& object, const Json* old, Faults& faults) {
  const Json& spec = at(object, "spec");
  check_access_modes(at(spec, "accessModes"), "spec.accessModes", {}, faults);
  const Json& capacity = members(at(spec, "capacity"));
  if (capacity.empty()) faults.required("spec.capacity");
  if (at(capacity, "storage").is_null() || capacity.size() > 1) {
    faults.not_supported("spec.capacity", capacity, {"storage"});
  }
  for (const auto& [name, amount] : capacity.items()) {
    check_size(amount, key("spec.capacity", name), faults);
  }
  faults.one_of("spec.persistentVolumeReclaimPolicy", at(spec, "persistentVolumeReclaimPolicy"),
                {"Delete", "Recycle", "Retain"});
  faults.one_of("spec.volumeMode", at(spec, "volumeMode"), {"Block", "Filesystem"});
  check_class_name(at(spec, "storageClassName"), "spec.storageClassName", faults);
  const Json& nodes = at(spec, {"nodeAffinity", "required"});
  if (nodes.is_object()) check_node_selector(nodes, "spec.nodeAffinity.required", faults);
  int sources = 0;
  for (const std::string source : {"csi",
                                   "hostPath",
                                   "local",
                                   "nfs",
                                   "awsElasticBlockStore",
                                   "gcePersistentDisk",
                                   "iscsi",
                                   "fc",
                                   "azureDisk",
                                   "azureFile",
                                   "cephfs",
                                   "rbd",
                                   "vsphereVolume",
                                   "flexVolume",
                                   "cinder",
                                   "portworxVolume",
                                   "glusterfs",
                                   "storageos",
                                   "scaleIO",
                                   "quobyte",
                                   "flocker",
                                   "photonPersistentDisk"}) {
    if (at(spec, source).is_null()) continue;
    if (++sources > 1) {
      faults.forbidden("spec." + source, "may not specify more than 1 volume type");
    }
  }
  if (sources == 0) faults.required("spec", "must specify a volume type");
  if (!at(spec, "local").is_null() && !nodes.is_object()) {
    faults.required("spec.nodeAffinity", "Local volume requires node affinity");
  }
  if (old != nullptr) {
    faults.immutable("spec.volumeMode", at(*old, {"spec", "volumeMode"}), at(spec, "volumeMode"));
  }
}

void check_storage_class(const Json& object, const Json* old, Faults& faults) {
  if (text(at(object, "provisioner")).empty()) faults.required("provisioner");
  faults.one_of("reclaimPolicy", at(object, "reclaimPolicy"), {"Delete", "Retain"});
  faults.one_of("volumeBindingMode", at(object, "volumeBindingMode"),
                {"Immediate", "WaitForFirstConsumer"});
  if (old == nullptr) return;
  for (const std::string field : {"parameters", "provisioner", "reclaimPolicy"}) {
    if (same(at(*old, field), at(object, field))) continue;
    faults.forbidden(field, "updates to " + field + " are forbidden.");
  }
  faults.immutable("volumeBindingMode", at(*old, "volumeBindingMode"),
                   at(object, "volumeBindingMode"));
}

}  // namespace windlass::server::kinds
