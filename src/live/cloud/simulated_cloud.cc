#include "live/cloud/simulated_cloud.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "live/cloud/errands.h"
#include "live/cloud/simulated_end.h"
#include "live/cloud/simulated_instance.h"
#include "live/cloud/simulated_kubelet.h"
#include "live/cloud/simulated_node.h"

namespace windlass::live::cloud {
namespace {

constexpr const char* kPageSize = "500";

Result<SimulatedInstance> instance_in(const kube::Reply& reply) {
  const Result<Json> json = parse_json(reply.body);
  if (!json.ok()) return json.error();
  return read_instance(*json);
}

std::string refusal(const kube::Reply& reply) {
  return fmt::format("{} ({})", reply.message.empty() ? reply.reason : reply.message, reply.code);
}

}  // namespace

struct SimulatedCloud::Impl {
  // An instance that is there.
  struct Held {
    SimulatedInstance facts;
    bool vanished = false;  // its ConfigMap is gone
    std::vector<std::function<void(Status)>> waiting;
    std::unique_ptr<SimulatedNode> node;
    std::unique_ptr<SimulatedEnd> end;
    Errands errands;
    Held(kube::Api& api, net::Clock& clock, SimulatedInstance instance)
        : facts(std::move(instance)), errands(api, clock) {}
  };
  struct Listing {
    std::set<std::string> known_before;
    std::set<std::string> seen;
    std::vector<CloudInstance> found;
    std::function<void(Result<std::vector<CloudInstance>>)> done;
  };

  Impl(SimulatedCloud& cloud, kube::Api& kube_api, net::Clock& the_clock,
       const catalog::Catalog& types, SimulatedCloudOptions the_options)
      : owner(cloud),
        api(kube_api),
        clock(the_clock),
        catalog(types),
        options(std::move(the_options)),
        kubelets(api, clock, {options.pod_pull, options.pod_ready, options.pod_stop}),
        errands(api, clock) {}

  [[nodiscard]] std::string maps() const {
    return "/api/v1/namespaces/" + options.namespace_name + "/configmaps";
  }
  [[nodiscard]] const catalog::InstanceType* type_of(const SimulatedInstance& instance) const;
  [[nodiscard]] bool has_capacity(const controllers::LaunchOffer& offer) const;
  [[nodiscard]] std::string free_node_name(const SimulatedInstance& instance) const;
  [[nodiscard]] Duration until(Instant at, Duration at_most) const;
  Held* by_node(const std::string& node);

  void create(const SimulatedInstance& wanted, std::vector<std::string> refused,
              std::function<void(LaunchAnswer)> done);
  void read_existing(const std::string& name, std::function<void()> absent,
                     std::vector<std::string> refused, std::function<void(LaunchAnswer)> done);
  void answer(const std::string& name, std::vector<std::string> refused,
              std::function<void(LaunchAnswer)> done);
  void fail(std::string error, bool no_capacity, std::vector<std::string> refused,
            std::function<void(LaunchAnswer)> done);
  Held& hold(const SimulatedInstance& facts);
  void start_node(Held& held);
  void rename(Held& held);
  void write_down(Held& held, std::function<void()> then);
  void interrupt(Held& held, bool is_new);
  void begin_end(Held& held);
  void shut(Held& held);
  void finish(Held& held);
  void list_page(const std::shared_ptr<Listing>& listing, const std::string& from);
  void listed(Listing& listing);

