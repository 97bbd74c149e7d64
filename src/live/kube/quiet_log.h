// For tests that make thousands of faults: warnings are not logged while it lives.
#pragma once

#include "base/log.h"

namespace windlass::live::kube {

struct QuietLog {
  QuietLog() { log::set_level(log::Level::kError); }
  ~QuietLog() { log::set_level(log::Level::kInfo); }
  QuietLog(const QuietLog&) = delete;
  QuietLog& operator=(const QuietLog&) = delete;
};

}  // namespace windlass::live::kube
