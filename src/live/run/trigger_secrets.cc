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

// All of them, or those that were not named before: what names them changes with every status.
void World::read_references(bool all) {
  std::set<std::pair<Kind, std::string>> wanted;
  for (const auto& [key, object] : state_.scaled_objects()) {
    wanted.merge(controllers::references_of(state_, object));
  }
  for (const auto& reference : wanted) {
    if (all || !references_.contains(reference)) read_reference(reference.first, reference.second);
  }
  references_ = std::move(wanted);
}

void World::read_references_soon() {
  if (reading_soon_) return;
  reading_soon_ = true;
  parts_.clock.after(kSoon, guard_([this] {
                       reading_soon_ = false;
                       read_references(false);
                     }));
}

void World::keep_reading_references() {
  read_references(true);
  parts_.clock.after(kReadAgain, guard_([this] { keep_reading_references(); }));
}

void World::read_reference(Kind kind, const std::string& key) {
  kube::Request request;
  request.path = cluster::api_path(kind, key);
  const std::string path = request.path;
  parts_.api.send(
      std::move(request), guard_([this, kind, key, path](const kube::Reply& reply) {
        if (reply.code == 404) return sync_.gone(kind, key);
        if (!reply.ok() || !kube::object_in(reply, path).ok()) return;
        const cluster::ApiResource& resource = cluster::api_resource(kind, true);
        auto object = kube::decode_object(reply.body, resource.api_version, resource.kind_name);
        // The same once more is no news: it would make controllers begin again.
        const auto known = cluster::object_at(state_, kind, key);
        const uint64_t version = object.ok() ? api::meta_of(*object).resource_version : 0;
        const bool same = known && version != 0 && api::meta_of(*known).resource_version == version;
        if (object.ok() && !same) sync_.put(0, *std::move(object));
      }));
}

}  // namespace windlass::live
