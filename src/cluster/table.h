// One kind of object: keyed "namespace/name", in order of key, so that every walk over it is
// deterministic.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/assert.h"

namespace windlass::cluster {

template <typename T>
class Table {
 public:
  [[nodiscard]] const T* find(std::string_view key) const {
    const auto it = by_key_.find(key);
    return it == by_key_.end() ? nullptr : &it->second;
  }
  // The key must be there.
  [[nodiscard]] const T& at(std::string_view key) const {
    const T* found = find(key);
    WL_ASSERT(found != nullptr);
    return *found;
  }
  [[nodiscard]] size_t size() const { return by_key_.size(); }
  [[nodiscard]] bool empty() const { return by_key_.empty(); }
  [[nodiscard]] auto begin() const { return by_key_.begin(); }
  [[nodiscard]] auto end() const { return by_key_.end(); }

 private:
  friend class State;
  std::map<std::string, T, std::less<>> by_key_;
};

}  // namespace windlass::cluster
