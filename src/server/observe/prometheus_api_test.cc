#include "server/observe/prometheus_api.h"

#include <cmath>

#include <gtest/gtest.h>

#include "server/observe/fake_exchange.h"
#include "server/observe/sim_metrics.h"

namespace windlass::server::observe {
namespace {

constexpr Instant kStart{1'700'000'000'000'000'000};

class PrometheusApiTest : public testing::Test {
 protected:
  PrometheusApiTest() {
    add({{"__name__", "up"}, {"job", "vllm"}, {"pod", "a"}}, {1, 0.5, 2});
    add({{"__name__", "up"}, {"job", "dcgm"}, {"pod", "b\"\n"}}, {3, std::nan(""), INFINITY});
    add({{"__name__", "sent_total"}}, {0, 30, 60});
    options_.store = &store_;
    options_.now = [] { return kStart + seconds(30); };
    options_.started = kStart;
  }

  void add(const sim::prometheus::Labels& labels, std::initializer_list<double> values) {
    const auto id = store_.series(labels);
    Instant t = kStart;
    for (const double value : values) {
      store_.append(id, t, value);
      t = t + seconds(15);
    }
  }
  std::string get(std::string_view target) {
    const Response response =
        PrometheusApi(options_).answer(request_of("GET /prometheus/api/v1/" + std::string(target)));
    return response.status == 200 ? response.body
                                  : std::to_string(response.status) + " " + response.body;
  }

  sim::prometheus::Store store_;
  PrometheusOptions options_;
};

TEST_F(PrometheusApiTest, InstantQueriesGiveVectors) {
  EXPECT_EQ(get("query?query=up{job=\"vllm\"}"),
            R"({"status":"success","data":{"resultType":"vector","result":[)"
            R"({"metric":{"__name__":"up","job":"vllm","pod":"a"},"value":[1700000030,"2"]}]}})");
  // Labels are escaped, infinities are words.
  EXPECT_EQ(get("query?query=up{job=\"dcgm\"}"),
            R"({"status":"success","data":{"resultType":"vector","result":[)"
            R"({"metric":{"__name__":"up","job":"dcgm","pod":"b\"\n"},)"
            R"("value":[1700000030,"+Inf"]}]}})");
  EXPECT_EQ(get("query?query=nothing"),
            R"({"status":"success","data":{"resultType":"vector","result":[]}})");
}

TEST_F(PrometheusApiTest, TimesComeInEitherForm) {
  const std::string at_15 = R"({"status":"success","data":{"resultType":"vector","result":[)"
                            R"({"metric":{"__name__":"sent_total"},"value":[)";
  EXPECT_EQ(get("query?query=sent_total&time=1700000015"), at_15 + R"(1700000015,"30"]}]}})");
  EXPECT_EQ(get("query?query=sent_total&time=1700000015.25"),
            at_15 + R"(1700000015.250,"30"]}]}})");
  EXPECT_EQ(get("query?query=sent_total&time=1700000015.007"),
            at_15 + R"(1700000015.007,"30"]}]}})");
  EXPECT_EQ(get("query?query=sent_total&time=2023-11-14T22:13:35Z"),
            at_15 + R"(1700000015,"30"]}]}})");
}

TEST_F(PrometheusApiTest, OtherResultTypes) {
  EXPECT_EQ(
      get("query?query=1e-7"),
      R"({"status":"success","data":{"resultType":"scalar","result":[1700000030,"0.0000001"]}})");
  EXPECT_EQ(get("query?query=vector(1e-7)"),
            R"({"status":"success","data":{"resultType":"vector","result":[)"
            R"({"metric":{},"value":[1700000030,"1e-07"]}]}})");
  EXPECT_EQ(get("query?query='a\"b'"),
            R"({"status":"success","data":{"resultType":"string","result":[1700000030,"a\"b"]}})");
  EXPECT_EQ(get("query?query=sent_total[20s]"),
            R"({"status":"success","data":{"resultType":"matrix","result":[)"
            R"({"metric":{"__name__":"sent_total"},)"
            R"("values":[[1700000015,"30"],[1700000030,"60"]]}]}})");
}

