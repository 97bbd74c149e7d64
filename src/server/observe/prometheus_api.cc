#include "server/observe/prometheus_api.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "base/utf8.h"
#include "server/observe/http_query.h"
#include "server/observe/json_text.h"
#include "server/observe/prometheus_params.h"
#include "server/observe/text_format.h"
#include "sim/prometheus/range.h"

namespace windlass::server::observe {
namespace {

namespace prom = sim::prometheus;

constexpr int64_t kPointsMax = 11'000;     // a series, as Prometheus
constexpr size_t kSamplesMax = 2'000'000;  // an answer: it is built in memory, on the loop
constexpr Instant kEarliest{INT64_MIN};

Response failure(int status, std::string_view type, std::string_view message) {
  JsonText json;
  json.open('{').key("status").text("error").key("errorType").text(type);
  json.key("error").text(message).close('}');
  Response response;
  response.status = status;
  response.body = json.take();
  return response;
}
Response bad_data(std::string_view message) { return failure(400, "bad_data", message); }
Response bad_parameter(std::string_view name, const Error& error) {
  return bad_data(fmt::format("invalid parameter \"{}\": {}", name, error.message()));
}
Response execution(const Error& error) {
  const bool late = error.message().starts_with("query timed out");
  return late ? failure(503, "timeout", error.message())
              : failure(422, "execution", error.message());
}

Response success(std::string_view data) {
  Response response;
  response.body = "{\"status\":\"success\",\"data\":";
  response.body += data;
  response.body += "}";
  return response;
}

// 1435781451.781: fractions in three digits, where there are any.
void append_time(std::string& out, int64_t t_ms) {
  const int64_t fraction = t_ms % 1000;
  out += t_ms < 0 ? fmt::format("{:.3f}", static_cast<double>(t_ms) / 1000)
                  : std::to_string(t_ms / 1000);
  if (t_ms >= 0 && fraction != 0) out += fmt::format(".{:03}", fraction);
}

void append_point(std::string& out, int64_t t_ms, const std::string& value) {
  out.push_back('[');
  append_time(out, t_ms);
  out += ",\"";
  out += value;
  out += "\"]";
}

void append_labels(std::string& out, const prom::Labels& labels) {
  out.push_back('{');
  bool first = true;
  for (const auto& [name, value] : labels) {
    if (!first) out.push_back(',');
    first = false;
    append_json_string(out, name);
    out.push_back(':');
    append_json_string(out, value);
  }
  out.push_back('}');
}

std::string result_of(std::string_view type, std::string_view result) {
  return fmt::format("{{\"resultType\":\"{}\",\"result\":{}}}", type, result);
}

std::string matrix_text(const prom::Matrix& matrix) {
  std::string out = "[";
  for (const prom::MatrixSeries& series : matrix) {
    if (out.size() > 1) out.push_back(',');
    out += "{\"metric\":";
    append_labels(out, series.labels);
    out += ",\"values\":[";
    bool first = true;
    for (const prom::Sample& point : series.points) {
      if (!first) out.push_back(',');
      first = false;
      append_point(out, point.t_ms, format_json(point.value));
    }
    out += "]}";
  }
  return out + "]";
}

std::string vector_text(const prom::InstantVector& vector, int64_t t_ms) {
  std::string out = "[";
  for (const prom::VectorElement& element : vector) {
    if (out.size() > 1) out.push_back(',');
    out += "{\"metric\":";
    append_labels(out, element.labels);
    out += ",\"value\":";
    append_point(out, t_ms, format_json(element.value));
    out.push_back('}');
  }
  return out + "]";
}

bool label_name(std::string_view name) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return !name.empty() && letter(name[0]) &&
         std::ranges::all_of(name, [&](char c) { return letter(c) || digit(c); });
}

// One request: what is asked, and the options it is asked of.
class Asked {
 public:
  Asked(const PrometheusOptions& options, const Request& request)
      : options_(options), parameters_(request) {}

  Response query() const;
  Response query_range() const;
  Response labels() const;
  Response label_values(std::string_view name) const;
  Response series() const;
  Response runtime_info() const;
  Response build_info() const;

 private:
  [[nodiscard]] Result<Instant> time(std::string_view name, Instant otherwise) const {
    const auto text = parameters_.first(name);
    return !text || text->empty() ? Result<Instant>(otherwise) : parse_api_time(*text);
  }
  // When the query must be done (wall); kNever without a clock.
  [[nodiscard]] Result<Instant> deadline() const;
  // Series of any of match[]; all of them without one.
  [[nodiscard]] std::optional<Response> selected(std::vector<const prom::Series*>& out) const;
  [[nodiscard]] size_t limit() const;
  [[nodiscard]] Response list(const std::set<std::string_view>& values) const;

