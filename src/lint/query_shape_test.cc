#include "lint/query_shape.h"

#include <gtest/gtest.h>

namespace windlass::lint {
namespace {

using Series = QueryShape::Series;

TEST(QueryShape, CountsSeriesByTheOutside) {
  struct Case {
    const char* query;
    Series series;
    const char* aggregation;
    bool grouped;
  };
  for (const Case& c : std::vector<Case>{
           {"sum(x)", Series::kOne, "sum", false},
           {"avg(DCGM_FI_DEV_GPU_UTIL{namespace=\"inference\"})", Series::kOne, "avg", false},
           {"(sum(x))", Series::kOne, "sum", false},
           {"sum(x) * 100", Series::kOne, "sum", false},
           {"100 * sum(x)", Series::kOne, "sum", false},
           {"sum(x) / sum(y)", Series::kOne, "", false},
           {"sum by (pod) (x)", Series::kMany, "sum", true},
           {"sum(x) by (pod)", Series::kMany, "sum", true},
           {"sum without (pod) (x)", Series::kMany, "sum", true},
           {"sum by () (x)", Series::kOne, "sum", false},
           {"topk(3, x)", Series::kMany, "", false},
           {"x", Series::kMany, "", false},
           {"x{a=\"b)\"}", Series::kMany, "", false},
           {"{__name__=\"x\"}", Series::kMany, "", false},
           {"rate(x[5m])", Series::kMany, "", false},
           {"max_over_time(sum(x)[5m:1m])", Series::kOne, "", false},
           {"histogram_quantile(0.9, sum by (le) (rate(x_bucket[5m])))", Series::kOne, "", false},
           {"histogram_quantile(0.9, sum by (le, pod) (rate(x_bucket[5m])))", Series::kMany, "",
            true},
           {"histogram_quantile(0.9, rate(x_bucket[5m]))", Series::kMany, "", false},
           {"scalar(x)", Series::kOne, "", false},
           {"vector(1)", Series::kOne, "", false},
           {"5", Series::kOne, "", false},
           {"-sum(x)", Series::kOne, "sum", false},
           {"sum(x) or vector(0)", Series::kUnknown, "", false},
           {"x / on(pod) y", Series::kUnknown, "", false},
           {"", Series::kUnknown, "", false},
           {"((((", Series::kUnknown, "", false},
           {"sum(", Series::kOne, "sum", false},
       }) {
    const QueryShape shape = shape_of(c.query);
    EXPECT_EQ(shape.series, c.series) << c.query;
    EXPECT_EQ(shape.aggregation, c.aggregation) << c.query;
    EXPECT_EQ(shape.grouped, c.grouped) << c.query;
  }
}

TEST(QueryShape, NamesMetricsAlone) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(shape_of("sum by (pod) (rate(a{l=\"m\"}[5m])) / on(x) group_left(y) b").metrics,
            (Names{"a", "b"}));
  EXPECT_EQ(shape_of("vllm:num_requests_waiting + vllm:num_requests_waiting").metrics,
            (Names{"vllm:num_requests_waiting"}));
  EXPECT_EQ(shape_of("a offset 5m").metrics, (Names{"a"}));
  EXPECT_EQ(shape_of("\"text # a\" # comment").metrics, Names{});
}

}  // namespace
}  // namespace windlass::lint
