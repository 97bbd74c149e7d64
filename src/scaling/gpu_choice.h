// Which instance types a model is cheapest to serve on: not by GPU count but by what each GPU
// serves within the SLO and what it costs. Pure; used by the joint policy.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "api/requirements.h"
#include "api/resources.h"
#include "catalog/catalog.h"
#include "scaling/demand.h"

namespace windlass::scaling {

struct GpuQuestion {
  const catalog::Catalog* types = nullptr;
  api::Requirements requirements;  // of the pool and the pod together
  api::ResourceList pod_requests;
  int gpus_per_replica = 1;
  int replicas_needed = 1;  // room beyond these is not worth paying for
  RequestMix mix;
  double slo_p95_ms = 0;
  // The model's profile on a type; nullopt where it doesn't fit.
  std::function<std::optional<catalog::ServiceProfile>(const catalog::InstanceType&)> profile;
};

struct GpuOption {
  const catalog::InstanceType* type = nullptr;
  const catalog::Offering* offering = nullptr;  // the cheapest
  int replicas_per_node = 0;
  Capacity capacity;           // of one replica
  double usd_per_million = 0;  // requests at that capacity, of the replicas needed
};

// Types that can serve within the SLO, cheapest first (ties: name). Empty: none can.
std::vector<GpuOption> rank_gpus(const GpuQuestion& question);

}  // namespace windlass::scaling
