// The counters of the models' fleets over restarts. Requests that were under way when the program
// ended are lost, as in a power cut, and counted as failed.
#include <nlohmann/json.hpp>

#include "api/json_reader.h"
#include "sim/inference_plane.h"
#include "sim/saved.h"

namespace windlass::sim {

FleetTotals InferencePlane::totals(size_t model) const {
  FleetTotals sum = fleets_[model].totals();
  const FleetTotals& before = carried_[model];
  sum.offered += before.offered;
  sum.completed += before.completed;
  sum.failed += before.failed;
  sum.retried += before.retried;
  sum.slo_met += before.slo_met;
  return sum;
}

Json InferencePlane::save_totals() const {
  Json models = Json::object();
  for (size_t i = 0; i < fleets_.size(); ++i) {
    const FleetTotals sum = totals(i);
    models[context_.get().scenario.models[i].model.name] = {{"offered", sum.offered},
                                                            {"completed", sum.completed},
                                                            {"failed", sum.failed + sum.in_system},
                                                            {"retried", sum.retried},
                                                            {"sloMet", sum.slo_met}};
  }
  return {{"busyGpuSeconds", busy_gpu_seconds()}, {"models", std::move(models)}};
}

Status InferencePlane::read_totals(const Json& totals) {
  api::ReadLog log;
  api::Reader root(totals, "totals.inference", log);
  busy_gpu_seconds_gone_ = root.at("busyGpuSeconds").number(0, 1e18).value_or(0);
  api::Reader models = root.at("models");
  for (size_t i = 0; i < fleets_.size(); ++i) {
    api::Reader model = models.at(context_.get().scenario.models[i].model.name);
    const auto count = [&](std::string_view key) {
      return static_cast<uint64_t>(model.at(key).integer(0, INT64_MAX).value_or(0));
    };
    FleetTotals& before = carried_[i];
    before.offered = count("offered");
    before.completed = count("completed");
    before.failed = count("failed");
    before.retried = count("retried");
    before.slo_met = count("sloMet");
  }
  if (!log.errors.empty()) return Error(log.joined_errors());
  return {};
}

}  // namespace windlass::sim
