// Paths of the resource API taken apart: /apis/apps/v1/namespaces/default/deployments/web/scale.
// Internal to this room.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace windlass::server::rest {

struct RequestPath {
  std::string group;    // "" for /api
  std::string version;  // empty: /api, /apis or /apis/GROUP alone
  std::string namespace_name;
  std::string plural;  // empty: a discovery document
  std::string name;
  std::string subresource;
  std::string rest;   // behind the subresource ("healthz" of nodes/n/proxy/healthz)
  bool core = false;  // below /api
};

// nullopt: not a path below /api or /apis.
std::optional<RequestPath> parse_path(std::string_view path);

// Non-empty parts between slashes.
std::vector<std::string> path_parts(std::string_view path);

}  // namespace windlass::server::rest
