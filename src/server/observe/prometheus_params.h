// Times and lengths of time as Prometheus' HTTP API takes them. Private to this directory.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace windlass::server::observe {

// Unix seconds with fractions, or RFC 3339.
Result<Instant> parse_api_time(std::string_view text);
// Seconds with fractions, or Prometheus' durations: 15s, 1h30m, 1d, 500ms. May be negative as
// seconds; whether that is taken is the caller's.
Result<Duration> parse_api_duration(std::string_view text);

}  // namespace windlass::server::observe
