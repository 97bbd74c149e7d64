// The Secrets and ConfigMaps that triggers refer to: read one by one, by name, so that the program
// needs no right to list them.
#include <nlohmann/json.hpp>

#include "controllers/scaled_object_plan.h"
#include "live/kube/decode.h"
#include "live/run/world.h"

namespace windlass::live {
namespace {

using cluster::Kind;

constexpr Duration kReadAgain = seconds(60);
constexpr Duration kSoon = milliseconds(50);

}  // namespace

void World::read_references() {
  reading_soon_ = false;
  std::set<std::pair<Kind, std::string>> wanted;
  for (const auto& [key, object] : state_.scaled_objects()) {
    wanted.merge(controllers::references_of(state_, object));
  }
  for (const auto& [kind, key] : wanted) read_reference(kind, key);
}

void World::read_references_soon() {
  if (reading_soon_) return;
  reading_soon_ = true;
  parts_.clock.after(kSoon, guard_([this] { read_references(); }));
}

void World::keep_reading_references() {
  read_references();
  parts_.clock.after(kReadAgain, guard_([this] { keep_reading_references(); }));
}

void World::read_reference(Kind kind, const std::string& key) {
  kube::Request request;
  request.path = cluster::api_path(kind, key);
  const std::string path = request.path;
  parts_.api.send(std::move(request), guard_([this, kind, key, path](const kube::Reply& reply) {
                    if (reply.code == 404) return sync_.gone(kind, key);
                    if (!reply.ok() || !kube::object_in(reply, path).ok()) return;
                    const cluster::ApiResource& resource = cluster::api_resource(kind, true);
                    auto object =
                        kube::decode_object(reply.body, resource.api_version, resource.kind_name);
                    if (object.ok()) sync_.put(0, *std::move(object));
                  }));
}

}  // namespace windlass::live
