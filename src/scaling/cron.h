// Cron expressions, as robfig/cron's standard parser reads them (5 fields or @daily and its kin;
// names of months and days, ranges, steps, lists; day-of-month and day-of-week are ORed when both
// are restricted). Used by KEDA's cron trigger and by disruption budgets.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace windlass::scaling {

class CronSchedule {
 public:
  static Result<CronSchedule> parse(std::string_view expression);
  // The first time strictly after `after` that the schedule names, in the IANA time zone
  // ("UTC", "Asia/Kolkata"); nullopt if there is none within five years. Error: unknown zone.
  [[nodiscard]] Result<std::optional<Instant>> next(Instant after, std::string_view zone) const;

 private:
  uint64_t minutes_ = 0, hours_ = 0, days_ = 0, months_ = 0, weekdays_ = 0;  // bit sets
  bool any_day_ = false, any_weekday_ = false;
};

}  // namespace windlass::scaling
