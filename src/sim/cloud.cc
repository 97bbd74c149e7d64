#include "sim/cloud.h"

#include <algorithm>

#include <fmt/format.h>

namespace windlass::sim {
namespace {

constexpr Duration kMinimumBilling = seconds(60);
// Karpenter remembers an offering without capacity this long (reference karpenter.md 3).
constexpr Duration kUnavailableFor = minutes(3);

bool listed(const std::vector<std::string>& list, const std::string& value) {
  return list.empty() || std::find(list.begin(), list.end(), value) != list.end();
}

Duration billed(const Instance& instance, Instant now) {
  const Duration life = instance.terminated.value_or(now) - instance.launched;
  return instance.terminated ? std::max(life, kMinimumBilling) : life;
}

}  // namespace

Cloud::Cloud(Context& context)
    : context_(context),
      delays_(context.stream("cloud delays")),
      spot_(context.stream("spot interruptions")),
      gaps_(context.stream("capacity gaps")),
      accrued_at_(context.now) {}

void Cloud::accrue() {
  accrued_usd_ += rate_usd_per_hour_ * (context_.now - accrued_at_).hours();
  accrued_at_ = context_.now;
}

Instance& Cloud::create(const catalog::InstanceType& type, const std::string& zone,
                        const std::string& capacity_type, double price, const std::string& claim) {
  accrue();
  const uint64_t number = ++launched_;
  Instance instance;
  instance.provider_id = fmt::format("aws:///{}/i-{:017x}", zone, number);
  instance.node_name = fmt::format("ip-10-{}-{}-{}.ec2.internal", number / 62500 % 250,
                                   number / 250 % 250, 4 + number % 250);
  instance.claim = claim;
  instance.type = &type;
  instance.zone = zone;
  instance.capacity_type = capacity_type;
  instance.usd_per_hour = price;
  instance.launched = context_.now;
  rate_usd_per_hour_ += price;
  peak_ = std::max(peak_, ++running_);
  context_.note("launch", instance.provider_id);
  return instances_[instance.provider_id] = instance;
}

bool Cloud::out_of_capacity(const controllers::LaunchOffer& offer) {
  const auto blocked = blocked_.find(offer.instance_type);
  if (blocked != blocked_.end() && context_.now < blocked->second) return true;
  const Duration at = context_.now - context_.scenario.start;
  for (const CapacityGap& gap : context_.scenario.cloud.gaps) {
    const bool concerns = listed(gap.instance_types, offer.instance_type) &&
                          listed(gap.zones, offer.zone) &&
                          listed(gap.capacity_types, offer.capacity_type) && at >= gap.from &&
                          (!gap.until || at < *gap.until);
    if (concerns && gaps_.uniform() < gap.probability) return true;
  }
  return false;
}

bool Cloud::reservation_full(const std::string& id) const {
  if (id.empty()) return false;
  int64_t size = 0;
  for (const auto& [name, node_class] : context_.state.node_classes()) {
    for (const api::CapacityReservation& reservation : node_class.reservations) {
      if (reservation.id == id) size = reservation.available.value_or(1);
    }
  }
  const auto taken = std::count_if(instances_.begin(), instances_.end(), [&](const auto& entry) {
    return entry.second.reservation_id == id && !entry.second.terminated;
  });
  return taken >= size;
}

void Cloud::launch(const controllers::Launch& launch) {
  const auto [token, fresh] = tokens_.try_emplace(launch.token);
  if (!fresh) {
    // Asked again by a controller that was started anew: the answer is the same.
    const auto known = instances_.find(token->second);
    if (known != instances_.end() && known->second.answered && !known->second.terminated) {
      context_.after(context_.scenario.cloud.launch.draw(delays_),
                     [this, id = token->second] { answer_again(id); });
    }
    return;
  }
  for (const controllers::LaunchOffer& offer : launch.offers) {
    const catalog::InstanceType* type = context_.state.catalog().find(offer.instance_type);
    WL_ASSERT(type != nullptr);
    if (out_of_capacity(offer) || reservation_full(offer.reservation_id)) {
      context_.state.observe_unavailable(
          cluster::offering_key(offer.instance_type, offer.zone, offer.capacity_type),
          context_.now + kUnavailableFor);
      continue;
    }
    Instance& created =
        create(*type, offer.zone, offer.capacity_type, offer.usd_per_hour, launch.claim);
    created.reservation_id = offer.reservation_id;
    const std::string id = created.provider_id;
    token->second = id;
    context_.after(context_.scenario.cloud.launch.draw(delays_), [this, id] { answer(id); });
    return;
  }
  ++refused_;
  context_.note("refused", launch.claim);
  context_.after(
      context_.scenario.cloud.capacity_error.draw(delays_), [this, claim = launch.claim] {
        cluster::LaunchResult result;
        result.at = context_.now;
        result.error = "InsufficientInstanceCapacity: none of the offerings has capacity";
        result.insufficient_capacity = true;
        context_.state.observe_launch(claim, std::move(result));
      });
}

void Cloud::answer(const std::string& provider_id) {
  Instance& instance = instances_.at(provider_id);
  if (instance.terminated) return;  // its claim was removed by force meanwhile
  instance.answered = true;
  answer_again(provider_id);
  plan_interruption(instance);
  on_running(instance);
}

void Cloud::answer_again(const std::string& provider_id) {
  const Instance& instance = instances_.at(provider_id);
  context_.state.observe_launch(
      instance.claim,
      {context_.now, provider_id, instance.type->name, instance.zone, instance.capacity_type,
       instance.usd_per_hour, "", false, instance.reservation_id});
}

void Cloud::plan_interruption(const Instance& instance) {
  const double rate_per_h = context_.scenario.cloud.spot_interruptions_per_h;
  if (instance.capacity_type != api::kSpot || rate_per_h <= 0) return;
  const Duration life = from_seconds(spot_.exponential(rate_per_h / 3600));
  context_.after(life, [this, id = instance.provider_id] { interrupt(id); });
}

bool Cloud::interrupt(const std::string& provider_id) {
  const auto it = instances_.find(provider_id);
  if (it == instances_.end()) return false;
  Instance& taken = it->second;
  if (taken.capacity_type != api::kSpot || taken.terminated || taken.going || taken.noticed) {
    return false;
  }
  taken.noticed = true;
  taken.taken_at = context_.now + context_.scenario.cloud.spot_notice;
  ++interrupted_;
  context_.note("spot interruption", provider_id);
  context_.state.observe_unavailable(
      cluster::offering_key(taken.type->name, taken.zone, taken.capacity_type),
      context_.now + kUnavailableFor);
  context_.state.observe_interruption(provider_id, "spot interruption");
  context_.after(context_.scenario.cloud.spot_notice, [this, id = provider_id] { take_back(id); });
  return true;
}

void Cloud::take_back(const std::string& provider_id) {
  Instance& gone = instances_.at(provider_id);
  if (gone.terminated) return;
  gone.end_reason = "spot interruption";
  end(provider_id);
}

void Cloud::block(const std::string& instance_type, Instant until) {
  blocked_[instance_type] = until;
}

void Cloud::unblock(const std::string& instance_type) { blocked_.erase(instance_type); }

void Cloud::terminate(const std::string& provider_id, const std::string& reason) {
  const auto it = instances_.find(provider_id);
  if (it == instances_.end() || it->second.going || it->second.terminated) return;
  it->second.going = true;
  it->second.end_reason = reason;
  context_.note("terminate", provider_id);
  context_.after(context_.scenario.cloud.shutdown.draw(delays_),
                 [this, provider_id] { end(provider_id); });
}

void Cloud::forget_claim(const std::string& claim, const std::string& provider_id) {
  std::vector<std::string> ids;
  if (!provider_id.empty()) ids.push_back(provider_id);
  for (const auto& [id, instance] : instances_) {
    if (instance.claim == claim) ids.push_back(id);
  }
  for (const std::string& id : ids) terminate(id, "claim removed");
}

void Cloud::end(const std::string& provider_id) {
  Instance& instance = instances_.at(provider_id);
  if (instance.terminated) return;
  accrue();
  instance.terminated = context_.now;
  rate_usd_per_hour_ -= instance.usd_per_hour;
  const Duration life = context_.now - instance.launched;
  if (life < kMinimumBilling) {
    accrued_usd_ += instance.usd_per_hour * (kMinimumBilling - life).hours();
  }
  --running_;
  on_gone(instance);
}

const Instance& Cloud::start_with(const NodeGroup& group, const std::string& claim, int index) {
  const catalog::InstanceType* type = context_.state.catalog().find(group.instance_type);
  WL_ASSERT(type != nullptr);
  // Spread over the zones that offer it, as a node group is.
  std::vector<const catalog::Offering*> offers;
  for (const catalog::Offering& offering : type->offerings) {
    if (offering.capacity_type == group.capacity_type) offers.push_back(&offering);
  }
  WL_ASSERT(!offers.empty());
  const catalog::Offering& offer = *offers[static_cast<size_t>(index) % offers.size()];
  Instance& instance = create(*type, offer.zone, offer.capacity_type, offer.usd_per_hour, claim);
  instance.answered = true;
  plan_interruption(instance);
  return instance;
}

double Cloud::cost_usd() const {
  double usd = 0;
  for (const auto& [id, instance] : instances_) {
    usd += instance.usd_per_hour * billed(instance, context_.now).hours();
  }
  return usd;
}

double Cloud::integrated_cost_usd() const {
  return accrued_usd_ + rate_usd_per_hour_ * (context_.now - accrued_at_).hours();
}

double Cloud::gpu_seconds_paid() const {
  double sum = 0;
  for (const auto& [id, instance] : instances_) {
    sum += instance.type->gpu_count * billed(instance, context_.now).seconds();
  }
  return sum;
}

}  // namespace windlass::sim
