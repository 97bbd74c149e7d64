// Saving a world's parts and going on from them (saved.h says which and what is lost).
#include <algorithm>

#include <nlohmann/json.hpp>

#include "api/json_reader.h"
#include "sim/world.h"

namespace windlass::sim {
namespace {

const Json& part(const std::map<std::string, Json>& saved, const std::string& name) {
  static const Json kNone = Json::object();
  const auto found = saved.find(name);
  return found == saved.end() ? kNone : found->second;
}

const Json& field(const Json& object, const char* key) {
  static const Json kNone = Json::object();
  if (!object.is_object()) return kNone;
  const auto found = object.find(key);
  return found == object.end() ? kNone : *found;
}

}  // namespace

std::map<std::string, Json> World::take_saved() {
  saved_.begin();
  saved_.set("clock", saved_clock());
  cloud_.save(saved_, [this](const std::string& id) { return kubelets_.ready_at(id); });
  kubelets_.save(saved_);
  training_.save(saved_);
  saved_.set("totals", {{"training", training_.totals()},
                        {"inference", inference_.save_totals()},
                        {"allocatedGpuSeconds", recorder_.allocated_gpu_s()}});
  Json controls{{"trafficFactor", controls_.traffic_factor}, {"bursts", Json::array()}};
  for (const Burst& burst : controls_.bursts) {
    controls["bursts"].push_back({{"factor", burst.factor}, {"until", burst.until.ns}});
  }
  if (exporters_.outage_until() > context_->now) {
    controls["outageUntil"] = exporters_.outage_until().ns;
  }
  saved_.set("controls", std::move(controls));
  return saved_.take();
}

Json World::saved_clock() const {
  return {{"now", context_->now.ns}, {"opened", context_->opened}};
}

// The clock comes before all else: the parts are made at its time and with its random streams.
Status World::read_clock(const std::map<std::string, Json>& saved, Context& context) {
  if (saved.empty()) return {};
  api::ReadLog log;
  api::Reader root(part(saved, "clock"), "clock", log);
  const auto now = read_instant(root.at("now").must());
  const auto opened = root.at("opened").integer(0, INT64_MAX - 1);
  if (!log.errors.empty()) return Error(log.joined_errors());
  context.now = std::max(*now, context.scenario.start);
  context.opened = static_cast<uint64_t>(opened.value_or(0)) + 1;
  return {};
}

Status World::read_controls(const Json& controls) {
  api::ReadLog log;
  api::Reader root(controls, "controls", log);
  controls_.traffic_factor = root.at("trafficFactor").number(0, 1e6).value_or(1);
  for (api::Reader item : root.at("bursts").items()) {
    const Burst burst{item.at("factor").number(0, 1e6).value_or(1),
                      read_instant(item.at("until")).value_or(Instant{})};
    if (burst.until <= context_->now) continue;
    controls_.bursts.push_back(burst);
    plan_burst_end(burst);
  }
  if (const auto until = read_instant(root.at("outageUntil"))) exporters_.fail_until(*until);
  if (!log.errors.empty()) return Error(log.joined_errors());
  inference_.set_traffic_factor(controls_.traffic());
  return {};
}

// A disruption under way was known to its controller alone: what it marked is free again, and what
// it launched meanwhile is weighed like any other node.
void World::forget_disruptions() {
  std::vector<api::Object> freed;
  for (const auto& [name, claim] : context_->state.node_claims()) {
    if (claim.meta.deleted || !api::is_true(claim.conditions, "DisruptionReason")) continue;
    api::NodeClaim told = claim;
    api::set_condition(told.conditions,
                       {"DisruptionReason", "False", "Abandoned", "", context_->now});
    freed.emplace_back(std::move(told));
    const api::Node* node = context_->state.node_by_provider_id(claim.provider_id);
    if (node == nullptr) continue;
    api::Node free = *node;
    std::erase_if(free.taints, [](const auto& t) { return t.key == api::kDisruptedTaint; });
    freed.emplace_back(std::move(free));
  }
  for (api::Object& object : freed) context_->state.put(std::move(object));
}

void World::resume_nodes() {
  std::vector<std::string> gone;
  for (const auto& [name, node] : context_->state.nodes()) {
    const auto instance = cloud_.instances().find(node.provider_id);
    if (instance == cloud_.instances().end()) continue;  // a client's: it has no machine
    if (instance->second.terminated) {
      gone.push_back(name);
    } else {
      kubelets_.resume_node(instance->second);
    }
  }
  for (const std::string& name : gone) kubelets_.drop_node(name);
  std::vector<std::string> names;
  for (const auto& [name, node] : context_->state.nodes()) names.push_back(name);
  for (const std::string& name : names) evict_intolerant(name);
}

Status World::resume() {
  const std::map<std::string, Json>& saved = options_.saved;
  saved_.start_from(saved);
  for (const api::Object& object : options_.objects ? *options_.objects : scenario_.objects) {
    api::Object placed = object;
    stamp(placed);
    context_->state.put(std::move(placed));
  }
  set_models();
  if (Status status = cloud_.read(saved); !status.ok()) return status;
  for (const auto& [id, instance] : cloud_.instances()) {
    if (instance.ready_at) kubelets_.set_ready_at(id, *instance.ready_at);
  }
  if (Status status = kubelets_.read(saved); !status.ok()) return status;
  const Json& totals = part(saved, "totals");
  if (Status status = training_.read(saved, field(totals, "training")); !status.ok()) return status;
  if (Status status = inference_.read_totals(field(totals, "inference")); !status.ok()) {
    return status;
  }
  if (Status status = read_controls(part(saved, "controls")); !status.ok()) return status;
  const Json& allocated = field(totals, "allocatedGpuSeconds");
  if (allocated.is_number()) recorder_.set_allocated_gpu_s(allocated.get<double>());
  if (!options_.external) forget_disruptions();
  cloud_.resume();
  resume_nodes();
  std::vector<std::string> bound;
  for (const auto& [key, pod] : context_->state.pods()) {
    if (!pod.spec.node_name.empty()) bound.push_back(key);
  }
  for (const std::string& key : bound) {
    started_.insert(key);
    const std::string node = context_->state.pods().at(key).spec.node_name;
    if (!is_external(node)) {
      kubelets_.resume_pod(key);
    } else if (context_->state.nodes().find(node) == nullptr) {
      kubelets_.finish_pod(key);
    }
  }
  workloads_.sync_all();
  if (!context_->state.unbound_pods().empty()) scheduler_.wake();
  return {};
}

}  // namespace windlass::sim
