// Test support: a small Kubernetes API in memory, on a virtual clock. Objects by path; POST, GET,
// PATCH (merge, and conditions by type for strategic ones) and DELETE with what the provider needs
// of them; requests and replies that get lost.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/rng.h"
#include "base/text.h"
#include "live/kube/api.h"
#include "net/virtual_clock.h"

namespace windlass::live::cloud {

class FakeKubernetes : public kube::Api {
 public:
  struct Faults {
    double lose_request = 0, lose_reply = 0, server_error = 0;
    Duration latency = milliseconds(5);  // at most
    double garbage = 0;                  // of reads' answers: something else, said to be a success
  };
  FakeKubernetes(net::VirtualClock& clock, uint64_t seed) : clock_(clock), rng_(seed, "fake") {}

  Faults faults;
  size_t page = 1000;                   // objects of a list at most, where a limit is asked for
  std::map<std::string, Json> objects;  // by path
  std::function<void(const std::string& path, const Json* object)> on_change;  // null: gone
  std::function<void(const kube::Request&)> on_request;  // before each is served
  std::map<std::string, int> made;                       // how often each path was created
  int refuse_with = 0;                                   // everything, with this code

  Id send(kube::Request request, std::function<void(kube::Reply)> done) override {
    const Id id = ++ids_;
    open_.insert(id);
    const bool lost = rng_.uniform() < faults.lose_request;
    const bool deaf = rng_.uniform() < faults.lose_reply;
    const bool broken = rng_.uniform() < faults.server_error;
    clock_.after(some_latency(), [this, id, request = std::move(request), done = std::move(done),
                                  lost, deaf, broken] {
      // A cancelled request may have been served already: half of them are.
      if (!open_.contains(id) && id % 2 == 0) return;
      kube::Reply reply;
      const bool allowed = !request.may_send || request.may_send();
      if (broken) {
        reply = failure(503, "ServiceUnavailable");
      } else if (!lost && allowed) {
        reply = serve(request);
      }
      if (deaf) reply = {};
      if (request.verb == kube::Verb::kGet && reply.ok() && rng_.uniform() < faults.garbage) {
        reply.body = garbage();
      }
      clock_.after(some_latency(), [this, id, reply, done] {
        if (open_.erase(id) > 0) done(reply);
      });
    });
    return id;
  }
  Id stream(kube::Request, Stream) override { return ++ids_; }
  void cancel(Id id) override { open_.erase(id); }
  [[nodiscard]] size_t open() const { return open_.size(); }

  // As another client would.
  kube::Reply serve(const kube::Request& request) {
    if (on_request) on_request(request);
    if (refuse_with != 0) return failure(refuse_with, "Refused");
    switch (request.verb) {
      case kube::Verb::kGet:
        return read(request);
      case kube::Verb::kPost:
        return create(request);
      case kube::Verb::kDelete:
        return remove(request);
      default:
        return change(request);
    }
  }
  [[nodiscard]] size_t count(std::string_view part) const {
    size_t found = 0;
    for (const auto& [path, object] : objects) found += path.find(part) != std::string::npos;
    return found;
  }

