// Namespaces, Secrets and ConfigMaps.
#include <nlohmann/json.hpp>

#include "api/base64.h"
#include "api/decode.h"

namespace windlass::api {
namespace {

// Strings by key. What stands in a wrong place may be secret, too, so no message repeats it.
StringMap read_secret_map(const Reader& map) {
  StringMap out;
  if (!map.present()) return out;
  if (!map.json().is_object()) {
    map.error("is not a map (its content is not shown)");
    return out;
  }
  for (const auto& [key, value] : map.entries()) {
    if (!value.present()) {
      out[key] = "";
    } else if (value.json().is_string()) {
      out[key] = value.json().get<std::string>();
    } else {
      value.error("is not a string (its value is not shown)");
    }
  }
  return out;
}

}  // namespace

Namespace read_namespace(Reader root) {
  Namespace out;
  out.meta = read_meta(root.required("metadata"), Scope::kCluster);
  return out;
}

Secret read_secret(Reader root) {
  Secret out;
  out.meta = read_meta(root.required("metadata"), Scope::kNamespaced);
  Reader data = root.at("data");
  for (auto& [key, text] : read_secret_map(data)) {
    auto value = from_base64(text);
    if (value) {
      out.data[key] = *std::move(value);
    } else {
      data.at(key).error("is not base64 (its value is not shown; plain text goes to stringData)");
    }
  }
  // The API server writes stringData over data.
  for (auto& [key, text] : read_secret_map(root.at("stringData"))) out.data[key] = text;
  return out;
}

ConfigMap read_config_map(Reader root) {
  ConfigMap out;
  out.meta = read_meta(root.required("metadata"), Scope::kNamespaced);
  out.data = root.at("data").string_map();
  return out;
}

}  // namespace windlass::api
