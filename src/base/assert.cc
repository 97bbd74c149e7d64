#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace windlass {

void assertion_failed(const char* what, const char* file, int line) {
  std::fprintf(stderr, "windlass: internal error: %s (%s:%d)\n", what, file, line);
  std::abort();
}

}  // namespace windlass
