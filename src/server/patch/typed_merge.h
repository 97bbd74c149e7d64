// What server-side apply does to the object itself: it lays a configuration over the live object,
// and takes out the paths that nobody wants any more.
#pragma once

#include "base/json.h"
#include "base/result.h"
#include "server/patch/field_set.h"
#include "server/schema/shape.h"

namespace windlass::server::patch {

// A configuration must say which item it means: no two items of one identity, none without its
// keys, lists and objects where the shape has them. The error begins with the path.
Status check_config(const Json& config, const schema::Shape* shape);

// `live` with what `config` says. Items of lists with identities: the configuration's stand in its
// order, the others keep their places.
Json merge_config(const Json& live, const Json& config, const schema::Shape* shape);

// `object` without the paths in `doomed`; members and items go with everything in them. An object
// or list that this empties goes too, or null is left in its place: whoever owns its name goes on
// owning it, and sees no removal.
enum class Emptied { kGone, kNull };
Json remove_fields(Json object, const FieldSet& doomed, const schema::Shape* shape,
                   Emptied emptied = Emptied::kGone);

// `object` without members that are null, where the shape doesn't give null a meaning.
Json drop_nulls(Json object, const schema::Shape* shape);

}  // namespace windlass::server::patch
