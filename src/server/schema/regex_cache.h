// Compiled regular expressions of CRDs' schemas and rules. Schemas name the same few patterns with
// every write, and compiling one costs more than matching it. Bounded: patterns come from users.
#pragma once

#include <memory>
#include <string>

namespace re2 {
class RE2;
}

namespace windlass::server::schema {

// Null: not an expression in RE2's syntax, which is Go's.
std::shared_ptr<const re2::RE2> compiled_pattern(const std::string& pattern);

}  // namespace windlass::server::schema