TEST_F(PrometheusApiTest, RangeQueriesGiveMatrices) {
  EXPECT_EQ(get("query_range?query=up&start=1700000000&end=1700000030&step=15"),
            R"({"status":"success","data":{"resultType":"matrix","result":[)"
            R"({"metric":{"__name__":"up","job":"dcgm","pod":"b\"\n"},)"
            R"("values":[[1700000000,"3"],[1700000015,"NaN"],[1700000030,"+Inf"]]},)"
            R"({"metric":{"__name__":"up","job":"vllm","pod":"a"},)"
            R"("values":[[1700000000,"1"],[1700000015,"0.5"],[1700000030,"2"]]}]}})");
  EXPECT_EQ(get("query_range?query=rate(sent_total[30s])&start=1700000030&end=1700000030&step=1m"),
            R"({"status":"success","data":{"resultType":"matrix","result":[)"
            R"({"metric":{},"values":[[1700000030,"2"]]}]}})");
}

TEST_F(PrometheusApiTest, RefusesAsPrometheusDoes) {
  const std::string range = "query_range?query=up&start=1700000000&end=1700000030";
  const std::vector<std::pair<std::string, std::string>> cases{
      {"query?query=up(",
       "400 {\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":"
       "\"invalid parameter \\\"query\\\": "},
      {"query?query=up&time=soon",
       R"(400 {"status":"error","errorType":"bad_data","error":"invalid parameter \"time\": cannot )"
       R"(parse \"soon\" to a valid timestamp"})"},
      {"query?query=up&time=1e300", "400 "},
      {"query?query=up&timeout=x", "400 "},
      {"query?query=sum(up) / on() up", "422 {\"status\":\"error\",\"errorType\":\"execution\""},
      {range, "400 "},
      {range + "&step=0",
       R"(400 {"status":"error","errorType":"bad_data","error":"invalid parameter \"step\": zero or )"
       R"(negative query resolution step widths are not accepted. Try a positive integer"})"},
      {range + "&step=-1", "400 "},
      {range + "&step=0.0001", "400 "},
      {range + "&step=1x", "400 "},
      {"query_range?query=up&start=2&end=1&step=1",
       R"(400 {"status":"error","errorType":"bad_data","error":"invalid parameter \"end\": end )"
       R"(timestamp must not be before start time"})"},
      {"query_range?query=up&start=0&end=11001&step=1",
       R"(400 {"status":"error","errorType":"bad_data","error":"exceeded maximum resolution of )"
       R"x(11,000 points per timeseries. Try decreasing the query resolution (?step=XX)"})x"},
      {"query_range?query=up[1m]&start=0&end=1&step=1", "400 "},
      {"query_range?query=up&start=-9e9&end=9e9&step=0.001", "400 "},
      {"series", R"(400 {"status":"error","errorType":"bad_data","error":"no match[] parameter )"
                 R"(provided"})"},
      {"series?match[]=sum(up)", "400 "},
      {"label/a-b/values", "400 "},
      {"label//values", "400 "},
      {"label/values", "404 "},
      {"nothing", "404 "}};
  for (const auto& [target, answer] : cases) {
    EXPECT_EQ(get(target).substr(0, answer.size()), answer) << target;
  }
  EXPECT_EQ(get("query_range?query=up&start=0&end=11000&step=1").substr(0, 20),
            R"({"status":"success",)");
}

TEST_F(PrometheusApiTest, TimeOutsAndOutages) {
  Instant wall{};
  options_.wall_now = [&] { return wall = wall + seconds(1); };
  EXPECT_EQ(get("query_range?query=up&start=1&end=2000&step=1&timeout=2s").substr(0, 50),
            R"(503 {"status":"error","errorType":"timeout","error)");
  options_.wall_now = {};
  options_.down = [] { return true; };
  EXPECT_EQ(get("query?query=1").substr(0, 50),
            R"(503 {"status":"error","errorType":"unavailable","e)");
}

