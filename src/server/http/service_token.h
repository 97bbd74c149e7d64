// Bearer tokens of service accounts: JSON Web Tokens (RFC 7519) signed with HMAC-SHA256. One
// algorithm, one issuer; the header's own claim of an algorithm is not believed.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace windlass::server {

std::string sign_token(std::string_view key, const std::string& user, Instant expires);
// The user of a token that this key has signed and that has not expired.
std::optional<std::string> user_of_token(std::string_view key, std::string_view token, Instant now);

}  // namespace windlass::server
