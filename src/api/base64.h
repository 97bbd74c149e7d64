// Private to this room: the base64 of RFC 4648 with padding, as Secrets carry their values.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace windlass::api {

std::string to_base64(std::string_view bytes);
// Line breaks are skipped, as Go's decoder does; anything else out of place gives nullopt.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace windlass::api
