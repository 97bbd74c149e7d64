#include "live/kube/decode.h"

#include <initializer_list>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "live/kube/decode_fast.h"

namespace windlass::live::kube {
namespace {

void fill_in(Json& json, const char* key, std::string_view value) {
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) json[key] = value;
}

const Json* at(const Json& json, std::initializer_list<const char*> keys) {
  const Json* place = &json;
  for (const char* key : keys) {
    if (!place->is_object()) return nullptr;
    const auto found = place->find(key);
    if (found == place->end()) return nullptr;
    place = &*found;
  }
  return place;
}

// Karpenter's kinds are converted by Karpenter's webhook. Where none runs, what was written as
// v1beta1 is given out under the name of v1 as it was written. v1 requires what these lack.
bool written_as_v1beta1(const Json& json, std::string_view api_version, std::string_view kind) {
  if (!api_version.starts_with("karpenter.") || !api_version.ends_with("/v1")) return false;
  const Json* spec = at(json, {"spec"});
  if (spec == nullptr || !spec->is_object()) return false;
  if (kind == "EC2NodeClass") return at(*spec, {"amiSelectorTerms"}) == nullptr;
  const Json* ref = kind == "NodePool"    ? at(*spec, {"template", "spec", "nodeClassRef"})
                    : kind == "NodeClaim" ? at(*spec, {"nodeClassRef"})
                                          : nullptr;
  return ref != nullptr && ref->is_object() && !ref->contains("group");
}

// The long way, which has words for what is wrong.
Result<api::Object> decode_slow(std::string_view text, std::string_view api_version,
                                std::string_view kind) {
  auto json = parse_json(text);
  if (!json) return json.error();
  if (json->is_object()) {
    fill_in(*json, "apiVersion", api_version);
    fill_in(*json, "kind", kind);
    if (written_as_v1beta1(*json, api_version, kind)) {
      (*json)["apiVersion"] = std::string(api_version) + "beta1";
    }
  }
  return api::decode(*json);
}

template <typename T>
Result<T> slow(std::string_view json, std::string_view kind) {
  auto object = decode_slow(json, "v1", kind);
  if (!object) return object.error();
  T* wanted = std::get_if<T>(&*object);
  if (wanted == nullptr) {
    return Error(fmt::format("found a {} (accepted: a {})", api::kind_of(*object), kind));
  }
  wanted->raw = nullptr;
  return std::move(*wanted);
}

}  // namespace

Result<api::Pod> decode_pod(std::string_view json) {
  if (auto pod = fast_pod(json)) return std::move(*pod);
  return slow<api::Pod>(json, "Pod");
}

Result<api::Node> decode_node(std::string_view json) {
  if (auto node = fast_node(json)) return std::move(*node);
  return slow<api::Node>(json, "Node");
}

Result<api::Object> decode_object(std::string_view json, std::string_view api_version,
                                  std::string_view kind) {
  if (api_version == "v1" && kind == "Pod") {
    auto pod = decode_pod(json);
    if (!pod) return pod.error();
    return api::Object(std::move(*pod));
  }
  if (api_version == "v1" && kind == "Node") {
    auto node = decode_node(json);
    if (!node) return node.error();
    return api::Object(std::move(*node));
  }
  return decode_slow(json, api_version, kind);
}

}  // namespace windlass::live::kube
