#include "live/cloud/errands.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace windlass::live::cloud {
namespace {

constexpr Duration kFirstPause = milliseconds(250);
constexpr Duration kLongestPause = seconds(30);

// Another try of the same request may well succeed. So it may where a success is said by something
// that is no Kubernetes (a proxy's page, half a document).
bool is_passing(const kube::Reply& reply) {
  const int code = reply.code;
  if (code == 0 || code == 401 || code == 408 || code == 429 || code >= 500) return true;
  if (!reply.ok()) return false;
  const Result<Json> body = parse_json(reply.body);
  return !body.ok() || !body->is_object();
}

Duration pause_after(int tries) {
  const int doublings = std::clamp(tries - 1, 0, 7);
  return std::min(kFirstPause * (int64_t{1} << doublings), kLongestPause);
}

}  // namespace

kube::Request get(std::string path) {
  kube::Request request;
  request.path = std::move(path);
  return request;
}

kube::Request post(std::string path, const Json& body) {
  kube::Request request;
  request.verb = kube::Verb::kPost;
  request.path = std::move(path);
  request.body = body.dump();
  return request;
}

kube::Request patch(std::string path, const Json& body, kube::PatchType type) {
  kube::Request request;
  request.verb = kube::Verb::kPatch;
  request.path = std::move(path);
  request.body = body.dump();
  request.content_type = kube::content_type(type);
  return request;
}

kube::Request erase(std::string path, const std::string& uid) {
  kube::Request request;
  request.verb = kube::Verb::kDelete;
  request.path = std::move(path);
  Json options{{"apiVersion", "v1"}, {"kind", "DeleteOptions"}, {"gracePeriodSeconds", 0}};
  if (!uid.empty()) options["preconditions"] = {{"uid", uid}};
  request.body = options.dump();
  return request;
}

Errands::~Errands() {
  for (const auto& [id, errand] : errands_) {
    if (errand.sent != 0) api_.cancel(errand.sent);
    if (errand.timer != 0) clock_.cancel(errand.timer);
  }
}

void Errands::send(kube::Request request, Take take) {
  const uint64_t id = ++made_;
  errands_[id] = {std::move(request), std::move(take)};
  attempt(id);
}

void Errands::send_once(kube::Request request, std::function<void(const kube::Reply&)> take) {
  const uint64_t id = ++made_;
  Errand& errand = errands_[id];
  errand.sent =
      api_.send(std::move(request), [this, id, take = std::move(take)](const auto& reply) {
        const auto keep = take;  // the errand holds what is being called
        errands_.erase(id);
        keep(reply);
      });
}

void Errands::after(Duration delay, std::function<void()> work) {
  const uint64_t id = ++made_;
  errands_[id].timer = clock_.after(delay, [this, id, work = std::move(work)] {
    const auto keep = work;
    errands_.erase(id);
    keep();
  });
}

void Errands::attempt(uint64_t id) {
  Errand& errand = errands_.at(id);
  ++errand.tries;
  errand.timer = 0;
  errand.sent =
      api_.send(errand.request, [this, id](const kube::Reply& reply) { answered(id, reply); });
}

void Errands::answered(uint64_t id, const kube::Reply& reply) {
  Errand& errand = errands_.at(id);
  errand.sent = 0;
  if (!is_passing(reply)) {
    // The owner may go, and this with it.
    const Take take = errand.take;
    const int tries = errand.tries;
    kube::Request request = std::move(errand.request);
    errands_.erase(id);
    if (take(reply)) return;
    errands_[id] = {std::move(request), take, tries};
  }
  Errand& again = errands_.at(id);
  const Duration pause = std::max(pause_after(again.tries), reply.retry_after.value_or(Duration{}));
  again.timer = clock_.after(pause, [this, id] { attempt(id); });
}

}  // namespace windlass::live::cloud
