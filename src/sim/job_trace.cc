#include "sim/job_trace.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

#include "base/text.h"

namespace windlass::sim {
namespace {

using api::Reader;

constexpr double kZ95 = 1.6448536269514722;

JobSpec with_defaults(const JobDefaults& defaults) {
  JobSpec job;
  job.namespace_name = defaults.namespace_name;
  job.priority_class = defaults.priority_class;
  job.requests = defaults.requests;
  return job;
}

void read_list(Reader list, const JobDefaults& defaults, std::vector<JobSpec>& jobs) {
  for (Reader& item : list.items()) {
    JobSpec job = with_defaults(defaults);
    job.name = item.at("name").string().value_or("");
    job.arrival = item.required("at").duration().value_or(Duration{});
    job.gpus = item.at("gpus").int32(1, 1024).value_or(1);
    job.work_gpu_s = item.required("workGpuSeconds").number(1, 1e12).value_or(1);
    job.priority_class = item.at("priorityClass").string().value_or(job.priority_class);
    item.refuse_unknown_keys();
    jobs.push_back(std::move(job));
  }
}

// Poisson arrivals; work log-normal by median and P95; GPU counts all the same.
void generate(Reader spec, const JobDefaults& defaults, Duration length, uint64_t seed,
              std::vector<JobSpec>& jobs) {
  if (!spec.present()) return;
  const double per_hour = spec.required("perHour").number(0, 1e5).value_or(0);
  const double median = spec.required("medianGpuSeconds").number(1, 1e12).value_or(1);
  const double p95 = spec.at("p95GpuSeconds").number(1, 1e12).value_or(median);
  const int gpus = spec.at("gpus").int32(1, 1024).value_or(1);
  const Duration from = spec.at("from").duration().value_or(Duration{});
  const Duration until = spec.at("until").duration().value_or(length);
  if (p95 < median) spec.error("p95GpuSeconds is below medianGpuSeconds");
  spec.refuse_unknown_keys();
  if (per_hour <= 0 || p95 < median) return;
  Rng rng(seed, "training jobs");
  const double sigma = std::log(p95 / median) / kZ95;
  Duration at = from + from_seconds(rng.exponential(per_hour / 3600));
  while (at < until && at < length) {
    JobSpec job = with_defaults(defaults);
    job.arrival = at;
    job.gpus = gpus;
    job.work_gpu_s = sigma > 0 ? rng.log_normal(std::log(median), sigma) : median;
    jobs.push_back(std::move(job));
    at += from_seconds(rng.exponential(per_hour / 3600));
  }
}

}  // namespace

Result<std::vector<JobSpec>> parse_job_trace(std::string_view text, const JobDefaults& defaults) {
  std::vector<JobSpec> jobs;
  std::vector<std::string> columns;
  int line_number = 0;
  for (const std::string_view raw : split(text, '\n')) {
    ++line_number;
    const std::string_view line = trim(raw);
    if (line.empty()) continue;
    const auto cells = split(line, ',');
    if (columns.empty()) {
      for (const std::string_view cell : cells) columns.emplace_back(trim(cell));
      for (const char* needed : {"time_s", "gpus", "work_gpu_s"}) {
        if (std::find(columns.begin(), columns.end(), needed) == columns.end()) {
          return Error(
              fmt::format("line {}: no column {} (accepted header: "
                          "time_s,gpus,work_gpu_s[,name][,priority_class])",
                          line_number, needed));
        }
      }
      continue;
    }
    if (cells.size() != columns.size()) {
      return Error(fmt::format("line {}: {} cells, the header has {}", line_number, cells.size(),
                               columns.size()));
    }
    JobSpec job = with_defaults(defaults);
    for (size_t i = 0; i < cells.size(); ++i) {
      const std::string_view cell = trim(cells[i]);
      const auto wrong = [&](const Error& error) {
        return error.in(fmt::format("line {}: {}", line_number, columns[i]));
      };
      if (columns[i] == "name") {
        job.name = cell;
      } else if (columns[i] == "priority_class") {
        job.priority_class = cell;
      } else if (columns[i] == "gpus") {
        const auto gpus = parse_int(cell);
        if (!gpus.ok()) return wrong(gpus.error());
        if (*gpus < 1 || *gpus > 1024) return wrong(Error("1 to 1024 is accepted"));
        job.gpus = static_cast<int>(*gpus);
      } else if (columns[i] == "time_s" || columns[i] == "work_gpu_s") {
        const auto number = parse_double(cell);
        if (!number.ok()) return wrong(number.error());
        if (*number < 0) return wrong(Error("must not be negative"));
        if (columns[i] == "time_s") {
          job.arrival = from_seconds(*number);
        } else {
          job.work_gpu_s = *number;
        }
      }
    }
    jobs.push_back(std::move(job));
  }
  if (columns.empty()) return Error("empty: a header line is needed");
  return jobs;
}

std::vector<JobSpec> read_jobs(Reader& training, const std::filesystem::path& folder,
                               const JobDefaults& defaults, Duration length, uint64_t seed) {
  std::vector<JobSpec> jobs;
  read_list(training.at("jobs"), defaults, jobs);
  generate(training.at("generator"), defaults, length, seed, jobs);
  Reader trace = training.at("trace");
  if (trace.present()) {
    const auto path = (folder / trace.required("path").required_string()).lexically_normal();
    trace.refuse_unknown_keys();
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    auto read = parse_job_trace(text.str(), defaults);
    if (!file) {
      trace.error(fmt::format("can't read {}", path.string()));
    } else if (!read.ok()) {
      trace.error(read.error().in(path.string()).message());
    } else {
      std::move(read->begin(), read->end(), std::back_inserter(jobs));
    }
  }
  std::stable_sort(jobs.begin(), jobs.end(),
                   [](const JobSpec& a, const JobSpec& b) { return a.arrival < b.arrival; });
  for (size_t i = 0; i < jobs.size(); ++i) {
    if (jobs[i].name.empty()) jobs[i].name = fmt::format("train-{:04}", i + 1);
  }
  return jobs;
}

}  // namespace windlass::sim
