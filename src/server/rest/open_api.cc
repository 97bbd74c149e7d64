// /openapi/v3 (an index with hashes, one document a group-version) and /openapi/v2 (one protobuf
// document, for older clients).
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "server/rest/discovery.h"
#include "server/rest/view.h"

namespace windlass::server::rest {
namespace {

constexpr std::string_view kV2Type = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
// What comes back is named without the @, which is no character of a media type.
constexpr std::string_view kV2Reply = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

std::string place_of(const std::string& group, const std::string& version) {
  return group.empty() ? "api/" + version : "apis/" + group + "/" + version;
}

std::vector<schema::PublishedKind> published(const Registry& registry, const std::string& group,
                                             const std::string& version) {
  std::vector<schema::PublishedKind> kinds;
  for (const auto& [key, resource] : registry.all()) {
    const Version* served = key.first == group ? resource->version(version) : nullptr;
    if (served == nullptr || served->shape == nullptr) continue;
    kinds.push_back({resource->kind, resource->plural, resource->namespaced, resource->status,
                     resource->scale.has_value(), served->shape});
  }
  return kinds;
}

Piece& slot(Core& core, const std::string& name) {
  if (core.cache.generation != core.registry.generation()) {
    core.cache.texts.clear();
    core.cache.generation = core.registry.generation();
  }
  return core.cache.texts[name];
}

// Changes when the document may: a CRD's new version changes the hash of its group's documents.
// Without making the documents, which clients seldom fetch all of.
std::string hash_of(const Core& core, const std::string& group, const std::string& version) {
  Hash64 hash;
  hash.add(core.options.version);
  hash.add(group);
  hash.add(version);
  for (const auto& [key, resource] : core.registry.all()) {
    if (key.first != group) continue;
    hash.add(resource->plural);
    if (!resource->custom) continue;
    const auto crd = core.store.find(
        {"customresourcedefinitions.apiextensions.k8s.io", "", resource->store_name});
    if (crd != nullptr) hash.add(crd->resource_version);
  }
  return hash.hex();
}

std::string index(const Core& core) {
  Json paths = Json::object();
  for (const auto& [group, versions] : core.registry.groups()) {
    for (const auto& version : versions) {
      const std::string place = place_of(group, version);
      paths[place] = {{"serverRelativeURL", fmt::format("/openapi/v3/{}?hash={}", place,
                                                        hash_of(core, group, version))}};
    }
  }
  return text_of(Json{{"paths", std::move(paths)}});
}

Outcome<Response> version_3(Core& core, const std::string& place) {
  Response response;
  Piece& text = slot(core, "v3 " + place);
  if (text == nullptr && place.empty()) text = std::make_shared<const std::string>(index(core));
  if (text == nullptr) {
    for (const auto& [group, versions] : core.registry.groups()) {
      for (const auto& version : versions) {
        if (place_of(group, version) != place) continue;
        text = std::make_shared<const std::string>(
            schema::open_api_v3(group, version, published(core.registry, group, version)));
      }
    }
  }
  if (text == nullptr) {
    core.cache.texts.erase("v3 " + place);  // no entry for whatever is asked
    return unknown_path();
  }
  response.parts.push_back(text);
  return response;
}

Outcome<Response> version_2(Core& core, const Request& request) {
  bool acceptable = false;
  for (const auto& type : parse_accept(request.header("accept"))) {
    acceptable = acceptable || type.type == kV2Type || type.type == kV2Reply;
  }
  if (!acceptable) return not_acceptable(kV2Type);
  Piece& text = slot(core, "v2");
  if (text == nullptr) {
    std::vector<std::pair<std::string, std::vector<schema::PublishedKind>>> all;
    for (const auto& [group, versions] : core.registry.groups()) {
      for (const auto& version : versions) {
        all.emplace_back(api_version(group, version), published(core.registry, group, version));
      }
    }
    text = std::make_shared<const std::string>(schema::open_api_v2_protobuf(all));
  }
  Response response;
  response.content_type = kV2Reply;
  response.parts.push_back(text);
  return response;
}

}  // namespace

Outcome<Response> open_api(Core& core, const Request& request) {
  if (request.method != "GET" && request.method != "HEAD") return method_not_allowed();
  const std::string& path = request.path;
  if (path == "/openapi/v2") return version_2(core, request);
  constexpr std::string_view kThree = "/openapi/v3";
  if (path == kThree || path == "/openapi/v3/") return version_3(core, "");
  if (path.starts_with("/openapi/v3/")) return version_3(core, path.substr(kThree.size() + 1));
  return unknown_path();
}

}  // namespace windlass::server::rest
