#include "sim/inference/fleet.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "base/assert.h"
#include "sim/inference/accounts.h"
#include "sim/inference/min_tree.h"
#include "sim/inference/request_slab.h"
#include "sim/inference/server.h"
#include "sim/traffic/controlled_traffic.h"

namespace windlass::sim {
namespace {

// A place in the fleet; its index is the ServerId, so places are never used again.
struct Place {
  explicit Place(const catalog::ServiceProfile& profile) : server(profile) {}

  Server server;
  std::optional<Instant> first_token;
  bool draining = false;
  bool removed = false;
};

// When a request times out if it still waits then.
struct Deadline {
  uint64_t id;
  uint32_t index;
  int64_t at_ns;
};

}  // namespace

// Events of one instant come in this order: servers' (by id), timeouts, arrivals.
struct Fleet::Impl {
  Impl(FleetOptions fleet_options, Traffic fleet_traffic, Instant start)
      : options(fleet_options),
        traffic(std::move(fleet_traffic), fleet_options.seed),
        now_ns(start.ns),
        accounts(fleet_options.slo, start) {
    traffic.skip_until(start);
  }

  Place& place(ServerId id) {
    WL_ASSERT(id < places.size());
    return places[id];
  }
  void server_event(uint32_t id);
  void timeout(const Deadline& deadline);
  void arrival(const Request& request);
  // To the server with the least outstanding requests, which the caller wakes; without one to the
  // router's queue. kAtRouter then, or if the request failed at once.
  uint32_t route(uint32_t index);
  void route_all(std::vector<uint32_t>& indices);
  void fail(uint32_t index);
  void wake(uint32_t id);
  // Brings the trees up to what the server is now.
  void refresh(uint32_t id);

