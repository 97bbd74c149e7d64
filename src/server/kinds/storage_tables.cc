// Tables of volumes, claims, storage classes and CSI.
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "server/kinds/fields.h"
#include "server/kinds/tables.h"

namespace windlass::server::kinds {
namespace {

// "RWO,ROX,RWX,RWOP", in that order whatever order they stand in.
std::string access_modes(const Json& modes) {
  constexpr std::pair<std::string_view, std::string_view> kShort[] = {
      {"ReadWriteOnce", "RWO"},
      {"ReadOnlyMany", "ROX"},
      {"ReadWriteMany", "RWX"},
      {"ReadWriteOncePod", "RWOP"},
  };
  std::vector<std::string> found;
  for (const auto& [name, brief] : kShort) {
    for (const Json& mode : items(modes)) {
      if (mode != name) continue;
      found.emplace_back(brief);
      break;
    }
  }
  return join(found, ",");
}

std::string storage_class(const Json& object) {
  // The annotation is older than the field and still goes first.
  const Json& annotation =
      at(object, {"metadata", "annotations", "volume.beta.kubernetes.io/storage-class"});
  return annotation.is_string() ? text(annotation) : text(at(object, {"spec", "storageClassName"}));
}

std::string phase(const Json& object) {
  if (!at(object, {"metadata", "deletionTimestamp"}).is_null()) return "Terminating";
  return text(at(object, {"status", "phase"}));
}

std::string or_unset(const Json& value) { return value.is_null() ? "<unset>" : text(value); }

Cells volume_row(const Json& volume, Instant now) {
  const Json& spec = at(volume, "spec");
  const Json& claim = at(spec, "claimRef");
  return {name_of(volume),
          quantity_text(at(spec, {"capacity", "storage"})),
          access_modes(at(spec, "accessModes")),
          text(at(spec, "persistentVolumeReclaimPolicy")),
          phase(volume),
          claim.is_null() ? "" : text(at(claim, "namespace")) + "/" + text(at(claim, "name")),
          storage_class(volume),
          or_unset(at(spec, "volumeAttributesClassName")),
          text(at(volume, {"status", "reason"})),
          age(volume, now),
          or_unset(at(spec, "volumeMode"))};
}

// Size and modes are those of the volume, so there are none until one is bound.
Cells claim_row(const Json& claim, Instant now) {
  const Json& spec = at(claim, "spec");
  const Json& status = at(claim, "status");
  const bool bound = !text(at(spec, "volumeName")).empty();
  return {name_of(claim),
          phase(claim),
          text(at(spec, "volumeName")),
          bound ? quantity_text(at(status, {"capacity", "storage"})) : "",
          bound ? access_modes(at(status, "accessModes")) : "",
          storage_class(claim),
          or_unset(at(spec, "volumeAttributesClassName")),
          age(claim, now),
          or_unset(at(spec, "volumeMode"))};
}

Cells storage_class_row(const Json& object, Instant now) {
  std::string name = name_of(object);
  const Json& annotations = at(object, {"metadata", "annotations"});
  for (const std::string_view key : {"storageclass.kubernetes.io/is-default-class",
                                     "storageclass.beta.kubernetes.io/is-default-class"}) {
    if (at(annotations, key) != "true") continue;
    name += " (default)";
    break;
  }
  return {name,
          text(at(object, "provisioner")),
          text_or(at(object, "reclaimPolicy"), "Delete"),
          text_or(at(object, "volumeBindingMode"), "Immediate"),
          truth(at(object, "allowVolumeExpansion")),
          age(object, now)};
}

Cells csi_driver_row(const Json& object, Instant now) {
  const Json& spec = at(object, "spec");
  std::vector<std::string> modes, audiences;
  for (const Json& mode : items(at(spec, "volumeLifecycleModes"))) modes.push_back(text(mode));
  for (const Json& request : items(at(spec, "tokenRequests"))) {
    audiences.push_back(text(at(request, "audience")));
  }
  return {name_of(object),
          truth(at(spec, "attachRequired"), true),
          truth(at(spec, "podInfoOnMount")),
          truth(at(spec, "storageCapacity")),
          at(spec, "tokenRequests").is_null() ? "<unset>" : join(audiences, ","),
          truth(at(spec, "requiresRepublish")),
          or_else_text(join(modes, ","), "<none>"),
          age(object, now)};
}

}  // namespace

Table persistent_volume_table() {
  return {{name_column(), shown("Capacity"), shown("Access Modes"), shown("Reclaim Policy"),
           shown("Status"), shown("Claim"), shown("StorageClass"), shown("VolumeAttributesClass"),
           shown("Reason"), shown("Age"), wide("VolumeMode")},
          volume_row};
}

Table persistent_volume_claim_table() {
  return {
      {name_column(), shown("Status"), shown("Volume"), shown("Capacity"), shown("Access Modes"),
       shown("StorageClass"), shown("VolumeAttributesClass"), shown("Age"), wide("VolumeMode")},
      claim_row};
}

Table storage_class_table() {
  return {{name_column(), shown("Provisioner"), shown("ReclaimPolicy"), shown("VolumeBindingMode"),
           shown("AllowVolumeExpansion"), shown("Age")},
          storage_class_row};
}

Table csi_node_table() {
  return {{name_column(), shown("Drivers", "integer"), shown("Age")},
          [](const Json& object, Instant now) -> Cells {
            return {name_of(object),
                    static_cast<int64_t>(items(at(object, {"spec", "drivers"})).size()),
                    age(object, now)};
          }};
}

Table csi_driver_table() {
  return {{name_column(), shown("AttachRequired", "boolean"), shown("PodInfoOnMount", "boolean"),
           shown("StorageCapacity", "boolean"), shown("TokenRequests"),
           shown("RequiresRepublish", "boolean"), shown("Modes"), shown("Age")},
          csi_driver_row};
}

Table csi_storage_capacity_table() {
  return {{name_column(), shown("StorageClassName"), shown("Capacity")},
          [](const Json& object, Instant) -> Cells {
            const Json& capacity = at(object, "capacity");
            return {name_of(object), text(at(object, "storageClassName")),
                    capacity.is_null() ? "<unset>" : quantity_text(capacity)};
          }};
}

Table volume_attachment_table() {
  Column attacher = shown("Attacher");
  attacher.format = "name";
  return {{name_column(), attacher, shown("PV"), shown("Node"), shown("Attached", "boolean"),
           shown("Age")},
          [](const Json& object, Instant now) -> Cells {
            return {name_of(object),
                    text(at(object, {"spec", "attacher"})),
                    text(at(object, {"spec", "source", "persistentVolumeName"})),
                    text(at(object, {"spec", "nodeName"})),
                    truth(at(object, {"status", "attached"})),
                    age(object, now)};
          }};
}

}  // namespace windlass::server::kinds
