#include "controllers/joint.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>

#include <fmt/format.h>

#include "controllers/scaled_object_plan.h"

namespace windlass::controllers {
namespace {

using cluster::Kind;

constexpr const char* kPodDeletionCost = "controller.kubernetes.io/pod-deletion-cost";
constexpr Duration kChoiceHolds = minutes(1);
constexpr Duration kDemandPeriod = seconds(30);

int gpus_of(const api::ResourceList& requests) {
  return static_cast<int>(api::whole_units(requests.milli(api::kNvidiaGpu)));
}

bool is_batch(const api::Pod& pod) {
  return std::any_of(pod.meta.owners.begin(), pod.meta.owners.end(),
                     [](const api::OwnerReference& o) { return o.kind == "Job"; });
}

// Of the Deployment's pods: what its template or the class it names says.
int32_t priority_of(const api::Deployment& deployment, const cluster::State& state) {
  const api::PodSpec& spec = deployment.pod_template.spec;
  if (spec.priority) return *spec.priority;
  const api::PriorityClass* named = state.priority_classes().find(spec.priority_class);
  return named == nullptr ? 0 : named->value;
}

scaling::RequestMix mix_of(const cluster::ModelSignals& signals) {
  return {signals.input_mean, signals.output_mean, signals.input_p95, signals.output_p95};
}

// Arrivals in periods long enough that the margin for chance is about load, not about the gaps
// between requests; the newest period ends now.
scaling::DemandHistory coarse(const cluster::ModelSignals& signals, Duration look_back) {
  const auto merge =
      static_cast<size_t>(std::max<int64_t>(1, kDemandPeriod.ns / signals.period.ns));
  scaling::DemandHistory history{signals.period * static_cast<int64_t>(merge), {}};
  const size_t all = signals.arrivals.size();
  const auto kept = static_cast<size_t>(std::max<int64_t>(1, look_back.ns / signals.period.ns));
  const size_t used = std::min(all, kept);
  for (size_t i = all - used + used % merge; i < all; i += merge) {
    double sum = 0;
    for (size_t j = i; j < i + merge; ++j) sum += signals.arrivals[j];
    history.requests.push_back(sum);
  }
  return history;
}

scaling::DemandInput demand_input(const api::ScaledObject& object,
                                  const cluster::InferenceModel& model,
                                  const cluster::ModelSignals& signals,
                                  const JointView::Choice& choice, int32_t current, int32_t lacking,
                                  Duration look_back) {
  scaling::DemandInput input;
  input.history = coarse(signals, look_back);
  input.lead = model.lead_time;
  input.queue = signals.waiting;
  input.replica_requests_per_s = choice.best.capacity.requests_per_s;
  input.current = std::max(current - lacking, 0);
  input.min = std::max(object.min() - lacking, 0);
  input.max = std::max(object.max() - lacking, input.min);
  return input;
}

api::Requirements in_types(const std::set<std::string>& types) {
  api::Requirements only;
  only.add(api::kInstanceTypeLabel,
           api::Requirement(api::Operator::kIn, {types.begin(), types.end()}));
  return only;
}

}  // namespace

const api::Deployment* target_of(const api::ScaledObject& object, const cluster::State& state) {
  if (object.target_kind != "Deployment") return nullptr;
  const std::string& ns = object.meta.namespace_name;
  return state.deployments().find(ns.empty() ? object.target_name : ns + "/" + object.target_name);
}

// The mix of requests moves slowly and prices slower still: a choice holds for a minute, unless
// offerings run out or come back meanwhile.
std::optional<JointView::Choice> JointView::choose(const cluster::InferenceModel& model,
                                                   const api::Deployment& deployment,
                                                   const cluster::State& state, Instant now) {
  const auto out =
      std::count_if(state.unavailable_offerings().begin(), state.unavailable_offerings().end(),
                    [&](const auto& entry) { return now < entry.second; });
  Held& held = held_[deployment.meta.key()];
  const bool fresh = held.choice && now - held.at < kChoiceHolds && held.offerings_out == out;
  if (!fresh) held = {now, out, choose_now(model, deployment, state, now)};
  return held.choice;
}

std::optional<JointView::Choice> JointView::choose_now(const cluster::InferenceModel& model,
                                                       const api::Deployment& deployment,
                                                       const cluster::State& state, Instant now) {
  const cluster::ModelSignals* signals = state.signals(model.name);
  if (signals == nullptr || signals->output_mean <= 0) return std::nullopt;
  std::vector<scaling::GpuOption> options;
  for (const auto& [name, pool] : state.node_pools()) {
    scaling::GpuQuestion question;
    question.types = &offerings_.types(state, pool, now);
    question.requirements = api::Requirements::from_specs(pool.requirements);
    question.requirements.add(api::pod_requirements(deployment.pod_template.spec, false));
    question.pod_requests = api::pod_requests(deployment.pod_template.spec);
    question.gpus_per_replica = gpus_of(question.pod_requests);
    question.replicas_needed = 1;  // a node for each: more on one node would leave together
    question.mix = mix_of(*signals);
    question.slo_p95_ms = model.slo.millis() * options_.slo_share;
    question.profile = [&](const catalog::InstanceType& type) {
      return cluster::profile_on(model, type);
    };
    const std::vector<scaling::GpuOption> found = scaling::rank_gpus(question);
    options.insert(options.end(), found.begin(), found.end());
  }
  if (options.empty()) return std::nullopt;
  std::stable_sort(options.begin(), options.end(), [](const auto& a, const auto& b) {
    return a.usd_per_million < b.usd_per_million;
  });
  Choice choice;
  choice.best = options.front();
  const double bound = choice.best.usd_per_million * (1 + options_.price_tolerance);
  for (const scaling::GpuOption& option : options) {
    if (option.usd_per_million <= bound) choice.types.insert(option.type->name);
  }
  choice.why = fmt::format(
      "{} serves a million requests within the SLO for ${:.2f}{}", choice.best.type->name,
      choice.best.usd_per_million,
      options.size() > 1
          ? fmt::format(", next {} for ${:.2f}", options[1].type->name, options[1].usd_per_million)
          : std::string());
  return choice;
}

JointView::Worth JointView::worth(const cluster::InferenceModel& model,
                                  const api::Deployment& deployment, const Choice& choice,
                                  const cluster::State& state) const {
  const scaling::RequestMix mix = mix_of(*state.signals(model.name));
  const double slo_ms = model.slo.millis() * options_.slo_share;
  std::map<const catalog::InstanceType*, double> by_type;
  Worth worth;
  std::vector<std::pair<bool, double>> counted;  // Ready, and what it is worth
  for (const std::string& key : state.pods_of(deployment.meta.uid)) {
    const api::Pod& pod = state.pods().at(key);
    const api::Node* node = state.nodes().find(pod.spec.node_name);
    if (pod.terminal() || pod.meta.deleted || node == nullptr) continue;
    const auto label = node->meta.labels.find(api::kInstanceTypeLabel);
    const catalog::InstanceType* type =
        label == node->meta.labels.end() ? nullptr : state.catalog().find(label->second);
    if (type == nullptr) continue;
    const auto [it, fresh] = by_type.try_emplace(type, 0.0);
    if (fresh) {
      if (const auto profile = cluster::profile_on(model, *type)) {
        it->second = scaling::capacity_at_slo(*profile, mix, slo_ms).requests_per_s /
                     choice.best.capacity.requests_per_s;
      }
    }
    worth.by_pod[key] = it->second;
    counted.emplace_back(pod.ready, it->second);
  }
  // More pods than replicas: some are about to go, those first that the ReplicaSet will take. They
  // would else count as what is to be made up for, and the scale-in would be taken back.
  std::ranges::sort(counted, std::greater<>());
  const auto wanted = static_cast<size_t>(std::max(deployment.replicas, 0));
  const auto lost = static_cast<double>(wanted - std::min(wanted, counted.size()));
  counted.resize(std::min(wanted, counted.size()));
  for (const auto& [ready, value] : counted) {
    worth.all += value;
    if (ready) worth.ready += value;
  }
  worth.all += lost;  // one without a node counts as on the chosen type
  return worth;
}

api::Requirements JointView::batch_requirements(const api::Pod& pod,
                                                const scheduling::Problem& problem) const {
  // Least dollars for the work: price over the speed of the GPUs the pod would use.
  const api::ResourceList requests = api::pod_requests(pod.spec);
  const int gpus = gpus_of(requests);
  if (gpus == 0) return {};
  std::vector<std::pair<double, std::string>> costs;
  for (const scheduling::Pool& pool : problem.pools) {
    auto requirements = api::Requirements::from_specs(pool.pool->requirements);
    requirements.add(api::pod_requirements(pod.spec, false));
    for (const catalog::InstanceType& type : pool.types->types) {
      const catalog::GpuCard* gpu = catalog::gpu_of(type);
      if (gpu == nullptr || !requests.fits(type.allocatable)) continue;
      if (!type.requirements.intersects(requirements)) continue;
      if (const catalog::Offering* offering = type.cheapest(requirements)) {
        costs.emplace_back(offering->usd_per_hour / (gpu->dense_fp16_tflops * gpus), type.name);
      }
    }
  }
  if (costs.empty()) return {};
  std::sort(costs.begin(), costs.end());
  std::set<std::string> types;
  for (const auto& [cost, name] : costs) {
    if (cost <= costs.front().first * (1 + options_.price_tolerance)) types.insert(name);
  }
  // Of types that cost the same for the work, those that inference can take over when it needs to.
  std::set<std::string> shared;
  for (const auto& [key, held] : held_) {
    if (!held.choice) continue;
    std::set_intersection(types.begin(), types.end(), held.choice->types.begin(),
                          held.choice->types.end(), std::inserter(shared, shared.end()));
  }
  return in_types(shared.empty() ? types : shared);
}

void JointView::shape(scheduling::Problem& problem, const cluster::State& state, Instant now) {
  std::erase_if(problem.pods, [&](const api::Pod* pod) {
    return is_batch(*pod) && now - pod->meta.created < options_.batch_max_wait;
  });
  narrow(problem, state);
}

void JointView::narrow(scheduling::Problem& problem, const cluster::State& state) const {
  const auto narrow_one = [&](const api::Pod& pod) {
    if (is_batch(pod)) {
      api::Requirements only = batch_requirements(pod, problem);
      if (only.size() > 0) problem.claim_requirements[pod.meta.key()] = std::move(only);
    } else if (held_.empty()) {
      return;
    } else if (const api::Deployment* deployment = state.deployment_of(pod)) {
      const auto held = held_.find(deployment->meta.key());
      if (held != held_.end() && held->second.choice) {
        problem.claim_requirements[pod.meta.key()] = in_types(held->second.choice->types);
      }
    }
  };
  for (const auto& [key, pod] : state.pods()) {
    if (!pod.terminal() && !pod.daemon()) narrow_one(pod);
  }
  // Planned pods are in the problem only.
  for (const api::Pod* pod : problem.pods) {
    if (state.pods().find(pod->meta.key()) == nullptr) narrow_one(*pod);
  }
}

disruption::Options JointView::weigh(const cluster::State& state, Instant now) const {
  disruption::Options options;
  options.payback = options_.payback;
  for (const auto& [name, node] : state.nodes()) {
    const api::NodeClaim* claim = state.claim_by_provider_id(node.provider_id);
    if (claim == nullptr) continue;
    double hours_lost = 0;
    for (const std::string& key : state.pods_on(name)) {
      const api::Pod& pod = state.pods().at(key);
      const api::Deployment* deployment =
          state.models().empty() ? nullptr : state.deployment_of(pod);
      const cluster::InferenceModel* model =
          deployment == nullptr ? nullptr : state.model_of(deployment->meta.key());
      if (model != nullptr) hours_lost += model->warm_start.hours();
      // Work since a batch pod's start may have to be done again.
      if (is_batch(pod) && pod.started_at) hours_lost += (now - *pod.started_at).hours();
    }
    if (hours_lost <= 0) continue;
    const catalog::InstanceType* type =
        state.types_for(claim->node_class.name).find(claim->instance_type());
    const catalog::Offering* offering =
        type == nullptr ? nullptr
                        : type->cheapest(api::Requirements::from_labels(node.meta.labels));
    const double price = offering == nullptr ? 0 : offering->usd_per_hour;
    options.move_cost_usd[name] = hours_lost * price;
  }
  return options;
}

void JointController::touched(const cluster::Change& change, const cluster::State& state,
                              std::vector<std::string>& keys) {
  if (change.kind == Kind::kScaledObject) keys.push_back(change.key);
  if (change.kind != Kind::kModelSignals) return;
  for (const auto& [key, object] : state.scaled_objects()) {
    const api::Deployment* deployment = target_of(object, state);
    const cluster::InferenceModel* model =
        deployment == nullptr ? nullptr : state.model_of(deployment->meta.key());
    if (model != nullptr && model->name == change.key) keys.push_back(key);
  }
}

void JointController::price_pods(const JointView::Worth& worth, const cluster::State& state,
                                 Outcome& out) const {
  for (const auto& [key, value] : worth.by_pod) {
    const api::Pod& pod = state.pods().at(key);
    const std::string cost = std::to_string(10 * std::lround(10 * std::min(value, 1e6)));
    const auto it = pod.meta.annotations.find(kPodDeletionCost);
    if (it != pod.meta.annotations.end() && it->second == cost) continue;
    api::Pod priced = pod;
    priced.meta.annotations[kPodDeletionCost] = cost;
    out.actions.push_back(PutObject{std::move(priced)});
  }
}

// The claims that the new replicas will need, before their pods exist. The same solver places the
// real pods on these claims a moment later.
void JointController::claim_nodes(const api::Deployment& deployment, int32_t replicas,
                                  const cluster::State& state, Instant now, Outcome& out) {
  const auto existing = static_cast<int32_t>(state.pods_of(deployment.meta.uid).size());
  std::deque<api::Pod> planned;
  for (int32_t i = existing; i < replicas; ++i) {
    api::Pod pod;
    pod.meta.name = fmt::format("{}-planned-{}", deployment.meta.name, i);
    pod.meta.namespace_name = deployment.meta.namespace_name;
    pod.meta.uid = pod.meta.name;
    pod.meta.labels = deployment.pod_template.labels;
    pod.meta.created = now;
    pod.meta.owners.push_back(
        {"apps/v1", "ReplicaSet", deployment.meta.name, deployment.meta.uid, true});
    pod.spec = deployment.pod_template.spec;
    planned.push_back(std::move(pod));
  }
  scheduling::Problem problem = cluster_problem(state, view_->offerings(), now);
  // kube-scheduler will take GPUs from batch pods of lower priority, so they count as free.
  const int32_t priority = priority_of(deployment, state);
  for (scheduling::ExistingNode& node : problem.nodes) {
    for (const std::string& key : state.pods_on(node.name)) {
      const api::Pod& pod = state.pods().at(key);
      const bool yields =
          !pod.terminal() && is_batch(pod) && pod.spec.priority.value_or(0) < priority;
      if (yields) node.available += api::pod_requests(pod.spec);
    }
  }
  for (const api::Pod& pod : planned) problem.pods.push_back(&pod);
  for (const api::Pod* pod : pending_pods(state)) {
    if (!is_batch(*pod)) problem.pods.push_back(pod);
  }
  view_->shape(problem, state, now);
  for (const scheduling::NewClaim& wanted : scheduling::solve(problem).claims) {
    const api::NodePool& pool = state.node_pools().at(wanted.pool);
    api::NodeClaim claim = scheduling::to_node_claim(wanted, pool);
    claim.meta.name = claim_name(wanted.pool + "-j", names_, state);
    claim.meta.uid = "claim-" + claim.meta.name;
    claim.meta.created = now;
    nominations_->until[claim.meta.name] = now + kNominationWindow;
    out.decisions.push_back({"NodeClaim/" + claim.meta.name,
                             "create",
                             {{"requests", api::to_string(wanted.requests)}},
                             fmt::format("{} type{}, cheapest {} at ${:.4f}/h", wanted.types.size(),
                                         wanted.types.size() == 1 ? "" : "s",
                                         wanted.types.front()->name, wanted.usd_per_hour),
                             {fmt::format("with the decision for {} replicas of {}", replicas,
                                          deployment.meta.key())}});
    out.actions.push_back(PutObject{std::move(claim)});
  }
}

// What kubectl shows of the object; written when it says something new.
void JointController::tell(const api::ScaledObject& object, const char* ready, const char* reason,
                           const std::string& message, bool active, Instant now, Outcome& out) {
  api::ScaledObject told = object;
  bool changed = describe(told);
  const auto set = [&](const char* type, const char* status, const char* why, std::string words) {
    if (api::set_condition(told.conditions, {type, status, why, std::move(words), now})) {
      changed = true;
    }
  };
  set("Ready", ready, reason, message);
  set("Active", active ? "True" : "False", active ? "ScalerActive" : "ScalerNotActive",
      active ? "the model is asked" : "nobody asks the model");
  set("Fallback", "False", "NoFallbackFound", "the joint policy has none");
  if (changed) out.actions.push_back(PutObject{std::move(told)});
}

Outcome JointController::reconcile(const std::string& key, const cluster::State& state,
                                   Instant now) {
  Outcome out;
  const api::ScaledObject* object = state.scaled_objects().find(key);
  const api::Deployment* deployment = object == nullptr ? nullptr : target_of(*object, state);
  const cluster::InferenceModel* model =
      deployment == nullptr ? nullptr : state.model_of(deployment->meta.key());
  if (model == nullptr) return out;
  const cluster::ModelSignals* signals = state.signals(model->name);
  if (signals == nullptr) {
    tell(*object, "Unknown", "NoSignals", "the model's servers have not been read yet", false, now,
         out);
    return out;
  }
  const bool asked = signals->waiting > 0 ||
                     std::ranges::any_of(signals->arrivals, [](double n) { return n > 0; });
  const auto choice = view_->choose(*model, *deployment, state, now);
  if (!choice) {
    if (signals->output_mean > 0 && unserved_.insert(key).second) {
      out.decisions.push_back(
          {"ScaledObject/" + key,
           "hold",
           {{"target", "Deployment/" + deployment->meta.key()}, {"slo", to_string(model->slo)}},
           "replicas stay as they are",
           {fmt::format("no instance type of the pools serves {} within its SLO", model->name)}});
    }
    tell(*object, "Unknown", "NoChoice",
         signals->output_mean > 0 ? "no NodePool offers a GPU that serves the model"
                                  : "no request of the model has ended yet",
         asked, now, out);
    return out;
  }
  unserved_.erase(key);
  tell(*object, "True", "ScaledObjectReady", "ready for scaling", asked, now, out);
  // Replicas on slower GPUs are worth less than one of the chosen type. What they lack is made up
  // for by so many more, until enough of the others are Ready; then the slow ones go.
  const JointView::Worth worth = view_->worth(*model, *deployment, *choice, state);
  price_pods(worth, state, out);
  const auto lacking = static_cast<int32_t>(std::lround(deployment->replicas - worth.all));
  const scaling::DemandInput input = demand_input(
      *object, *model, *signals, *choice, deployment->replicas, lacking, view_->look_back());
  const scaling::DemandDecision decision = scaling::evaluate_demand(input);
  const bool enough = worth.ready >= decision.replicas - 0.25;
  const int32_t replicas =
      std::clamp(decision.replicas + (enough ? 0 : lacking), object->min(), object->max());
  if (replicas == deployment->replicas) return out;
  // Too short a history knows no peak to keep replicas for.
  const bool young =
      signals->period * static_cast<int64_t>(signals->arrivals.size()) < view_->look_back() / 9;
  if (replicas < deployment->replicas && young) return out;
  out.actions.push_back(ScaleDeployment{deployment->meta.key(), replicas});
  out.decisions.push_back(
      {"ScaledObject/" + key,
       "scale",
       {{"target", "Deployment/" + deployment->meta.key()},
        {"requests_per_s", fmt::format("{:.3f}", decision.forecast.rate_now)},
        {"planned_per_s", fmt::format("{:.3f}", decision.forecast.rate_planned)},
        {"waiting", fmt::format("{:g}", signals->waiting)},
        {"replica_requests_per_s", fmt::format("{:.3f}", input.replica_requests_per_s)},
        {"lacking_on_slower_gpus", std::to_string(lacking)},
        {"lead", to_string(input.lead)}},
       fmt::format("{} -> {} replicas", deployment->replicas, replicas),
       {decision.why, choice->why}});
  if (replicas > deployment->replicas) claim_nodes(*deployment, replicas, state, now, out);
  return out;
}

}  // namespace windlass::controllers
