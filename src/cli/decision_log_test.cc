#include "cli/decision_log.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "cli/explain_command.h"

namespace windlass::cli {
namespace {

std::string line(const char* time, const char* controller, const char* object, const char* decision,
                 const char* inputs, const char* result, const char* policy = "stock") {
  return std::string(R"({"time":"2026-03-02T08:)") + time + R"(Z","policy":")" + policy +
         R"(","controller":")" + controller + R"(","object":")" + object + R"(","decision":")" +
         decision + R"(","inputs":)" + inputs + R"(,"result":")" + result +
         R"(","reasons":["because"]})" + "\n";
}

// One pod's way, another pod beside it, and the same object under a second policy.
std::string log_text() {
  return line("00:00", "scaled_object", "ScaledObject/ns/so", "scale",
              R"({"target":"Deployment/ns/d","s0":"61"})", "1 -> 2 replicas") +
         line("00:30", "scaled_object", "ScaledObject/ns/other", "scale",
              R"({"target":"Deployment/ns/e"})", "1 -> 9 replicas") +
         line("01:00", "provisioning", "Pod/ns/d-1", "unschedulable", "{}", "no node") +
         line("01:05", "provisioning", "NodeClaim/gpu-a", "create", R"({"pods":"ns/d-1, ns/e-1"})",
              "3 types, cheapest g5.xlarge at $1/h") +
         line("01:08", "claim_lifecycle", "NodeClaim/gpu-a", "launch", "{}", "g5.xlarge spot") +
         line("02:00", "kube_scheduler", "Pod/ns/d-1", "bind",
              R"({"node":"ip-1","claim":"gpu-a","waited":"1m","owner":"Deployment/ns/d"})",
              "bound to ip-1") +
         line("03:00", "scaled_object", "ScaledObject/ns/so", "scale",
              R"({"target":"Deployment/ns/d"})", "2 -> 3 replicas") +
         line("09:00", "disruption", "NodeClaim/gpu-a,gpu-b", "emptiness", "{}", "delete both") +
         line("04:00", "joint", "ScaledObject/ns/so", "scale", "{}", "1 -> 5 replicas", "windlass");
}

std::vector<size_t> lines_of(const DecisionLog& log, const Question& question) {
  std::vector<size_t> out;
  for (const DecisionRecord* record : answer(log, question)) out.push_back(record->line);
  return out;
}

Instant at(const char* minute) {
  return *parse_rfc3339(std::string("2026-03-02T08:") + minute + "Z");
}

TEST(DecisionLog, AnswersByPodNodeObjectAndTime) {
  const DecisionLog log = read_decision_log(log_text());
  ASSERT_TRUE(log.bad_lines.empty()) << log.bad_lines.front();
  struct Case {
    Question question;
    std::vector<size_t> lines;
  };
  const std::vector<Case> cases{
      // Wanted, pending, claim made and launched, bound, its node taken away.
      {{.pod = "ns/d-1", .node = "", .object = "", .policy = "", .at = {}}, {1, 3, 4, 5, 6, 8}},
      {{.pod = "d-1", .node = "", .object = "", .policy = "", .at = at("01:30")}, {3, 4, 5}},
      {{.pod = "e-1", .node = "", .object = "", .policy = "", .at = {}}, {4, 5, 8}},
      {{.pod = "d", .node = "", .object = "", .policy = "", .at = {}}, {}},
      {{.pod = "", .node = "ip-1", .object = "", .policy = "", .at = {}}, {4, 5, 6, 8}},
      {{.pod = "", .node = "gpu-a", .object = "", .policy = "", .at = {}}, {4, 5, 6, 8}},
      {{.pod = "", .node = "gpu-b", .object = "", .policy = "", .at = {}}, {8}},
      {{.pod = "", .node = "", .object = "so", .policy = "", .at = {}}, {1, 7, 9}},
      {{.pod = "", .node = "", .object = "ns/so", .policy = "windlass", .at = {}}, {9}},
      {{.pod = "", .node = "", .object = "ScaledObject/ns/so", .policy = "stock", .at = {}},
       {1, 7}},
      {{.pod = "", .node = "", .object = "so", .policy = "stock", .at = at("02:59")}, {1}},
      {{.pod = "", .node = "", .object = "so", .policy = "", .at = at("00:00")}, {1}},
      {{.pod = "", .node = "", .object = "", .policy = "stock", .at = at("01:06")}, {1, 2, 3, 4}},
      {{.pod = "", .node = "", .object = "", .policy = "none", .at = {}}, {}},
  };
  for (size_t i = 0; i < cases.size(); ++i) {
    EXPECT_EQ(lines_of(log, cases[i].question), cases[i].lines) << "case " << i;
  }
}

