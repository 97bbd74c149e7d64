// The OpenAPI v3 document of one group-version. kubectl reads three things in it: which parameters
// a PATCH takes (so that validation stays here), the merge keys, and what to explain.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "server/schema/open_api_schemas.h"

namespace windlass::server::schema {
namespace {

constexpr const char* kPatchTypes[] = {
    "application/json-patch+json", "application/merge-patch+json",
    "application/strategic-merge-patch+json", "application/apply-patch+yaml"};

Json query(const char* name, const char* type) {
  return {{"name", name}, {"in", "query"}, {"schema", {{"type", type}, {"uniqueItems", true}}}};
}
Json path_parameter(const char* name) {
  return {{"name", name},
          {"in", "path"},
          {"required", true},
          {"schema", {{"type", "string"}, {"uniqueItems", true}}}};
}

Json write_parameters() {
  return Json::array({query("dryRun", "string"), query("fieldManager", "string"),
                      query("fieldValidation", "string")});
}
Json list_parameters() {
  return Json::array({query("allowWatchBookmarks", "boolean"), query("continue", "string"),
                      query("fieldSelector", "string"), query("labelSelector", "string"),
                      query("limit", "integer"), query("resourceVersion", "string"),
                      query("resourceVersionMatch", "string"),
                      query("sendInitialEvents", "boolean"), query("timeoutSeconds", "integer"),
                      query("watch", "boolean")});
}
Json delete_parameters() {
  return Json::array({query("dryRun", "string"), query("gracePeriodSeconds", "integer"),
                      query("orphanDependents", "boolean"), query("propagationPolicy", "string")});
}

Json content(std::initializer_list<const char*> types, const Json& schema) {
  Json out = Json::object();
  for (const char* type : types) out[type]["schema"] = schema;
  return out;
}

// Writes the paths of one kind into a document.
class PathWriter {
 public:
  PathWriter(Json& paths, SchemaCollector& schemas, std::string_view group,
             std::string_view version)
      : paths_(paths), schemas_(schemas), group_(group), version_(version) {
    root_ = group.empty() ? fmt::format("/api/{}", version)
                          : fmt::format("/apis/{}/{}", group, version);
    status_ = schemas.reference(schemas.add_named(*built_in("", "v1", "Status")));
    patch_ = schemas.reference(schemas.add_named(patch_shape()));
    options_ =
        schemas.reference(schemas.add_named(*built_in("meta.k8s.io", "v1", "DeleteOptions")));
  }

  void write(const PublishedKind& kind) {
    const std::string name = schemas_.add_kind(group_, version_, kind);
    const Json one = schemas_.reference(name);
    const Json many = schemas_.reference(name + "List");
    const Json gvk = group_version_kind(group_, version_, kind.kind);
    const std::string scope = kind.namespaced ? "/namespaces/{namespace}" : "";
    Json& all = paths_[fmt::format("{}{}/{}", root_, scope, kind.plural)];
    head(all, kind, false);
    all["get"] = operation("list", kind, gvk, list_parameters(), many);
    all["post"] = operation("post", kind, gvk, write_parameters(), one);
    all["post"]["requestBody"] = {{"content", content({"*/*"}, one)}, {"required", true}};
    all["delete"] = operation("deletecollection", kind, gvk, delete_parameters(), status_);
    all["delete"]["requestBody"]["content"] = content({"*/*"}, options_);
    if (kind.namespaced) {
      Json& everywhere = paths_[fmt::format("{}/{}", root_, kind.plural)];
      everywhere["get"] = operation("list", kind, gvk, list_parameters(), many);
      everywhere["get"]["operationId"] = operation_id("list", kind, "ForAllNamespaces");
    }
    const std::string item = fmt::format("{}{}/{}/{{name}}", root_, scope, kind.plural);
    write_item(item, kind, gvk, one, "");
    Json& deletion = paths_[item]["delete"];
    deletion = operation("delete", kind, gvk, delete_parameters(), status_);
    deletion["requestBody"]["content"] = content({"*/*"}, options_);
    if (kind.status) write_item(item + "/status", kind, gvk, one, "Status");
    if (!kind.scale) return;
    const Json scale =
        schemas_.reference(schemas_.add_named(*built_in("autoscaling", "v1", "Scale")));
    write_item(item + "/scale", kind, group_version_kind("autoscaling", "v1", "Scale"), scale,
               "Scale");
  }

