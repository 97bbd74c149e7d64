// A cloud that is there only while this process leads: standbys must not play kubelet or poll
// queues. What was asked of a former one is never answered.
#pragma once

#include <memory>
#include <utility>

#include "live/cloud/cloud.h"
#include "net/clock.h"

namespace windlass::live::cloud {

class SwitchedCloud : public Cloud {
 public:
  explicit SwitchedCloud(net::Clock& clock) : clock_(clock) {}

  void on(std::unique_ptr<Cloud> cloud) {
    cloud_ = std::move(cloud);
    cloud_->on_interruption = [this](const std::string& id, const std::string& reason) {
      if (on_interruption) on_interruption(id, reason);
    };
  }
  void off() { cloud_.reset(); }

  void launch(const LaunchRequest& request, std::function<void(LaunchAnswer)> done) override {
    if (cloud_) return cloud_->launch(request, std::move(done));
    clock_.after({}, [done = std::move(done)] {
      LaunchAnswer answer;
      answer.result.error = "not leading";
      done(std::move(answer));
    });
  }
  void terminate(const std::string& provider_id, std::function<void(Status)> done) override {
    if (cloud_) return cloud_->terminate(provider_id, std::move(done));
    clock_.after({}, [done = std::move(done)] { done(Error("not leading")); });
  }
  void list(std::function<void(Result<std::vector<CloudInstance>>)> done) override {
    if (cloud_) return cloud_->list(std::move(done));
    clock_.after({}, [done = std::move(done)] { done(Error("not leading")); });
  }

 private:
  net::Clock& clock_;
  std::unique_ptr<Cloud> cloud_;
};

}  // namespace windlass::live::cloud
