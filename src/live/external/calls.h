// One question to an external scaler, and one stream from it, as they run on gRPC's threads.
// Neither knows its owner: what came of it goes through `post`, and Gate tells the owner when
// nothing runs any more. Only the gRPC build includes this.
#pragma once

#include <condition_variable>
#include <externalscaler.grpc.pb.h>
#include <functional>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <memory>
#include <mutex>
#include <string>

#include "base/time.h"
#include "net/event_loop.h"

namespace windlass::live::external {

// Counts what gRPC's threads have still to call back.
class Gate {
 public:
  void enter();
  void leave();
  void wait_empty();  // blocks; every call must have been cancelled or be about to end

 private:
  std::mutex lock_;
  std::condition_variable empty_;
  int inside_ = 0;
};

// "GetMetrics: unavailable: connection refused"
std::string error_text(std::string_view rpc, const grpc::Status& status);

class Question : public std::enable_shared_from_this<Question> {
 public:
  using Stub = externalscaler::ExternalScaler::Stub;
  Question(net::EventLoop& loop, std::shared_ptr<Gate> gate,
           const std::shared_ptr<grpc::Channel>& channel, externalscaler::ScaledObjectRef who);

  // On the loop: `told` is called there once, when all replies are in or one failed (`error`).
  void start(Duration timeout, std::function<void()> told);
  void cancel();  // nothing more is asked; `told` may still be called

  externalscaler::GetMetricSpecResponse spec;
  externalscaler::GetMetricsResponse metrics;
  externalscaler::IsActiveResponse active;
  std::string error;

 private:
  void ask_values();
  void take(std::string_view rpc, const grpc::Status& status);
  // The callback of one call: to the loop, then out of the gate.
  std::function<void(grpc::Status)> then(std::function<void(const grpc::Status&)> on_loop);

  net::EventLoop& loop_;
  std::shared_ptr<Gate> gate_;
  std::unique_ptr<Stub> stub_;
  externalscaler::ScaledObjectRef who_;
  externalscaler::GetMetricsRequest metrics_request_;
  grpc::ClientContext spec_context_, metrics_context_, active_context_;
  gpr_timespec deadline_{};
  std::function<void()> told_;
  int open_ = 0;
  bool cancelled_ = false;
};

// StreamIsActive. Many messages between two turns of the loop are told as one or two.
class ActiveStream : public grpc::ClientReadReactor<externalscaler::IsActiveResponse> {
 public:
  struct Told {
    std::function<void(bool active)> on_active;
    std::function<void(const std::string& why)> on_end;  // once
  };
  // Both are called on the loop.
  static std::shared_ptr<ActiveStream> start(net::EventLoop& loop, std::shared_ptr<Gate> gate,
                                             const std::shared_ptr<grpc::Channel>& channel,
                                             externalscaler::ScaledObjectRef who, Told told);
  ActiveStream(net::EventLoop& loop, std::shared_ptr<Gate> gate,
               const std::shared_ptr<grpc::Channel>& channel, externalscaler::ScaledObjectRef who,
               Told told);
  void cancel() { context_.TryCancel(); }

  void OnReadDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

 private:
  void tell();

  net::EventLoop& loop_;
  std::shared_ptr<Gate> gate_;
  std::unique_ptr<Question::Stub> stub_;
  externalscaler::ScaledObjectRef who_;
  grpc::ClientContext context_;
  externalscaler::IsActiveResponse message_;
  Told told_;
  std::shared_ptr<ActiveStream> self_;  // until OnDone
  std::mutex lock_;
  bool posted_ = false, was_true_ = false, last_ = false;
};

}  // namespace windlass::live::external
