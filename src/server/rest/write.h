// create, update and patch: what happens to an object between a request and the store. Internal to
// this room.
#pragma once

#include <string>
#include <vector>

#include "server/rest/body.h"
#include "server/rest/core.h"

namespace windlass::server::rest {

// What a write has done. A dry run and the last update of a deleted object leave no document.
struct Written {
  cluster::DocumentPtr document;
  Json object;
  bool created = false;
};

Outcome<Response> create(Core& core, const Target& target, const Request& request);
Outcome<Response> update(Core& core, const Target& target, const Request& request);
Outcome<Response> patch(Core& core, const Target& target, const Request& request);

// The same below requests, for what is made here (bootstrap, subresources): objects in the stored
// version.
Outcome<Written> create_object(Core& core, const Target& target, Json object,
                               WriteOptions& options);
// `live` is the object as it stands; `after` what it shall be, in the stored version. Keeps what
// nobody may change, defaults, validates, tracks managers, stores; takes the object away when its
// last finalizer goes. An unchanged object is not written.
Outcome<Written> finish_update(Core& core, const Target& target, const Json& live, Json after,
                               WriteOptions& options);

// The answer to a write.
Outcome<Response> written_response(const Core& core, const Target& target, const Request& request,
                                   Written written, const WriteOptions& options);

// Of the stored version; of a kind without one: takes anything.
const schema::Shape& shape_of(const Resource& resource);

// A v4-form uid that is the same in every run with the same seed and history, and never repeats.
std::string new_uid(const Core& core, const cluster::ObjectKey& key);
// Whole seconds, as the API writes times.
std::string timestamp(Instant at);

}  // namespace windlass::server::rest
