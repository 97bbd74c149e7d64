// The live world's API on a plain cluster in this process: no sockets, and time that runs as fast
// as the work takes. Requests and replies can be delayed and lost, and streams cut, by chance that
// a seed decides.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "live/kube/api.h"
#include "net/virtual_clock.h"
#include "server/embedded/plain_cluster.h"
#include "server/http/target.h"

namespace windlass::live {

// Keeps a cluster at the clock's time, and lets it run when something in it is due. Shared by all
// who talk to the cluster; it outlives them.
class ClusterOnClock {
 public:
  ClusterOnClock(server::embedded::PlainCluster& cluster, net::VirtualClock& clock)
      : cluster_(cluster), clock_(clock) {
    wait();
  }
  ~ClusterOnClock() { clock_.cancel(timer_); }
  ClusterOnClock(const ClusterOnClock&) = delete;
  ClusterOnClock& operator=(const ClusterOnClock&) = delete;

  server::embedded::PlainCluster& at_clock() {
    catch_up();
    return cluster_;
  }
  net::VirtualClock& clock() { return clock_; }
  // A request was answered: what it caused may be due sooner than anything before.
  void asked() {
    clock_.cancel(timer_);
    wait();
  }

 private:
  void catch_up() {
    const Status status = cluster_.advance(clock_.now());
    WL_ASSERT(status.ok());
  }
  void wait() {
    // A nanosecond later it has happened.
    const Duration delay = std::max(cluster_.next_due() - clock_.now(), Duration{});
    timer_ = clock_.after(delay + nanoseconds(1), [this] {
      catch_up();
      wait();
    });
  }

  server::embedded::PlainCluster& cluster_;
  net::VirtualClock& clock_;
  net::Clock::TimerId timer_ = 0;
};

class InProcessApi : public kube::Api {
 public:
  struct Faults {
    Duration latency = milliseconds(2);  // of a request, and again of its reply, at most
    double lose_request = 0;             // no answer, nothing done
    double lose_reply = 0;               // no answer, but done
    double server_error = 0;             // 503, nothing done
    double cut_stream = 0;               // of each event
    bool down = false;                   // nothing gets through, streams break
  };
  struct Counts {
    uint64_t requests = 0, lost = 0, streams = 0, cut = 0;
    std::map<int, uint64_t> codes;
  };

  InProcessApi(ClusterOnClock& cluster, uint64_t seed)
      : cluster_(cluster), clock_(cluster.clock()), rng_(seed, "in-process api") {}
  // Streams hang up; requests under way may still be served, and nobody hears of it.
  ~InProcessApi() override {
    for (const auto& [id, pipe] : open_) {
      if (pipe != nullptr) pipe->hang_up();
    }
    *alive_ = false;
  }

  Faults faults;
  // Sees every request that reaches the server, before it is served.
  std::function<void(const kube::Request&)> on_request;
  [[nodiscard]] const Counts& counts() const { return counts_; }
  [[nodiscard]] size_t open() const { return open_.size(); }

  Id send(kube::Request request, std::function<void(kube::Reply)> done) override {
    const Id id = ++ids_;
    open_[id] = nullptr;
    later([this, id, request = std::move(request), done = std::move(done)] {
      // A process that died meanwhile may have been heard, or not.
      if (!open_.contains(id) && by_chance(0.5)) return;
      kube::Reply reply = answer(request);
      if (by_chance(faults.lose_reply)) reply = lost();
      later([this, id, reply = std::move(reply), done] {
        if (open_.erase(id) > 0) done(reply);
      });
    });
    return id;
  }

  Id stream(kube::Request request, Stream stream) override {
    const Id id = ++ids_;
    open_[id] = nullptr;
    ++counts_.streams;
    later([this, id, request = std::move(request), stream = std::move(stream)] {
      if (open_.contains(id)) begin_stream(id, request, stream);
    });
    return id;
  }

  void cancel(Id id) override {
    const auto it = open_.find(id);
    if (it == open_.end()) return;
    const std::shared_ptr<Pipe> pipe = it->second;
    open_.erase(it);
    if (pipe != nullptr) pipe->hang_up();
  }

  // Every stream breaks now, as when the server is started anew.
  void cut_streams() {
    std::vector<std::shared_ptr<Pipe>> pipes;
    for (const auto& [id, pipe] : open_) {
      if (pipe != nullptr) pipes.push_back(pipe);
    }
    for (const auto& pipe : pipes) pipe->cut();
  }

