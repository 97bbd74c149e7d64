// Callbacks that outlive whom they call: wrapped by a guard, they do nothing once it is gone.
//
//   clock.after(delay, guard_([this] { ... }));
#pragma once

#include <memory>
#include <utility>

namespace windlass::net {

class Guard {
 public:
  Guard() = default;
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

  template <typename F>
  auto operator()(F work) const {
    return [alive = std::weak_ptr<const bool>(alive_), work = std::move(work)](auto&&... args) {
      if (!alive.expired()) work(std::forward<decltype(args)>(args)...);
    };
  }

 private:
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace windlass::net
