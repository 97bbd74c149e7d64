#include "live/run/ownership.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cluster/resources.h"

namespace windlass::live {
namespace {

using cluster::Kind;

constexpr Duration kPoll = seconds(10);
// Leases of controller-runtime and client-go last 15 s; a record that stands longer than this is
// nobody's.
constexpr Duration kStale = seconds(40);
constexpr Duration kPatchAgain = seconds(10);
constexpr std::string_view kPaused = "autoscaling.keda.sh/paused";

bool has(const api::StringMap& annotations, std::string_view key) {
  const auto it = annotations.find(key);
  return it != annotations.end() && it->second == "true";
}

bool is_disabled(const api::HorizontalPodAutoscaler& hpa) {
  const auto off = [](const std::optional<api::ScalingRules>& rules) {
    return rules && rules->select == api::SelectPolicy::kDisabled;
  };
  return hpa.behavior && off(hpa.behavior->scale_up) && off(hpa.behavior->scale_down);
}

Json document_of(const api::HorizontalPodAutoscaler& hpa) {
  return hpa.raw != nullptr ? *hpa.raw : api::encode(hpa);
}

// Disables both directions and keeps what was there.
Json disabling(const api::HorizontalPodAutoscaler& hpa) {
  const Json document = document_of(hpa);
  const Json spec = document.value("spec", Json::object());
  const Json former = spec.contains("behavior") ? spec["behavior"] : Json();
  return {{"metadata", {{"annotations", {{std::string(kFormerBehavior), former.dump()}}}}},
          {"spec",
           {{"behavior",
             {{"scaleUp", {{"selectPolicy", "Disabled"}}},
              {"scaleDown", {{"selectPolicy", "Disabled"}}}}}}}};
}

Json restoring(const api::HorizontalPodAutoscaler& hpa) {
  const auto kept = hpa.meta.annotations.find(kFormerBehavior);
  const auto former =
      kept == hpa.meta.annotations.end() ? Result<Json>(Json()) : parse_json(kept->second);
  Json behavior = former.ok() ? *former : Json();
  if (behavior.is_object()) {
    // The select policy must not stay behind where the former rules had none.
    for (const char* direction : {"scaleUp", "scaleDown"}) {
      if (!behavior.contains(direction)) {
        behavior[direction] = nullptr;
      } else if (!behavior[direction].contains("selectPolicy")) {
        behavior[direction]["selectPolicy"] = nullptr;
      }
    }
  }
  return {{"metadata", {{"annotations", {{std::string(kFormerBehavior), nullptr}}}}},
          {"spec", {{"behavior", behavior}}}};
}

}  // namespace

void LeaseWatch::observe(const kube::Reply& reply, Duration steady) {
  if (reply.code == 404) {
    life_ = Life::kAbsent;
    read_ = steady;
    return;
  }
  const auto body = reply.ok() ? parse_json(reply.body) : Result<Json>(Error("no lease"));
  const auto found = body.ok() && body->is_object() ? body->find("spec") : Json::const_iterator();
  // Another object has no holder, which must not be taken for a lease that nobody holds.
  const bool other = !body.ok() || !body->is_object() ||
                     (found == body->end() ? body->value("kind", Json()) != Json("Lease")
                                           : body->value("kind", Json("Lease")) != Json("Lease") ||
                                                 !found->is_object());
  if (other) {
    // What could not be read is as it was for as long as nobody could have come without being seen
    // at the next look; then it is not believed to be gone.
    if (life_ == Life::kAbsent && steady - read_ > kStale) life_ = Life::kUnknown;
    return;
  }
  read_ = steady;
  const Json spec = found != body->end() ? *found : Json::object();
  const auto text = [&](const char* key) {
    const auto it = spec.find(key);
    return it != spec.end() && it->is_string() ? it->get<std::string>() : std::string();
  };
  holder_ = text("holderIdentity");
  const std::string record = holder_ + "|" + text("renewTime") + "|" + text("acquireTime");
  if (record != record_ || life_ == Life::kUnknown || life_ == Life::kAbsent) {
    record_ = record;
    changed_ = steady;
  }
  life_ = holder_.empty()              ? Life::kAbsent
          : steady - changed_ > kStale ? Life::kStale
                                       : Life::kAlive;
}

Ownership::Ownership(kube::Api& api, net::Clock& clock, OwnershipOptions options)
    : api_(api), clock_(clock), options_(std::move(options)) {
  const auto lease = [](const std::string& space, const char* name) {
    return "/apis/coordination.k8s.io/v1/namespaces/" + space + "/leases/" + name;
  };
  for (const std::string& space : options_.karpenter_namespaces) {
    karpenter_.emplace_back(lease(space, "karpenter-leader-election"), LeaseWatch());
  }
  for (const std::string& space : options_.keda_namespaces) {
    keda_.emplace_back(lease(space, "operator.keda.sh"), LeaseWatch());
  }
}

void Ownership::start() { poll(); }

void Ownership::poll() {
  if (options_.observe) return look_at_all();
  for (auto* leases : {&karpenter_, &keda_}) {
    for (auto& [path, watch] : *leases) {
      kube::Request request;
      request.path = path;
      api_.send(std::move(request), guard_([this, lease = &watch](const kube::Reply& reply) {
                  const LeaseWatch::Life before = lease->life();
                  lease->observe(reply, clock_.steady());
                  if (lease->life() != before) look_at_all();
                }));
    }
  }
  look_at_all();  // what was asked of others may have failed
  clock_.after(kPoll, guard_([this] { poll(); }));
}

// The liveliest of several places it may stand in.
LeaseWatch::Life Ownership::life(
    const std::vector<std::pair<std::string, LeaseWatch>>& leases) const {
  using Life = LeaseWatch::Life;
  Life out = Life::kAbsent;
  for (const auto& [path, watch] : leases) {
    if (watch.life() == Life::kUnknown) return Life::kUnknown;
    out = std::max(out, watch.life());
  }
  return out;
}

bool Ownership::known() const {
  return options_.observe || (life(karpenter_) != LeaseWatch::Life::kUnknown &&
                              life(keda_) != LeaseWatch::Life::kUnknown);
}

void Ownership::put(uint64_t version, api::Object object) {
  const Id id{static_cast<Kind>(object.index()), api::meta_of(object).key()};
  switch (id.first) {
    case Kind::kHorizontalPodAutoscaler: {
      const auto hpa = std::get<api::HorizontalPodAutoscaler>(object);
      held_[id] = {version, object, true};
      on_ours(version, std::move(object));
      return look_at_target(hpa.meta.namespace_name, hpa.target);
    }
    case Kind::kNodeClaim: {
      auto& claim = std::get<api::NodeClaim>(object);
      HeldClaim& held = claims_[id.second];
      held.version = version;
      held.pool = claim.pool();
      held.object = std::make_unique<api::NodeClaim>(std::move(claim));
      return look_at_claim(id.second, held);
    }
    case Kind::kScaledObject:
    case Kind::kNodePool: {
      const bool ours = held_.contains(id) && held_[id].ours;
      held_[id] = {version, std::move(object), ours};
      look_at(id, true);
      if (id.first != Kind::kNodePool) return;
      for (auto& [name, claim] : claims_) {
        if (claim.pool == id.second) look_at_claim(name, claim);
      }
      return;
    }
    default:
      on_ours(version, std::move(object));
  }
}

void Ownership::gone(Kind kind, const std::string& key) {
  const Id id{kind, key};
  if (kind == Kind::kNodeClaim && claims_.erase(key) > 0) refused_.erase(id);
  const auto found = held_.find(id);
  if (found != held_.end()) {
    const api::Object object = std::move(found->second.object);
    held_.erase(found);
    refused_.erase(id);
    patched_.erase(id);
    on_not_ours(kind, key);
    if (const auto* hpa = std::get_if<api::HorizontalPodAutoscaler>(&object)) {
      look_at_target(hpa->meta.namespace_name, hpa->target);
    }
    return;
  }
  on_not_ours(kind, key);
}

void Ownership::look_at_all() {
  for (const auto& [id, held] : held_) {
    if (id.first != Kind::kHorizontalPodAutoscaler) look_at(id);
  }
  for (auto& [name, claim] : claims_) look_at_claim(name, claim);
}

// Those of one kind stand together.
std::ranges::subrange<std::map<Ownership::Id, Ownership::Held>::const_iterator> Ownership::all_of(
    Kind kind) const {
  const auto next = static_cast<Kind>(static_cast<int>(kind) + 1);
  return {held_.lower_bound({kind, ""}), held_.lower_bound({next, ""})};
}

void Ownership::look_at_target(const std::string& namespace_name, const api::ScaleTarget& target) {
  for (const auto& [id, held] : all_of(Kind::kScaledObject)) {
    const auto* object = std::get_if<api::ScaledObject>(&held.object);
    const bool same = object != nullptr && object->meta.namespace_name == namespace_name &&
                      object->target_kind == target.kind && object->target_name == target.name;
    if (same) look_at(id);
  }
}

void Ownership::look_at(const Id& id, bool changed) {
  Held& held = held_.at(id);
  std::string why;
  std::optional<api::ScaledObject> scaled;  // as it goes into the State
  if (!known()) {
    why = "it is not known yet whether KEDA or Karpenter run here";
  } else if (const auto* object = std::get_if<api::ScaledObject>(&held.object)) {
    scaled = *object;
    why = why_not(*scaled);
  } else if (const auto* pool = std::get_if<api::NodePool>(&held.object)) {
    why = why_not(*pool);
  }
  if (why.empty()) {
    const bool news = changed || !held.ours;
    held.ours = true;
    if (refused_.erase(id) > 0 && on_refused) on_refused(id.first, id.second, "");
    if (!news) return;
    on_ours(held.version, scaled ? api::Object(*std::move(scaled)) : held.object);
    return;
  }
  if (held.ours) {
    held.ours = false;
    on_not_ours(id.first, id.second);
  }
  std::string& said = refused_[id];
  if (said == why) return;
  said = why;
  if (known() && on_refused) on_refused(id.first, id.second, why);
}

// Of claims nobody is told why: their pools say it.
void Ownership::look_at_claim(const std::string& name, HeldClaim& held) {
  const Id id{Kind::kNodeClaim, name};
  const std::string why =
      known() ? why_not_claim(held.pool) : "it is not known yet whether Karpenter runs here";
  if (why.empty()) {
    held.ours = true;
    refused_.erase(id);
    if (held.object == nullptr) return;
    const std::unique_ptr<api::NodeClaim> object = std::move(held.object);
    return on_ours(held.version, std::move(*object));
  }
  if (held.ours) {
    held.ours = false;
    // Without an answer it is ours again when the server next tells of it.
    if (auto now = claim_there ? claim_there(name) : std::nullopt; now && held.object == nullptr) {
      held.object = std::make_unique<api::NodeClaim>(*std::move(now));
    }
    on_not_ours(id.first, id.second);
  }
  refused_[id] = why;
}

std::vector<const api::HorizontalPodAutoscaler*> Ownership::autoscalers_of(
    const api::ScaledObject& object) const {
  std::vector<const api::HorizontalPodAutoscaler*> out;
  for (const auto& [id, held] : all_of(Kind::kHorizontalPodAutoscaler)) {
    const auto* hpa = std::get_if<api::HorizontalPodAutoscaler>(&held.object);
    const bool same = hpa != nullptr && hpa->meta.namespace_name == object.meta.namespace_name &&
                      hpa->target.kind == object.target_kind &&
                      hpa->target.name == object.target_name;
    if (same) out.push_back(hpa);
  }
  return out;
}

void Ownership::patch(const Id& id, const Json& patch) {
  std::string text = patch.dump();
  const auto asked = patched_.find(id);
  const bool again = asked != patched_.end() && asked->second.second == text &&
                     clock_.steady() - asked->second.first < kPatchAgain;
  if (again || (may_send && !may_send())) return;
  patched_[id] = {clock_.steady(), text};
  kube::Request request;
  request.verb = kube::Verb::kPatch;
  request.path = cluster::api_path(id.first, id.second);
  request.content_type = kube::content_type(kube::PatchType::kMerge);
  request.body = std::move(text);
  // What came of it is seen by the watcher; what failed is asked for again at the next look.
  api_.send(std::move(request), [](const kube::Reply&) {});
}

// May take the pause off the copy that goes into the State: it is ours, not the user's.
std::string Ownership::why_not(api::ScaledObject& object) {
  if (options_.observe) return {};
  const Id id{Kind::kScaledObject, object.meta.key()};
  const bool keda = life(keda_) == LeaseWatch::Life::kAlive;
  const auto autoscalers = autoscalers_of(object);
  if (!has(object.meta.annotations, kTakeOver)) {
    give_back(object);
    if (keda) {
      return fmt::format("KEDA runs it; the annotation {}=true takes it over", kTakeOver);
    }
    if (!autoscalers.empty()) {
      return fmt::format(
          "the HorizontalPodAutoscaler {} scales its target; the annotation {}=true "
          "takes it over",
          autoscalers.front()->meta.name, kTakeOver);
    }
    return {};
  }
  const bool paused = has(object.meta.annotations, kPausedKeda);
  if (keda && !paused) {
    patch(id, {{"metadata",
                {{"annotations",
                  {{std::string(kPaused), "true"}, {std::string(kPausedKeda), "true"}}}}}});
    return "KEDA was asked to let go of it";
  }
  for (const api::HorizontalPodAutoscaler* hpa : autoscalers) {
    if (is_disabled(*hpa)) continue;
    if (keda && hpa->meta.name.starts_with("keda-hpa-")) {
      return fmt::format("waits until KEDA has removed the HorizontalPodAutoscaler {}",
                         hpa->meta.name);
    }
    patch({Kind::kHorizontalPodAutoscaler, hpa->meta.key()}, disabling(*hpa));
    return fmt::format("the HorizontalPodAutoscaler {} was asked to let go of its target",
                       hpa->meta.name);
  }
  if (paused) {
    object.meta.annotations.erase(std::string(kPaused));
    object.meta.annotations.erase(std::string(kPausedKeda));
  }
  return {};
}

void Ownership::give_back(const api::ScaledObject& object) {
  if (has(object.meta.annotations, kPausedKeda)) {
    patch({Kind::kScaledObject, object.meta.key()},
          {{"metadata",
            {{"annotations",
              {{std::string(kPaused), nullptr}, {std::string(kPausedKeda), nullptr}}}}}});
  }
  for (const api::HorizontalPodAutoscaler* hpa : autoscalers_of(object)) {
    if (!hpa->meta.annotations.contains(kFormerBehavior)) continue;
    patch({Kind::kHorizontalPodAutoscaler, hpa->meta.key()}, restoring(*hpa));
  }
}

std::string Ownership::why_not(const api::NodePool& pool) const {
  if (options_.observe) return {};
  switch (life(karpenter_)) {
    case LeaseWatch::Life::kAlive:
      return "Karpenter runs it; scale its Deployment to zero to take its pools over";
    case LeaseWatch::Life::kStale:
      if (has(pool.meta.annotations, kTakeOver)) return {};
      return fmt::format(
          "a Karpenter that stands still may come back to it; the annotation "
          "{}=true takes it over",
          kTakeOver);
    default:
      return {};
  }
}

std::string Ownership::why_not_claim(const std::string& name_of_pool) const {
  const auto pool = held_.find({Kind::kNodePool, name_of_pool});
  if (pool != held_.end()) return why_not(std::get<api::NodePool>(pool->second.object));
  const bool karpenter = !options_.observe && life(karpenter_) == LeaseWatch::Life::kAlive;
  return karpenter ? "Karpenter runs it" : "";
}

}  // namespace windlass::live
