// Pods and Nodes from their JSON straight into structs (simdjson): there are tens of thousands of
// them, and every change of one is read. Gives the same values as api::decode, but keeps no raw
// document beside them (ObjectMeta's and the object's `raw` stay empty). Other kinds go through
// api::decode.
#pragma once

#include <string_view>

#include "api/object.h"
#include "base/result.h"

namespace windlass::live::kube {

Result<api::Pod> decode_pod(std::string_view json);
Result<api::Node> decode_node(std::string_view json);
// Any kind Windlass reads; kind and apiVersion as given, for items of lists that leave them out.
Result<api::Object> decode_object(std::string_view json, std::string_view api_version,
                                  std::string_view kind);

}  // namespace windlass::live::kube
