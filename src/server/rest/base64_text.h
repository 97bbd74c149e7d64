// Base64 in the URL's alphabet without padding, for continue tokens; and the standard one, for
// Secrets' stringData. Internal to this room.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace windlass::server::rest {

std::string base64(std::string_view bytes);      // "+/" and padding
std::string base64_url(std::string_view bytes);  // "-_", no padding
std::optional<std::string> from_base64_url(std::string_view text);

}  // namespace windlass::server::rest
