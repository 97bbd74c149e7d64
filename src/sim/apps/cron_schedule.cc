#include "sim/apps/cron_schedule.h"

#include <algorithm>

#include "base/text.h"

namespace windlass::sim::apps {

Result<JobSchedule> JobSchedule::parse(std::string_view schedule, std::string_view zone) {
  constexpr std::string_view kEvery = "@every ";
  JobSchedule out;
  out.zone_ = zone.empty() ? "UTC" : zone;
  const std::string_view text = trim(schedule);
  if (text.starts_with(kEvery)) {
    const Result<Duration> period = parse_duration(text.substr(kEvery.size()));
    if (!period.ok()) return period.error();
    // Whole seconds, one at least; what is longer than ten years never comes.
    out.period_ = seconds(std::clamp<int64_t>(period->ns / 1'000'000'000, 1, 315'360'000));
    return out;
  }
  auto fields = scaling::CronSchedule::parse(text);
  if (!fields.ok()) return fields.error();
  // Whether the zone is known shows when it is used.
  if (auto tried = fields->next(Instant{}, out.zone_); !tried.ok()) return tried.error();
  out.fields_ = *std::move(fields);
  return out;
}

std::optional<Instant> JobSchedule::next(Instant after) const {
  if (fields_) return *fields_->next(after, zone_);
  return Instant{after.ns / 1'000'000'000 * 1'000'000'000} + period_;
}

std::optional<Instant> JobSchedule::last(Instant after, Instant until) const {
  std::optional<Instant> found = next(after);
  if (!found || *found > until) return std::nullopt;
  if (!fields_) {
    const Instant first = *found;
    return first + Duration{(until - first).ns / period_.ns * period_.ns};
  }
  // From where the last is near: months of missed minutes are not stepped through.
  for (Duration back = minutes(2); until - back > after; back = back * 2) {
    const std::optional<Instant> near = next(until - back);
    if (!near || *near > until) continue;
    found = near;
    break;
  }
  for (auto later = next(*found); later && *later <= until; later = next(*later)) found = later;
  return found;
}

}  // namespace windlass::sim::apps