 private:
  // The type of PATCH bodies is no field's type, so the table's shape of it can't be reached.
  static const Shape& patch_shape() {
    static const Shape kPatch = [] {
      Shape shape;
      shape.name = "io.k8s.apimachinery.pkg.apis.meta.v1.Patch";
      return shape;
    }();
    return kPatch;
  }

  static void head(Json& path, const PublishedKind& kind, bool named) {
    Json parameters = Json::array();
    if (named) parameters.push_back(path_parameter("name"));
    if (kind.namespaced) parameters.push_back(path_parameter("namespace"));
    parameters.push_back(query("pretty", "string"));
    path["parameters"] = std::move(parameters);
  }

  // "patchAppsV1NamespacedDeploymentScale", as client generators expect it.
  std::string operation_id(std::string_view action, const PublishedKind& kind,
                           std::string_view suffix) const {
    std::string group(group_.empty() ? "core" : group_.substr(0, group_.find('.')));
    std::string version(version_);
    for (std::string* word : {&group, &version}) {
      if (!word->empty() && word->front() >= 'a' && word->front() <= 'z') word->front() ^= 0x20;
    }
    std::string_view verb = action;
    if (action == "get") verb = "read";
    if (action == "post") verb = "create";
    if (action == "put") verb = "replace";
    if (action == "deletecollection") verb = "deleteCollection";
    const bool everywhere = suffix == "ForAllNamespaces";
    return fmt::format("{}{}{}{}{}{}", verb, group, version,
                       kind.namespaced && !everywhere ? "Namespaced" : "", kind.kind, suffix);
  }

  Json operation(const char* action, const PublishedKind& kind, const Json& gvk, Json parameters,
                 const Json& answer, std::string_view suffix = "") const {
    Json out = Json::object();
    out["operationId"] = operation_id(action, kind, suffix);
    out["parameters"] = std::move(parameters);
    out["responses"]["200"] = {{"description", "OK"},
                               {"content", content({"application/json"}, answer)}};
    out["x-kubernetes-action"] = action;
    out["x-kubernetes-group-version-kind"] = gvk;
    return out;
  }

  // get, put and patch of an object or one of its subresources.
  void write_item(const std::string& where, const PublishedKind& kind, const Json& gvk,
                  const Json& schema, std::string_view suffix) {
    Json& path = paths_[where];
    head(path, kind, true);
    path["get"] = operation("get", kind, gvk, Json::array({query("resourceVersion", "string")}),
                            schema, suffix);
    path["put"] = operation("put", kind, gvk, write_parameters(), schema, suffix);
    path["put"]["requestBody"] = {{"content", content({"*/*"}, schema)}, {"required", true}};
    Json parameters = write_parameters();
    parameters.push_back(query("force", "boolean"));
    path["patch"] = operation("patch", kind, gvk, std::move(parameters), schema, suffix);
    Json& body = path["patch"]["requestBody"];
    body["required"] = true;
    const bool custom = kind.shape == nullptr || kind.shape->name.empty();
    for (const char* type : kPatchTypes) {
      if (custom && std::string_view(type).find("strategic") != std::string_view::npos) continue;
      body["content"][type]["schema"] = patch_;
    }
  }

  Json& paths_;
  SchemaCollector& schemas_;
  std::string_view group_, version_;
  std::string root_;
  Json status_, patch_, options_;
};

}  // namespace

std::string open_api_v3(std::string_view group, std::string_view version,
                        const std::vector<PublishedKind>& kinds) {
  Json document = {{"openapi", "3.0.0"}, {"info", {{"title", "Kubernetes"}, {"version", "v1"}}}};
  SchemaCollector schemas(SchemaCollector::Dialect::kV3);
  document["paths"] = Json::object();
  PathWriter writer(document["paths"], schemas, group, version);
  for (const PublishedKind& kind : kinds) writer.write(kind);
  Json& components = document["components"]["schemas"];
  for (const auto& [name, schema] : schemas.definitions()) components[name] = schema;
  return document.dump();
}

}  // namespace windlass::server::schema
