// Jobs and cron jobs.
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "scaling/cron.h"
#include "server/kinds/fields.h"
#include "server/kinds/names.h"
#include "server/kinds/validation.h"

namespace windlass::server::kinds {
namespace {

void check_indexes(const Json& spec, const std::string& path, Faults& faults) {
  constexpr int64_t kParallelismMax = 100000;
  const bool indexed = at(spec, "completionMode") == "Indexed";
  const Json& completions = at(spec, "completions");
  const Json& parallelism = at(spec, "parallelism");
  if (indexed && completions.is_null()) {
    faults.required(path + ".completions", "when completion mode is Indexed");
  }
  if (indexed && whole(parallelism) > kParallelismMax) {
    faults.invalid(path + ".parallelism", parallelism,
                   "must be less than or equal to 100000 when completion mode is Indexed");
  }
  for (const std::string field : {"backoffLimitPerIndex", "maxFailedIndexes", "successPolicy"}) {
    if (indexed || at(spec, field).is_null()) continue;
    faults.invalid(path + "." + field, at(spec, field), "requires indexed completion mode");
  }
  const Json& failed = at(spec, "maxFailedIndexes");
  if (!failed.is_null() && at(spec, "backoffLimitPerIndex").is_null()) {
    faults.required(path + ".backoffLimitPerIndex", "when maxFailedIndexes is specified");
  }
  if (indexed && !completions.is_null() && whole(failed) > whole(completions)) {
    faults.invalid(path + ".maxFailedIndexes", failed, "must be less than or equal to completions");
  }
}

void check_restart_policy(const Json& spec, const std::string& path, Faults& faults) {
  const std::string field = path + ".template.spec.restartPolicy";
  const std::string policy = text(at(spec, {"template", "spec", "restartPolicy"}));
  if (policy == "Always" || policy.empty()) {
    faults.required(field, "valid values: \"OnFailure\", \"Never\"");
  } else if (policy != "OnFailure" && policy != "Never") {
    faults.not_supported(field, policy, {"OnFailure", "Never"});
  } else if (!at(spec, "podFailurePolicy").is_null() && policy != "Never") {
    faults.invalid(field, policy, "only \"Never\" is supported when podFailurePolicy is specified");
  }
}

void check_job_spec(const Json& spec, const std::string& path, Faults& faults) {
  for (const std::string field :
       {"parallelism", "completions", "activeDeadlineSeconds", "backoffLimit",
        "ttlSecondsAfterFinished", "backoffLimitPerIndex", "maxFailedIndexes"}) {
    faults.non_negative(path + "." + field, at(spec, field));
  }
  faults.one_of(path + ".completionMode", at(spec, "completionMode"), {"NonIndexed", "Indexed"});
  check_indexes(spec, path, faults);
  if (at(spec, "podFailurePolicy").is_null()) {
    faults.one_of(path + ".podReplacementPolicy", at(spec, "podReplacementPolicy"),
                  {"Failed", "TerminatingOrFailed"});
  } else {
    faults.one_of(path + ".podReplacementPolicy", at(spec, "podReplacementPolicy"), {"Failed"});
  }
  check_pod_template(at(spec, "template"), path + ".template", {}, faults);
  check_restart_policy(spec, path, faults);
}

// While a job is suspended and never began, where its pods may go can still be set.
Json with_free_scheduling(Json pod, const Json& now) {
  if (!pod.is_object()) return pod;
  Json& spec = make_object(pod, "spec");
  for (const char* part : {"nodeSelector", "tolerations", "schedulingGates"}) {
    spec[part] = at(now, {"spec", part});
  }
  const Json& affinity = at(now, {"spec", "affinity", "nodeAffinity"});
  if (!affinity.is_null()) {
    make_object(spec, "affinity")["nodeAffinity"] = affinity;
  } else if (at(spec, "affinity").is_object()) {
    spec["affinity"].erase("nodeAffinity");
  }
  // Nothing of a template's metadata but labels and annotations means anything.
  pod["metadata"] = at(now, "metadata");
  return pod;
}

void check_job_update(const Json& object, const Json& old, Faults& faults) {
  const Json& spec = at(object, "spec");
  const Json& before = at(old, "spec");
  const Json& completions = at(spec, "completions");
  if (at(spec, "completionMode") != "Indexed") {
    faults.immutable("spec.completions", at(before, "completions"), completions);
  } else if (!same(completions, at(before, "completions")) &&
             completions != at(spec, "parallelism")) {
    faults.invalid("spec.completions", completions,
                   "can only be modified in tandem with spec.parallelism");
  }
  const bool free = truth(at(before, "suspend")) && at(old, {"status", "startTime"}).is_null();
  const Json& pod = at(spec, "template");
  const Json expected =
      free ? with_free_scheduling(at(before, "template"), pod) : Json(at(before, "template"));
  faults.immutable("spec.template", expected, pod);
  for (const std::string field : {"selector", "completionMode", "podFailurePolicy",
                                  "backoffLimitPerIndex", "managedBy", "successPolicy"}) {
    faults.immutable("spec." + field, at(before, field), at(spec, field));
  }
}

size_t words(std::string_view text) {
  size_t count = 0;
  for (const std::string_view part : split(text, ' ')) count += part.empty() ? 0 : 1;
  return count;
}

void check_schedule(const Json& spec, Faults& faults) {
  const std::string schedule = text(at(spec, "schedule"));
  if (schedule.empty()) {
    faults.required("spec.schedule");
  } else if (schedule.find("TZ") != std::string::npos) {
    faults.invalid("spec.schedule", schedule,
                   "cannot use TZ or CRON_TZ in schedule, use timeZone field instead");
  } else if (schedule.starts_with("@every ")) {
    const Result<Duration> period = parse_duration(trim(schedule).substr(7));
    if (!period.ok()) {
      faults.invalid("spec.schedule", schedule, "failed to parse duration " + schedule);
    }
  } else if (const size_t found = words(schedule); !schedule.starts_with('@') && found != 5) {
    faults.invalid(
        "spec.schedule", schedule,
        "expected exactly 5 fields, found " + std::to_string(found) + ": [" + schedule + "]");
  } else if (const auto parsed = scaling::CronSchedule::parse(schedule); !parsed.ok()) {
    faults.invalid("spec.schedule", schedule, parsed.error().message());
  }
  const Json& zone = at(spec, "timeZone");
  if (zone.is_null()) return;
  if (text(zone).empty()) {
    faults.invalid("spec.timeZone", zone, "timeZone must be nil or non-empty string");
    return;
  }
  const auto hourly = scaling::CronSchedule::parse("0 * * * *");
  if (!hourly->next(Instant{}, text(zone)).ok()) {
    faults.invalid("spec.timeZone", zone, "unknown time zone " + text(zone));
  }
}

}  // namespace

// A selector may be missing still: the server makes it from the uid.
void check_job(const Json& object, const Json* old, Faults& faults) {
  const Json& spec = at(object, "spec");
  check_job_spec(spec, "spec", faults);
  const Json& selector = at(spec, "selector");
  check_label_selector(selector, "spec.selector", faults);
  const Json& labels = at(spec, {"template", "metadata", "labels"});
  if (selector.is_object() && !selects(selector, labels)) {
    faults.invalid("spec.template.metadata.labels", members(labels),
                   "`selector` does not match template `labels`");
  }
  if (old != nullptr) check_job_update(object, *old, faults);
}

void check_cron_job(const Json& object, const Json* old, Faults& faults) {
  constexpr size_t kNameMax = 52;  // room for "-" and the ten digits of a job's name
  const std::string name = text(at(object, {"metadata", "name"}));
  if (old == nullptr && name.size() > kNameMax) {
    faults.invalid("metadata.name", name, "must be no more than 52 characters");
  }
  const Json& spec = at(object, "spec");
  check_schedule(spec, faults);
  faults.non_negative("spec.startingDeadlineSeconds", at(spec, "startingDeadlineSeconds"));
  faults.one_of("spec.concurrencyPolicy", at(spec, "concurrencyPolicy"),
                {"Allow", "Forbid", "Replace"});
  for (const std::string field : {"successfulJobsHistoryLimit", "failedJobsHistoryLimit"}) {
    faults.non_negative("spec." + field, at(spec, field));
  }
  const Json& job = at(spec, {"jobTemplate", "spec"});
  check_job_spec(job, "spec.jobTemplate.spec", faults);
  if (!at(job, "selector").is_null()) {
    faults.invalid("spec.jobTemplate.spec.selector", at(job, "selector"),
                   "`selector` will be auto-generated");
  }
}

}  // namespace windlass::server::kinds
