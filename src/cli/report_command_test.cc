#include "cli/report_command.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/json.h"

namespace windlass::cli {
namespace {

std::string line(const std::string& time, const char* controller, const char* decision,
                 const std::string& inputs = "{}") {
  return R"({"time":")" + time + R"(","policy":"windlass","controller":")" + controller +
         R"(","object":"Cluster","decision":")" + decision + R"(","inputs":)" + inputs +
         R"(,"result":"","reasons":[]})" + "\n";
}

std::string summary(const std::string& from, const std::string& to, const char* running,
                    const char* wanted, const char* unplaced = "0") {
  return line(to, "observer", "summary",
              R"({"from":")" + from + R"(","to":")" + to + R"(","runningUsd":")" + running +
                  R"(","wantedUsd":")" + wanted + R"(","decisions":"2","unplaced":")" + unplaced +
                  R"("})");
}

// Two hours, the second dearer than what ran.
std::string two_hours() {
  return line("2026-03-02T08:00:10Z", "joint", "scale") +
         line("2026-03-02T08:00:11Z", "provisioning", "create") +
         line("2026-03-02T08:40:00Z", "provisioning", "create") +
         summary("2026-03-02T08:00:00Z", "2026-03-02T09:00:00Z", "6.0000", "2.0000") +
         summary("2026-03-02T09:00:00Z", "2026-03-02T09:30:00Z", "1.0000", "1.5000", "3");
}

TEST(Report, Text) {
  EXPECT_EQ(report_text(make_report(read_decision_log(two_hours()))),
            "2026-03-02 08:00 to 2026-03-02 09:30 (UTC)\n"
            "\n"
            "FROM              OBSERVED    RAN  WANTED  SAVING    SHARE\n"
            "2026-03-02 08:00     1.0 h  $6.00   $2.00   $4.00   66.7 %\n"
            "2026-03-02 09:00     0.5 h  $1.00   $1.50  -$0.50  -50.0 %\n"
            "all                  1.5 h  $7.00   $3.50   $3.50   50.0 %\n"
            "3 of the wanted pods had no place at the end.\n"
            "\n"
            "3 decisions of policy windlass\n"
            "CONTROLLER    DECISION  TIMES\n"
            "joint         scale         1\n"
            "provisioning  create        2\n");
}

TEST(Report, Json) {
  const auto json = parse_json(report_json(make_report(read_decision_log(two_hours()))));
  ASSERT_TRUE(json.ok());
  const Json& costs = (*json)["costs"];
  EXPECT_DOUBLE_EQ(costs["runningUsd"].get<double>(), 7);
  EXPECT_DOUBLE_EQ(costs["wantedUsd"].get<double>(), 3.5);
  EXPECT_DOUBLE_EQ(costs["savedUsd"].get<double>(), 3.5);
  EXPECT_DOUBLE_EQ(costs["savedShare"].get<double>(), 0.5);
  EXPECT_DOUBLE_EQ(costs["observedHours"].get<double>(), 1.5);
  EXPECT_EQ(costs["unplaced"].get<int>(), 3);
  EXPECT_EQ(costs["periods"].size(), 2u);
  EXPECT_EQ((*json)["decisions"].size(), 2u);
  EXPECT_EQ((*json)["decisions"][1]["times"].get<int>(), 2);
}

TEST(Report, AWeekIsTakenTogetherByDays) {
  std::string text;
  const auto stamp = [](int hour) {
    return fmt::format("2026-03-{:02}T{:02}:00:00Z", 2 + hour / 24, hour % 24);
  };
  for (int hour = 0; hour < 72; ++hour) text += summary(stamp(hour), stamp(hour + 1), "2", "1");
  const DecisionReport report = make_report(read_decision_log(text));
  ASSERT_EQ(report.periods.size(), 3u);
  EXPECT_DOUBLE_EQ(report.periods[1].running_usd, 48);
  EXPECT_DOUBLE_EQ(report.total.wanted_usd, 72);
  EXPECT_NE(report_text(report).find("2026-03-03    24.0 h   $48.00  $24.00  $24.00  50.0 %"),
            std::string::npos)
      << report_text(report);
}

TEST(Report, WithoutSummaries) {
  const DecisionReport report =
      make_report(read_decision_log(line("2026-03-02T08:00:10Z", "joint", "scale")));
  EXPECT_NE(report_text(report).find("No summary of costs is in the file"), std::string::npos);
  const auto json = parse_json(report_json(report));
  ASSERT_TRUE(json.ok());
  EXPECT_TRUE((*json)["costs"].is_null());
}

TEST(Report, NothingRan) {
  const DecisionReport report = make_report(
      read_decision_log(summary("2026-03-02T08:00:00Z", "2026-03-02T08:00:00Z", "0", "0")));
  EXPECT_EQ(report.total.saved_share(), 0);
  EXPECT_EQ(report.periods.size(), 1u);
}

// Somebody edited the file.
TEST(Report, SummariesThatCannotBeRead) {
  const char* at = "2026-03-02T08:00:00Z";
  const char* later = "2026-03-02T09:00:00Z";
  const struct {
    std::string text;
    const char* fault;
  } cases[] = {
      {summary(at, later, "x", "1"), "line 1: summary: runningUsd: \"x\" is no amount"},
      {summary(at, later, "1", ""), "line 1: summary: wantedUsd: \"\" is no amount"},
      {summary(at, later, "1", "-1"), "line 1: summary: wantedUsd: \"-1\" is no amount"},
      {summary(at, later, "1", "nan"), "line 1: summary: wantedUsd: \"nan\" is no amount"},
      {summary(later, at, "1", "1"), "line 1: summary: to: before from"},
  };
  for (const auto& c : cases) {
    const DecisionReport report = make_report(read_decision_log(c.text));
    EXPECT_EQ(report.bad_records, std::vector<std::string>{c.fault});
    EXPECT_TRUE(report.periods.empty());
  }
  const DecisionReport none =
      make_report(read_decision_log(line(at, "observer", "summary", R"({"to":"never"})")));
  ASSERT_EQ(none.bad_records.size(), 1u);
  EXPECT_TRUE(none.bad_records[0].starts_with("line 1: summary: from: ")) << none.bad_records[0];
}

}  // namespace
}  // namespace windlass::cli