TEST(DecisionLog, SentencesSayWhoWhatFromWhatAndWhy) {
  const DecisionLog log = read_decision_log(log_text());
  EXPECT_EQ(sentence_of(log.records[0]),
            "2026-03-02T08:00:00Z KEDA's loop and the HPA scaled ScaledObject/ns/so "
            "(Deployment/ns/d): 1 -> 2 replicas. It saw: s0 61. Why: because.");
  EXPECT_EQ(sentence_of(log.records[3]),
            "2026-03-02T08:01:05Z provisioning asked for NodeClaim/gpu-a: 3 types, cheapest "
            "g5.xlarge at $1/h. It saw: pods ns/d-1, ns/e-1. Why: because.");
  EXPECT_EQ(sentence_of(log.records[5]),
            "2026-03-02T08:02:00Z the scheduler bound Pod/ns/d-1 to ip-1 after 1m. It saw: claim "
            "gpu-a; owner Deployment/ns/d. Why: because.");
}

TEST(DecisionLog, BadLinesAreNamedAndSkipped) {
  const DecisionLog log = read_decision_log("{}\n\nnot json\n[1]\n" + log_text() + "{\"time\": 5");
  EXPECT_EQ(log.records.size(), 9U);
  EXPECT_EQ(log.records.front().line, 5U);
  ASSERT_EQ(log.bad_lines.size(), 4U);
  EXPECT_TRUE(log.bad_lines[0].starts_with("line 1: time: is missing")) << log.bad_lines[0];
  EXPECT_TRUE(log.bad_lines[1].starts_with("line 3: ")) << log.bad_lines[1];
  EXPECT_TRUE(log.bad_lines[2].starts_with("line 4: ")) << log.bad_lines[2];
  EXPECT_TRUE(log.bad_lines[3].starts_with("line 14: ")) << log.bad_lines[3];
}

TEST(DecisionLog, TimesAreDatesOrOffsets) {
  EXPECT_EQ(*parse_decision_time("2026-03-02T08:10:00Z", Instant{}), at("10:00"));
  EXPECT_EQ(*parse_decision_time("10m", at("00:00")), at("10:00"));
  EXPECT_EQ(*parse_decision_time("0s", at("00:00")), at("00:00"));
  for (const char* bad : {"", "soon", "-5m", "10", "9999999h"}) {
    EXPECT_FALSE(parse_decision_time(bad, at("00:00")).ok()) << bad;
  }
}

TEST(Explain, WithoutAnAnswerTheNamesAreSaid) {
  const DecisionLog log = read_decision_log(log_text());
  Question question;
  question.pod = "d-2";
  EXPECT_EQ(no_answer(log, question), "no decision about d-2 (there are: ns/d-1, ns/e-1)");
  question = {};
  question.object = "ns/sp";
  EXPECT_NE(no_answer(log, question).find("ScaledObject/ns/so"), std::string::npos);
  question.policy = "stok";
  EXPECT_EQ(no_answer(log, question), "no decision of policy stok (there are: stock, windlass)");
}

TEST(Explain, JsonHoldsTheRecordAndItsSentence) {
  const DecisionLog log = read_decision_log(log_text());
  Question question;
  question.object = "so";
  const auto records = answer(log, question);
  const Json out = *parse_json(explain_json(records));
  ASSERT_EQ(out.size(), 3U);
  EXPECT_EQ(out[0]["sentence"], sentence_of(*records[0]));
  EXPECT_EQ(out[0]["inputs"]["s0"], "61");
  EXPECT_EQ(out[2]["policy"], "windlass");
  const std::string text = explain_text(records);
  EXPECT_TRUE(text.starts_with("Policy stock\n2026-")) << text;
  EXPECT_NE(text.find("\n\nPolicy windlass\n"), std::string::npos);
}

}  // namespace
}  // namespace windlass::cli
