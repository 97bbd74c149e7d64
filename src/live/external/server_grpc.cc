#include <externalscaler.grpc.pb.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/support/server_callback.h>
#include <map>
#include <mutex>
#include <optional>

#include "live/external/server.h"

namespace windlass::live::external {
namespace {

using externalscaler::GetMetricSpecResponse;
using externalscaler::GetMetricsRequest;
using externalscaler::GetMetricsResponse;
using externalscaler::IsActiveResponse;
using externalscaler::ScaledObjectRef;

constexpr int kMostRequestBytes = 256 << 10;

ScaledRef ref_of(const ScaledObjectRef& message) {
  ScaledRef who{message.namespace_(), message.name(), {}};
  who.metadata.insert(message.scalermetadata().begin(), message.scalermetadata().end());
  return who;
}

grpc::Status invalid(const Error& error) {
  return {grpc::StatusCode::INVALID_ARGUMENT, error.message()};
}
grpc::Status unavailable(const std::string& why) { return {grpc::StatusCode::UNAVAILABLE, why}; }

// One StreamIsActive. gRPC's threads only say what happened; the loop alone writes and finishes.
class Push : public grpc::ServerWriteReactor<IsActiveResponse> {
 public:
  explicit Push(ScaledRef who) : who(std::move(who)) {}
  void OnWriteDone(bool ok) override { on_written(ok); }
  void OnCancel() override { on_cancel(); }
  void OnDone() override {
    const std::function<void()> done = on_done;  // ends us
    done();
  }

  std::function<void(bool ok)> on_written;
  std::function<void()> on_cancel, on_done;
  ScaledRef who;
  // Of the loop.
  IsActiveResponse message;
  std::optional<bool> told;
  bool writing = false, asking = false, finished = false;
};

}  // namespace

struct ScalerServer::Impl : externalscaler::ExternalScaler::CallbackService {
  Impl(net::EventLoop& loop, net::Clock& clock, ServerOptions options, Scaler scaler)
      : loop(loop), clock(clock), options(std::move(options)), scaler(std::move(scaler)) {}

  using Id = uint64_t;
  net::EventLoop& loop;
  net::Clock& clock;
  ServerOptions options;
  Scaler scaler;
  std::unique_ptr<grpc::Server> server;
  int port = 0;
  net::Clock::TimerId timer = 0;
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);  // of the loop

  // What is open; written by gRPC's threads and the loop.
  std::mutex lock;
  bool closed = false;
  Id last = 0;
  std::map<Id, grpc::ServerUnaryReactor*> calls;
  std::map<Id, std::shared_ptr<Push>> pushes;

  grpc::ServerUnaryReactor* IsActive(grpc::CallbackServerContext* context,
                                     const ScaledObjectRef* request,
                                     IsActiveResponse* reply) override;
  grpc::ServerUnaryReactor* GetMetricSpec(grpc::CallbackServerContext* context,
                                          const ScaledObjectRef* request,
                                          GetMetricSpecResponse* reply) override;
  grpc::ServerUnaryReactor* GetMetrics(grpc::CallbackServerContext* context,
                                       const GetMetricsRequest* request,
                                       GetMetricsResponse* reply) override;
  grpc::ServerWriteReactor<IsActiveResponse>* StreamIsActive(
      grpc::CallbackServerContext* context, const ScaledObjectRef* request) override;

  // On a gRPC thread: counts the call in and lets `work` run on the loop.
  grpc::ServerUnaryReactor* carry(grpc::CallbackServerContext* context,
                                  std::function<void(Id)> work);
  void on_loop(std::function<void()> work);
  // On the loop: `fill` writes the reply if the call is still open.
  void finish(Id id, const grpc::Status& status, const std::function<void()>& fill = {});
  void want(const ScaledRef& who, std::function<void(const grpc::Status&, double)> done);
  void look_after(Id id);
  void look_after_all();
  void tell(Id id, bool active);
  void end_push(Id id, const grpc::Status& status);
  std::shared_ptr<Push> push(Id id);
  Status listen();
  void close();
};

void ScalerServer::Impl::on_loop(std::function<void()> work) {
  loop.post([held = std::weak_ptr(alive), work = std::move(work)] {
    if (!held.expired()) work();
  });
}

