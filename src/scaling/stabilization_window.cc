#include "scaling/stabilization_window.h"

#include <algorithm>
#include <optional>

namespace windlass::scaling {
namespace {

// A slot whose wish no window needs any more is used again, so the memory never grows beyond the
// syncs of one window.
void remember(int32_t wish, Instant now, std::optional<size_t> outdated,
              std::vector<HpaMemory::Recommendation>& memory) {
  if (outdated) {
    memory[*outdated] = {now, wish};
  } else {
    memory.push_back({now, wish});
  }
}

}  // namespace

int32_t stabilize_down(int32_t wish, Duration window, Instant now,
                       std::vector<HpaMemory::Recommendation>& memory) {
  const Instant cutoff = now - window;
  int32_t largest = wish;
  std::optional<size_t> outdated;
  for (size_t i = 0; i < memory.size(); ++i) {
    if (memory[i].at < cutoff) {
      outdated = i;
    } else {
      largest = std::max(largest, memory[i].replicas);
    }
  }
  remember(wish, now, outdated, memory);
  return largest;
}

int32_t stabilize_both(int32_t wish, int32_t current, Duration up_window, Duration down_window,
                       Instant now, std::vector<HpaMemory::Recommendation>& memory) {
  const Instant up_cutoff = now - up_window;
  const Instant down_cutoff = now - down_window;
  int32_t smallest = wish;
  int32_t largest = wish;
  std::optional<size_t> outdated;
  for (size_t i = 0; i < memory.size(); ++i) {
    const auto& past = memory[i];
    // Strictly after, unlike the legacy window: with a window of 0 only the present wish counts.
    if (past.at > up_cutoff) smallest = std::min(smallest, past.replicas);
    if (past.at > down_cutoff) largest = std::max(largest, past.replicas);
    if (past.at < up_cutoff && past.at < down_cutoff) outdated = i;
  }
  remember(wish, now, outdated, memory);
  // In this order: smallest <= wish <= largest, so the second step never undoes the first.
  return std::min(std::max(current, smallest), largest);
}

}  // namespace windlass::scaling
