// One moment as the page sees it. Elements are the JSON of one node, pod, scaled object or model;
// they are immutable and shared by all frames in which they look the same, so that a frame kept for
// scrubbing costs what changed, and an update is what is not shared.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace windlass::server::observe {

struct Element {
  std::string key;
  std::string json;
  // Of what the JSON was made from, where that is cheaper to compare than to write; else 0.
  uint64_t stamp = 0;
};
using ElementPtr = std::shared_ptr<const Element>;
using Elements = std::vector<ElementPtr>;  // sorted by key, each once

struct Frame {
  Instant now{};
  double speed = 1;
  bool paused = false;
  Elements nodes, pods, scaled, models;
  std::string cost;  // JSON objects
  std::string controls;
  uint64_t newest_decision = 0;  // id; 0: none yet
};
using FramePtr = std::shared_ptr<const Frame>;

// Sorts by key and takes elements of `before` in place of equal ones.
void share(Elements& elements, const Elements& before);

// What a list of elements became.
struct Difference {
  Elements changed;               // new or other than before
  std::vector<std::string> gone;  // keys
};
Difference difference(const Elements& before, const Elements& after);

// Bytes that `frame` holds and `before` (may be null) does not.
size_t own_bytes(const Frame& frame, const Frame* before);

}  // namespace windlass::server::observe
