#include "server/embedded/world_api.h"

#include <nlohmann/json.hpp>

#include "cluster/resources.h"
#include "server/embedded/enrich.h"

namespace windlass::server::embedded {
namespace {

std::vector<schema::FieldFault> admit(const Json& object) {
  std::vector<schema::FieldFault> faults;
  for (const api::Finding& finding : api::read_faults(object)) {
    faults.push_back({"FieldValueInvalid", finding.place, "Invalid value: " + finding.text});
  }
  return faults;
}

Result<Json> as_stored(const Json& object) {
  const Result<api::Object> decoded = api::decode(object);
  if (!decoded.ok()) return decoded.error();
  return api::encode(*decoded);
}

// A pod on a node is ended by its kubelet; all others go at once.
bool ends_gracefully(const cluster::ObjectKey& key, const Json& object) {
  if (key.resource != "pods") return false;
  const Json spec = object.value("spec", Json::object());
  const Json status = object.value("status", Json::object());
  const std::string phase = status.value("phase", std::string());
  return !spec.value("nodeName", std::string()).empty() && phase != "Succeeded" &&
         phase != "Failed";
}

}  // namespace

void set_world_rules(rest::ApiOptions& options) {
  options.admit = admit;
  options.convert = as_stored;
  options.ends_gracefully = ends_gracefully;
}

std::vector<api::Object> objects_of(const cluster::ObjectStore& store) {
  std::vector<api::Object> out;
  for (const std::string_view resource : cluster::world_resources()) {
    for (const cluster::DocumentPtr& document : store.list(resource)) {
      const Result<Json> json = parse_json(document->json);
      if (!json.ok()) continue;
      Result<api::Object> object = api::decode(*json);
      if (object.ok()) out.push_back(*std::move(object));
    }
  }
  return out;
}

std::vector<api::Object> admitted(const std::vector<api::Object>& objects) {
  std::vector<api::Object> out;
  for (const api::Object& object : objects) {
    Result<api::Object> defaulted = api::decode(encode_with_defaults(object));
    out.push_back(defaulted.ok() ? *std::move(defaulted) : object);
  }
  return out;
}

}  // namespace windlass::server::embedded
