#include "catalog/ec2_table.h"

namespace windlass::catalog {
namespace {

constexpr Ec2Facts kTypes[] = {
#include "catalog/ec2_types.inc"
};

}  // namespace

std::span<const Ec2Facts> ec2_table() { return kTypes; }

}  // namespace windlass::catalog
