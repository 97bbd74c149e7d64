// Amounts of resources by name (cpu, memory, nvidia.com/gpu, pods, ...), as requests, limits,
// capacities and allocatables use them. Every amount is an int64 in thousandths of the resource's
// unit (cpu: millicores, memory: milli-bytes), saturating, so that sums are exact integers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace windlass::api {

inline constexpr std::string_view kCpu = "cpu";
inline constexpr std::string_view kMemory = "memory";
inline constexpr std::string_view kEphemeralStorage = "ephemeral-storage";
inline constexpr std::string_view kPods = "pods";
inline constexpr std::string_view kNvidiaGpu = "nvidia.com/gpu";

class ResourceList {
 public:
  using Entry = std::pair<std::string, int64_t>;  // name, milli-units

  ResourceList() = default;
  ResourceList(std::initializer_list<std::pair<std::string_view, int64_t>> entries);

  // 0 where the name is absent.
  [[nodiscard]] int64_t milli(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const;
  void set(std::string_view name, int64_t milli);
  void erase(std::string_view name);
  void reserve(size_t names) { entries_.reserve(names); }
  [[nodiscard]] size_t size() const { return entries_.size(); }
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  // Sorted by name.
  [[nodiscard]] auto begin() const { return entries_.begin(); }
  [[nodiscard]] auto end() const { return entries_.end(); }

  ResourceList& operator+=(const ResourceList& other);
  ResourceList& operator-=(const ResourceList& other);  // may go negative
  // Per name of `other` the larger of both.
  void raise_to(const ResourceList& other);
  // Every amount of this list is <= the total's; an amount of 0 fits where the name is absent.
  // A negative total fits nothing (Karpenter's resources.Fits).
  [[nodiscard]] bool fits(const ResourceList& total) const;
  bool operator==(const ResourceList&) const = default;

 private:
  std::vector<Entry> entries_;
};

ResourceList operator+(ResourceList a, const ResourceList& b);
ResourceList operator-(ResourceList a, const ResourceList& b);

// Whole units ("nvidia.com/gpu" 2000 milli -> 2), rounded up.
int64_t whole_units(int64_t milli);
// "cpu 3920m, memory 14481Mi, nvidia.com/gpu 1": for reasons and tables.
std::string to_string(const ResourceList& list);

}  // namespace windlass::api
