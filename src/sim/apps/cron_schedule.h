// When a CronJob is due: kube-controller-manager's reading of spec.schedule, by values alone.
#pragma once

#include <optional>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "scaling/cron.h"

namespace windlass::sim::apps {

class JobSchedule {
 public:
  // Five fields, @daily and its kin, or "@every 90m"; `zone` is an IANA name, "" UTC. Error:
  // neither.
  static Result<JobSchedule> parse(std::string_view schedule, std::string_view zone);
  // The first time strictly after `after`; nullopt: none within five years.
  [[nodiscard]] std::optional<Instant> next(Instant after) const;
  // The last time in (after, until]; nullopt: none.
  [[nodiscard]] std::optional<Instant> last(Instant after, Instant until) const;

 private:
  std::optional<scaling::CronSchedule> fields_;
  Duration period_{};  // of @every
  std::string zone_;
};

}  // namespace windlass::sim::apps
