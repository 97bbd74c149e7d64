#include "live/cloud/simulated_end.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace windlass::live::cloud {
namespace {

std::string text(const Json& object, const char* part, const char* key) {
  const auto it = object.find(part);
  if (it == object.end() || !it->is_object()) return {};
  const auto value = it->find(key);
  return value != it->end() && value->is_string() ? value->get<std::string>() : std::string();
}

}  // namespace

SimulatedEnd::SimulatedEnd(kube::Api& api, net::Clock& clock, std::string node_name,
                           std::string provider_id, std::string config_map_path)
    : node_name_(std::move(node_name)),
      provider_id_(std::move(provider_id)),
      config_map_path_(std::move(config_map_path)),
      errands_(api, clock) {}

void SimulatedEnd::remove(const std::string& path, const std::string& uid,
                          std::function<void()> then) {
  errands_.send(erase(path, uid), [then = std::move(then)](const kube::Reply& reply) {
    if (!reply.ok() && reply.code != kNotFound && reply.code != kConflict) return false;
    then();
    return true;
  });
}

// A Node of the name may be another machine's by now, and its Lease with it.
void SimulatedEnd::look_at_node() {
  errands_.send(get("/api/v1/nodes/" + node_name_), [this](const kube::Reply& reply) {
    if (!reply.ok() && reply.code != kNotFound) return false;
    const Result<Json> json = kube::object_in(reply, "/" + node_name_);
    if (reply.ok() && !json.ok()) return false;
    const Json node = reply.ok() ? *json : Json::object();
    const auto lease = [this] {
      remove("/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/" + node_name_, {},
             [this] { list_pods(); });
    };
    if (!reply.ok()) {
      lease();
    } else if (text(node, "spec", "providerID") == provider_id_) {
      remove("/api/v1/nodes/" + node_name_, text(node, "metadata", "uid"), lease);
    } else {
      finish();
    }
    return true;
  });
}

// What the server has, not what informers had: a pod may have been bound a moment ago. Without
// this, an API server that nobody collects pods for would keep them for ever.
void SimulatedEnd::list_pods() {
  kube::Request request = get("/api/v1/pods");
  request.query = {{"fieldSelector", "spec.nodeName=" + node_name_}};
  errands_.send(std::move(request), [this](const kube::Reply& reply) {
    const Result<Json> list = reply.ok() ? kube::list_in(reply) : Error("refused");
    if (!list.ok()) return false;
    const Json& items = list->at("items");
    pods_left_ = items.size();
    if (items.empty()) finish();
    for (const Json& pod : items) {
      const std::string path =
          fmt::format("/api/v1/namespaces/{}/pods/{}", text(pod, "metadata", "namespace"),
                      text(pod, "metadata", "name"));
      remove(path, text(pod, "metadata", "uid"), [this] {
        if (--pods_left_ == 0) finish();
      });
    }
    return true;
  });
}

void SimulatedEnd::finish() {
  remove(config_map_path_, {}, [this] {
    const auto done = on_done;  // it may end this object
    done();
  });
}

}  // namespace windlass::live::cloud
