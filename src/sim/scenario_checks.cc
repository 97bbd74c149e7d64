#include "sim/scenario_checks.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "scaling/scaled_object.h"
#include "sim/prometheus/promql.h"

namespace windlass::sim {
namespace {

using Findings = std::vector<std::string>;

template <typename T>
const T* find_object(const Scenario& scenario, const std::string& key) {
  for (const api::Object& object : scenario.objects) {
    const T* typed = std::get_if<T>(&object);
    if (typed != nullptr && typed->meta.key() == key) return typed;
  }
  return nullptr;
}

template <typename T>
std::string known_keys(const Scenario& scenario) {
  std::vector<std::string> keys;
  for (const api::Object& object : scenario.objects) {
    if (const T* typed = std::get_if<T>(&object)) keys.push_back(typed->meta.key());
  }
  return keys.empty() ? "none" : join(keys, ", ");
}

void check_scaled_objects(const Scenario& scenario, Findings& out) {
  for (const api::Object& object : scenario.objects) {
    const auto* scaled = std::get_if<api::ScaledObject>(&object);
    if (scaled == nullptr) continue;
    const std::string name = "ScaledObject/" + scaled->meta.key();
    const auto plans = scaling::plan_triggers(*scaled, nullptr);
    if (!plans.ok()) {
      out.push_back(name + ": " + plans.error().message());
      continue;
    }
    for (const scaling::TriggerPlan& plan : *plans) {
      if (plan.kind != scaling::TriggerPlan::Kind::kPrometheus) continue;
      const auto query = prometheus::parse_promql(plan.query);
      if (!query.ok()) {
        out.push_back(fmt::format("{} trigger {}: query \"{}\": {}", name, plan.metric_name,
                                  plan.query, query.error().message()));
      }
    }
    const std::string& ns = scaled->meta.namespace_name;
    const std::string target = ns.empty() ? scaled->target_name : ns + "/" + scaled->target_name;
    if (scaled->target_kind == "Deployment" &&
        find_object<api::Deployment>(scenario, target) == nullptr) {
      out.push_back(fmt::format("{}: its target Deployment {} is in no manifest (found: {})", name,
                                target, known_keys<api::Deployment>(scenario)));
    }
  }
}

void check_models(const Scenario& scenario, Findings& out) {
  std::set<std::string> names;
  for (const ModelSpec& spec : scenario.models) {
    if (!names.insert(spec.model.name).second) {
      out.push_back("two models are named " + spec.model.name);
    }
    const auto* deployment = find_object<api::Deployment>(scenario, spec.model.deployment);
    if (deployment == nullptr) {
      out.push_back(fmt::format("model {}: Deployment {} is in no manifest (found: {})",
                                spec.model.name, spec.model.deployment,
                                known_keys<api::Deployment>(scenario)));
      continue;
    }
    const int64_t gpus =
        api::whole_units(api::pod_requests(deployment->pod_template.spec).milli(api::kNvidiaGpu));
    if (gpus != spec.model.card.tensor_parallel) {
      out.push_back(fmt::format(
          "model {}: tensorParallel is {}, but the pods of {} ask for {} "
          "nvidia.com/gpu",
          spec.model.name, spec.model.card.tensor_parallel, spec.model.deployment, gpus));
    }
    const auto traffic =
        Traffic::open(spec.traffic, scenario.seed, scenario.start, scenario.duration);
    if (!traffic.ok()) {
      out.push_back("model " + spec.model.name + ": " + traffic.error().message());
    }
  }
}

void check_start(const Scenario& scenario, const StartSpec& start, const catalog::Catalog& types,
                 const std::string& place, Findings& out) {
  for (const NodeGroup& group : start.nodes) {
    const catalog::InstanceType* type = types.find(group.instance_type);
    if (type == nullptr) {
      out.push_back(fmt::format("{}: unknown instance type {}", place, group.instance_type));
      continue;
    }
    const bool offered =
        std::any_of(type->offerings.begin(), type->offerings.end(),
                    [&](const auto& o) { return o.capacity_type == group.capacity_type; });
    if (!offered) {
      out.push_back(fmt::format("{}: no {} price is known for {}", place, group.capacity_type,
                                group.instance_type));
    }
    if (!group.pool.empty() && find_object<api::NodePool>(scenario, group.pool) == nullptr) {
      out.push_back(fmt::format("{}: NodePool {} is in no manifest (found: {})", place, group.pool,
                                known_keys<api::NodePool>(scenario)));
    }
  }
  for (const auto& [key, replicas] : start.replicas) {
    if (find_object<api::Deployment>(scenario, key) == nullptr) {
      out.push_back(
          fmt::format("{}: replicas for Deployment {}, which is in no manifest", place, key));
    }
  }
}

void check_jobs(const Scenario& scenario, Findings& out) {
  std::set<std::string> names;
  std::set<std::string> classes;
  for (const JobSpec& job : scenario.training.jobs) {
    if (!names.insert(job.namespace_name + "/" + job.name).second) {
      out.push_back("two training jobs are named " + job.name);
    }
    if (!job.priority_class.empty()) classes.insert(job.priority_class);
  }
  for (const std::string& name : classes) {
    if (find_object<api::PriorityClass>(scenario, name) == nullptr) {
      out.push_back(fmt::format("training: PriorityClass {} is in no manifest (found: {})", name,
                                known_keys<api::PriorityClass>(scenario)));
    }
  }
}

}  // namespace

std::vector<std::string> check_scenario(const Scenario& scenario) {
  Findings out;
  check_scaled_objects(scenario, out);
  check_models(scenario, out);
  const catalog::Catalog types = catalog::built_in(scenario.cloud.catalog);
  check_start(scenario, scenario.fixed, types, "spec.static", out);
  check_start(scenario, scenario.autoscaled, types, "spec.autoscaled", out);
  check_jobs(scenario, out);
  return out;
}

}  // namespace windlass::sim
