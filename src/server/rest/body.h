// Request bodies: JSON, YAML or protobuf to a checked JSON object, with what strict decoding finds.
// Internal to this room.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "server/patch/patch.h"
#include "server/rest/core.h"

namespace windlass::server::rest {

enum class FieldValidation { kIgnore, kWarn, kStrict };

// What every write carries beside its object.
struct WriteOptions {
  bool dry_run = false;
  FieldValidation validation = FieldValidation::kWarn;
  patch::Manager manager;
  bool checked = true;   // false: a path of its own to what an update may not change (binding)
  bool tracked = false;  // managedFields are already as they shall be (server-side apply)
  std::vector<std::string> warnings;  // for Warning headers; filled in on the way
};
Outcome<WriteOptions> write_options_of(const Core& core, const Target& target,
                                       const Request& request);

// The media type of the request's body, lower case, without parameters.
std::string content_type_of(const Request& request);

// The body as JSON. Empty: null JSON.
Outcome<Json> parse_body(const Request& request);

// The body as an object of the target's version: apiVersion and kind fit (absent ones are filled
// in), types fit, unknown and duplicate fields are reported and dropped.
Outcome<Json> decode_object(const Target& target, const Request& request, WriteOptions& options);
// The same checks of an object that was made by a patch. `text`: where duplicates are looked for.
std::optional<Fault> check_object(const Target& target, Json& object, std::string_view text,
                                  WriteOptions& options);

// `299 - "text"` for each, as headers of the response.
void add_warnings(const std::vector<std::string>& warnings, Response& response);

}  // namespace windlass::server::rest
