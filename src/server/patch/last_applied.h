// What ties server-side apply to kubectl's client-side apply, which keeps its last configuration in
// an annotation: moving from one to the other without conflicts, and back.
#pragma once

#include "base/json.h"
#include "server/patch/field_set.h"
#include "server/schema/shape.h"

namespace windlass::server::patch {

// The fields that the live object's annotation says kubectl applied and that still have the value
// it applied: kubectl may take these over from whoever is written down as their owner.
FieldSet last_applied_fields(const Json& live, const schema::Shape& shape);

// Writes `config` into the object's annotation, if it has one, as a client-side apply would have.
void refresh_last_applied(Json& object, const Json& config);

}  // namespace windlass::server::patch
