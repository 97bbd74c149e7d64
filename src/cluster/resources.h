// The API's names of the kinds the State knows: "deployments.apps" for Kind::kDeployment, and where
// an API server has them.
#pragma once

#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cluster/object_store.h"
#include "cluster/state.h"

namespace windlass::cluster {

// One kind as an API server has it.
struct ApiResource {
  Kind kind{};
  std::string_view resource;     // "deployments.apps"
  std::string_view api_version;  // "apps/v1"
  std::string_view kind_name;    // "Deployment"
  bool namespaced = false;
};
std::span<const ApiResource> api_resources();
// Of the kind and the scope its keys have: TriggerAuthentication has two resources.
const ApiResource& api_resource(Kind kind, bool namespaced);
// "/apis/apps/v1/namespaces/a/deployments/web"; without a name the collection, without a namespace
// (and name) that of all.
std::string api_path(const ApiResource& resource, std::string_view namespace_name = {},
                     std::string_view name = {});
// Of an object by its key.
std::string api_path(Kind kind, std::string_view key);

// Nothing for resources that live in the store alone (Services, Leases, ...).
std::optional<Kind> kind_of_resource(std::string_view resource);

std::vector<std::string_view> world_resources();

// Where an object of the world lives in the store; nullopt for observations, which have no place.
// `key` is "namespace/name" or "name".
std::optional<ObjectKey> store_key(Kind kind, std::string_view key);

// The world's object; nullopt where there is none.
std::optional<api::Object> object_at(const State& state, Kind kind, std::string_view key);

std::set<std::pair<Kind, std::string>> all_objects(const State& state);

}  // namespace windlass::cluster