  const PrometheusOptions& options_;
  Parameters parameters_;
};

Result<Instant> Asked::deadline() const {
  Duration timeout = options_.timeout_max;
  if (const auto text = parameters_.first("timeout"); text && !text->empty()) {
    const auto asked = parse_api_duration(*text);
    if (!asked.ok()) return asked.error();
    timeout = std::min(timeout, *asked);
  }
  return options_.wall_now ? options_.wall_now() + timeout : kNever;
}

Response Asked::query() const {
  const auto at = time("time", options_.now());
  if (!at.ok()) return bad_parameter("time", at.error());
  if (const auto limit = deadline(); !limit.ok()) return bad_parameter("timeout", limit.error());
  const std::string text = parameters_.first("query").value_or("");
  const int64_t t_ms = at->ns / 1'000'000;
  if (const auto literal = prom::parse_string_query(text)) {
    JsonText quoted;
    std::string point = "[";
    append_time(point, t_ms);
    return success(result_of("string", point + "," + quoted.text(*literal).str() + "]"));
  }
  const auto query = prom::parse_promql(text, prom::Results::kRangeToo);
  if (!query.ok()) return bad_parameter("query", query.error());
  if (prom::is_range(*query)) {
    const auto matrix = prom::evaluate_samples(*query, *options_.store, *at);
    return matrix.ok() ? success(result_of("matrix", matrix_text(*matrix)))
                       : execution(matrix.error());
  }
  const auto value = prom::evaluate(*query, *options_.store, *at);
  if (!value.ok()) return execution(value.error());
  if (const double* scalar = std::get_if<double>(&*value)) {
    std::string point;
    append_point(point, t_ms, format_fixed(*scalar));
    return success(result_of("scalar", point));
  }
  const auto& vector = std::get<prom::InstantVector>(*value);
  return success(result_of("vector", vector_text(vector, t_ms)));
}

Response Asked::query_range() const {
  prom::RangeOptions range;
  for (const auto& [name, field] : {std::pair("start", &range.start), {"end", &range.end}}) {
    const auto parsed = parse_api_time(parameters_.first(name).value_or(""));
    if (!parsed.ok()) return bad_parameter(name, parsed.error());
    *field = *parsed;
  }
  if (range.end < range.start) {
    return bad_parameter("end", Error("end timestamp must not be before start time"));
  }
  const auto step = parse_api_duration(parameters_.first("step").value_or(""));
  if (!step.ok()) return bad_parameter("step", step.error());
  if (*step < milliseconds(1)) {
    return bad_parameter("step", Error("zero or negative query resolution step widths are not "
                                       "accepted. Try a positive integer"));
  }
  range.step = *step;
  // In milliseconds, whose difference can't overflow.
  const int64_t length_ms = range.end.ns / 1'000'000 - range.start.ns / 1'000'000;
  if (length_ms / (step->ns / 1'000'000) > kPointsMax) {
    return bad_data(
        "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query "
        "resolution (?step=XX)");
  }
  const auto until = deadline();
  if (!until.ok()) return bad_parameter("timeout", until.error());
  const auto query = prom::parse_promql(parameters_.first("query").value_or(""));
  if (!query.ok()) return bad_parameter("query", query.error());
  range.points_max = kSamplesMax;
  if (options_.wall_now) {
    range.enough = [&] { return options_.wall_now() >= *until; };
  }
  const auto matrix = prom::evaluate_range(*query, *options_.store, range);
  if (!matrix.ok()) return execution(matrix.error());
  return success(result_of("matrix", matrix_text(*matrix)));
}

std::optional<Response> Asked::selected(std::vector<const prom::Series*>& out) const {
  const auto from = time("start", kEarliest);
  if (!from.ok()) return bad_parameter("start", from.error());
  const auto to = time("end", kNever);
  if (!to.ok()) return bad_parameter("end", to.error());
  const std::vector<std::string> matches = parameters_.all("match[]");
  std::set<prom::Labels> seen;
  for (const std::string& match : matches) {
    const auto query = prom::parse_promql(match);
    if (!query.ok()) return bad_parameter("match[]", query.error());
    const auto found = prom::select_series(*query, *options_.store, *from, *to);
    if (!found.ok()) return bad_parameter("match[]", found.error());
    for (const prom::Series* series : *found) {
      if (matches.size() == 1 || seen.insert(series->labels).second) out.push_back(series);
    }
  }
  if (!matches.empty()) return std::nullopt;
  for (const prom::Series& series : options_.store->all()) {
    const bool inside = !series.samples.empty() &&
                        series.samples.back().t_ms >= from->ns / 1'000'000 &&
                        series.samples.front().t_ms <= to->ns / 1'000'000;
    if (inside) out.push_back(&series);
  }
  return std::nullopt;
}

size_t Asked::limit() const {
  const auto asked = parse_int(parameters_.first("limit").value_or("0"));
  return asked.ok() && *asked > 0 ? static_cast<size_t>(*asked) : SIZE_MAX;
}

Response Asked::list(const std::set<std::string_view>& values) const {
  JsonText json;
  json.open('[');
  size_t left = limit();
  for (const std::string_view value : values) {
    if (left-- == 0) break;
    json.text(value);
  }
  return success(json.close(']').str());
}

Response Asked::labels() const {
  std::vector<const prom::Series*> found;
  if (auto fault = selected(found)) return *std::move(fault);
  std::set<std::string_view> names;
  for (const prom::Series* series : found) {
    for (const auto& [name, value] : series->labels) names.insert(name);
  }
  return list(names);
}

Response Asked::label_values(std::string_view name) const {
  if (!label_name(name)) {
    return bad_data(fmt::format("invalid label name: \"{}\"", printable(name, 64)));
  }
  std::vector<const prom::Series*> found;
  if (auto fault = selected(found)) return *std::move(fault);
  std::set<std::string_view> values;
  for (const prom::Series* series : found) {
    const auto at = series->labels.find(std::string(name));
    if (at != series->labels.end()) values.insert(at->second);
  }
  return list(values);
}

Response Asked::series() const {
  if (parameters_.all("match[]").empty()) return bad_data("no match[] parameter provided");
  std::vector<const prom::Series*> found;
  if (auto fault = selected(found)) return *std::move(fault);
  std::ranges::sort(found, {}, [](const auto* series) -> const auto& { return series->labels; });
  std::string out = "[";
  size_t left = limit();
  for (const prom::Series* series : found) {
    if (left-- == 0) break;
    if (out.size() > 1) out.push_back(',');
    append_labels(out, series->labels);
  }
  return success(out + "]");
}

Response Asked::build_info() const {
  JsonText json;
  json.open('{').key("version").text(options_.version);
  for (const char* name : {"revision", "branch", "buildUser", "buildDate", "goVersion"}) {
    json.key(name).text("");
  }
  return success(json.close('}').str());
}

Response Asked::runtime_info() const {
  JsonText json;
  json.open('{').key("startTime").time(options_.started).key("CWD").text("/");
  json.key("reloadConfigSuccess").boolean(true).key("lastConfigTime").time(options_.started);
  json.key("corruptionCount").integer(0).key("goroutineCount").integer(1);
  json.key("GOMAXPROCS").integer(1).key("GOGC").text("").key("GODEBUG").text("");
  json.key("storageRetention").text("2h");
  return success(json.close('}').str());
}

}  // namespace

