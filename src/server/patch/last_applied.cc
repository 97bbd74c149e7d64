#include "server/patch/last_applied.h"

#include <string>

#include <nlohmann/json.hpp>

#include "server/patch/typed_fields.h"

namespace windlass::server::patch {
namespace {

constexpr const char* kAnnotation = "kubectl.kubernetes.io/last-applied-configuration";
constexpr size_t kMaxAnnotationsBytes = size_t{256} << 10;

// The annotations of an object, or nullptr.
Json* annotations_of(Json& object) {
  Json* at = &object;
  for (const char* key : {"metadata", "annotations"}) {
    if (!at->is_object()) return nullptr;
    const auto found = at->find(key);
    if (found == at->end()) return nullptr;
    at = &*found;
  }
  return at->is_object() ? at : nullptr;
}

// The annotation's text, or empty.
std::string annotation_of(Json& object) {
  const Json* const annotations = annotations_of(object);
  if (annotations == nullptr) return "";
  const auto found = annotations->find(kAnnotation);
  return found != annotations->end() && found->is_string() ? found->get<std::string>() : "";
}

size_t bytes_of(const Json& annotations) {
  size_t bytes = 0;
  for (const auto& [key, value] : annotations.items()) {
    bytes += key.size() + (value.is_string() ? value.get_ref<const std::string&>().size() : 0);
  }
  return bytes;
}

}  // namespace

FieldSet last_applied_fields(const Json& live, const schema::Shape& shape) {
  Json object = live;
  const std::string text = annotation_of(object);
  if (text.empty()) return {};
  const Result<Json> applied = parse_json(text);
  const bool usable = applied && applied->is_object() && live.is_object() &&
                      applied->value("apiVersion", Json()) == live.value("apiVersion", Json());
  if (!usable) return {};
  const Changes since = compare(&*applied, &live, &shape);
  FieldSet fields = fields_of(*applied, &shape);
  for (const FieldSet* changed : {&since.added, &since.modified, &since.removed}) {
    fields = subtract(fields, *changed);
  }
  return fields;
}

void refresh_last_applied(Json& object, const Json& config) {
  if (annotation_of(object).empty()) return;
  Json applied = config;
  if (Json* const annotations = annotations_of(applied)) annotations->erase(kAnnotation);
  Json& annotations = *annotations_of(object);
  annotations[kAnnotation] = applied.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  // Too long for an annotation: without it, a client-side apply starts anew.
  if (bytes_of(annotations) > kMaxAnnotationsBytes) annotations.erase(kAnnotation);
}

}  // namespace windlass::server::patch
