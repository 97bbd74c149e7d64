#include "live/signals/answer.h"

#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "live/signals/pod_scraper.h"

namespace windlass::live::signals {
namespace {

// The start of a body, on one line and printable.
std::string start_of(std::string_view body) {
  constexpr size_t kShown = 200;
  std::string out;
  for (const char c : body) {
    if (out.size() >= kShown) return out + "...";
    const bool blank = c == ' ' || c == '\n' || c == '\r' || c == '\t';
    if (!blank) {
      out += c > ' ' && c <= '~' ? c : '?';
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  while (out.ends_with(' ')) out.pop_back();
  return out;
}

const std::string* text_at(const Json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto it = object.find(key);
  return it == object.end() ? nullptr : it->get_ptr<const std::string*>();
}

// {"status":"error","errorType":"bad_data","error":"..."}
std::string error_text(const Json& body) {
  const std::string* type = text_at(body, "errorType");
  const std::string* text = text_at(body, "error");
  return fmt::format("{}{}{}", type == nullptr ? "" : start_of(*type),
                     type != nullptr && text != nullptr ? ": " : "",
                     text == nullptr ? "" : start_of(*text));
}

// The value of one element, or why it has none.
Result<double> value_of(const Json& element) {
  const double nothing = std::numeric_limits<double>::quiet_NaN();
  if (!element.is_object()) return Error("an element of the result is no object");
  const auto value = element.find("value");
  if (value == element.end() || value->is_null()) {
    if (element.contains("values") || element.contains("histogram")) {
      return Error("the query gives ranges or histograms, an instant vector is accepted");
    }
    return nothing;
  }
  if (!value->is_array()) return Error("a value of the result is no pair of time and number");
  if (value->empty()) return nothing;
  if (value->size() == 1) return Error("a value of the result has no number beside its time");
  const Json& number = (*value)[1];
  if (number.is_null()) return -1.0;
  const std::string* text = number.get_ptr<const std::string*>();
  if (text == nullptr) return Error("a value of the result is no number in quotes");
  const auto parsed = parse_sample_value(*text);
  if (!parsed)
    return Error(fmt::format("a value of the result is no number: \"{}\"", start_of(*text)));
  return *parsed;
}

Result<std::vector<double>> values_of(const Json& body) {
  // Prometheus sends status "error" with 4xx and 5xx alone. KEDA would read one with 200 as "no
  // elements", hence as 0; here it is what it says.
  const std::string* status = text_at(body, "status");
  if (status != nullptr && *status == "error") return Error(error_text(body));
  if (!body.is_object()) return Error("the answer is no object");
  const auto data = body.find("data");
  if (data == body.end() || !data->is_object()) return Error("the answer has no data");
  const std::string* type = text_at(*data, "resultType");
  if (type != nullptr && *type != "vector") {
    return Error(fmt::format("the query gives a {}, an instant vector is accepted{}",
                             start_of(*type), *type == "scalar" ? " (wrap it in vector())" : ""));
  }
  const auto result = data->find("result");
  if (result == data->end() || result->is_null()) return std::vector<double>{};
  if (!result->is_array()) return Error("the answer's result is no list");
  std::vector<double> values;
  for (const Json& element : *result) {
    const auto value = value_of(element);
    if (!value.ok()) return value.error();
    values.push_back(*value);
  }
  return values;
}

}  // namespace

std::string reply_fault(const net::HttpReply& reply) {
  if (reply.status == 0) {
    if (!reply.error.empty()) return reply.error;
    return reply.timed_out ? "no answer in time" : "no answer";
  }
  if (reply.status >= 200 && reply.status <= 299) return {};
  const auto body = parse_json(reply.body);
  std::string text = body.ok() ? error_text(*body) : std::string();
  if (text.empty()) text = start_of(reply.body);
  return text.empty() ? fmt::format("HTTP status {}", reply.status)
                      : fmt::format("HTTP status {}: {}", reply.status, text);
}

cluster::QueryAnswer read_query_reply(const net::HttpReply& reply) {
  cluster::QueryAnswer answer;
  answer.error = reply_fault(reply);
  if (!answer.error.empty()) return answer;
  const auto body = parse_json(reply.body);
  if (!body.ok()) {
    answer.error = reply.body.empty()
                       ? fmt::format("HTTP status {} without a body", reply.status)
                       : fmt::format("the answer is no JSON: {}", start_of(reply.body));
    return answer;
  }
  auto values = values_of(*body);
  if (values.ok()) {
    answer.values = *std::move(values);
  } else {
    answer.error = values.error().message();
    if (answer.error.empty()) answer.error = "an error without a text";
  }
  return answer;
}

}  // namespace windlass::live::signals
