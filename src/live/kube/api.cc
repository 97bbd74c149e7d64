#include "live/kube/api.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/assert.h"
#include "base/text.h"
#include "base/utf8.h"

namespace windlass::live::kube {

namespace {

constexpr size_t kMaxMessage = 2000;  // bytes shown
constexpr size_t kMaxFirstLine = 200;
constexpr size_t kMaxCauses = 100;

std::string status_text(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string()) return {};
  return found->get<std::string>();
}

void read_details(const Json& details, Reply& reply) {
  if (const auto wait = details.find("retryAfterSeconds");
      wait != details.end() && wait->is_number_integer() && !reply.retry_after) {
    const auto length = wait->get<int64_t>();
    if (length > 0 && length <= 86'400) reply.retry_after = seconds(length);
  }
  const auto causes = details.find("causes");
  if (causes == details.end() || !causes->is_array()) return;
  for (const Json& cause : *causes) {
    if (!cause.is_object() || reply.causes.size() >= kMaxCauses) continue;
    reply.causes.push_back(
        {status_text(cause, "reason"), status_text(cause, "field"), status_text(cause, "message")});
  }
}

}  // namespace

std::string_view content_type(PatchType type) {
  switch (type) {
    case PatchType::kJson:
      return "application/json-patch+json";
    case PatchType::kMerge:
      return "application/merge-patch+json";
    case PatchType::kStrategicMerge:
      return "application/strategic-merge-patch+json";
    case PatchType::kApply:
      return "application/apply-patch+yaml";
  }
  WL_UNREACHABLE("a patch type");
}

std::string Reply::error() const {
  if (code == 0) return message;
  const std::string number = std::to_string(code);
  const std::string head = reason.empty() ? "HTTP " + number : reason + " (" + number + ")";
  return message.empty() ? head : head + ": " + message;
}

Result<Json> object_in(const Reply& reply, std::string_view path) {
  Result<Json> body = parse_json(reply.body);
  if (!body.ok()) return Error("the server's answer: " + body.error().message());
  const auto meta = body->is_object() ? body->find("metadata") : body->end();
  const bool whole = body->is_object() && meta != body->end() && meta->is_object() &&
                     status_text(*meta, "name") == path.substr(path.rfind('/') + 1);
  if (!whole) return Error("the server's answer is not the object that was asked for");
  return body;
}

Result<Json> list_in(const Reply& reply) {
  Result<Json> body = parse_json(reply.body);
  if (!body.ok()) return Error("the server's answer: " + body.error().message());
  const auto meta = body->is_object() ? body->find("metadata") : body->end();
  if (!body->is_object() || meta == body->end() || !meta->is_object() || !body->contains("items")) {
    return Error("the server's answer is no list");
  }
  Json& items = (*body)["items"];
  if (items.is_null()) items = Json::array();  // how Go writes a list that was never filled
  if (!items.is_array()) return Error("the server's answer is no list");
  return body;
}

void read_status(Reply& reply) {
  const Result<Json> body = parse_json(reply.body);
  if (body.ok() && body->is_object() && status_text(*body, "kind") == "Status") {
    reply.reason = status_text(*body, "reason");
    std::string message = status_text(*body, "message");
    std::replace(message.begin(), message.end(), '\n', ' ');
    reply.message = printable(message, kMaxMessage);
    const auto details = body->find("details");
    if (details != body->end() && details->is_object()) read_details(*details, reply);
    return;
  }
  const std::string_view text = trim(reply.body);
  reply.message = printable(trim(text.substr(0, text.find('\n'))), kMaxFirstLine);
}

}  // namespace windlass::live::kube
