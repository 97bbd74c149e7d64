// UTF-8 checks and safe excerpts for messages about untrusted text. Promises that what printable()
// returns is valid UTF-8 on one line, so that it can go into JSON, HTML or a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace windlass {

// Offset of the first byte that is not part of well-formed UTF-8 (surrogates and overlong forms are
// not), or npos.
size_t invalid_utf8_at(std::string_view text);

// At most `max_bytes` of the text; control characters and bad bytes become '?', a cut is marked
// with "...".
std::string printable(std::string_view text, size_t max_bytes);

// "line 3, column 7" of a byte offset, both counted from 1; columns count bytes.
std::string place_of(std::string_view text, size_t offset);

}  // namespace windlass
