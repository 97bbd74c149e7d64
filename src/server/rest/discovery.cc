#include "server/rest/discovery.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "server/rest/json_access.h"
#include "server/rest/view.h"

namespace windlass::server::rest {
namespace {

constexpr const char* kVerbs[] = {"create", "delete", "deletecollection", "get",
                                  "list",   "patch",  "update",           "watch"};

// The texts that depend on the registry alone.
template <typename Make>
Piece cached(Core& core, const std::string& name, Make make) {
  if (core.cache.generation != core.registry.generation()) {
    core.cache.texts.clear();
    core.cache.generation = core.registry.generation();
  }
  Piece& text = core.cache.texts[name];
  if (text == nullptr) text = std::make_shared<const std::string>(make());
  return text;
}

Response respond(Piece text) {
  Response response;
  response.parts.push_back(std::move(text));
  return response;
}

Json verbs_of(const Resource& resource) {
  if (resource.virtual_only) return Json::array({"create"});
  Json verbs = Json::array();
  for (const char* verb : kVerbs) {
    // Namespaces go one by one.
    const bool is_collection = std::string_view(verb) == "deletecollection";
    if (!is_collection || resource.store_name != "namespaces") verbs.push_back(verb);
  }
  return verbs;
}

struct SubresourceFacts {
  std::string group, version, kind;
  Json verbs;
};

SubresourceFacts facts_of(const Resource& resource, const Version& version,
                          const std::string& name) {
  const Json read_write = Json::array({"get", "patch", "update"});
  if (name == "scale") return {"autoscaling", "v1", "Scale", read_write};
  if (name == "eviction") return {"policy", "v1", "Eviction", Json::array({"create"})};
  if (name == "binding") return {"", "v1", "Binding", Json::array({"create"})};
  if (name == "token") {
    return {"authentication.k8s.io", "v1", "TokenRequest", Json::array({"create"})};
  }
  if (name == "finalize") return {"", "v1", "Namespace", Json::array({"update"})};
  if (name == "log") return {"", "v1", "Pod", Json::array({"get"})};
  if (name == "attach") return {"", "v1", "PodAttachOptions", Json::array({"create", "get"})};
  if (name == "exec") return {"", "v1", "PodExecOptions", Json::array({"create", "get"})};
  if (name == "portforward") {
    return {"", "v1", "PodPortForwardOptions", Json::array({"create", "get"})};
  }
  if (name == "proxy") {
    return {"", "v1", resource.kind + "ProxyOptions",
            Json::array({"create", "delete", "get", "patch", "update"})};
  }
  return {resource.group, version.name, resource.kind, read_write};
}

std::vector<std::string> subresources_of(const Resource& resource) {
  std::vector<std::string> names = resource.other_subresources;
  if (resource.scale) names.emplace_back("scale");
  if (resource.status) names.emplace_back("status");
  std::sort(names.begin(), names.end());
  return names;
}

// APIResourceList: the plain form of one group-version.
Json resource_list(const Registry& registry, const std::string& group, const std::string& version) {
  Json resources = Json::array();
  for (const auto& [key, resource] : registry.all()) {
    const Version* served = key.first == group ? resource->version(version) : nullptr;
    if (served == nullptr) continue;
    Json each = {{"name", resource->plural},
                 {"singularName", resource->singular},
                 {"namespaced", resource->namespaced},
                 {"kind", resource->kind},
                 {"verbs", verbs_of(*resource)}};
    if (!resource->short_names.empty()) each["shortNames"] = resource->short_names;
    if (!resource->categories.empty()) each["categories"] = resource->categories;
    Hash64 hash;
    hash.add(resource->storage_api_version);
    hash.add(resource->plural);
    if (!resource->virtual_only) each["storageVersionHash"] = hash.hex();
    resources.push_back(std::move(each));
    for (const auto& name : subresources_of(*resource)) {
      const SubresourceFacts facts = facts_of(*resource, *served, name);
      Json sub = {{"name", resource->plural + "/" + name},
                  {"singularName", ""},
                  {"namespaced", resource->namespaced},
                  {"kind", facts.kind},
                  {"verbs", facts.verbs}};
      if (facts.group != group || facts.version != version) {
        if (!facts.group.empty()) sub["group"] = facts.group;
        sub["version"] = facts.version;
      }
      resources.push_back(std::move(sub));
    }
  }
  return {{"kind", "APIResourceList"},
          {"apiVersion", "v1"},
          {"groupVersion", api_version(group, version)},
          {"resources", std::move(resources)}};
}

// One version of a group in the aggregated form.
Json aggregated_version(const Registry& registry, const std::string& group,
                        const std::string& version) {
  Json resources = Json::array();
  for (const auto& [key, resource] : registry.all()) {
    const Version* served = key.first == group ? resource->version(version) : nullptr;
    if (served == nullptr) continue;
    const auto kind_of = [](const std::string& in, const std::string& of, const std::string& kind) {
      return Json{{"group", in}, {"version", of}, {"kind", kind}};
    };
    Json each = {{"resource", resource->plural},
                 {"responseKind", kind_of(group, version, resource->kind)},
                 {"scope", resource->namespaced ? "Namespaced" : "Cluster"},
                 {"singularResource", resource->singular},
                 {"verbs", verbs_of(*resource)}};
    if (!resource->short_names.empty()) each["shortNames"] = resource->short_names;
    if (!resource->categories.empty()) each["categories"] = resource->categories;
    for (const auto& name : subresources_of(*resource)) {
      const SubresourceFacts facts = facts_of(*resource, *served, name);
      each["subresources"].push_back(
          {{"subresource", name},
           {"responseKind", kind_of(facts.group, facts.version, facts.kind)},
           {"verbs", facts.verbs}});
    }
    resources.push_back(std::move(each));
  }
  return {{"version", version}, {"freshness", "Current"}, {"resources", std::move(resources)}};
}

Json aggregated(const Registry& registry, bool core_group, const std::string& form) {
  Json items = Json::array();
  for (const auto& [group, versions] : registry.groups()) {
    if (group.empty() != core_group) continue;
    Json item = {{"metadata", {{"creationTimestamp", nullptr}}}, {"versions", Json::array()}};
    if (!group.empty()) item["metadata"]["name"] = group;
    for (const auto& version : versions) {
      item["versions"].push_back(aggregated_version(registry, group, version));
    }
    items.push_back(std::move(item));
  }
  return {{"kind", "APIGroupDiscoveryList"},
          {"apiVersion", "apidiscovery.k8s.io/" + form},
          {"metadata", Json::object()},
          {"items", std::move(items)}};
}

Json group_of(const std::string& group, const std::vector<std::string>& versions) {
  Json out = {{"name", group}, {"versions", Json::array()}};
  for (const auto& version : versions) {
    out["versions"].push_back(
        {{"groupVersion", api_version(group, version)}, {"version", version}});
  }
  out["preferredVersion"] = out["versions"][0];
  return out;
}

Json plain_root(const Registry& registry, bool core_group) {
  if (core_group) {
    return {{"kind", "APIVersions"},
            {"versions", Json::array({"v1"})},
            {"serverAddressByClientCIDRs", Json::array()}};
  }
  Json groups = Json::array();
  for (const auto& [group, versions] : registry.groups()) {
    if (!group.empty()) groups.push_back(group_of(group, versions));
  }
  return {{"kind", "APIGroupList"}, {"apiVersion", "v1"}, {"groups", std::move(groups)}};
}

// The aggregated form the client ranks first, "v2" or "v2beta1"; empty: the plain one.
std::string aggregated_form(const Request& request) {
  for (const auto& type : parse_accept(request.header("accept"))) {
    const std::string as = type.parameter("as");
    const std::string version = type.parameter("v");
    if (as == "APIGroupDiscoveryList" && type.parameter("g") == "apidiscovery.k8s.io" &&
        (version == "v2" || version == "v2beta1")) {
      return version;
    }
    if (as.empty() && (type.type == "application/json" || type.type == "*/*")) return {};
  }
  return {};
}

Response version_response(const Core& core) {
  const std::string& full = core.options.version;  // "v1.34.0+windlass"
  std::string_view rest = full;
  if (rest.starts_with('v')) rest.remove_prefix(1);
  const size_t dot = std::min(rest.find('.'), rest.size());
  const std::string major(rest.substr(0, dot));
  rest.remove_prefix(std::min(dot + 1, rest.size()));
  const std::string minor(rest.substr(0, rest.find('.')));
  Response response;
  response.body =
      Json{{"major", major},      {"minor", minor},          {"gitVersion", full},
           {"gitCommit", ""},     {"gitTreeState", "clean"}, {"buildDate", "1970-01-01T00:00:00Z"},
           {"goVersion", "none"}, {"compiler", "none"},      {"platform", "linux/amd64"}}
          .dump() +
      "\n";
  return response;
}

}  // namespace

std::optional<Outcome<Response>> answer_root(Core& core, const Request& request) {
  const std::string& path = request.path;
  const bool is_health = path == "/healthz" || path == "/livez" || path == "/readyz" ||
                         path.starts_with("/healthz/") || path.starts_with("/livez/") ||
                         path.starts_with("/readyz/");
  if (!is_health && path != "/version" && path != "/version/") return std::nullopt;
  if (request.method != "GET" && request.method != "HEAD") {
    return Outcome<Response>(method_not_allowed());
  }
  if (!is_health) return Outcome<Response>(version_response(core));
  Response response;
  response.content_type = "text/plain; charset=utf-8";
  response.body = "ok";
  if (request.parameter("verbose")) {
    const std::string name = path.substr(1, path.find('/', 1) - 1);
    response.body = fmt::format("[+]ping ok\n[+]log ok\n[+]store ok\n{} check passed\n", name);
  }
  return Outcome<Response>(std::move(response));
}

Outcome<Response> discover(Core& core, const RequestPath& path, const Request& request) {
  if (request.method != "GET" && request.method != "HEAD") return method_not_allowed();
  const Registry& registry = core.registry;
  const bool is_root = path.version.empty() && path.group.empty();
  if (is_root) {
    const std::string form = aggregated_form(request);
    const std::string name = fmt::format("{} {}", path.core ? "api" : "apis", form);
    Response response = respond(cached(core, name, [&] {
      return text_of(form.empty() ? plain_root(registry, path.core)
                                  : aggregated(registry, path.core, form));
    }));
    response.headers.emplace_back("Vary", "Accept");
    if (!form.empty()) {
      response.content_type =
          fmt::format("application/json;g=apidiscovery.k8s.io;v={};as=APIGroupDiscoveryList", form);
    }
    return response;
  }
  if (path.version.empty()) {
    for (const auto& [group, versions] : registry.groups()) {
      if (group != path.group) continue;
      Json document = group_of(group, versions);
      document["kind"] = "APIGroup";
      document["apiVersion"] = "v1";
      Response response;
      response.body = text_of(document) + "\n";
      return response;
    }
    return unknown_path();
  }
  if (!registry.serves(path.group, path.version)) return unknown_path();
  return respond(cached(core, "list " + api_version(path.group, path.version), [&] {
    return text_of(resource_list(registry, path.group, path.version));
  }));
}

}  // namespace windlass::server::rest
