// Equal requirements get equal numbers, so that what was worked out for one is found for all.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "api/requirements.h"

namespace windlass::scheduling {

class InternedRequirements {
 public:
  // Numbers count up from 0.
  uint32_t intern(api::Requirements requirements);
  [[nodiscard]] const api::Requirements& operator[](uint32_t id) const { return all_[id]; }
  [[nodiscard]] size_t size() const { return all_.size(); }

 private:
  std::deque<api::Requirements> all_;
  // By hash of the content; a bucket is compared in full, so a collision costs time only.
  boost::unordered_flat_map<uint64_t, std::vector<uint32_t>> by_hash_;
};

}  // namespace windlass::scheduling