  FleetOptions options;
  ControlledTraffic traffic;
  int64_t now_ns;
  std::deque<Deadline> deadlines;  // in order of time: the timeout is one for all
  RequestSlab slab;
  RequestQueue router_queue;
  std::vector<Place> places;
  MinTree next_event;   // ns
  MinTree outstanding;  // requests, of the servers that take new ones
  MinTree empty_at;     // ns, of the servers that drain and aren't empty
  Accounts accounts;
  IterationEnd iteration_end;
};

void Fleet::Impl::refresh(uint32_t id) {
  const Place& place = places[id];
  const int running = place.server.outstanding();
  next_event.set(id, place.server.event_ns());
  if (!place.draining && !place.removed) {
    outstanding.set(id, running);
  } else if (running == 0) {
    empty_at.set(id, MinTree::kNone);
  }
}

void Fleet::Impl::wake(uint32_t id) {
  places[id].server.wake(slab, now_ns);
  refresh(id);
}

void Fleet::Impl::fail(uint32_t index) {
  accounts.failed(slab[index], now_ns);
  slab.release(index);
}

void Fleet::Impl::server_event(uint32_t id) {
  Place& place = places[id];
  now_ns = place.server.event_ns();
  place.server.end_iteration(slab, iteration_end);
  // Both lists first, releases last: a request of one token is in both.
  for (const uint32_t index : iteration_end.first_tokens) slab[index].first_token_ns = now_ns;
  if (!iteration_end.first_tokens.empty() && !place.first_token) {
    place.first_token = Instant{now_ns};
  }
  for (const uint32_t index : iteration_end.completed) {
    accounts.completed(slab[index], now_ns);
    slab.release(index);
  }
  refresh(id);
}

void Fleet::Impl::timeout(const Deadline& deadline) {
  now_ns = deadline.at_ns;
  const LiveRequest& request = slab[deadline.index];
  // What runs may finish. Its place may also belong to another request by now.
  if (request.id != deadline.id || !request.waiting) return;
  const uint32_t id = request.server;
  if (id == kAtRouter) {
    router_queue.remove(slab, deadline.index);
  } else {
    places[id].server.drop_waiting(slab, deadline.index);
    wake(id);  // who stood behind it may fit where it didn't
  }
  fail(deadline.index);
}

void Fleet::Impl::arrival(const Request& request) {
  now_ns = request.arrival.ns;
  const uint32_t index = slab.add({.id = request.id,
                                   .arrival_ns = now_ns,
                                   .input_tokens = request.input_tokens,
                                   .output_tokens = request.output_tokens});
  accounts.arrived(slab[index]);
  if (options.request_timeout.ns > 0) {
    deadlines.push_back({request.id, index, now_ns + options.request_timeout.ns});
  }
  const uint32_t id = route(index);
  if (id != kAtRouter) wake(id);
}

uint32_t Fleet::Impl::route(uint32_t index) {
  LiveRequest& request = slab[index];
  const int64_t timeout_ns = options.request_timeout.ns;
  if (timeout_ns > 0 && now_ns - request.arrival_ns >= timeout_ns) {
    fail(index);  // comes from a server that died, and would have timed out had it waited
    return kAtRouter;
  }
  request.server = kAtRouter;
  if (outstanding.min_key() == MinTree::kNone) {
    router_queue.push_back(slab, index);
    return kAtRouter;
  }
  const uint32_t id = outstanding.min_slot();
  Server& server = places[id].server;
  if (!server.could_ever_fit(request)) {
    fail(index);
    return kAtRouter;
  }
  request.server = id;
  server.enqueue(slab, index);
  outstanding.set(id, server.outstanding());
  return id;
}

void Fleet::Impl::route_all(std::vector<uint32_t>& indices) {
  // Oldest first, and together with those at the router, so that its queue keeps this order too.
  router_queue.take_all(slab, indices);
  std::sort(indices.begin(), indices.end(),
            [this](uint32_t a, uint32_t b) { return slab[a].id < slab[b].id; });
  std::vector<uint32_t> ids;
  for (const uint32_t index : indices) {
    const uint32_t id = route(index);
    if (id != kAtRouter) ids.push_back(id);
  }
  // Woken only now, so that all that come at once can be in the first iteration.
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  for (const uint32_t id : ids) wake(id);
}

Fleet::Fleet(FleetOptions options, Traffic traffic, Instant start)
    : impl_(std::make_unique<Impl>(options, std::move(traffic), start)) {}
Fleet::Fleet(Fleet&&) noexcept = default;
Fleet::~Fleet() = default;

Status Fleet::advance(Instant to) {
  Impl& fleet = *impl_;
  while (true) {
    const int64_t server_ns = fleet.next_event.min_key();
    const int64_t timeout_ns = fleet.deadlines.empty() ? INT64_MAX : fleet.deadlines.front().at_ns;
    const int64_t arrival_ns = fleet.traffic.next_ns();
    const int64_t next_ns = std::min({server_ns, timeout_ns, arrival_ns});
    // INT64_MAX is also the key of the idle: to advance to kNever is to run until nothing is left.
    if (next_ns > to.ns || next_ns == INT64_MAX) break;
    WL_ASSERT(next_ns >= fleet.now_ns);
    if (server_ns == next_ns) {
      fleet.server_event(fleet.next_event.min_slot());
    } else if (timeout_ns == next_ns) {
      const Deadline deadline = fleet.deadlines.front();
      fleet.deadlines.pop_front();
      fleet.timeout(deadline);
    } else if (const std::optional<Request> request = fleet.traffic.take()) {
      fleet.arrival(*request);
    }
  }
  fleet.now_ns = std::max(fleet.now_ns, to.ns);
  // Known one request early, because one is read ahead: no reason to keep it back.
  if (const auto& error = fleet.traffic.error()) return *error;
  return {};
}

Instant Fleet::next_drained() const { return Instant{impl_->empty_at.min_key()}; }

void Fleet::set_traffic_factor(double factor) { impl_->traffic.set_factor(factor); }

ServerId Fleet::add_server(const catalog::ServiceProfile& profile) {
  Impl& fleet = *impl_;
  const auto id = static_cast<ServerId>(fleet.places.size());
  fleet.places.emplace_back(profile);
  fleet.next_event.add(MinTree::kNone);
  fleet.outstanding.add(0);  // from here on the router sees it
  fleet.empty_at.add(MinTree::kNone);
  std::vector<uint32_t> none;
  fleet.route_all(none);
  return id;
}

void Fleet::drain(ServerId id) {
  Impl& fleet = *impl_;
  Place& place = fleet.place(id);
  if (place.draining || place.removed) return;
  place.draining = true;
  fleet.outstanding.set(id, MinTree::kNone);
  std::vector<uint32_t> waiting;
  place.server.take_waiting(fleet.slab, waiting);
  // Before anything is routed: of what happens from now on nothing reaches this server.
  if (place.server.running() > 0) fleet.empty_at.set(id, place.server.empty_at_ns(fleet.slab));
  fleet.route_all(waiting);
}

bool Fleet::drained(ServerId id) const {
  const Place& place = impl_->place(id);
  return place.removed || (place.draining && place.server.outstanding() == 0);
}

void Fleet::remove(ServerId id) {
  Impl& fleet = *impl_;
  Place& place = fleet.place(id);
  if (place.removed) return;
  place.removed = true;
  std::vector<uint32_t> orphans;
  place.server.abandon(fleet.slab, fleet.now_ns, orphans);
  fleet.outstanding.set(id, MinTree::kNone);
  fleet.refresh(id);
  // Whatever tokens it had are lost: no KV memory outlives its server.
  std::vector<uint32_t> again;
  for (const uint32_t index : orphans) {
    if (fleet.slab[index].retries >= fleet.options.max_retries) {
      fleet.fail(index);
      continue;
    }
    ++fleet.slab[index].retries;
    fleet.accounts.retried();
    again.push_back(index);
  }
  fleet.route_all(again);
}

ServerStats Fleet::stats(ServerId id) const {
  const Place& place = impl_->place(id);
  const Server& server = place.server;
  return {.running = server.running(),
          .waiting = server.waiting(),
          .kv_usage = server.kv_usage(),
          .busy = Duration{server.busy_ns(impl_->now_ns)},
          .completed = server.completed(),
          .prompt_tokens = server.prompt_tokens(),
          .generation_tokens = server.generation_tokens(impl_->now_ns),
          .first_token = place.first_token};
}

int Fleet::router_waiting() const { return impl_->router_queue.size(); }

int Fleet::waiting() const {
  int count = impl_->router_queue.size();
  for (const Place& place : impl_->places) count += place.server.waiting();
  return count;
}

const FleetTotals& Fleet::totals() const { return impl_->accounts.totals(); }
Window Fleet::take_window() { return impl_->accounts.take_window(); }
const std::vector<float>& Fleet::latencies_ms() const { return impl_->accounts.latencies_ms(); }
const std::vector<float>& Fleet::ttfts_ms() const { return impl_->accounts.ttfts_ms(); }
double Fleet::number_integral() const { return impl_->accounts.number_integral(impl_->now_ns); }
double Fleet::time_in_system_sum() const {
  return impl_->accounts.time_in_system_sum(impl_->now_ns);
}
const Hash64& Fleet::hash() const { return impl_->accounts.hash(); }

}  // namespace windlass::sim
