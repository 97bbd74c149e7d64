// CronJobs in a served world: when they are due, and what they make of it.
#include "sim/apps/cron_schedule.h"
#include "sim/world_fixture.h"

namespace windlass::sim {
namespace {

std::string last_due(const char* schedule, const char* zone, const char* after, const char* until) {
  const auto read = apps::JobSchedule::parse(schedule, zone);
  if (!read.ok()) return "refused";
  const auto due = read->last(*parse_rfc3339(after), *parse_rfc3339(until));
  return due ? to_rfc3339(*due) : "none";
}

TEST(JobSchedule, TheLastTimeItNames) {
  struct Case {
    const char* schedule;
    const char* zone;
    const char* after;
    const char* until;
    const char* last;
  };
  for (const Case& c : std::vector<Case>{
           {"*/5 * * * *", "", "2026-03-02T08:00:00Z", "2026-03-02T08:04:59Z", "none"},
           {"*/5 * * * *", "", "2026-03-02T08:00:00Z", "2026-03-02T08:05:00Z",
            "2026-03-02T08:05:00Z"},
           {"*/5 * * * *", "", "2026-03-02T08:00:00Z", "2026-03-02T09:19:00Z",
            "2026-03-02T09:15:00Z"},
           // A year of missed minutes; a day's minutes that lie together.
           {"* * * * *", "", "2025-03-02T08:00:00Z", "2026-03-02T08:00:30Z",
            "2026-03-02T08:00:00Z"},
           {"* 9 * * *", "", "2026-03-01T00:00:00Z", "2026-03-04T08:00:00Z",
            "2026-03-03T09:59:00Z"},
           {"0 0 29 2 *", "", "2023-01-01T00:00:00Z", "2026-01-01T00:00:00Z",
            "2024-02-29T00:00:00Z"},
           {"30 9 * * *", "Asia/Kolkata", "2026-03-01T00:00:00Z", "2026-03-02T08:00:00Z",
            "2026-03-02T04:00:00Z"},
           {"@daily", "", "2026-03-01T12:00:00Z", "2026-03-02T08:00:00Z", "2026-03-02T00:00:00Z"},
           {"@every 90s", "", "2026-03-02T08:00:00Z", "2026-03-02T08:05:00Z",
            "2026-03-02T08:04:30Z"},
           {"@every 0s", "", "2026-03-02T08:00:00Z", "2026-03-02T08:00:05Z",
            "2026-03-02T08:00:05Z"},
           {"0 0 30 2 *", "", "2026-03-01T00:00:00Z", "2036-03-01T00:00:00Z", "none"},
           {"61 * * * *", "", "2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z", "refused"},
           {"@every soon", "", "2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z", "refused"},
           {"0 0 * * *", "Mars/Base", "2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z", "refused"}}) {
    EXPECT_EQ(last_due(c.schedule, c.zone, c.after, c.until), c.last) << c.schedule << c.until;
  }
}

struct CronCluster : RunningWorld {
  // The scenario begins at 08:00:00; a Job of it runs `run_seconds` from its pod's start.
  void make(const std::string& more, int run_seconds, int exit_code = 0) {
    apply(
        "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: tick, namespace: default}\n"
        "spec:\n  schedule: \"*/10 * * * *\"\n" +
        more +
        "  jobTemplate:\n    metadata: {labels: {from: tick}}\n    spec:\n      backoffLimit: 0\n"
        "      template:\n        metadata:\n          annotations: {windlass.dev/run-seconds: \"" +
        std::to_string(run_seconds) + "\", windlass.dev/exit-code: \"" + std::to_string(exit_code) +
        "\"}\n        spec:\n          restartPolicy: Never\n"
        "          containers: [{name: c, image: busybox}]\n");
  }
  [[nodiscard]] const api::CronJob& cron_job() const {
    return state().cron_jobs().at("default/tick");
  }
  [[nodiscard]] std::vector<std::string> jobs() const {
    std::vector<std::string> names;
    for (const auto& [key, job] : state().jobs()) {
      if (job.meta.name.starts_with("tick-")) names.push_back(job.meta.name);
    }
    return names;
  }
  // "tick-N" of a time of the first day.
  static std::string due(const std::string& time) {
    const Instant at = *parse_rfc3339("2026-03-02T" + time + ":00Z");
    return "tick-" + std::to_string(at.ns / 60'000'000'000);
  }
};
using Names = std::vector<std::string>;

TEST(CronJobs, MakeJobsByTheirScheduleAndKeepTheLastThree) {
  CronCluster cluster;
  cluster.make("", 5);
  cluster.run(minutes(9));
  EXPECT_EQ(cluster.jobs(), Names());
  EXPECT_FALSE(cluster.cron_job().last_schedule);
  cluster.run(minutes(1) + seconds(1));
  ASSERT_EQ(cluster.jobs(), Names{CronCluster::due("08:10")});
  ASSERT_EQ(cluster.cron_job().active.size(), 1u);
  const api::Job& job = cluster.state().jobs().at("default/" + CronCluster::due("08:10"));
  EXPECT_EQ(cluster.cron_job().active[0].uid, job.meta.uid);
  EXPECT_EQ(job.meta.owners.at(0).uid, cluster.cron_job().meta.uid);
  EXPECT_EQ(job.meta.labels.at("from"), "tick");
  EXPECT_EQ(job.meta.annotations.at("batch.kubernetes.io/cronjob-scheduled-timestamp"),
            "2026-03-02T08:10:00Z");
  EXPECT_EQ(to_rfc3339(*cluster.cron_job().last_schedule), "2026-03-02T08:10:00Z");
  cluster.run(minutes(8));
  EXPECT_TRUE(cluster.cron_job().active.empty());
  EXPECT_TRUE(cluster.cron_job().last_success);
  cluster.run(minutes(40));
  EXPECT_EQ(cluster.jobs(), (Names{CronCluster::due("08:30"), CronCluster::due("08:40"),
                                   CronCluster::due("08:50")}));
  // What it leaves behind when it goes.
  cluster.world->remove(cluster::Kind::kCronJob, "default/tick");
  cluster.run(minutes(30));
  EXPECT_EQ(cluster.jobs(), Names());
  EXPECT_TRUE(cluster.pods("tick-").empty());
}

TEST(CronJobs, FailedOnesHaveALimitOfTheirOwn) {
  CronCluster cluster;
  cluster.make("  failedJobsHistoryLimit: 2\n  successfulJobsHistoryLimit: 0\n", 5, 1);
  cluster.run(minutes(58));
  EXPECT_EQ(cluster.jobs(), (Names{CronCluster::due("08:40"), CronCluster::due("08:50")}));
  EXPECT_FALSE(cluster.cron_job().last_success);
}

TEST(CronJobs, ConcurrencyDecidesWhatComesOfAJobThatStillRuns) {
  struct Case {
    const char* policy;
    Names jobs;  // at 08:25
    size_t active;
  };
  for (const Case& c :
       std::vector<Case>{{"Allow", {CronCluster::due("08:10"), CronCluster::due("08:20")}, 2},
                         {"Forbid", {CronCluster::due("08:10")}, 1},
                         {"Replace", {CronCluster::due("08:20")}, 1}}) {
    CronCluster cluster;
    cluster.make("  concurrencyPolicy: " + std::string(c.policy) + "\n", 1300);
    cluster.run(minutes(25));
    EXPECT_EQ(cluster.jobs(), c.jobs) << c.policy;
    EXPECT_EQ(cluster.cron_job().active.size(), c.active) << c.policy;
    // What was held back is made up for once there is room: the last one missed, late.
    cluster.run(minutes(12));
    if (std::string_view(c.policy) == "Forbid") {
      EXPECT_EQ(cluster.jobs(), (Names{CronCluster::due("08:10"), CronCluster::due("08:30")}));
    }
  }
}

TEST(CronJobs, SuspendedOnesWaitAndMakeUpForTheLastTimeOnly) {
  for (const bool deadline : {false, true}) {
    CronCluster cluster;
    const std::string limit = deadline ? "  startingDeadlineSeconds: 60\n" : "";
    cluster.make(limit + "  suspend: true\n", 5);
    cluster.run(minutes(35));
    EXPECT_EQ(cluster.jobs(), Names());
    api::CronJob resumed = cluster.cron_job();
    resumed.suspended = false;
    cluster.world->put(resumed);
    cluster.run(seconds(2));
    // With a deadline of a minute the time of five minutes ago has passed for good.
    EXPECT_EQ(cluster.jobs(), deadline ? Names() : Names{CronCluster::due("08:30")});
    cluster.run(minutes(6));
    EXPECT_EQ(cluster.jobs().back(), CronCluster::due("08:40"));
  }
}

TEST(CronJobs, ATemplateOfUnlikelyMapsIsNoTrouble) {
  CronCluster cluster;
  cluster.apply(
      "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: tick, namespace: default}\n"
      "spec:\n  schedule: \"* * * * *\"\n  jobTemplate:\n    metadata: [1]\n"
      "    spec: {selector: 3, template: {metadata: {}, spec: {restartPolicy: Never, "
      "containers: [{name: c}]}}}\n");
  cluster.run(minutes(2) + seconds(1));
  EXPECT_EQ(cluster.jobs().size(), 2u);
}

}  // namespace
}  // namespace windlass::sim
