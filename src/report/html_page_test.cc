#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "report/report.h"
#include "report/test_results.h"

namespace windlass::report {
namespace {

size_t count(const std::string& text, const std::string& what) {
  size_t n = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
  return n;
}

// Checks that tags open and close in pairs and that attribute values are quoted to their end;
// returns what is wrong, empty if nothing. Text of script and style is skipped, as a browser does.
std::string markup_error(const std::string& html) {
  const std::set<std::string> void_tags = {"meta", "!doctype"};
  std::vector<std::string> open;
  for (size_t at = html.find('<'); at != std::string::npos; at = html.find('<', at)) {
    size_t end = at + 1;
    for (bool quoted = false; end < html.size() && (quoted || html[end] != '>'); ++end) {
      if (html[end] == '"') quoted = !quoted;
      if (html[end] == '<' && !quoted) return "'<' in a tag: " + html.substr(at, 80);
    }
    if (end >= html.size()) return "a tag that does not end: " + html.substr(at, 80);
    const std::string tag = html.substr(at + 1, end - at - 1);
    const std::string name = tag.substr(0, tag.find_first_of(" /", 1));
    at = end;
    if (tag[0] == '/') {
      if (open.empty() || "/" + open.back() != tag) return "unexpected <" + tag + ">";
      open.pop_back();
    } else if (tag.back() != '/' && !void_tags.contains(name)) {
      open.push_back(name);
      if (name == "script" || name == "style") at = html.find("</" + name, at);
    }
  }
  return open.empty() ? "" : "never closed: " + open.back();
}

std::string between(const std::string& text, const std::string& from, const std::string& to) {
  const size_t start = text.find(from);
  if (start == std::string::npos) return "";
  const size_t begin = start + from.size();
  return text.substr(begin, text.find(to, begin) - begin);
}

Json hover(const std::string& html) {
  return Json::parse(between(html, "id=\"samples\">", "</script>"), nullptr, false);
}

TEST(HtmlPage, IsWellFormedAndComplete) {
  const std::string html = results_html(two_policies());
  EXPECT_EQ(markup_error(html), "");
  for (const char* text :
       {"<h1>morning.yaml</h1>", "<dd>7</dd>", "<dd>1h</dd>", "Cost so far", "Requests per second",
        "The three clocks", "Latency", "Queue", "Replicas wanted and ready", "GPUs paid and busy",
        "Nodes by type", "Batch jobs", "SLO 2 s", "$617.25", "▼ 50 % vs static",
        "windlass: the forecast was short", "nodepool/gpu: no limits are set"}) {
    EXPECT_NE(html.find(text), std::string::npos) << text;
  }
}

TEST(HtmlPage, AsksForNothingFromAnywhere) {
  const std::string html = results_html(two_policies());
  for (const char* text : {"http://", "https://", "src=", "@import", "url(", "<link"}) {
    EXPECT_EQ(html.find(text), std::string::npos) << text;
  }
  EXPECT_NE(html.find("default-src 'none'"), std::string::npos);
}

TEST(HtmlPage, NamesAreTextOnly) {
  const std::string evil = "<script>alert(1)</script>\"'&";
  sim::ScenarioResult result = two_policies();
  result.scenario = evil;
  result.notes = {evil};
  for (sim::RunResult& run : result.policies) {
    run.policy = evil;
    run.notes = {evil};
    run.run_hash = evil;
    for (sim::ChartPoint& point : run.chart) point.nodes_by_type = {{evil, 2}};
    for (sim::NodeRecord& node : run.node_records) {
      node.name = node.instance_type = node.capacity_type = node.zone = node.end_reason = evil;
    }
  }
  const std::string html = results_html(result);
  EXPECT_EQ(markup_error(html), "");
  EXPECT_EQ(html.find("<script>alert"), std::string::npos);
  EXPECT_EQ(count(html, "<script"), 2U);
  EXPECT_EQ(count(html, "</script"), 2U);
  const Json data = hover(html);
  ASSERT_FALSE(data.is_discarded());
  // The first plot is the cost of all policies; its series are labelled with their names.
  EXPECT_EQ(data["plots"][0][0]["l"], evil);
}

TEST(HtmlPage, EveryPlotHasItsHoverData) {
  const std::string html = results_html(two_policies());
  const Json data = hover(html);
  ASSERT_FALSE(data.is_discarded());
  EXPECT_EQ(data["end"], 3600);
  const size_t plots = data["plots"].size();
  EXPECT_EQ(count(html, "data-plot=\""), plots);
  for (size_t id = 0; id < plots; ++id) {
    EXPECT_EQ(count(html, "data-plot=\"" + std::to_string(id) + "\""), 1U) << id;
    EXPECT_FALSE(data["plots"][id].empty()) << id;
    for (const Json& series : data["plots"][id]) {
      const Json& policy = data["policies"].at(series["p"].get<size_t>());
      ASSERT_TRUE(policy.contains(series["f"].get<std::string>())) << series.dump();
      EXPECT_EQ(policy[series["f"].get<std::string>()].size(), policy["t"].size());
    }
  }
  EXPECT_TRUE(data["policies"][1]["p95"][1].is_null());  // NaN
  EXPECT_EQ(data["policies"][1]["p95"][0], 1500);
}

TEST(HtmlPage, SharedTrafficIsDrawnOnceAndEvenBesideAStoppedRun) {
  sim::ScenarioResult result = two_policies();
  EXPECT_NE(results_html(result).find("the same for all policies"), std::string::npos);
  result.policies[0].chart.resize(2);
  EXPECT_NE(results_html(result).find("the same for all policies"), std::string::npos);
  result.policies[0].chart[1].requests_per_s += 1;
  EXPECT_EQ(results_html(result).find("the same for all policies"), std::string::npos);
}

TEST(HtmlPage, LatencyAxisIsLogarithmicOnlyWhereTheRangeIsLarge) {
  sim::ScenarioResult result = two_policies();
  EXPECT_EQ(results_html(result).find("Logarithmic."), std::string::npos);
  result.policies[0].chart[2].latency_p95_ms = 60'000;
  EXPECT_NE(results_html(result).find("Logarithmic."), std::string::npos);
}

TEST(HtmlPage, NodesAreListedOldestFirstAndCapped) {
  sim::ScenarioResult result = two_policies();
  std::string html = results_html(result);
  EXPECT_EQ(count(html, "<details"), 1U);  // the static fleet has no records
  EXPECT_LT(html.find("<td>n-1</td>"), html.find("<td>n-2</td>"));
  EXPECT_NE(html.find(">41 s</td>"), std::string::npos);
  auto& records = result.policies[1].node_records;
  records.resize(1200, records.front());
  html = results_html(result);
  EXPECT_NE(html.find("1,200 nodes, the first 300 shown"), std::string::npos);
  EXPECT_EQ(count(html, "<td>n-2</td>") + count(html, "<td>n-1</td>"), 300U);
}

TEST(HtmlPage, EmptyResults) {
  sim::ScenarioResult result;
  EXPECT_EQ(markup_error(results_html(result)), "");
  EXPECT_NE(results_html(result).find("No policy was run."), std::string::npos);
  // Policies without a single sample: a run that was stopped at once.
  result = two_policies();
  for (sim::RunResult& run : result.policies) {
    run.chart.clear();
    run.node_records.clear();
    run.simulated_s = run.cost_usd = run.slo_ms = 0;
  }
  const std::string html = results_html(result);
  EXPECT_EQ(markup_error(html), "");
  EXPECT_NE(html.find("no samples"), std::string::npos);
  EXPECT_FALSE(hover(html).is_discarded());
}

TEST(HtmlPage, NanEverywhereIsStillAPage) {
  sim::ScenarioResult result = two_policies();
  result.duration_s = NAN;
  for (sim::RunResult& run : result.policies) {
    run.latency_ms = run.ttft_ms = {NAN, NAN, NAN, NAN};
    run.cost_usd = run.gpu_hours_paid = run.gpu_utilization = run.gpu_allocation = NAN;
    run.slo_ms = run.slo_attainment = run.simulated_s = NAN;
    run.provisioning_s = {{NAN, NAN}, {NAN, NAN}, {NAN, NAN}};
    for (sim::ChartPoint& p : run.chart) {
      p.t_s = p.requests_per_s = p.queue = p.gpu_busy = p.cost_usd = NAN;
      p.latency_p50_ms = p.latency_p95_ms = NAN;
    }
  }
  const std::string html = results_html(result);
  EXPECT_EQ(markup_error(html), "");
  EXPECT_FALSE(hover(html).is_discarded());
  EXPECT_EQ(html.find(">nan"), std::string::npos);
  EXPECT_EQ(html.find("nan%"), std::string::npos);
}

TEST(HtmlPage, ADayOfMinutesOfThreePoliciesStaysBelowAMegabyte) {
  sim::ScenarioResult result = two_policies();
  result.policies.push_back(result.policies[0]);
  for (sim::RunResult& run : result.policies) {
    run.chart.clear();
    for (int i = 1; i <= 2880; ++i) {
      // A sawtooth with a long period: every column differs, which is the worst for size.
      const double wave = (i * 7919 % 1000) / 1000.0;
      sim::ChartPoint point =
          sample(30.0 * i, 40 * wave, i % 37, 400 + 300 * wave, 1500 + 900 * wave);
      point.queue = i * 31 % 997;
      point.gpu_busy = wave;
      run.chart.push_back(point);
    }
    run.node_records.resize(500, windlass_run().node_records[0]);
  }
  const std::string html = results_html(result);
  EXPECT_LT(html.size(), 1'000'000U);
  EXPECT_EQ(html, results_html(result));
}

}  // namespace
}  // namespace windlass::report
