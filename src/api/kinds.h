// Private to this room: from JSON to an Object, with all findings.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/json_reader.h"
#include "api/object.h"

namespace windlass::api {

// The object, or nothing with errors in the log or `*unknown_kind` set. `path` stands before every
// path in the log.
std::optional<Object> read_object(const RawObject& raw, const std::string& path, ReadLog& log,
                                  bool* unknown_kind);

// "Deployment of apps/v1beta1 is not a kind Windlass reads (accepted: apps/v1)".
std::string why_not_read(std::string_view kind, std::string_view api_version);

}  // namespace windlass::api
