// The API's names of the kinds the world knows: "deployments.apps" for Kind::kDeployment.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cluster/object_store.h"
#include "cluster/state.h"

namespace windlass::server::embedded {

// Nothing for resources that live in the store alone (Services, Leases, ...).
std::optional<cluster::Kind> kind_of_resource(std::string_view resource);

std::vector<std::string_view> world_resources();

// Where an object of the world lives in the store; nullopt for observations, which have no place.
// `key` is "namespace/name" or "name".
std::optional<cluster::ObjectKey> store_key(cluster::Kind kind, std::string_view key);

// The world's object; nullopt where there is none.
std::optional<api::Object> object_at(const cluster::State& state, cluster::Kind kind,
                                     std::string_view key);

std::set<std::pair<cluster::Kind, std::string>> all_objects(const cluster::State& state);

}  // namespace windlass::server::embedded
