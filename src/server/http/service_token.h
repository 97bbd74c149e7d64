// Bearer tokens of service accounts: JSON Web Tokens (RFC 7519) signed with HMAC-SHA256. One
// algorithm, one issuer; the header's own claim of an algorithm is not believed.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace windlass::server {

// Whom a token stands for: the account's user name, and which account of that name it was.
struct TokenHolder {
  std::string user;
  std::string uid;  // empty: the token names none
};

std::string sign_token(std::string_view key, const TokenHolder& holder, Instant expires);
// The holder of a token that this key has signed and that has not expired.
std::optional<TokenHolder> holder_of_token(std::string_view key, std::string_view token,
                                           Instant now);

}  // namespace windlass::server
