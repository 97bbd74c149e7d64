#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace windlass::log {
namespace {

spdlog::logger& sink() {
  static const auto logger = [] {
    auto made = spdlog::stderr_logger_mt("windlass");
    made->set_pattern("%l: %v");
    return made;
  }();
  return *logger;
}

}  // namespace

void set_level(Level level) {
  switch (level) {
    case Level::kDebug:
      sink().set_level(spdlog::level::debug);
      break;
    case Level::kInfo:
      sink().set_level(spdlog::level::info);
      break;
    case Level::kWarning:
      sink().set_level(spdlog::level::warn);
      break;
    case Level::kError:
      sink().set_level(spdlog::level::err);
      break;
  }
}
void debug(std::string_view message) { sink().log(spdlog::level::debug, message); }
void info(std::string_view message) { sink().log(spdlog::level::info, message); }
void warning(std::string_view message) { sink().log(spdlog::level::warn, message); }
void error(std::string_view message) { sink().log(spdlog::level::err, message); }

}  // namespace windlass::log
