// What stands in a Pod and nobody here asks for: environments, and annotations of other programs.
// Of tens of thousands of pods they would be a large part of the memory. A later write is made to
// the server's own document (three_way.h), so nothing is lost by it.
#pragma once

#include "api/core.h"

namespace windlass::live {

void forget_unread(api::Pod& pod);

}  // namespace windlass::live