grpc::ServerUnaryReactor* ScalerServer::Impl::carry(grpc::CallbackServerContext* context,
                                                    std::function<void(Id)> work) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  Id id = 0;
  {
    const std::lock_guard held(lock);
    if (!closed && calls.size() + pushes.size() < options.most_open) {
      id = ++last;
      calls[id] = reactor;
    }
  }
  if (id == 0) {
    reactor->Finish({grpc::StatusCode::RESOURCE_EXHAUSTED, "too many calls at once"});
    return reactor;
  }
  on_loop([work = std::move(work), id] { work(id); });
  return reactor;
}

void ScalerServer::Impl::finish(Id id, const grpc::Status& status,
                                const std::function<void()>& fill) {
  grpc::ServerUnaryReactor* reactor = nullptr;
  {
    const std::lock_guard held(lock);
    const auto found = calls.find(id);
    if (found == calls.end()) return;
    reactor = found->second;
    calls.erase(found);
  }
  if (status.ok() && fill) fill();
  reactor->Finish(status);
}

void ScalerServer::Impl::want(const ScaledRef& who,
                              std::function<void(const grpc::Status&, double)> done) {
  if (const auto metric = scaler.metric(who); !metric.ok()) {
    done(invalid(metric.error()), 0);
    return;
  }
  scaler.wanted(who, [held = std::weak_ptr(alive), done = std::move(done)](Result<double> wanted) {
    if (held.expired()) return;
    if (wanted.ok()) {
      done(grpc::Status::OK, *wanted);
    } else {
      done(unavailable(wanted.error().message()), 0);
    }
  });
}

grpc::ServerUnaryReactor* ScalerServer::Impl::IsActive(grpc::CallbackServerContext* context,
                                                       const ScaledObjectRef* request,
                                                       IsActiveResponse* reply) {
  return carry(context, [this, who = ref_of(*request), reply](Id id) {
    want(who, [this, id, reply](const grpc::Status& status, double replicas) {
      finish(id, status, [&] { reply->set_result(replicas > 0); });
    });
  });
}

grpc::ServerUnaryReactor* ScalerServer::Impl::GetMetricSpec(grpc::CallbackServerContext* context,
                                                            const ScaledObjectRef* request,
                                                            GetMetricSpecResponse* reply) {
  return carry(context, [this, who = ref_of(*request), reply](Id id) {
    const auto metric = scaler.metric(who);
    finish(id, metric.ok() ? grpc::Status::OK : invalid(metric.error()), [&] {
      auto* spec = reply->add_metricspecs();
      spec->set_metricname(*metric);
      spec->set_targetsize(1);
      spec->set_targetsizefloat(1);
    });
  });
}

grpc::ServerUnaryReactor* ScalerServer::Impl::GetMetrics(grpc::CallbackServerContext* context,
                                                         const GetMetricsRequest* request,
                                                         GetMetricsResponse* reply) {
  return carry(context, [this, who = ref_of(request->scaledobjectref()),
                         asked = request->metricname(), reply](Id id) {
    const auto metric = scaler.metric(who);
    if (metric.ok() && asked != *metric) {
      finish(id, {grpc::StatusCode::NOT_FOUND, "the metric is " + *metric});
      return;
    }
    want(who, [this, id, asked, reply](const grpc::Status& status, double replicas) {
      finish(id, status, [&] {
        auto* value = reply->add_metricvalues();
        value->set_metricname(asked);
        value->set_metricvalue(static_cast<int64_t>(replicas));
        value->set_metricvaluefloat(replicas);
      });
    });
  });
}

grpc::ServerWriteReactor<IsActiveResponse>* ScalerServer::Impl::StreamIsActive(
    grpc::CallbackServerContext*, const ScaledObjectRef* request) {
  const auto made = std::make_shared<Push>(ref_of(*request));
  const std::lock_guard held(lock);
  const Id id = ++last;
  const bool full = closed || calls.size() + pushes.size() >= options.most_open;
  pushes[id] = made;
  made->on_cancel = [this, id] { on_loop([this, id] { end_push(id, grpc::Status::CANCELLED); }); };
  made->on_written = [this, id](bool ok) {
    on_loop([this, id, ok] {
      const auto one = push(id);
      if (one) one->writing = false;
      if (one && !ok) end_push(id, unavailable("the client is gone"));
    });
  };
  made->on_done = [this, id] {
    const std::lock_guard done(lock);
    pushes.erase(id);
  };
  if (full) {
    made->finished = true;
    made->Finish({grpc::StatusCode::RESOURCE_EXHAUSTED, "too many calls at once"});
  } else {
    on_loop([this, id] { look_after(id); });
  }
  return made.get();
}

