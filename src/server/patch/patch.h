// The four kinds of patch, and who owns which field. Pure functions of JSON values and shapes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/time.h"
#include "server/schema/shape.h"

namespace windlass::server::patch {

// RFC 6902. The error names the operation and path; a failed `test` is an error too.
Result<Json> json_patch(const Json& object, const Json& operations);
// RFC 7386.
Json merge_patch(Json object, const Json& patch);
// Kubernetes' strategic merge by the shape's merge keys: $patch (delete, replace, merge),
// $deleteFromPrimitiveList, $setElementOrder, $retainKeys. Error: a list element without its key,
// an unknown directive.
Result<Json> strategic_merge_patch(Json object, const Json& patch, const schema::Shape& shape);

// --- server-side apply and managed fields ---

struct Manager {
  std::string name;         // fieldManager, else the user agent up to the first "/"
  std::string api_version;  // of the object as written, "apps/v1"
  std::string subresource;  // "", "status", "scale"
  Instant now{};
};

struct ApplyConflict {
  std::string manager;  // who owns it: "kubectl" or "kubectl-client-side-apply" ...
  std::string api_version;
  bool apply = true;  // its entry's operation (Apply or Update)
  std::string field;  // ".spec.replicas", '.spec.containers[name="app"].image'
  std::string subresource;
};
struct Applied {
  Json object;                           // merged, metadata.managedFields up to date
  std::vector<ApplyConflict> conflicts;  // not empty: refused (unless forced), object is null
};
// Merges what `config` says into `live` (null: create). Fields this manager applied before and no
// longer names are removed unless another owns them. `force` takes fields over. The result is not
// yet defaulted or validated. Error: config isn't a valid apply configuration (carries
// managedFields, an associative list with duplicate keys, ...).
Result<Applied> apply(const Json& live, const Json& config, const schema::Shape& shape,
                      const Manager& manager, bool force);

// After a create, update or patch by `manager`: gives it every field that differs from `before`
// (null: create), takes those from others, drops entries that own nothing. `after` keeps other
// entries; managedFields in the request ([] or [{}]) reset as in Kubernetes when `after` carries
// them. An unchanged object keeps its entries and times.
void track_update(const Json& before, Json& after, const schema::Shape& shape,
                  const Manager& manager);

}  // namespace windlass::server::patch
