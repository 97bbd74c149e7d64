#include "base/hash.h"

#include <fmt/format.h>

namespace windlass {

std::string Hash64::hex() const { return fmt::format("{:016x}", value()); }

}  // namespace windlass
