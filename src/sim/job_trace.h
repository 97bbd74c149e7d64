// Training jobs of a scenario: listed, generated, or from a CSV trace
// ("time_s,gpus,work_gpu_s", with optional columns name and priority_class).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "api/json_reader.h"
#include "sim/scenario.h"

namespace windlass::sim {

struct JobDefaults {
  std::string namespace_name;
  std::string priority_class;
  api::ResourceList requests;
};

// Fields `jobs` (a list), `generator` and `trace` of spec.training, together, in order of arrival.
// What is wrong goes to the reader's log.
std::vector<JobSpec> read_jobs(api::Reader& training, const std::filesystem::path& folder,
                               const JobDefaults& defaults, Duration length, uint64_t seed);

// The rows of a trace text. Error: "line 7: gpus: not a whole number: \"x\"".
Result<std::vector<JobSpec>> parse_job_trace(std::string_view text, const JobDefaults& defaults);

}  // namespace windlass::sim