bool PrometheusApi::serves(std::string_view path) const {
  if (!path.starts_with(options_.prefix)) return false;
  path.remove_prefix(options_.prefix.size());
  return path.starts_with("/api/v1/") || path == "/-/healthy" || path == "/-/ready";
}

Response PrometheusApi::answer(const Request& request) const {
  std::string_view path = request.path;
  if (!serves(path)) return failure(404, "not_found", "no such endpoint");
  if (request.method != "GET" && request.method != "POST") {
    return failure(405, "bad_data", "method not allowed (accepted: GET, POST)");
  }
  if (options_.down && options_.down()) {
    return failure(503, "unavailable", "Prometheus is down: an outage is being played");
  }
  path.remove_prefix(options_.prefix.size());
  if (path.starts_with("/-/")) {
    Response response;
    response.content_type = "text/plain; charset=utf-8";
    response.body =
        path == "/-/ready" ? "Prometheus Server is Ready.\n" : "Prometheus Server is Healthy.\n";
    return response;
  }
  path.remove_prefix(std::string_view("/api/v1/").size());
  const Asked asked(options_, request);
  if (path == "query") return asked.query();
  if (path == "query_range") return asked.query_range();
  if (path == "labels") return asked.labels();
  if (path == "series") return asked.series();
  constexpr std::string_view kBefore = "label/";
  constexpr std::string_view kBehind = "/values";
  const bool named = path.size() >= kBefore.size() + kBehind.size();
  if (named && path.starts_with(kBefore) && path.ends_with(kBehind)) {
    return asked.label_values(
        path.substr(kBefore.size(), path.size() - kBefore.size() - kBehind.size()));
  }
  if (path == "status/buildinfo") return asked.build_info();
  if (path == "status/runtimeinfo") return asked.runtime_info();
  // There to be asked by tools that look around; there is nothing to tell.
  if (path == "metadata" || path == "status/flags") return success("{}");
  if (path == "query_exemplars") return success("[]");
  if (path == "rules") return success(R"({"groups":[]})");
  if (path == "alerts") return success(R"({"alerts":[]})");
  if (path == "targets") return success(R"({"activeTargets":[],"droppedTargets":[]})");
  return failure(404, "not_found", "no such endpoint");
}

void PrometheusApi::handle(const Request& request,
                           const std::shared_ptr<Exchange>& exchange) const {
  exchange->reply(answer(request));
}

}  // namespace windlass::server::observe
