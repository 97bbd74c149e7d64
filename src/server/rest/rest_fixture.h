// For this room's tests: an API over a store without sockets, requests in one line, answers and
// streams collected.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "server/rest/json_access.h"
#include "server/rest/kube_api.h"

namespace windlass::server::rest {

class FakeStream : public Stream {
 public:
  bool send(std::shared_ptr<const std::string> piece) override {
    if (is_closed) return false;
    pieces.push_back(std::move(piece));
    return true;
  }
  [[nodiscard]] size_t unsent() const override { return 0; }
  [[nodiscard]] bool closed() const override { return is_closed; }
  void close() override { end(); }
  void abort() override { end(); }
  // As when the peer goes.
  void end() {
    if (is_closed) return;
    is_closed = true;
    if (on_closed) on_closed();
  }
  // What came since the last call, one JSON value an event.
  std::vector<Json> take() {
    std::vector<Json> events;
    for (; taken < pieces.size(); ++taken) events.push_back(Json::parse(*pieces[taken]));
    return events;
  }

  std::vector<std::shared_ptr<const std::string>> pieces;
  size_t taken = 0;
  bool is_closed = false;
};

class FakeExchange : public Exchange {
 public:
  void reply(Response r) override {
    EXPECT_FALSE(replied || stream != nullptr) << "answered twice";
    replied = true;
    response = std::move(r);
  }
  std::shared_ptr<Stream> open_stream(int status, std::string content_type) override {
    EXPECT_FALSE(replied || stream != nullptr) << "answered twice";
    response.status = status;
    response.content_type = std::move(content_type);
    stream = std::make_shared<FakeStream>();
    return stream;
  }
  [[nodiscard]] std::string text() const {
    std::string all = response.body;
    for (const auto& part : response.parts) all += *part;
    return all;
  }

  bool replied = false;
  Response response;
  std::shared_ptr<FakeStream> stream;
};

// An answer: its code and its body.
struct Reply {
  int code = 0;
  Json body;
  std::string text;
  std::string content_type;
  std::vector<std::pair<std::string, std::string>> headers;
  [[nodiscard]] std::string reason() const { return text_at(body, "reason"); }
  [[nodiscard]] std::string message() const { return text_at(body, "message"); }
  [[nodiscard]] const Json& meta(std::string_view field) const {
    return at(body, "metadata", field);
  }
};

class Api {
 public:
  explicit Api(ApiOptions options = {}) : api(store, prepared(std::move(options))) {
    api.bootstrap();
    api.flush();
  }

  // "GET", "/api/v1/pods?limit=1", body, headers.
  Request request(const std::string& method, const std::string& target, std::string body = "",
                  std::vector<std::pair<std::string, std::string>> headers = {}) const {
    Request request;
    request.method = method;
    const size_t question = std::min(target.find('?'), target.size());
    request.path = target.substr(0, question);
    for (size_t at = question + 1; at < target.size();) {
      const size_t end = std::min(target.find('&', at), target.size());
      const std::string pair = target.substr(at, end - at);
      const size_t equals = std::min(pair.find('='), pair.size());
      request.query.emplace_back(pair.substr(0, equals),
                                 equals < pair.size() ? pair.substr(equals + 1) : "");
      at = end + 1;
    }
    request.body = std::move(body);
    request.headers = std::move(headers);
    request.headers.emplace_back("user-agent", "tester/1.0");
    request.identity.user = "windlass-admin";
    return request;
  }

  Reply send(const Request& request) {
    auto exchange = std::make_shared<FakeExchange>();
    api.handle(request, exchange);
    api.flush();
    EXPECT_TRUE(exchange->replied) << request.method << " " << request.path;
    Reply reply;
    reply.code = exchange->response.status;
    reply.text = exchange->text();
    reply.content_type = exchange->response.content_type;
    reply.headers = exchange->response.headers;
    if (reply.content_type.starts_with("application/json")) {
      reply.body = Json::parse(reply.text, nullptr, false);
      EXPECT_FALSE(reply.body.is_discarded()) << reply.text;
    }
    return reply;
  }
  Reply get(const std::string& target, const std::string& accept = "") {
    if (accept.empty()) return send(request("GET", target));
    return send(request("GET", target, "", {{"accept", accept}}));
  }
  Reply post(const std::string& target, const Json& body) {
    return send(request("POST", target, body.dump(), {{"content-type", "application/json"}}));
  }
  Reply put(const std::string& target, const Json& body) {
    return send(request("PUT", target, body.dump(), {{"content-type", "application/json"}}));
  }
  // `kind`: json-patch+json, merge-patch+json, strategic-merge-patch+json, apply-patch+yaml.
  Reply patch(const std::string& target, const std::string& kind, const Json& body) {
    return send(request("PATCH", target, body.dump(), {{"content-type", "application/" + kind}}));
  }
  Reply del(const std::string& target, const Json& options = {}) {
    return send(request("DELETE", target, options.is_null() ? "" : options.dump(),
                        {{"content-type", "application/json"}}));
  }
  // A stream; null if it was answered otherwise.
  std::shared_ptr<FakeStream> watch(const std::string& target, const std::string& accept = "") {
    auto exchange = std::make_shared<FakeExchange>();
    Request r = request("GET", target);
    if (!accept.empty()) r.headers.emplace_back("accept", accept);
    api.handle(r, exchange);
    api.flush();
    return exchange->stream;
  }
  // Runs timers that fall due within the span of wall time.
  void pass(Duration span) {
    const Instant until = wall + span;
    while (!timers.empty() && timers.begin()->first <= until) {
      auto [at, work] = *timers.begin();
      timers.erase(timers.begin());
      wall = at;
      work();
    }
    wall = until;
    now = now + span;
    api.flush();
  }

  Instant now{1'772'323'200'000'000'000};  // 2026-03-01T00:00:00Z
  Instant wall{0};
  std::multimap<Instant, std::function<void()>> timers;
  cluster::ObjectStore store;
  KubeApi api;

 private:
  ApiOptions prepared(ApiOptions options) {
    options.now = [this] { return now; };
    options.wall_now = [this] { return wall; };
    options.after = [this](Duration delay, std::function<void()> work) {
      timers.emplace(wall + delay, std::move(work));
    };
    options.issue_token = [](const std::string& user, const std::string&, Instant) {
      return "token-of-" + user;
    };
    return options;
  }
};

inline Json pod(const std::string& name, Json labels = Json::object()) {
  return {{"apiVersion", "v1"},
          {"kind", "Pod"},
          {"metadata", {{"name", name}, {"labels", std::move(labels)}}},
          {"spec", {{"containers", Json::array({{{"name", "app"}, {"image", "app:1"}}})}}}};
}

inline Json deployment(const std::string& name, int replicas = 1) {
  return {{"apiVersion", "apps/v1"},
          {"kind", "Deployment"},
          {"metadata", {{"name", name}}},
          {"spec",
           {{"replicas", replicas},
            {"selector", {{"matchLabels", {{"app", name}}}}},
            {"template",
             {{"metadata", {{"labels", {{"app", name}}}}},
              {"spec", {{"containers", Json::array({{{"name", "app"}, {"image", "app:1"}}})}}}}}}}};
}

inline Json config_map(const std::string& name, Json data = Json::object()) {
  return {{"apiVersion", "v1"},
          {"kind", "ConfigMap"},
          {"metadata", {{"name", name}}},
          {"data", std::move(data)}};
}

}  // namespace windlass::server::rest
