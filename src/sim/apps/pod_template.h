// A workload's pod template as JSON: all that its author wrote, known to Windlass or not; what
// names a revision of it; and pods made from it.
#pragma once

#include <string>
#include <string_view>

#include "api/object.h"
#include "base/json.h"
#include "sim/apps/reconciler.h"

namespace windlass::sim::apps {

inline constexpr const char* kTemplateHashLabel = "pod-template-hash";
inline constexpr const char* kRevisionHashLabel = "controller-revision-hash";

// spec.template of a workload.
Json template_of(const api::Object& workload);

// Equal for templates that mean the same: spellings of quantities, empty fields and the label that
// holds this very hash play no part. Ten letters that make no words.
std::string template_hash(const Json& pod_template);

// What the pods of a template have in common as JSON. One for all of them: thousands are kept.
api::RawObject raw_pod(const Json& pod_template);

// A pod of the template; the caller gives it a name and puts it into the state.
api::Pod make_pod(const Reconciler& reconciler, const api::PodTemplate& typed, api::RawObject raw,
                  const api::ObjectMeta& owner, std::string_view kind,
                  std::string_view api_version);

}  // namespace windlass::sim::apps
