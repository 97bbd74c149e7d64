#include <fmt/format.h>

#include "live/external/calls.h"
#include "live/external/read_answer.h"

namespace windlass::live::external {
namespace {

constexpr size_t kMostText = 300;

std::string_view code_name(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::CANCELLED:
      return "cancelled";
    case grpc::StatusCode::INVALID_ARGUMENT:
      return "invalid argument";
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return "deadline exceeded";
    case grpc::StatusCode::NOT_FOUND:
      return "not found";
    case grpc::StatusCode::PERMISSION_DENIED:
      return "permission denied";
    case grpc::StatusCode::UNAUTHENTICATED:
      return "unauthenticated";
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return "resource exhausted";
    case grpc::StatusCode::FAILED_PRECONDITION:
      return "failed precondition";
    case grpc::StatusCode::UNIMPLEMENTED:
      return "unimplemented";
    case grpc::StatusCode::INTERNAL:
      return "internal";
    case grpc::StatusCode::UNAVAILABLE:
      return "unavailable";
    default:
      return "failed";
  }
}

}  // namespace

void Gate::enter() {
  const std::lock_guard lock(lock_);
  ++inside_;
}

void Gate::leave() {
  const std::lock_guard lock(lock_);
  // Under the lock: whoever waits may end us once it is let go.
  if (--inside_ == 0) empty_.notify_all();
}

void Gate::wait_empty() {
  std::unique_lock lock(lock_);
  empty_.wait(lock, [this] { return inside_ == 0; });
}

std::string error_text(std::string_view rpc, const grpc::Status& status) {
  std::string text = fmt::format("{}: {}", rpc, code_name(status.error_code()));
  if (!status.error_message().empty()) text += ": " + status.error_message().substr(0, kMostText);
  return text;
}

Question::Question(net::EventLoop& loop, std::shared_ptr<Gate> gate,
                   const std::shared_ptr<grpc::Channel>& channel,
                   externalscaler::ScaledObjectRef who)
    : loop_(loop),
      gate_(std::move(gate)),
      stub_(externalscaler::ExternalScaler::NewStub(channel)),
      who_(std::move(who)) {}

std::function<void(grpc::Status)> Question::then(std::function<void(const grpc::Status&)> on_loop) {
  gate_->enter();
  ++open_;
  return [self = shared_from_this(), gate = gate_, loop = &loop_,
          on_loop = std::move(on_loop)](const grpc::Status& status) {
    loop->post([self, on_loop, status] {
      --self->open_;
      on_loop(status);
      if (self->open_ == 0 && self->told_) std::exchange(self->told_, nullptr)();
    });
    gate->leave();
  };
}

void Question::take(std::string_view rpc, const grpc::Status& status) {
  if (!status.ok() && error.empty()) {
    error = error_text(rpc, status);
    cancel();  // the other call's reply is of no use any more
  }
}

void Question::start(Duration timeout, std::function<void()> told) {
  told_ = std::move(told);
  deadline_ =
      gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_nanos(timeout.ns, GPR_TIMESPAN));
  spec_context_.set_deadline(deadline_);
  stub_->async()->GetMetricSpec(&spec_context_, &who_, &spec, then([this](const auto& status) {
    take("GetMetricSpec", status);
    if (error.empty() && !cancelled_) ask_values();
  }));
}

void Question::ask_values() {
  const auto target = read_target(spec);
  if (!target.ok()) {
    error = target.error().message();
    return;
  }
  *metrics_request_.mutable_scaledobjectref() = who_;
  metrics_request_.set_metricname(target->metric);
  metrics_context_.set_deadline(deadline_);
  active_context_.set_deadline(deadline_);
  stub_->async()->GetMetrics(&metrics_context_, &metrics_request_, &metrics,
                             then([this](const auto& status) { take("GetMetrics", status); }));
  stub_->async()->IsActive(&active_context_, &who_, &active,
                           then([this](const auto& status) { take("IsActive", status); }));
}

void Question::cancel() {
  cancelled_ = true;
  spec_context_.TryCancel();
  metrics_context_.TryCancel();
  active_context_.TryCancel();
}

ActiveStream::ActiveStream(net::EventLoop& loop, std::shared_ptr<Gate> gate,
                           const std::shared_ptr<grpc::Channel>& channel,
                           externalscaler::ScaledObjectRef who, Told told)
    : loop_(loop),
      gate_(std::move(gate)),
      stub_(externalscaler::ExternalScaler::NewStub(channel)),
      who_(std::move(who)),
      told_(std::move(told)) {}

std::shared_ptr<ActiveStream> ActiveStream::start(net::EventLoop& loop, std::shared_ptr<Gate> gate,
                                                  const std::shared_ptr<grpc::Channel>& channel,
                                                  externalscaler::ScaledObjectRef who, Told told) {
  auto stream = std::make_shared<ActiveStream>(loop, std::move(gate), channel, std::move(who),
                                               std::move(told));
  stream->self_ = stream;
  stream->gate_->enter();
  stream->stub_->async()->StreamIsActive(&stream->context_, &stream->who_, stream.get());
  stream->StartRead(&stream->message_);
  stream->StartCall();
  return stream;
}

void ActiveStream::OnReadDone(bool ok) {
  if (!ok) return;  // OnDone follows
  bool post = false;
  {
    const std::lock_guard lock(lock_);
    last_ = message_.result();
    was_true_ = was_true_ || last_;
    post = !std::exchange(posted_, true);
  }
  if (post) loop_.post([self = self_] { self->tell(); });
  StartRead(&message_);
}

void ActiveStream::tell() {
  bool was_true = false;
  bool last = false;
  {
    const std::lock_guard lock(lock_);
    posted_ = false;
    was_true = std::exchange(was_true_, false);
    last = last_;
  }
  if (was_true) told_.on_active(true);
  if (!last) told_.on_active(false);
}

void ActiveStream::OnDone(const grpc::Status& status) {
  const std::shared_ptr<ActiveStream> self = std::move(self_);
  const std::shared_ptr<Gate> gate = gate_;
  const std::string why =
      status.ok() ? "StreamIsActive: ended" : error_text("StreamIsActive", status);
  loop_.post([self, why] { self->told_.on_end(why); });
  gate->leave();
}

}  // namespace windlass::live::external
