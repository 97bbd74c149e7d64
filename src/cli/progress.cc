#include "cli/progress.h"

#include <cstdio>
#include <unistd.h>

#include <fmt/format.h>

namespace windlass::cli {

Progress::Progress(std::vector<std::string> names, bool enabled, ProgressWords words)
    : names_(std::move(names)),
      words_(std::move(words)),
      shares_(names_.size(), 0.0),
      enabled_(enabled),
      terminal_(isatty(STDERR_FILENO) == 1) {}

void Progress::update(size_t index, double share) {
  const std::lock_guard lock(mutex_);
  shares_[index] = share;
  if (!enabled_) return;
  if (terminal_) {
    draw();
  } else if (share >= 1) {
    std::fputs(fmt::format("{}: {}\n", names_[index], words_.done).c_str(), stderr);
  } else if (share < 0) {
    std::fputs(fmt::format("{}: stopped\n", names_[index]).c_str(), stderr);
  }
}

void Progress::draw() {
  std::string line = "\r\033[K" + words_.doing + ":";
  for (size_t i = 0; i < names_.size(); ++i) {
    line += shares_[i] < 0 ? fmt::format("  {} stopped", names_[i])
                           : fmt::format("  {} {:3.0f} %", names_[i], shares_[i] * 100);
  }
  std::fputs(line.c_str(), stderr);
  std::fflush(stderr);
}

void Progress::finish() {
  const std::lock_guard lock(mutex_);
  if (enabled_ && terminal_) std::fputs("\r\033[K", stderr);
}

}  // namespace windlass::cli
