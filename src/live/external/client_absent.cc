// The client of a build without gRPC.
#include "live/external/client.h"

namespace windlass::live::external {

struct ExternalScalers::Impl {
  net::EventLoop& loop;
  Stats stats;
};

bool has_grpc() { return false; }

ExternalScalers::ExternalScalers(net::EventLoop& loop, net::Clock&)
    : impl_(std::make_unique<Impl>(Impl{loop, {}})) {}
ExternalScalers::~ExternalScalers() = default;

void ExternalScalers::ask(const scaling::TriggerPlan&, const ScaledRef&,
                          std::function<void(cluster::QueryAnswer)> done) {
  ++impl_->stats.asked;
  ++impl_->stats.failed;
  impl_->loop.post([done = std::move(done)] {
    cluster::QueryAnswer answer;
    answer.error = "external scalers can't be asked: this build is without gRPC";
    done(std::move(answer));
  });
}

ExternalScalers::WatchId ExternalScalers::watch(const scaling::TriggerPlan&, const ScaledRef&,
                                                std::function<void(bool)>) {
  return 1;
}
void ExternalScalers::unwatch(WatchId) {}
ExternalScalers::Stats ExternalScalers::stats() const { return impl_->stats; }

}  // namespace windlass::live::external
