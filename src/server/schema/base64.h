// Base64 (RFC 4648, with padding), as the API writes bytes. Reading refuses all that Go's standard
// decoder refuses, but for line breaks, which both skip.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace windlass::server::schema {

std::string base64_encode(std::string_view bytes);
// Offset of the first character that is wrong, or npos: the text is base64.
size_t base64_fault_at(std::string_view text);

}  // namespace windlass::server::schema