 private:
  static kube::Reply failure(std::string message) {
    kube::Reply reply;
    reply.message = std::move(message);
    return reply;
  }
  static kube::Reply success() {
    kube::Reply reply;
    reply.code = 200;
    return reply;
  }
  // A watch's way from the server to the client: lines in order, each after a delay.
  struct Pipe : server::Stream, std::enable_shared_from_this<Pipe> {
    Pipe(InProcessApi& the_owner, Id the_id, kube::Api::Stream the_client)
        : owner(the_owner), id(the_id), client(std::move(the_client)), alive(the_owner.alive_) {}
    bool send(std::shared_ptr<const std::string> piece) override {
      if (over) return false;
      rest += *piece;
      size_t end = 0;
      while ((end = rest.find('\n')) != std::string::npos) {
        pass(rest.substr(0, end), false);
        rest.erase(0, end + 1);
      }
      return true;
    }
    [[nodiscard]] size_t unsent() const override { return 0; }
    [[nodiscard]] bool closed() const override { return over; }
    void close() override {
      if (!over) pass({}, true);
      hang_up();
    }
    void abort() override { cut(); }
    // The client doesn't listen any more.
    void hang_up() {
      if (std::exchange(over, true)) return;
      owner.clock_.after({}, [self = shared_from_this()] {
        if (self->on_closed) self->on_closed();
      });
    }
    // Lines under way are lost.
    void cut() {
      hang_up();
      ++generation;
      end(failure("connection reset"));
    }
    void pass(std::string line, bool last) {
      if (!last && owner.by_chance(owner.faults.cut_stream)) {
        ++owner.counts_.cut;
        return cut();
      }
      // Nothing overtakes.
      arrives = std::max(arrives, owner.clock_.steady() + owner.some_latency());
      owner.clock_.after(
          arrives - owner.clock_.steady(),
          [self = shared_from_this(), line = std::move(line), last, mine = generation] {
            if (!*self->alive || self->generation != mine) return;
            if (last) {
              self->end(success());
            } else if (self->owner.open_.contains(self->id)) {
              self->client.on_line(line);
            }
          });
    }
    void end(const kube::Reply& reply) {
      owner.clock_.after({}, [self = shared_from_this(), reply] {
        if (*self->alive && self->owner.open_.erase(self->id) > 0) self->client.on_end(reply);
      });
    }
    InProcessApi& owner;
    Id id;
    kube::Api::Stream client;
    std::shared_ptr<bool> alive;
    std::string rest;
    Duration arrives{};
    uint64_t generation = 0;
    bool over = false;
  };
  struct Exchange : server::Exchange {
    void reply(server::Response r) override {
      response = std::move(r);
      answered = true;
    }
    std::shared_ptr<server::Stream> open_stream(int, std::string) override {
      answered = true;
      return pipe;
    }
    [[nodiscard]] kube::Reply to_reply() const {
      kube::Reply out;
      out.code = response.status;
      out.body = response.body;
      for (const auto& part : response.parts) out.body += *part;
      if (!out.ok()) kube::read_status(out);
      return out;
    }
    server::Response response;
    std::shared_ptr<Pipe> pipe;
    bool answered = false;
  };

  Duration some_latency() {
    return {static_cast<int64_t>(rng_.below(static_cast<uint64_t>(faults.latency.ns) + 1))};
  }
  bool by_chance(double odds) { return odds > 0 && rng_.uniform() < odds; }
  void later(std::function<void()> work) {
    clock_.after(some_latency(), [alive = alive_, work = std::move(work)] {
      if (*alive) work();
    });
  }
  static kube::Reply lost() { return failure("no answer"); }

  static server::Request to_server(const kube::Request& request) {
    static constexpr const char* kMethods[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
    server::Request out;
    const auto fault = server::read_target(request.path, out);
    WL_ASSERT(!fault);
    out.method = kMethods[static_cast<size_t>(request.verb)];
    out.query = request.query;
    out.body = request.body;
    out.headers = {{"content-type", request.content_type},
                   {"accept", "application/json"},
                   {"user-agent", "windlass"}};
    return out;
  }

  kube::Reply answer(const kube::Request& request) {
    ++counts_.requests;
    if (faults.down || by_chance(faults.lose_request)) {
      ++counts_.lost;
      return lost();
    }
    if (by_chance(faults.server_error)) {
      kube::Reply reply = failure("try again");
      reply.code = 503;
      reply.reason = "ServiceUnavailable";
      return reply;
    }
    if (on_request) on_request(request);
    const auto exchange = std::make_shared<Exchange>();
    cluster_.at_clock().handle(to_server(request), exchange);
    cluster_.asked();
    WL_ASSERT(exchange->answered);
    kube::Reply reply = exchange->to_reply();
    ++counts_.codes[reply.code];
    return reply;
  }

  void begin_stream(Id id, const kube::Request& request, const Stream& stream) {
    const auto exchange = std::make_shared<Exchange>();
    exchange->pipe = std::make_shared<Pipe>(*this, id, stream);
    if (faults.down || by_chance(faults.lose_request)) {
      return exchange->pipe->end(lost());
    }
    cluster_.at_clock();
    open_[id] = exchange->pipe;
    cluster_.at_clock().handle(to_server(request), exchange);
    cluster_.asked();
    WL_ASSERT(exchange->answered);
    if (exchange->response.status != 200 || !exchange->response.body.empty() ||
        !exchange->response.parts.empty()) {
      exchange->pipe->end(exchange->to_reply());
    }
  }

  ClusterOnClock& cluster_;
  net::VirtualClock& clock_;
  Rng rng_;
  Id ids_ = 0;
  std::map<Id, std::shared_ptr<Pipe>> open_;  // null: a request, or a stream not yet begun
  Counts counts_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace windlass::live
