#include "api/resources.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "base/quantity.h"

namespace windlass::api {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kMin = std::numeric_limits<int64_t>::min();

int64_t add(int64_t a, int64_t b) {
  int64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) return a > 0 ? kMax : kMin;
  return sum;
}

int64_t subtract(int64_t a, int64_t b) {
  int64_t difference = 0;
  if (__builtin_sub_overflow(a, b, &difference)) return b < 0 ? kMax : kMin;
  return difference;
}

auto find(auto& entries, std::string_view name) {
  return std::lower_bound(entries.begin(), entries.end(), name,
                          [](const auto& entry, std::string_view n) { return entry.first < n; });
}

// Both lists are sorted, so one pass joins them: combine(mine, theirs) per name, 0 if absent.
template <typename Combine>
void merge(std::vector<ResourceList::Entry>& mine, const ResourceList& theirs, Combine combine) {
  // Nearly always every name is already here; then nothing has to move.
  auto at = mine.begin();
  for (const auto& [name, milli] : theirs) {
    while (at != mine.end() && at->first < name) ++at;
    if (at == mine.end() || at->first != name) at = mine.emplace(at, name, 0);
    at->second = combine(at->second, milli);
  }
}

bool in_bytes(std::string_view name) {
  return name == kMemory || name == kEphemeralStorage || name.starts_with("hugepages-");
}

}  // namespace

ResourceList::ResourceList(std::initializer_list<std::pair<std::string_view, int64_t>> entries) {
  for (const auto& [name, milli] : entries) set(name, milli);
}

int64_t ResourceList::milli(std::string_view name) const {
  const auto at = find(entries_, name);
  return at != entries_.end() && at->first == name ? at->second : 0;
}

bool ResourceList::has(std::string_view name) const {
  const auto at = find(entries_, name);
  return at != entries_.end() && at->first == name;
}

void ResourceList::set(std::string_view name, int64_t milli) {
  const auto at = find(entries_, name);
  if (at != entries_.end() && at->first == name) {
    at->second = milli;
  } else {
    entries_.emplace(at, name, milli);
  }
}

void ResourceList::erase(std::string_view name) {
  const auto at = find(entries_, name);
  if (at != entries_.end() && at->first == name) entries_.erase(at);
}

ResourceList& ResourceList::operator+=(const ResourceList& other) {
  if (this == &other) return *this += ResourceList(other);
  merge(entries_, other, add);
  return *this;
}

ResourceList& ResourceList::operator-=(const ResourceList& other) {
  if (this == &other) return *this -= ResourceList(other);
  merge(entries_, other, subtract);
  return *this;
}

void ResourceList::raise_to(const ResourceList& other) {
  if (this == &other) return;
  merge(entries_, other, [](int64_t a, int64_t b) { return std::max(a, b); });
}

bool ResourceList::fits(const ResourceList& total) const {
  const bool overdrawn =
      std::ranges::any_of(total, [](const Entry& entry) { return entry.second < 0; });
  if (overdrawn) return false;
  return std::ranges::all_of(
      entries_, [&](const Entry& entry) { return entry.second <= total.milli(entry.first); });
}

ResourceList operator+(ResourceList a, const ResourceList& b) {
  a += b;
  return a;
}

ResourceList operator-(ResourceList a, const ResourceList& b) {
  a -= b;
  return a;
}

int64_t whole_units(int64_t milli) { return milli / 1000 + (milli % 1000 > 0 ? 1 : 0); }

std::string to_string(const ResourceList& list) {
  std::string out;
  for (const auto& [name, milli] : list) {
    const auto format = in_bytes(name) ? Quantity::Format::kBinarySI : Quantity::Format::kDecimalSI;
    if (!out.empty()) out += ", ";
    out += fmt::format("{} {}", name, Quantity::from_milli(milli, format).to_string());
  }
  return out;
}

}  // namespace windlass::api
