#include "live/external/metrics_file.h"

#include <gtest/gtest.h>

namespace windlass::live::external {
namespace {

constexpr const char* kGood = R"(
metrics:
  - namespaces: [inference, staging]
    labels: {team: search}
    metadata:
      model: Chat-7B
      replicaRequestsPerSecond: "2"
      serverAddress: http://prometheus:9090
      arrivalsQuery: sum(rate(a[1m]))
  - metadata: &other
      model: other
      replicaRequestsPerSecond: "1"
      serverAddress: http://prometheus:9090
      arrivalsQuery: b
)";

TEST(MetricsFile, NamesMetricsByTheirModels) {
  const auto read = read_metrics_file(kGood);
  ASSERT_TRUE(read.ok()) << read.error().message();
  ASSERT_EQ(read->size(), 2u);
  const ServedMetric& chat = read->front();
  EXPECT_EQ(chat.name, "windlass-chat-7b");
  EXPECT_EQ(chat.labels, (api::StringMap{{"team", "search"}}));
  EXPECT_EQ(chat.metadata.at("arrivalsQuery"), "sum(rate(a[1m]))");
  EXPECT_TRUE(chat.served_in("staging"));
  EXPECT_FALSE(chat.served_in("default"));
  EXPECT_EQ(read->back().name, "windlass-other");
  EXPECT_TRUE(read->back().served_in("default"));
}

TEST(MetricsFile, NamesWhatIsWrong) {
  const std::string good = kGood;
  const auto entry = [](const std::string& more) {
    return "  - {" + more +
           "metadata: {model: other, replicaRequestsPerSecond: '1', arrivalsQuery: b, "
           "serverAddress: 'http://p'}}\n";
  };
  const std::pair<std::string, const char*> cases[] = {
      {"", "one YAML document"},
      {"metrics: []", "at least one"},
      {"metrics: 3", "metrics"},
      {"metric: []", "metrics"},
      {"{", "line 1"},
      {"metrics: [{}]", "metrics[0].metadata"},
      {"metrics: [{metadata: {model: x}}]", "metrics[0].metadata: slo: required; gpu"},
      {"metrics: [{metadata: {model: x, maxReplicas: 3}}]", "metrics[0].metadata.maxReplicas"},
      {good + "---\n" + good, "one YAML document"},
      // In all namespaces, and in one of them again.
      {good + entry("namespaces: [a], "), "metrics[2]: windlass-other is there already"},
      {"metrics:\n" + entry("namespaces: [a], ") + entry("namespaces: [b, a], "),
       "metrics[1]: windlass-other is there already"},
      {"metrics:\n" + entry("namespace: [a], "), "did you mean"},
  };
  for (const auto& [text, said] : cases) {
    const auto read = read_metrics_file(text);
    ASSERT_FALSE(read.ok()) << text;
    EXPECT_NE(read.error().message().find(said), std::string::npos) << read.error().message();
  }
  const auto apart =
      read_metrics_file("metrics:\n" + entry("namespaces: [a], ") + entry("namespaces: [b], "));
  EXPECT_TRUE(apart.ok());
}

}  // namespace
}  // namespace windlass::live::external
