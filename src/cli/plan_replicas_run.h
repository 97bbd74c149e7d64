// The steps of a readings file, decided one after the other with one object's rules. Private to the
// command in plan_replicas_command.cc.
#pragma once

#include <string>
#include <vector>

#include "api/object.h"
#include "base/json.h"
#include "base/result.h"
#include "cli/plan_replicas_readings.h"

namespace windlass::cli {

// The step's object, {"steps": [..], "status": {..}}. `all` are the manifests' objects: the target,
// authentications and Secrets are looked for among them. `notes` gets what was ignored or missing.
Result<Json> run_scaled_object(const api::ScaledObject& object, const std::vector<api::Object>& all,
                               const ReadingsFile& readings, std::vector<std::string>& notes);
Result<Json> run_scaled_job(const api::ScaledJob& object, const std::vector<api::Object>& all,
                            const ReadingsFile& readings, std::vector<std::string>& notes);
Result<Json> run_hpa(const api::HorizontalPodAutoscaler& object,
                     const std::vector<api::Object>& all, const ReadingsFile& readings);

}  // namespace windlass::cli
