#include "server/operate/external_metrics.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/quantity.h"
#include "base/text.h"
#include "server/http/fault.h"
#include "server/rest/selectors.h"

namespace windlass::server::operate {
namespace {

using live::external::ServedMetric;

constexpr std::string_view kGroup = "external.metrics.k8s.io";
constexpr std::string_view kGroupVersion = "external.metrics.k8s.io/v1beta1";
constexpr std::string_view kRoot = "/apis/external.metrics.k8s.io/v1beta1";
constexpr double kMostMilli = 9e18;  // of an int64

Response json_response(const Json& value) {
  Response out;
  out.body = value.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  return out;
}

Json group() {
  const Json version{{"groupVersion", kGroupVersion}, {"version", "v1beta1"}};
  return {{"kind", "APIGroup"},
          {"apiVersion", "v1"},
          {"name", kGroup},
          {"versions", Json::array({version})},
          {"preferredVersion", version}};
}

Json resources(const std::vector<ServedMetric>& metrics) {
  std::set<std::string> names;  // the same one may be another's in another namespace
  for (const ServedMetric& metric : metrics) names.insert(metric.name);
  Json list = Json::array();
  for (const std::string& name : names) {
    list.push_back({{"name", name},
                    {"singularName", ""},
                    {"namespaced", true},
                    {"kind", "ExternalMetricValueList"},
                    {"verbs", Json::array({"get"})}});
  }
  return {{"kind", "APIResourceList"},
          {"apiVersion", "v1"},
          {"groupVersion", kGroupVersion},
          {"resources", std::move(list)}};
}

Json value_list(Json items) {
  return {{"kind", "ExternalMetricValueList"},
          {"apiVersion", kGroupVersion},
          {"metadata", Json::object()},
          {"items", std::move(items)}};
}

// Whether nothing but the aggregated kind of discovery will do ("application/json;v=v2;
// g=apidiscovery.k8s.io;as=APIGroupDiscoveryList"). It is refused, and asked for in the plain way.
bool wants_aggregated_only(std::string_view accept) {
  if (trim(accept).empty()) return false;
  return std::ranges::all_of(split(accept, ','), [](std::string_view range) {
    return range.find("as=APIGroupDiscoveryList") != std::string_view::npos;
  });
}

std::variant<Response, size_t> find_metric(const Request& request,
                                           const std::vector<ServedMetric>& metrics) {
  // "/namespaces/NS/METRIC"
  const std::vector<std::string_view> parts =
      split(std::string_view(request.path).substr(kRoot.size()), '/');
  if (parts.size() != 4 || parts[1] != "namespaces") {
    return fault_response({404, fmt::format("{}/namespaces/NAMESPACE/METRIC is served", kRoot)});
  }
  const auto found = std::ranges::find_if(metrics, [&](const ServedMetric& metric) {
    return metric.name == parts[3] && metric.served_in(parts[2]);
  });
  if (found == metrics.end()) {
    return fault_response(
        {404, fmt::format("there is no external metric \"{}\" in namespace \"{}\"", parts[3],
                          parts[2])});
  }
  const auto terms = rest::parse_label_selector(request.parameter("labelSelector").value_or(""));
  if (!terms.ok()) return fault_response({400, terms.fault().message});
  if (!rest::matches(*terms, found->labels)) return json_response(value_list(Json::array()));
  return static_cast<size_t>(found - metrics.begin());
}

}  // namespace

Identity passed_on_identity(const Request& request, const std::optional<Identity>& certificate,
                            const std::vector<std::string>& proxies) {
  if (!certificate || certificate->user.empty()) return {};
  const bool known =
      proxies.empty() || std::ranges::find(proxies, certificate->user) != proxies.end();
  const std::string user(trim(request.header("x-remote-user")));
  if (!known || user.empty()) return {};
  Identity out{user, {}, std::string(request.header("x-remote-uid"))};
  for (const auto& [name, value] : request.headers) {
    if (name == "x-remote-group") out.groups.push_back(value);
  }
  return out;
}

std::variant<Response, size_t> read_external_metrics(const Request& request,
                                                     const std::vector<ServedMetric>& metrics) {
  const std::string& path = request.path;
  if (path == "/healthz" || path == "/livez" || path == "/readyz") {
    Response out;
    out.content_type = "text/plain; charset=utf-8";
    out.body = "ok\n";
    return out;
  }
  if (request.identity.user.empty()) {
    return fault_response({401, "only requests that the front proxy passes on are answered"});
  }
  if (request.method != "GET" && request.method != "HEAD") {
    Response out = fault_response({405, "metrics can only be read"});
    out.headers = {{"Allow", "GET, HEAD"}};
    return out;
  }
  if (path == "/apis") {
    if (wants_aggregated_only(request.header("accept"))) {
      return fault_response({406, "only APIGroupList and APIResourceList are served"});
    }
    return json_response(
        {{"kind", "APIGroupList"}, {"apiVersion", "v1"}, {"groups", Json::array({group()})}});
  }
  if (path == "/apis/" + std::string(kGroup)) return json_response(group());
  if (path == kRoot) return json_response(resources(metrics));
  if (path.starts_with(std::string(kRoot) + "/")) return find_metric(request, metrics);
  return fault_response({404, "there is /apis/external.metrics.k8s.io"});
}

Response external_metric_value(const ServedMetric& metric, const Result<double>& value,
                               Instant now) {
  if (!value.ok()) return fault_response({503, metric.name + ": " + value.error().message()});
  const double milli = std::ceil(*value * 1000);
  if (!(milli >= 0 && milli <= kMostMilli)) {
    return fault_response({503, fmt::format("{}: its value is {}", metric.name, *value)});
  }
  const Quantity quantity = Quantity::from_milli(static_cast<int64_t>(milli));
  // Whole seconds, as every metav1.Time.
  const Instant second{now.ns / 1'000'000'000 * 1'000'000'000};
  return json_response(value_list(Json::array({{{"metricName", metric.name},
                                                {"metricLabels", metric.labels},
                                                {"timestamp", to_rfc3339(second)},
                                                {"value", quantity.to_string()}}})));
}

}  // namespace windlass::server::operate
