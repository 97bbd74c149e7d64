// Any two JSON values, taken as object and patch of each kind, give a value or an error; what is
// applied twice is applied once.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/assert.h"
#include "base/json.h"
#include "server/patch/patch.h"

namespace {

using windlass::Json;
namespace patch = windlass::server::patch;
namespace schema = windlass::server::schema;

void apply_and_track(const Json& object, const Json& change, const schema::Shape& shape) {
  const patch::Manager manager{"kubectl", "v1", "", windlass::Instant{}};
  const auto once = patch::apply(object, change, shape, manager, true);
  (void)patch::apply(object, change, shape, {"other", "v1", "status", {}}, false);
  if (once.ok()) {
    WL_ASSERT(once->conflicts.empty());
    const auto twice = patch::apply(once->object, change, shape, manager, true);
    WL_ASSERT(twice.ok());
  }
  Json after = change;
  patch::track_update(object, after, shape, manager);
  after = object;
  patch::track_update(nullptr, after, shape, manager);
  const Json tracked = after;
  patch::track_update(tracked, after, shape, {"other", "v2", "", {}});
  WL_ASSERT(after == tracked);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t cut = text.find('\n');
  if (cut == text.npos) return 0;
  const auto object = windlass::parse_json(text.substr(0, cut));
  const auto change = windlass::parse_json(text.substr(cut + 1));
  if (!object.ok() || !change.ok()) return 0;

  (void)patch::json_patch(*object, *change);
  const Json merged = patch::merge_patch(*object, *change);
  WL_ASSERT(patch::merge_patch(merged, *change) == merged);
  static const schema::Shape undeclared;
  static const schema::Shape* const shapes[] = {schema::built_in("apps", "v1", "Deployment"),
                                                schema::built_in("", "v1", "Service"), &undeclared};
  for (const schema::Shape* shape : shapes) {
    (void)patch::strategic_merge_patch(*object, *change, *shape);
    apply_and_track(*object, *change, *shape);
  }
  return 0;
}
