// The small parts of a world that are no objects of the API, by name, and which of them changed: so
// that a program that is started again goes on where it was. What is lost is what a power cut would
// lose: requests under way, metrics, and the memory of controllers.
//
//   clock            now, how often the world was opened
//   cloud            counters, blocked types
//   instance/ID      each instance, also ended ones (the bill)
//   kubelet/NODE     images on the node
//   job/KEY          a declared training job's progress, up to its last checkpoint
//   totals           what counters go on from
//   controls         traffic factor, bursts, outage
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "api/json_reader.h"
#include "base/json.h"
#include "base/time.h"

namespace windlass::sim {

inline constexpr const char* kInstancePart = "instance/";
inline constexpr const char* kKubeletPart = "kubelet/";
inline constexpr const char* kJobPart = "job/";

// Nanoseconds since the epoch, as parts have their times; absent: nullopt.
std::optional<Instant> read_instant(const api::Reader& value);

class SavedParts {
 public:
  SavedParts();
  ~SavedParts();

  // What a former process told.
  void start_from(const std::map<std::string, Json>& saved);
  // What there is now; between begin() and take() every part that is still there must be set or
  // settled.
  void begin() { seen_.clear(); }
  void set(const std::string& name, Json value);
  // The part will never change again, nor go.
  void settle(const std::string& name) { settled_.insert(name); }
  [[nodiscard]] bool settled(const std::string& name) const { return settled_.contains(name); }
  // Parts that changed since the last call; null: removed.
  std::map<std::string, Json> take();

 private:
  std::map<std::string, Json> parts_;    // as last told
  std::map<std::string, Json> changed_;  // since
  std::set<std::string> seen_;
  std::set<std::string> settled_;
};

}  // namespace windlass::sim
