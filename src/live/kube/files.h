// Private to this room: small files (kubeconfig, tokens, certificates) read whole, with a bound.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"

namespace windlass::live::kube {

// Up to 16 MiB. The error names the file and what the system said.
Result<std::string> read_file(const std::string& path);
bool file_exists(const std::string& path);

}  // namespace windlass::live::kube
