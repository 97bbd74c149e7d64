#include "server/schema/regex_cache.h"

#include <map>

#include <re2/re2.h>

namespace windlass::server::schema {

std::shared_ptr<const re2::RE2> compiled_pattern(const std::string& pattern) {
  constexpr size_t kMaxKept = 512;
  thread_local std::map<std::string, std::shared_ptr<const re2::RE2>> kept;
  if (const auto found = kept.find(pattern); found != kept.end()) return found->second;
  RE2::Options options;
  options.set_log_errors(false);
  auto compiled = std::make_shared<const re2::RE2>(pattern, options);
  if (!compiled->ok()) compiled = nullptr;
  if (kept.size() >= kMaxKept) kept.clear();
  kept.emplace(pattern, compiled);
  return compiled;
}

}  // namespace windlass::server::schema