 private:
  // What proxies and broken servers say.
  std::string garbage() {
    static const char* const kTexts[] = {
        "",
        "<html>Welcome</html>",
        "{}",
        "[]",
        "{\"metadata\":{\"name\":",
        R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success"})",
        R"({"kind":"List","metadata":["x"],"items":{"a":[1,null]}})",
        R"({"kind":"List","metadata":{"resourceVersion":"1"},"items":{"a":1}})"};
    return kTexts[rng_.below(std::size(kTexts))];
  }
  static bool is_collection(std::string_view path) {
    const std::string_view last = path.substr(path.rfind('/') + 1);
    return last == "pods" || last == "nodes" || last == "configmaps" || last == "leases";
  }
  Duration some_latency() {
    return {static_cast<int64_t>(rng_.below(static_cast<uint64_t>(faults.latency.ns) + 1))};
  }
  static kube::Reply failure(int code, std::string reason) {
    kube::Reply reply;
    reply.code = code;
    reply.reason = std::move(reason);
    reply.message = reply.reason;
    return reply;
  }
  static kube::Reply success(const Json& body) {
    kube::Reply reply;
    reply.code = 200;
    reply.body = body.dump();
    return reply;
  }
  Json& store(const std::string& path, Json object) {
    object["metadata"]["resourceVersion"] = std::to_string(++version_);
    Json& stored = objects[path] = std::move(object);
    if (on_change) on_change(path, &stored);
    return stored;
  }
  kube::Reply create(const kube::Request& request) {
    if (request.path.ends_with("/eviction")) return success(Json::object());  // heard, no more
    Json object = Json::parse(request.body);
    const std::string path = request.path + "/" + object["metadata"]["name"].get<std::string>();
    if (objects.contains(path)) return failure(409, "AlreadyExists");
    object["metadata"]["uid"] = "uid-" + std::to_string(++uids_);
    ++made[path];
    return success(store(path, std::move(object)));
  }
  kube::Reply read(const kube::Request& request) {
    if (!is_collection(request.path)) {
      const auto it = objects.find(request.path);
      return it == objects.end() ? failure(404, "NotFound") : success(it->second);
    }
    std::string label, node;
    size_t limit = SIZE_MAX;
    std::string from;
    for (const auto& [key, value] : request.query) {
      if (key == "labelSelector") label = value.substr(0, value.find('='));
      if (key == "fieldSelector") node = value.substr(value.find('=') + 1);
      if (key == "limit") limit = std::min<size_t>(page, std::stoul(value));
      if (key == "continue") from = value;
    }
    Json items = Json::array();
    Json list{{"metadata", Json::object()}};
    const std::string last = request.path.substr(request.path.rfind('/'));
    for (const auto& [path, object] : objects) {
      const bool inside = path.starts_with(request.path + "/") ||
                          (request.path == "/api/v1/pods" && path.find("/pods/") != path.npos);
      if (!inside || path <= from) continue;
      if (!label.empty() && !object["metadata"].value("labels", Json::object()).contains(label)) {
        continue;
      }
      if (!node.empty() && object["spec"].value("nodeName", std::string()) != node) continue;
      if (items.size() == limit) {
        list["metadata"]["continue"] = last_path_;
        break;
      }
      last_path_ = path;
      items.push_back(object);
    }
    list["items"] = std::move(items);
    return success(list);
  }
  static void merge_strategic(Json& object, Json patch) {
    // Conditions are merged by type, all else as a merge patch does.
    if (patch.contains("status") && patch["status"].contains("conditions")) {
      Json merged = object.value("status", Json::object()).value("conditions", Json::array());
      for (const Json& condition : patch["status"]["conditions"]) {
        bool found = false;
        for (Json& known : merged) {
          if (known["type"] != condition["type"]) continue;
          known = condition;
          found = true;
        }
        if (!found) merged.push_back(condition);
      }
      patch["status"]["conditions"] = merged;
    }
    object.merge_patch(patch);
  }
  kube::Reply change(const kube::Request& request) {
    std::string path = request.path;
    if (path.ends_with("/status")) path.resize(path.size() - 7);
    if (path.ends_with("/scale")) path.resize(path.size() - 6);
    const auto it = objects.find(path);
    if (it == objects.end()) return failure(404, "NotFound");
    Json object = it->second;
    const Json patch = Json::parse(request.body);
    const Json meta = patch.value("metadata", Json::object());
    for (const char* key : {"uid", "resourceVersion"}) {
      if (meta.contains(key) && meta[key] != object["metadata"][key])
        return failure(409, "Conflict");
    }
    if (request.content_type.find("strategic") != std::string::npos) {
      merge_strategic(object, patch);
    } else {
      object.merge_patch(patch);
    }
    const bool freed = object["metadata"].contains("deletionTimestamp") &&
                       object["metadata"].value("finalizers", Json::array()).empty();
    if (freed && path.find("/pods/") == std::string::npos) return drop(path);
    return success(store(path, std::move(object)));
  }
  kube::Reply drop(const std::string& path) {
    objects.erase(path);
    if (on_change) on_change(path, nullptr);
    return success(Json::object());
  }
  kube::Reply remove(const kube::Request& request) {
    const auto it = objects.find(request.path);
    if (it == objects.end()) return failure(404, "NotFound");
    const Json options = request.body.empty() ? Json::object() : Json::parse(request.body);
    const std::string uid =
        options.value("preconditions", Json::object()).value("uid", std::string());
    if (!uid.empty() && it->second["metadata"]["uid"] != uid) return failure(409, "Conflict");
    const bool pod = request.path.find("/pods/") != std::string::npos;
    const bool waits = pod && options.value("gracePeriodSeconds", 30) > 0;
    if (!waits && it->second["metadata"].value("finalizers", Json::array()).empty()) {
      return drop(request.path);
    }
    if (it->second["metadata"].contains("deletionTimestamp")) return success(it->second);
    Json object = it->second;
    object["metadata"]["deletionTimestamp"] = to_rfc3339(clock_.now());
    return success(store(request.path, std::move(object)));
  }

  net::VirtualClock& clock_;
  Rng rng_;
  Id ids_ = 0;
  std::set<Id> open_;
  uint64_t version_ = 0, uids_ = 0;
  std::string last_path_;
};

}  // namespace windlass::live::cloud
