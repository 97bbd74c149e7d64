// Files that nobody else may read, written whole or not at all.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace windlass::server {

// 0700, parents made as needed; an existing directory of ours loses the rights of others.
Status make_private_directory(const std::string& path);
// nullopt: there is none. The rights of others are taken away.
Result<std::optional<std::string>> read_private_file(const std::string& path);
// 0600 from the start, then moved into place.
Status write_private_file(const std::string& path, std::string_view contents);

}  // namespace windlass::server
