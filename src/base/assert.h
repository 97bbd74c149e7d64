// Assertions that stay on in release builds. ASSERT is for invariants of our own code; what input,
// network or a third party can cause is a Result, never an assertion.
#pragma once

namespace windlass {

[[noreturn]] void assertion_failed(const char* what, const char* file, int line);

}  // namespace windlass

#define WL_ASSERT(condition) \
  ((condition) ? (void)0 : ::windlass::assertion_failed(#condition, __FILE__, __LINE__))
#define WL_UNREACHABLE(why) ::windlass::assertion_failed("unreachable: " why, __FILE__, __LINE__)