std::shared_ptr<Push> ScalerServer::Impl::push(Id id) {
  const std::lock_guard held(lock);
  const auto found = pushes.find(id);
  return found == pushes.end() || found->second->finished ? nullptr : found->second;
}

void ScalerServer::Impl::look_after(Id id) {
  const auto one = push(id);
  if (!one || one->asking) return;
  one->asking = true;
  want(one->who, [this, id](const grpc::Status& status, double replicas) {
    const auto asked = push(id);
    if (!asked) return;
    asked->asking = false;
    if (status.error_code() == grpc::StatusCode::INVALID_ARGUMENT) {
      end_push(id, status);
    } else if (status.ok()) {
      tell(id, replicas > 0);
    }
  });
}

void ScalerServer::Impl::tell(Id id, bool active) {
  const auto one = push(id);
  // While a message is on its way the next look tells what changed.
  if (!one || one->writing || one->told == active) return;
  one->told = active;
  one->writing = true;
  one->message.set_result(active);
  one->StartWrite(&one->message);
}

void ScalerServer::Impl::end_push(Id id, const grpc::Status& status) {
  const auto one = push(id);
  if (!one) return;
  one->finished = true;
  one->Finish(status);
}

void ScalerServer::Impl::look_after_all() {
  timer = clock.after(options.push_period, [this] { look_after_all(); });
  std::vector<Id> ids;
  {
    const std::lock_guard held(lock);
    for (const auto& [id, one] : pushes) ids.push_back(id);
  }
  for (const Id id : ids) look_after(id);
}

Status ScalerServer::Impl::listen() {
  auto credentials = grpc::InsecureServerCredentials();
  if (!options.certificate.empty()) {
    grpc::SslServerCredentialsOptions tls(
        options.client_ca.empty() ? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
                                  : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
    tls.pem_root_certs = options.client_ca;
    tls.pem_key_cert_pairs.push_back({options.key, options.certificate});
    credentials = grpc::SslServerCredentials(tls);
  }
  grpc::ServerBuilder builder;
  builder.SetMaxReceiveMessageSize(kMostRequestBytes);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddListeningPort(options.listen, credentials, &port);
  builder.RegisterService(this);
  server = builder.BuildAndStart();
  if (!server || port == 0) return Error("can't listen on " + options.listen);
  timer = clock.after(options.push_period, [this] { look_after_all(); });
  return {};
}

void ScalerServer::Impl::close() {
  alive = nullptr;
  if (timer != 0) clock.cancel(timer);
  std::map<Id, grpc::ServerUnaryReactor*> open;
  std::vector<std::shared_ptr<Push>> streams;
  {
    const std::lock_guard held(lock);
    closed = true;
    open.swap(calls);
    for (const auto& [id, one] : pushes) streams.push_back(one);
  }
  for (const auto& [id, reactor] : open) reactor->Finish(unavailable("the scaler stops"));
  for (const auto& one : streams) {
    if (!std::exchange(one->finished, true)) one->Finish(unavailable("the scaler stops"));
  }
  streams.clear();
  if (!server) return;
  server->Shutdown(gpr_now(GPR_CLOCK_MONOTONIC));
  server->Wait();
}

ScalerServer::ScalerServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ScalerServer::~ScalerServer() { impl_->close(); }
int ScalerServer::port() const { return impl_->port; }

Result<std::unique_ptr<ScalerServer>> ScalerServer::start(net::EventLoop& loop, net::Clock& clock,
                                                          const ServerOptions& options,
                                                          Scaler scaler) {
  if (options.certificate.empty() != options.key.empty()) {
    return Error("a certificate goes with its key");
  }
  if (!options.client_ca.empty() && options.certificate.empty()) {
    return Error("clients' certificates can be asked for with TLS only");
  }
  auto impl = std::make_unique<Impl>(loop, clock, options, std::move(scaler));
  if (const Status good = impl->listen(); !good.ok()) return good.error();
  return std::unique_ptr<ScalerServer>(new ScalerServer(std::move(impl)));
}

}  // namespace windlass::live::external
