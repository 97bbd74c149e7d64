#include "live/signals/request.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace windlass::live::signals {
namespace {

using scaling::TriggerPlan;
using Headers = std::vector<std::pair<std::string, std::string>>;

// 2026-03-02T12:00:07.9Z: asked for the whole second.
constexpr Instant kAskedAt{1'772'452'807'900'000'000};

TriggerPlan prometheus_plan() {
  TriggerPlan plan;
  plan.server_address = "http://prometheus.monitoring:9090";
  plan.query = "sum(vllm:num_requests_waiting{namespace=\"a b\"}) + 1";
  return plan;
}

TEST(Request, QueryEscapesAsGo) {
  EXPECT_EQ(query_escape("AZaz09-_.~"), "AZaz09-_.~");
  EXPECT_EQ(query_escape("a b+c"), "a+b%2Bc");
  EXPECT_EQ(query_escape("&=?/#%\"'(){}[],:"), "%26%3D%3F%2F%23%25%22%27%28%29%7B%7D%5B%5D%2C%3A");
  EXPECT_EQ(query_escape("\xc3\xa4\n"), "%C3%A4%0A");
}

TEST(Request, Base64) {
  // RFC 4648, section 10.
  const std::pair<const char*, const char*> cases[] = {{"", ""},
                                                       {"f", "Zg=="},
                                                       {"fo", "Zm8="},
                                                       {"foo", "Zm9v"},
                                                       {"foob", "Zm9vYg=="},
                                                       {"fooba", "Zm9vYmE="},
                                                       {"foobar", "Zm9vYmFy"},
                                                       {"\xff\xfe\xfd", "//79"}};
  for (const auto& [text, expected] : cases) EXPECT_EQ(base64(text), expected);
}

TEST(Request, PrometheusAddresses) {
  struct Case {
    const char* what;
    std::function<void(TriggerPlan&)> change;
    std::string url;
  };
  const std::string query =
      "query=sum%28vllm%3Anum_requests_waiting%7Bnamespace%3D%22a+b%22%7D%29+%2B+1";
  const std::string base =
      "http://prometheus.monitoring:9090/api/v1/query?" + query + "&time=2026-03-02T12:00:07Z";
  const Case cases[] = {
      {"plain", [](TriggerPlan&) {}, base},
      {"a slash at the end", [](TriggerPlan& p) { p.server_address += "//"; }, base},
      {"a path", [](TriggerPlan& p) { p.server_address = "https://mimir/prometheus"; },
       "https://mimir/prometheus/api/v1/query?" + query + "&time=2026-03-02T12:00:07Z"},
      {"namespace unescaped", [](TriggerPlan& p) { p.query_namespace = "ml&dedup=true"; },
       base + "&namespace=ml&dedup=true"},
      {"what no address holds is escaped all the same",
       [](TriggerPlan& p) { p.query_namespace = "a b\r\n#"; }, base + "&namespace=a%20b%0D%0A%23"},
      {"queryParameters escaped",
       [](TriggerPlan& p) {
         p.access.parameters = {{"b c", "d&e"}, {"a", "1"}};
       },
       base + "&a=1&b+c=d%26e"},
  };
  for (const Case& test : cases) {
    TriggerPlan plan = prometheus_plan();
    test.change(plan);
    const auto request = prometheus_request(plan, kAskedAt);
    ASSERT_TRUE(request.ok()) << test.what;
    EXPECT_EQ(request->url, test.url) << test.what;
    EXPECT_EQ(request->method, "GET") << test.what;
    EXPECT_EQ(request->body, "") << test.what;
  }
}

TEST(Request, PrometheusHeaders) {
  struct Case {
    const char* what;
    std::vector<std::string> modes;
    api::StringMap auth;
    api::StringMap custom;
    Headers headers;
  };
  const Case cases[] = {
      {"none", {}, {}, {}, {}},
      {"custom headers",
       {},
       {},
       {{"X-Scope-OrgID", "t1"}, {"A", ""}},
       {{"A", ""}, {"X-Scope-OrgID", "t1"}}},
      {"bearer", {"bearer"}, {{"bearerToken", "tok"}}, {}, {{"Authorization", "Bearer tok"}}},
      {"bearer by its other name",
       {"bearer"},
       {{"token", "t2"}},
       {},
       {{"Authorization", "Bearer t2"}}},
      {"basic",
       {"basic"},
       {{"username", "Aladdin"}, {"password", "open sesame"}},
       {},
       {{"Authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="}}},
      {"basic without password",
       {"basic"},
       {{"username", "u"}},
       {},
       {{"Authorization", "Basic dTo="}}},
      {"custom",
       {"custom"},
       {{"customAuthHeader", "X-Key"}, {"customAuthValue", "v"}},
       {},
       {{"X-Key", "v"}}},
      {"tls and bearer",
       {"tls", "bearer"},
       {{"bearerToken", "t"}, {"cert", "C"}, {"key", "K"}},
       {},
       {{"Authorization", "Bearer t"}}},
      {"apiKey and oauth are not sent by this scaler", {"apiKey"}, {{"apiKey", "k"}}, {}, {}},
      {"parameters without a mode are not sent", {}, {{"bearerToken", "t"}}, {}, {}},
  };
  for (const Case& test : cases) {
    TriggerPlan plan = prometheus_plan();
    plan.access.auth_modes = test.modes;
    plan.access.auth = test.auth;
    plan.access.headers = test.custom;
    const auto request = prometheus_request(plan, kAskedAt);
    ASSERT_TRUE(request.ok()) << test.what;
    EXPECT_EQ(request->headers, test.headers) << test.what;
  }
}

TEST(Request, SecretsGoToNoOtherHost) {
  TriggerPlan plan = prometheus_plan();
  EXPECT_TRUE(prometheus_request(plan, kAskedAt)->follow_redirects);
  plan.access.auth_modes = {"custom"};
  plan.access.auth = {{"customAuthHeader", "X-Key"}, {"customAuthValue", "v"}};
  EXPECT_FALSE(prometheus_request(plan, kAskedAt)->follow_redirects);
}

TEST(Request, SecretsThatCannotBeSentAreNotShown) {
  const std::pair<const char*, const char*> cases[] = {{"X-Key", "sec\nret: 1"},
                                                       {"X-Key", "secret\r"},
                                                       {"X Key", "secret"},
                                                       {"", "secret"},
                                                       {"X:Key", "secret"}};
  for (const auto& [name, value] : cases) {
    TriggerPlan plan = prometheus_plan();
    plan.access.auth_modes = {"custom"};
    plan.access.auth = {{"customAuthHeader", name}, {"customAuthValue", value}};
    const auto request = prometheus_request(plan, kAskedAt);
    ASSERT_FALSE(request.ok()) << name << value;
    EXPECT_EQ(request.error().message().find("sec"), std::string::npos);
  }
  TriggerPlan plan = prometheus_plan();
  plan.access.auth_modes = {"bearer"};
  plan.access.auth = {{"bearerToken", "a\nb"}};
  EXPECT_FALSE(prometheus_request(plan, kAskedAt).ok());
  EXPECT_FALSE(metrics_api_request(plan).ok());
}

TEST(Request, TimeOutIsThePlans) {
  TriggerPlan plan = prometheus_plan();
  EXPECT_EQ(prometheus_request(plan, kAskedAt)->timeout, seconds(3));
  plan.timeout = milliseconds(700);
  EXPECT_EQ(prometheus_request(plan, kAskedAt)->timeout, milliseconds(700));
  plan.timeout = {};  // 0 would be none at all
  EXPECT_EQ(prometheus_request(plan, kAskedAt)->timeout, seconds(3));
}

TEST(Request, TlsOfThePlan) {
  TriggerPlan plan = prometheus_plan();
  plan.access.auth = {{"ca", "CA"}, {"cert", "C"}, {"key", "K"}};
  EXPECT_EQ(tls_of(plan).ca, "CA");
  EXPECT_EQ(tls_of(plan).certificate, "");
  EXPECT_FALSE(tls_of(plan).skip_verify);
  plan.access.auth_modes = {"tls"};
  plan.access.skip_tls_check = true;
  EXPECT_EQ(tls_of(plan).certificate, "C");
  EXPECT_EQ(tls_of(plan).key, "K");
  EXPECT_TRUE(tls_of(plan).skip_verify);
}

TEST(Request, MetricsApiKeys) {
  struct Case {
    const char* what;
    std::vector<std::string> modes;
    api::StringMap auth;
    std::string url;
    Headers headers;
  };
  const std::string url = "http://app/api/v1/examples?x=1";
  const Case cases[] = {
      {"none", {}, {}, url, {}},
      {"a header by itself", {"apiKey"}, {{"apiKey", "k"}}, url, {{"X-API-KEY", "k"}}},
      {"a header's name",
       {"apiKey"},
       {{"apiKey", "k"}, {"method", "header"}, {"keyParamName", "K"}},
       url,
       {{"K", "k"}}},
      {"in the address",
       {"apiKey"},
       {{"apiKey", "k&y"}, {"method", "query"}},
       url + "&api_key=k%26y",
       {}},
      {"in the address, named",
       {"apiKey"},
       {{"apiKey", "k"}, {"method", "query"}, {"keyParamName", "t"}},
       url + "&t=k",
       {}},
      {"basic",
       {"basic"},
       {{"username", "u"}, {"password", "p"}},
       url,
       {{"Authorization", "Basic dTpw"}}},
      {"bearer", {"bearer"}, {{"token", "t"}}, url, {{"Authorization", "Bearer t"}}},
  };
  for (const Case& test : cases) {
    TriggerPlan plan;
    plan.kind = TriggerPlan::Kind::kMetricsApi;
    plan.server_address = url;
    plan.access.auth_modes = test.modes;
    plan.access.auth = test.auth;
    const auto request = metrics_api_request(plan);
    ASSERT_TRUE(request.ok()) << test.what;
    EXPECT_EQ(request->url, test.url) << test.what;
    EXPECT_EQ(request->headers, test.headers) << test.what;
  }
}

// Servers and proxies between repeat what they were told, in every form it was told in.
TEST(Request, WhatServersRepeatOfSecretsIsHidden) {
  TriggerPlan plan;
  plan.server_address = "http://joe:pa%24s1@prometheus:9090/path@x";
  plan.access.auth = {{"username", "user1"},      {"password", "secret+word"},
                      {"bearerToken", "tok/en1"}, {"customAuthHeader", "X-Scope"},
                      {"apiKey", "abc"},          {"customAuthValue", ""}};
  const auto hidden = [&](const std::string& text) { return without_secrets(plan, text); };
  for (const std::string secret :
       {"secret+word", "secret%2Bword", "tok/en1", "tok%2Fen1", "pa%24s1", "pa$s1"}) {
    EXPECT_EQ(hidden("<" + secret + "> twice " + secret), "<[hidden]> twice [hidden]") << secret;
  }
  EXPECT_EQ(hidden("Basic " + base64("user1:secret+word")), "Basic [hidden]");
  EXPECT_EQ(hidden("Basic " + base64("joe:pa$s1")), "Basic [hidden]");
  const std::string open = "user1 X-Scope joe abc prometheus:9090";
  EXPECT_EQ(hidden(open), open);
  EXPECT_EQ(without_secrets({}, open), open);
}

}  // namespace
}  // namespace windlass::live::signals
