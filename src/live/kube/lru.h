// A map that forgets what was not used longest, so that it stays below a size.
#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace windlass::live::kube {

template <typename Value>
class Lru {
 public:
  explicit Lru(size_t most) : most_(most) {}

  // The value of the key, made empty where there is none; now the one used last. Valid until the
  // next call.
  Value& use(const std::string& key) {
    const auto found = by_key_.find(key);
    if (found != by_key_.end()) {
      order_.splice(order_.begin(), order_, found->second);
      return order_.front().second;
    }
    if (by_key_.size() >= most_) {
      by_key_.erase(order_.back().first);
      order_.pop_back();
    }
    order_.emplace_front(key, Value{});
    by_key_.emplace(order_.front().first, order_.begin());
    return order_.front().second;
  }
  [[nodiscard]] size_t size() const { return by_key_.size(); }

 private:
  using Order = std::list<std::pair<std::string, Value>>;
  const size_t most_;
  Order order_;
  std::map<std::string_view, typename Order::iterator> by_key_;  // keys stand in order_
};

}  // namespace windlass::live::kube
