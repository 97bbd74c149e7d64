#include "cli/replay_series.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "live/signals/pod_scraper.h"

namespace windlass::cli {
namespace {

constexpr int64_t kPointsOfWindow = 1440;

Result<RangeSeries> read_one(const Json& element) {
  RangeSeries series;
  if (!element.is_object()) return Error("an element of the result is no object");
  if (const auto metric = element.find("metric"); metric != element.end()) {
    if (!metric->is_object()) return Error("a series' labels are no object");
    for (const auto& [name, value] : metric->items()) {
      if (value.is_string()) series.labels[name] = value.get<std::string>();
    }
  }
  const auto values = element.find("values");
  if (values == element.end()) return series;  // native histograms alone
  if (!values->is_array()) return Error("a series' values are no list");
  for (const Json& pair : *values) {
    const bool good = pair.is_array() && pair.size() == 2 && pair[0].is_number() &&
                      pair[1].is_string() && std::abs(pair[0].get<double>()) < 1e12;
    if (!good) return Error("a point is no pair of time and number in quotes");
    const auto value = live::signals::parse_sample_value(pair[1].get_ref<const std::string&>());
    if (!value) return Error("a point's value is no number");
    if (std::isfinite(*value)) series.points[std::llround(pair[0].get<double>())] = *value;
  }
  return series;
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace

Result<std::vector<RangeSeries>> read_range_body(std::string_view body) {
  const auto json = parse_json(body);
  if (!json.ok()) return json.error().in("the answer is no JSON");
  if (!json->is_object() || !json->contains("data") || !(*json)["data"].is_object()) {
    return Error("the answer has no data");
  }
  const Json& data = (*json)["data"];
  const auto result = data.find("result");
  if (data.value("resultType", Json()) != "matrix" || result == data.end() || !result->is_array()) {
    return Error("the answer is no matrix");
  }
  std::vector<RangeSeries> out;
  for (const Json& element : *result) {
    auto series = read_one(element);
    if (!series.ok()) return series.error();
    out.push_back(*std::move(series));
  }
  return out;
}

void merge_series(std::vector<RangeSeries>& all, std::vector<RangeSeries> more) {
  std::map<std::map<std::string, std::string>, size_t> places;
  for (size_t i = 0; i < all.size(); ++i) places.emplace(all[i].labels, i);
  for (RangeSeries& series : more) {
    const auto [it, is_new] = places.try_emplace(series.labels, all.size());
    if (is_new) {
      all.push_back(std::move(series));
    } else {
      all[it->second].points.merge(series.points);
    }
  }
}

std::vector<RangeWindow> windows_of(const RangeWindow& span) {
  std::vector<RangeWindow> out;
  if (span.from >= span.to) return out;
  const int64_t length = span.step * kPointsOfWindow;
  for (int64_t from = span.from - span.from % length; from < span.to; from += length) {
    out.push_back({from, std::min(from + length, span.to), span.step});
  }
  return out;
}

std::vector<RangeWindow> halves_of(const RangeWindow& window) {
  if (window.points() < 2) return {};
  const int64_t middle = window.from + window.points() / 2 * window.step;
  return {{window.from, middle, window.step}, {middle, window.to, window.step}};
}

ReplyFault fault_of(const net::HttpReply& reply) {
  const int status = reply.status;
  if (status >= 200 && status <= 299) return ReplyFault::kNone;
  if (status == 401 || status == 403) return ReplyFault::kRefused;
  if (status == 405) return ReplyFault::kNoPost;
  // Prometheus, Thanos and Mimir each have their own words for it.
  constexpr std::array<std::string_view, 7> kTooMuch{
      "too many samples", "maximum resolution", "exceeds the limit", "exceeded the maximum",
      "query timed out",  "too many chunks",    "the query hit the"};
  const bool too_much = std::ranges::any_of(
      kTooMuch, [&](std::string_view words) { return contains(reply.body, words); });
  if (too_much && status != 429) return ReplyFault::kTooMuch;
  if (status == 0 || status == 429 || status >= 500) return ReplyFault::kPassing;
  return ReplyFault::kOther;
}

Result<Duration> parse_long_duration(std::string_view text) {
  struct Unit {
    std::string_view name;
    int64_t seconds;
  };
  constexpr std::array<Unit, 6> kUnits{
      {{"y", 31'536'000}, {"w", 604'800}, {"d", 86'400}, {"h", 3600}, {"m", 60}, {"s", 1}}};
  const Error wrong(fmt::format("not a duration: \"{}\" (accepted are such as 7d, 36h, 1d12h, 90m)",
                                text.substr(0, 40)));
  int64_t total = 0;
  std::string_view rest = text;
  size_t next_unit = 0;  // each unit once, the greater ones first
  while (!rest.empty()) {
    int64_t number = 0;
    size_t digits = 0;
    for (; digits < rest.size() && rest[digits] >= '0' && rest[digits] <= '9'; ++digits) {
      if (digits > 9) return wrong;
      number = number * 10 + (rest[digits] - '0');
    }
    if (digits == 0 || digits == rest.size()) return wrong;
    while (next_unit < kUnits.size() && kUnits[next_unit].name != rest.substr(digits, 1)) {
      ++next_unit;
    }
    if (next_unit == kUnits.size()) return wrong;
    total += number * kUnits[next_unit++].seconds;
    rest.remove_prefix(digits + 1);
    if (total > 100LL * 31'536'000) return wrong;
  }
  if (total <= 0) return wrong;
  return seconds(total);
}

}  // namespace windlass::cli
