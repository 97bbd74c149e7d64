// The readings file of `windlass plan replicas`: what the world said at each step. Its format is
// described in docs/reference/plan-replicas.md.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/quantity.h"
#include "base/result.h"
#include "base/time.h"
#include "scaling/hpa.h"

namespace windlass::cli {

// What one trigger or metric answered.
struct GivenReading {
  std::vector<std::optional<Quantity>> values;  // one; or an item or pod each (null: none)
  bool nothing = false;                         // null: an answer without a value
  std::string error;                            // not empty: no answer
  std::optional<Duration> age;                  // of the sample
  std::optional<bool> active;                   // what an external scaler's IsActive says
  std::optional<Quantity> target;               // and its GetMetricSpec
};

struct GivenPods {
  std::vector<scaling::HpaPod> pods;  // times are filled in relative to the step's
  std::vector<std::string> gpus;      // of each; empty: not known
};

struct ReadingsStep {
  std::string place;  // "readings.yaml: steps[2]"
  Instant at{};
  Duration hold{};  // also decided every sync period for so long
  std::map<std::string, GivenReading>
      readings;                     // those of earlier steps that it does not change, too
  std::optional<int32_t> replicas;  // somebody else set them
  std::optional<GivenPods> pods;
  std::optional<int64_t> jobs_running;
  std::optional<int64_t> jobs_pending;
};

struct ReadingsFile {
  std::optional<int32_t> replicas;           // of the target when it begins
  std::map<std::string, Quantity> requests;  // of every pod, by resource
  std::vector<ReadingsStep> steps;           // in order of time, at least one
};

// `name` stands before every place in the error.
Result<ReadingsFile> read_readings(std::string_view text, std::string_view name);

}  // namespace windlass::cli