TEST_F(PrometheusApiTest, NamesLabelsAndSeries) {
  EXPECT_EQ(get("labels"), R"({"status":"success","data":["__name__","job","pod"]})");
  EXPECT_EQ(get("labels?match[]=sent_total"), R"({"status":"success","data":["__name__"]})");
  EXPECT_EQ(get("label/__name__/values"), R"({"status":"success","data":["sent_total","up"]})");
  EXPECT_EQ(get("label/job/values?limit=1"), R"({"status":"success","data":["dcgm"]})");
  EXPECT_EQ(get("label/job/values?match[]=up{pod='a'}"), R"({"status":"success","data":["vllm"]})");
  EXPECT_EQ(get("label/none/values"), R"({"status":"success","data":[]})");
  EXPECT_EQ(get("label/job/values?start=1800000000"), R"({"status":"success","data":[]})");
  EXPECT_EQ(get("series?match[]=up{job='vllm'}&match[]=sent_total&match[]={job='vllm'}"),
            R"({"status":"success","data":[{"__name__":"sent_total"},)"
            R"({"__name__":"up","job":"vllm","pod":"a"}]})");
  EXPECT_EQ(get("metadata"), R"({"status":"success","data":{}})");
  EXPECT_EQ(get("status/buildinfo").substr(0, 58),
            R"({"status":"success","data":{"version":"2.42.0","revision":)");
}

TEST_F(PrometheusApiTest, FormsInABodyAreRead) {
  Request post = request_of("POST /prometheus/api/v1/query");
  post.headers = {{"content-type", "application/x-www-form-urlencoded"}};
  post.body = "query=up%7Bpod%3D%22a%22%7D+%2B+1&time=1700000000";
  EXPECT_EQ(PrometheusApi(options_).answer(post).body,
            R"({"status":"success","data":{"resultType":"vector","result":[)"
            R"({"metric":{"job":"vllm","pod":"a"},"value":[1700000000,"2"]}]}})");
}

TEST_F(PrometheusApiTest, ServesItsPathsOnly) {
  const PrometheusApi api(options_);
  EXPECT_TRUE(api.serves("/prometheus/api/v1/query"));
  EXPECT_TRUE(api.serves("/prometheus/-/ready"));
  EXPECT_FALSE(api.serves("/api/v1/query"));
  EXPECT_FALSE(api.serves("/prometheus/"));
  EXPECT_EQ(api.answer(request_of("GET /api/v1/pods")).status, 404);
  EXPECT_EQ(api.answer(request_of("DELETE /prometheus/api/v1/query")).status, 405);
}

TEST(SimMetrics, ExposesWhatLives) {
  sim::prometheus::Store store;
  const auto put = [&](const sim::prometheus::Labels& labels, double value) {
    const auto id = store.series(labels);
    store.append(id, kStart, value);
    return id;
  };
  put({{"__name__", "vllm:num_requests_waiting"}, {"pod", "b"}}, 3);
  put({{"__name__", "vllm:num_requests_waiting"}, {"pod", "a\\"}}, 1234567);
  put({{"__name__", "vllm:prompt_tokens_total"}}, 7);
  put({{"__name__", "made_up"}}, 0.25);
  store.mark_stale(put({{"__name__", "gone"}}, 1), kStart + seconds(15));
  EXPECT_EQ(sim_metrics(store, kStart + seconds(20), "").body,
            "# TYPE made_up untyped\nmade_up 0.25\n"
            "# HELP vllm:num_requests_waiting Requests waiting in the server.\n"
            "# TYPE vllm:num_requests_waiting gauge\n"
            "vllm:num_requests_waiting{pod=\"a\\\\\"} 1.234567e+06\n"
            "vllm:num_requests_waiting{pod=\"b\"} 3\n"
            "# HELP vllm:prompt_tokens_total Prompt tokens processed.\n"
            "# TYPE vllm:prompt_tokens_total counter\nvllm:prompt_tokens_total 7\n");
  // Nothing is exposed by targets nobody has scraped for long.
  EXPECT_EQ(sim_metrics(store, kStart + hours(1), "").body, "");
  const Response open = sim_metrics(store, kStart, "application/openmetrics-text");
  EXPECT_TRUE(open.content_type.starts_with("application/openmetrics-text; version=1.0.0"));
  EXPECT_NE(open.body.find("# TYPE vllm:prompt_tokens counter\n"), std::string::npos);
  EXPECT_TRUE(open.body.ends_with("# EOF\n"));
}

}  // namespace
}  // namespace windlass::server::observe
