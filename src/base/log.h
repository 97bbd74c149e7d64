// The log: one line an event on standard error. A facade, so that no other file pays for the
// library behind it. Secrets never reach it: pass names, not values.
#pragma once

#include <string_view>

namespace windlass::log {

enum class Level { kDebug, kInfo, kWarning, kError };

void set_level(Level level);
void debug(std::string_view message);
void info(std::string_view message);
void warning(std::string_view message);
void error(std::string_view message);

}  // namespace windlass::log
