#include "live/signals/answer.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "scaling/trigger_plan.h"

namespace windlass::live::signals {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

net::HttpReply reply(int status, std::string body) {
  net::HttpReply out;
  out.status = status;
  out.body = std::move(body);
  return out;
}

std::string vector_of(const std::string& elements) {
  return R"({"status":"success","data":{"resultType":"vector","result":[)" + elements + "]}}";
}
std::string element(const std::string& number) {
  return R"({"metric":{},"value":[1700000000.123,)" + number + "]}";
}

TEST(Answer, Values) {
  struct Case {
    std::string body;
    std::vector<double> values;
  };
  const Case cases[] = {
      {vector_of(element("\"42\"")), {42}},
      {vector_of(element("\"-1.5e-3\"")), {-0.0015}},
      {vector_of(""), {}},
      {vector_of(element("\"1\"") + "," + element("\"2\"")), {1, 2}},
      {vector_of(element("\"+Inf\"")), {kInf}},
      {vector_of(element("\"-Inf\"")), {-kInf}},
      {vector_of(element("null")), {-1}},
      {R"({"status":"success","data":{"resultType":"vector","result":null}})", {}},
      // Neither status nor resultType has to be there.
      {R"({"data":{"result":[{"value":[0,"7"]}]}})", {7}},
      // Thanos adds warnings to what it could read.
      {R"({"status":"success","warnings":["x"],"data":{"resultType":"vector","result":[]}})", {}},
  };
  for (const Case& test : cases) {
    const auto answer = read_query_reply(reply(200, test.body));
    EXPECT_EQ(answer.error, "") << test.body;
    EXPECT_EQ(answer.values, test.values) << test.body;
    EXPECT_EQ(answer.trigger, 0u);
  }
  for (const std::string& body :
       {vector_of(element("\"NaN\"")), vector_of(R"({"metric":{},"value":[]})"),
        vector_of(R"({"metric":{}})")}) {
    const auto answer = read_query_reply(reply(200, body));
    EXPECT_EQ(answer.error, "") << body;
    ASSERT_EQ(answer.values.size(), 1u) << body;
    EXPECT_TRUE(std::isnan(answer.values[0])) << body;
  }
}

TEST(Answer, Errors) {
  net::HttpReply none;
  none.error = "connect to 127.0.0.1:9: connection refused";
  net::HttpReply late;
  late.timed_out = true;
  struct Case {
    net::HttpReply reply;
    std::string_view says;
  };
  const Case cases[] = {
      {none, "connect to 127.0.0.1:9: connection refused"},
      {late, "no answer in time"},
      {net::HttpReply{}, "no answer"},
      {reply(204, ""), "HTTP status 204 without a body"},
      {reply(200, ""), "HTTP status 200 without a body"},
      {reply(200, "<html>\n  hello"), "the answer is no JSON: <html> hello"},
      {reply(200, "42"), "the answer is no object"},
      {reply(200, "{}"), "the answer has no data"},
      {reply(200, R"({"status":"success","data":[]})"), "the answer has no data"},
      {reply(200, R"({"status":"error","errorType":"timeout","error":"query timed out"})"),
       "timeout: query timed out"},
      {reply(200, R"({"status":"error"})"), "an error without a text"},
      {reply(400, R"({"status":"error","errorType":"bad_data","error":"parse\nerror"})"),
       "HTTP status 400: bad_data: parse error"},
      {reply(401, "Unauthorized\n"), "HTTP status 401: Unauthorized"},
      {reply(503, ""), "HTTP status 503"},
      {reply(301, ""), "HTTP status 301"},
      {reply(200, R"({"status":"success","data":{"resultType":"scalar","result":[1,"2"]}})"),
       "the query gives a scalar, an instant vector is accepted (wrap it in vector())"},
      {reply(200, R"({"status":"success","data":{"resultType":"string","result":[1,"x"]}})"),
       "the query gives a string"},
      {reply(200, R"({"status":"success","data":{"resultType":"matrix","result":[]}})"),
       "the query gives a matrix"},
      {reply(200, R"({"data":{"result":[1,"2"]}})"), "an element of the result is no object"},
      {reply(200, R"({"data":{"result":[{"values":[[1,"2"]]}]}})"), "ranges or histograms"},
      {reply(200, R"({"data":{"result":{}}})"), "the answer's result is no list"},
      {reply(200, vector_of(R"({"value":[1]})")), "has no number beside its time"},
      {reply(200, vector_of(R"({"value":7})")), "no pair of time and number"},
      {reply(200, vector_of(element("7"))), "no number in quotes"},
      {reply(200, vector_of(element("\"seven\""))), "is no number: \"seven\""},
      {reply(200, vector_of(element("\"\""))), "is no number: \"\""},
  };
  for (const Case& test : cases) {
    const auto answer = read_query_reply(test.reply);
    EXPECT_TRUE(answer.values.empty()) << test.says;
    EXPECT_NE(answer.error.find(test.says), std::string::npos) << answer.error;
    EXPECT_EQ(answer.error.find('\n'), std::string::npos) << answer.error;
  }
}

TEST(Answer, LongBodiesAreShownShort) {
  const auto answer = read_query_reply(reply(500, std::string(100'000, 'x')));
  EXPECT_LT(answer.error.size(), 300u);
}

// Through KEDA's table: what each kind of answer comes to with and without ignoreNullValues.
TEST(Answer, ThroughTheTableOfKeda) {
  struct Case {
    std::string body;
    std::optional<double> ignoring, strict;  // nullopt: an error
  };
  const Case cases[] = {
      {vector_of(element("\"3\"")), 3, 3},
      {vector_of(""), 0, std::nullopt},
      {vector_of(R"({"value":[]})"), 0, std::nullopt},
      {vector_of(R"({"value":[1]})"), std::nullopt, std::nullopt},
      {vector_of(element("\"1\"") + "," + element("\"2\"")), std::nullopt, std::nullopt},
      {vector_of(element("\"NaN\"")), 0, std::nullopt},
      {vector_of(element("\"+Inf\"")), 0, std::nullopt},
      {vector_of(element("\"-Inf\"")), 0, std::nullopt},
      {vector_of(element("null")), -1, -1},
      {"oops", std::nullopt, std::nullopt},
      {R"({"data":{"resultType":"scalar","result":[1,"2"]}})", std::nullopt, std::nullopt},
  };
  for (const Case& test : cases) {
    for (const bool ignore : {true, false}) {
      scaling::TriggerPlan plan;
      plan.ignore_null_values = ignore;
      const auto answer = read_query_reply(reply(200, test.body));
      const auto reading = scaling::read_prometheus(plan, {answer.values, answer.error});
      const auto& expected = ignore ? test.ignoring : test.strict;
      ASSERT_EQ(reading.ok(), expected.has_value()) << test.body << ignore;
      if (expected) {
        EXPECT_EQ(*reading, *expected) << test.body << ignore;
      }
    }
  }
}

TEST(Answer, AnyBytesGiveAnAnswer) {
  EXPECT_TRUE(rc::check("any body", [] {
    const auto body = *rc::gen::container<std::string>(
        rc::gen::elementOf(std::string("{}[]\",:01.datresultvaluens")));
    const auto answer = read_query_reply(reply(200, body));
    RC_ASSERT(answer.error.empty() || answer.values.empty());
  }));
}

}  // namespace
}  // namespace windlass::live::signals