  SimulatedCloud& owner;
  kube::Api& api;
  net::Clock& clock;
  const catalog::Catalog& catalog;
  SimulatedCloudOptions options;
  SimulatedKubelets kubelets;
  std::map<std::string, std::unique_ptr<Held>> instances;  // by the ConfigMap's name
  std::set<std::string> to_interrupt;                      // nodes, before resume() was done
  bool resumed = false;
  Errands errands;  // ends first
};

const catalog::InstanceType* SimulatedCloud::Impl::type_of(
    const SimulatedInstance& instance) const {
  const catalog::InstanceType* type =
      options.type_of ? options.type_of(instance.node_class, instance.instance_type) : nullptr;
  return type != nullptr ? type : catalog.find(instance.instance_type);
}

bool SimulatedCloud::Impl::has_capacity(const controllers::LaunchOffer& offer) const {
  return std::none_of(options.without_capacity.begin(), options.without_capacity.end(),
                      [&](const std::string& pattern) { return names_offer(pattern, offer); });
}

std::string SimulatedCloud::Impl::free_node_name(const SimulatedInstance& instance) const {
  const auto taken = [&](const std::string& name) {
    return std::any_of(instances.begin(), instances.end(), [&](const auto& entry) {
      return entry.second->facts.node_name == name && entry.second->facts.token != instance.token;
    });
  };
  for (int attempt = instance.names_taken;; ++attempt) {
    std::string name = node_name_for(instance.token, region_of(instance.zone), attempt);
    if (!taken(name)) return name;
  }
}

Duration SimulatedCloud::Impl::until(Instant at, Duration at_most) const {
  // A wall clock that jumped must not make anybody wait longer than the delay itself.
  return std::clamp(at - clock.now(), Duration{}, at_most);
}

SimulatedCloud::Impl::Held* SimulatedCloud::Impl::by_node(const std::string& node) {
  for (auto& [name, held] : instances) {
    if (held->facts.node_name == node) return held.get();
  }
  return nullptr;
}

// --- launching ---

void SimulatedCloud::launch(const LaunchRequest& request, std::function<void(LaunchAnswer)> done) {
  Impl& impl = *impl_;
  const std::string name = instance_name(request.token);
  if (impl.instances.contains(name)) return impl.answer(name, {}, std::move(done));
  std::vector<std::string> refused;
  for (const controllers::LaunchOffer& offer : request.offers) {
    if (!impl.has_capacity(offer)) {
      refused.push_back(
          cluster::offering_key(offer.instance_type, offer.zone, offer.capacity_type));
      continue;
    }
    SimulatedInstance wanted;
    wanted.token = request.token;
    wanted.claim = request.claim.meta.name;
    wanted.pool = request.claim.pool();
    wanted.node_class = request.claim.node_class.name;
    wanted.instance_type = offer.instance_type;
    wanted.zone = offer.zone;
    wanted.capacity_type = offer.capacity_type;
    wanted.reservation_id = offer.reservation_id;
    wanted.usd_per_hour = offer.usd_per_hour;
    wanted.provider_id = provider_id_for(request.token, offer.zone);
    wanted.node_name = impl.free_node_name(wanted);
    wanted.launched = impl.clock.now();
    return impl.create(wanted, std::move(refused), std::move(done));
  }
  // There may be an instance of this token from when there was capacity.
  impl.read_existing(
      name,
      [&impl, refused, done] {
        impl.fail("InsufficientInstanceCapacity: none of the offerings has capacity", true, refused,
                  done);
      },
      refused, done);
}

void SimulatedCloud::Impl::create(const SimulatedInstance& wanted, std::vector<std::string> refused,
                                  std::function<void(LaunchAnswer)> done) {
  errands.send(post(maps(), config_map_of(wanted, options.namespace_name)),
               [this, wanted, refused, done](const kube::Reply& reply) {
                 const std::string name = instance_name(wanted.token);
                 if (reply.ok()) {
                   hold(wanted);
                   answer(name, refused, done);
                 } else if (reply.code == kConflict) {
                   // Launched before; or it ended between the two questions.
                   read_existing(
                       name, [this, wanted, refused, done] { create(wanted, refused, done); },
                       refused, done);
                 } else {
                   fail(refusal(reply), false, refused, done);
                 }
                 return true;
               });
}

void SimulatedCloud::Impl::read_existing(const std::string& name, std::function<void()> absent,
                                         std::vector<std::string> refused,
                                         std::function<void(LaunchAnswer)> done) {
  errands.send(get(maps() + "/" + name),
               [this, name, absent = std::move(absent), refused, done](const kube::Reply& reply) {
                 if (reply.code == kNotFound) {
                   absent();
                   return true;
                 }
                 if (!reply.ok()) {
                   fail(refusal(reply), false, refused, done);
                   return true;
                 }
                 // What is not the ConfigMap that was asked for says nothing about it.
                 if (!kube::object_in(reply, name).ok()) return false;
                 const Result<SimulatedInstance> found = instance_in(reply);
                 if (!found.ok()) {
                   fail(found.error().message(), false, refused, done);
                   return true;
                 }
                 hold(*found);
                 answer(name, refused, done);
                 return true;
               });
}

void SimulatedCloud::Impl::answer(const std::string& name, std::vector<std::string> refused,
                                  std::function<void(LaunchAnswer)> done) {
  const SimulatedInstance& facts = instances.at(name)->facts;
  errands.after(until(facts.launched + options.launch, options.launch),
                [this, facts, refused = std::move(refused), done = std::move(done)] {
                  LaunchAnswer out = answer_of(facts, clock.now());
                  out.without_capacity = refused;
                  done(std::move(out));
                });
}

void SimulatedCloud::Impl::fail(std::string error, bool no_capacity,
                                std::vector<std::string> refused,
                                std::function<void(LaunchAnswer)> done) {
  LaunchAnswer out;
  out.result.error = std::move(error);
  out.result.insufficient_capacity = no_capacity;
  out.without_capacity = std::move(refused);
  errands.after(options.launch, [this, out = std::move(out), done = std::move(done)]() mutable {
    out.result.at = clock.now();
    done(std::move(out));
  });
}

// --- the life of an instance ---

// Takes it up where it stands. One that is known already stays as it is.
SimulatedCloud::Impl::Held& SimulatedCloud::Impl::hold(const SimulatedInstance& facts) {
  const std::string name = instance_name(facts.token);
  const auto [it, fresh] = instances.try_emplace(name);
  if (!fresh) return *it->second;
  it->second = std::make_unique<Held>(api, clock, facts);
  Held& held = *it->second;
  if (held.facts.going) {
    held.errands.after(until(*facts.going + options.shutdown, options.shutdown),
                       [this, &held] { shut(held); });
  } else {
    start_node(held);
    if (held.facts.taken_at) interrupt(held, false);
  }
  return held;
}

void SimulatedCloud::Impl::start_node(Held& held) {
  const catalog::InstanceType* type = type_of(held.facts);
  if (type == nullptr) {
    log::warning(fmt::format("simulated instance {}: type {} is not in the catalogue; no node",
                             held.facts.provider_id, held.facts.instance_type));
    return;
  }
  const Instant boots_at = held.facts.launched + options.launch + options.boot;
  const NodeTimes times{boots_at, boots_at + options.device_plugin, options.lease_period,
                        options.heartbeat};
  held.node = std::make_unique<SimulatedNode>(api, clock, held.facts, *type, times);
  held.node->on_joined = [this, &held] {
    held.facts.joined = clock.now();
    write_down(held, {});
  };
  held.node->on_ready = [this, &held] { kubelets.add_node(held.facts.node_name); };
  held.node->on_lost = [this, &held] { kubelets.remove_node(held.facts.node_name); };
  held.node->on_name_taken = [this, &held] { rename(held); };
  held.node->start();
}

void SimulatedCloud::Impl::rename(Held& held) {
  ++held.facts.names_taken;
  held.facts.node_name = free_node_name(held.facts);
  // Written down before it is used, or nobody would know whose Node it is.
  write_down(held, [this, &held] {
    if (!held.facts.going) start_node(held);
  });
}

void SimulatedCloud::Impl::write_down(Held& held, std::function<void()> then) {
  const std::string path = maps() + "/" + instance_name(held.facts.token);
  held.errands.send(patch(path, {{"data", changing_data(held.facts)}}, kube::PatchType::kMerge),
                    [this, &held, then = std::move(then)](const kube::Reply& reply) {
                      if (reply.code == kNotFound) {
                        held.vanished = true;
                        begin_end(held);
                        return true;
                      }
                      if (!reply.ok()) return false;
                      if (then) then();
                      return true;
                    });
}

void SimulatedCloud::Impl::interrupt(Held& held, bool is_new) {
  if (is_new) {
    held.facts.taken_at = clock.now() + options.spot_notice;
    write_down(held, {});
  }
  held.errands.after({}, [this, &held] {
    const bool spot = held.facts.capacity_type == api::kSpot;
    if (owner.on_interruption) {
      owner.on_interruption(held.facts.provider_id,
                            spot ? "spot interruption" : "scheduled maintenance");
    }
  });
  held.errands.after(until(*held.facts.taken_at, options.spot_notice),
                     [this, &held] { begin_end(held); });
}

// --- its end ---

void SimulatedCloud::terminate(const std::string& provider_id, std::function<void(Status)> done) {
  Impl& impl = *impl_;
  const std::optional<std::string> name = instance_name_of(provider_id);
  if (!name) {
    impl.errands.after({}, [done = std::move(done)] { done({}); });
    return;
  }
  const auto known = impl.instances.find(*name);
  if (known != impl.instances.end()) {
    known->second->waiting.push_back(std::move(done));
    return impl.begin_end(*known->second);
  }
  impl.errands.send(get(impl.maps() + "/" + *name), [&impl, done,
                                                     name = *name](const kube::Reply& reply) {
    const bool absent = reply.code == kNotFound;
    if (reply.ok() && !kube::object_in(reply, name).ok()) return false;
    const Result<SimulatedInstance> found = reply.ok() ? instance_in(reply) : Error(refusal(reply));
    if (absent || !found.ok()) {
      done(absent ? Status() : found.error());
      return true;
    }
    SimulatedCloud::Impl::Held& held = impl.hold(*found);
    held.waiting.push_back(done);
    impl.begin_end(held);
    return true;
  });
}

void SimulatedCloud::Impl::begin_end(Held& held) {
  if (held.end != nullptr) return;
  if (held.vanished) return shut(held);
  if (held.facts.going) return;
  held.facts.going = clock.now();
  write_down(
      held, [this, &held] { held.errands.after(options.shutdown, [this, &held] { shut(held); }); });
}

// The machine is off.
void SimulatedCloud::Impl::shut(Held& held) {
  if (held.end != nullptr) return;
  if (!held.facts.going) held.facts.going = clock.now();
  kubelets.remove_node(held.facts.node_name);
  // Later, as this may be the node's own call.
  held.errands.after({}, [this, &held] {
    held.node.reset();
    kubelets.remove_node(held.facts.node_name);
  });
  held.end =
      std::make_unique<SimulatedEnd>(api, clock, held.facts.node_name, held.facts.provider_id,
                                     maps() + "/" + instance_name(held.facts.token));
  held.end->on_done = [this, &held] { finish(held); };
  held.end->start();
}

void SimulatedCloud::Impl::finish(Held& held) {
  const auto waiting = std::move(held.waiting);
  instances.erase(instance_name(held.facts.token));
  for (const auto& done : waiting) done({});
}

// --- what is there ---

void SimulatedCloud::list(std::function<void(Result<std::vector<CloudInstance>>)> done) {
  const auto listing = std::make_shared<Impl::Listing>();
  for (const auto& [name, held] : impl_->instances) listing->known_before.insert(name);
  listing->done = std::move(done);
  impl_->list_page(listing, {});
}

void SimulatedCloud::Impl::list_page(const std::shared_ptr<Listing>& listing,
                                     const std::string& from) {
  kube::Request request = get(maps());
  request.query = {{"labelSelector", std::string(kInstanceLabel) + "=true"}, {"limit", kPageSize}};
  if (!from.empty()) request.query.emplace_back("continue", from);
  errands.send(std::move(request), [this, listing](const kube::Reply& reply) {
    const Result<Json> json = reply.ok() ? kube::list_in(reply) : Error(refusal(reply));
    if (reply.code == 410) {  // the pages took too long
      listing->seen.clear();
      listing->found.clear();
      list_page(listing, {});
      return true;
    }
    if (!json.ok()) {
      listing->done(json.error());
      return true;
    }
    for (const Json& item : json->at("items")) {
      const Result<SimulatedInstance> instance = read_instance(item);
      if (!instance.ok()) {
        log::warning(instance.error().message());
        continue;
      }
      listing->seen.insert(instance_name(instance->token));
      listing->found.push_back(cloud_instance(hold(*instance).facts));
    }
    const Json more = json->at("metadata").value("continue", Json());
    const std::string next = more.is_string() ? more.get<std::string>() : "";
    if (!next.empty()) {
      list_page(listing, next);
    } else {
      listed(*listing);
    }
    return true;
  });
}

// Instances that were there before the question and are not in the answer: somebody removed their
// ConfigMap, and the machine with it.
void SimulatedCloud::Impl::listed(Listing& listing) {
  for (const std::string& name : listing.known_before) {
    const auto held = instances.find(name);
    if (held == instances.end() || listing.seen.contains(name)) continue;
    held->second->vanished = true;
    begin_end(*held->second);
  }
  listing.done(std::move(listing.found));
}

// --- the seam ---

SimulatedCloud::SimulatedCloud(kube::Api& api, net::Clock& clock, const catalog::Catalog& catalog,
                               SimulatedCloudOptions options)
    : impl_(std::make_unique<Impl>(*this, api, clock, catalog, std::move(options))) {}
SimulatedCloud::~SimulatedCloud() = default;

void SimulatedCloud::resume(std::function<void()> done) {
  list([this, done = std::move(done)](const Result<std::vector<CloudInstance>>& found) {
    if (!found.ok()) {
      log::warning("simulated instances can't be listed: " + found.error().message());
      impl_->errands.after(seconds(5), [this, done] { resume(done); });
      return;
    }
    impl_->resumed = true;
    std::set<std::string> nodes;
    for (const auto& [name, held] : impl_->instances) nodes.insert(held->facts.node_name);
    impl_->kubelets.forget_others(nodes);
    for (const std::string& node : std::exchange(impl_->to_interrupt, {})) {
      Impl::Held* held = impl_->by_node(node);
      if (held != nullptr && !held->facts.taken_at && !held->facts.going) {
        impl_->interrupt(*held, true);
      }
    }
    if (done) done();
  });
}

void SimulatedCloud::pod_changed(const api::Pod& pod) {
  if (pod.spec.node_name.empty()) return;
  const bool expected = !impl_->resumed || impl_->kubelets.has_node(pod.spec.node_name) ||
                        impl_->by_node(pod.spec.node_name) != nullptr;
  impl_->kubelets.pod_changed(pod, expected);
}

void SimulatedCloud::pod_gone(const std::string& key) { impl_->kubelets.pod_gone(key); }

void SimulatedCloud::node_changed(const api::Node& node) {
  const auto asked = node.meta.annotations.find(kInterrupt);
  if (asked == node.meta.annotations.end() || asked->second != "true") return;
  if (!impl_->resumed) impl_->to_interrupt.insert(node.meta.name);
  Impl::Held* held = impl_->by_node(node.meta.name);
  const bool stays = held != nullptr && !held->facts.taken_at && !held->facts.going;
  if (stays && held->facts.provider_id == node.provider_id) impl_->interrupt(*held, true);
}

void SimulatedCloud::node_gone(const std::string& name) {
  impl_->to_interrupt.erase(name);
  Impl::Held* held = impl_->by_node(name);
  if (held != nullptr && held->node != nullptr) held->node->doubt();
}

void SimulatedCloud::set_without_capacity(std::vector<std::string> patterns) {
  impl_->options.without_capacity = std::move(patterns);
}

}  // namespace windlass::live::cloud
