#include "server/operate/external_metrics.h"

#include <limits>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/json.h"

namespace windlass::server::operate {
namespace {

using live::external::ServedMetric;
using Names = std::vector<std::string>;

const std::string kRoot = "/apis/external.metrics.k8s.io/v1beta1";
const Instant kNow = *parse_rfc3339("2026-03-02T04:05:06.789Z");

std::vector<ServedMetric> served() {
  return {{"windlass-chat", {"inference", "staging"}, {{"team", "search"}}, {}},
          {"windlass-chat", {"other"}, {}, {}},
          {"windlass-code", {}, {}, {}}};
}

Request asked(const std::string& path, const std::string& selector = "") {
  Request out;
  out.path = path;
  out.identity.user = "system:serviceaccount:kube-system:horizontal-pod-autoscaler";
  if (!selector.empty()) out.query = {{"labelSelector", selector}};
  return out;
}

// The number of the metric, or -status.
int outcome(const Request& request) {
  const auto read = read_external_metrics(request, served());
  if (const auto* response = std::get_if<Response>(&read)) return -response->status;
  return static_cast<int>(std::get<size_t>(read));
}

Json document(const std::string& path) {
  const auto read = read_external_metrics(asked(path), served());
  const auto* response = std::get_if<Response>(&read);
  if (response == nullptr || response->status != 200) return {};
  EXPECT_EQ(response->content_type, "application/json");
  return *parse_json(response->body);
}

TEST(ExternalMetrics, FindsWhatIsAskedFor) {
  const std::string in = kRoot + "/namespaces/";
  EXPECT_EQ(outcome(asked(in + "inference/windlass-chat")), 0);
  EXPECT_EQ(outcome(asked(in + "staging/windlass-chat")), 0);
  EXPECT_EQ(outcome(asked(in + "other/windlass-chat")), 1);
  EXPECT_EQ(outcome(asked(in + "anywhere/windlass-code")), 2);
  for (const std::string path :
       {"default/windlass-chat", "inference/windlass", "inference/windlass-chat/", "inference", "",
        "/windlass-chat", "inference/windlass-chat/status"}) {
    EXPECT_EQ(outcome(asked(in + path)), -404) << path;
  }
  for (const std::string path :
       {"/", "/openapi/v2", "/openapi/v3", "/apis/external.metrics.k8s.io/v1",
        "/apis/external.metrics.k8s.io/v1beta10", "/apis/metrics.k8s.io"}) {
    EXPECT_EQ(outcome(asked(path)), -404) << path;
  }
  EXPECT_EQ(outcome(asked(kRoot + "/windlass-chat")), -404);
}

TEST(ExternalMetrics, HoldsSelectorsAgainstLabels) {
  const std::string chat = kRoot + "/namespaces/inference/windlass-chat";
  for (const char* matching :
       {"team=search", "team in (search,ads)", "team", "!tier", "team!=ads"}) {
    EXPECT_EQ(outcome(asked(chat, matching)), 0) << matching;
  }
  for (const char* other : {"team=ads", "tier", "!team", "team=search,tier=1"}) {
    const auto read = read_external_metrics(asked(chat, other), served());
    const auto* response = std::get_if<Response>(&read);
    ASSERT_NE(response, nullptr) << other;
    EXPECT_EQ(response->status, 200);
    EXPECT_EQ((*parse_json(response->body))["items"], Json::array());
  }
  EXPECT_EQ(outcome(asked(chat, "team in search")), -400);
}

TEST(ExternalMetrics, OnlyHealthIsForAnybody) {
  for (const char* path : {"/healthz", "/livez", "/readyz"}) {
    Request request = asked(path);
    request.identity = {};
    EXPECT_EQ(outcome(request), -200) << path;
  }
  for (const std::string& path : {std::string("/"), std::string("/apis"), kRoot,
                                  kRoot + "/namespaces/inference/windlass-chat"}) {
    Request request = asked(path);
    request.identity = {};
    EXPECT_EQ(outcome(request), -401) << path;
    request = asked(path);
    request.method = "POST";
    EXPECT_EQ(outcome(request), -405) << path;
  }
}

TEST(ExternalMetrics, Discovery) {
  EXPECT_EQ(document("/apis")["groups"][0]["name"], "external.metrics.k8s.io");
  const Json group = document("/apis/external.metrics.k8s.io");
  EXPECT_EQ(group["kind"], "APIGroup");
  EXPECT_EQ(group["preferredVersion"]["groupVersion"], "external.metrics.k8s.io/v1beta1");
  const Json list = document(kRoot);
  EXPECT_EQ(list["kind"], "APIResourceList");
  ASSERT_EQ(list["resources"].size(), 2u);  // a name of two namespaces once
  EXPECT_EQ(list["resources"][0]["name"], "windlass-chat");
  EXPECT_EQ(list["resources"][1]["namespaced"], true);
  EXPECT_EQ(list["resources"][1]["verbs"], Json::array({"get"}));

  const std::string aggregated =
      "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
  for (const auto& [accept, status] :
       std::vector<std::pair<std::string, int>>{{aggregated, -406},
                                                {aggregated + "," + aggregated, -406},
                                                {aggregated + ",application/json", -200},
                                                {"", -200},
                                                {"*/*", -200}}) {
    Request request = asked("/apis");
    request.headers = {{"accept", accept}};
    EXPECT_EQ(outcome(request), status) << accept;
  }
}

TEST(ExternalMetrics, ValuesAreQuantities) {
  const ServedMetric metric = served()[0];
  for (const auto& [value, text] : std::vector<std::pair<double, const char*>>{
           {0, "0"}, {3, "3"}, {42.5, "42500m"}, {0.0001, "1m"}, {1000, "1k"}}) {
    const Response response = external_metric_value(metric, value, kNow);
    ASSERT_EQ(response.status, 200);
    const Json list = *parse_json(response.body);
    EXPECT_EQ(list["kind"], "ExternalMetricValueList");
    EXPECT_EQ(list["apiVersion"], "external.metrics.k8s.io/v1beta1");
    ASSERT_EQ(list["items"].size(), 1u);
    EXPECT_EQ(list["items"][0], (Json{{"metricName", "windlass-chat"},
                                      {"metricLabels", {{"team", "search"}}},
                                      {"timestamp", "2026-03-02T04:05:06Z"},
                                      {"value", text}}));
  }
}

TEST(ExternalMetrics, WhatIsNotKnownIsUnavailable) {
  const ServedMetric metric = served()[0];
  for (const Result<double>& value :
       {Result<double>(Error("Prometheus: 503")), Result<double>(-1.0), Result<double>(1e300),
        Result<double>(std::numeric_limits<double>::quiet_NaN())}) {
    const Response response = external_metric_value(metric, value, kNow);
    EXPECT_EQ(response.status, 503);
    const Json status = *parse_json(response.body);
    EXPECT_EQ(status["kind"], "Status");
    EXPECT_EQ(status["reason"], "ServiceUnavailable");
    EXPECT_TRUE(status["message"].get<std::string>().starts_with("windlass-chat: "));
  }
}

TEST(ExternalMetrics, OnlyTheFrontProxySpeaksForOthers) {
  const Names proxies = {"front-proxy-client", "aggregator"};
  Request request;
  request.headers = {{"x-remote-user", "ann"},
                     {"x-remote-group", "dev"},
                     {"x-remote-group", "ops"},
                     {"x-remote-uid", "7"}};
  const Identity ann = passed_on_identity(request, Identity{"aggregator", {}, {}}, proxies);
  EXPECT_EQ(ann.user, "ann");
  EXPECT_EQ(ann.groups, (Names{"dev", "ops"}));
  EXPECT_EQ(ann.uid, "7");
  EXPECT_EQ(passed_on_identity(request, std::nullopt, proxies).user, "");
  EXPECT_EQ(passed_on_identity(request, std::nullopt, {}).user, "");
  EXPECT_EQ(passed_on_identity(request, Identity{"mallory", {}, {}}, proxies).user, "");
  EXPECT_EQ(passed_on_identity(request, Identity{"", {"aggregator"}, {}}, {}).user, "");
  EXPECT_EQ(passed_on_identity(request, Identity{"mallory", {}, {}}, {}).user, "ann");
  request.headers.clear();
  EXPECT_EQ(passed_on_identity(request, Identity{"aggregator", {}, {}}, proxies).user, "");
}

}  // namespace
}  // namespace windlass::server::operate
