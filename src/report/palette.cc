#include "report/palette.h"

#include <algorithm>
#include <array>
#include <set>

namespace windlass::report {
namespace {

constexpr size_t kPolicyColours = 6;
constexpr size_t kTypeColours = 6;
constexpr std::array<const char*, 3> kStanding = {"static", "stock", "windlass"};

std::string type_of(const std::string& key) { return key.substr(0, key.find(' ')); }

bool is_spot(const std::string& key) { return key.find(" spot") != std::string::npos; }

}  // namespace

std::vector<std::string> policy_classes(const sim::ScenarioResult& result) {
  std::vector<std::string> classes;
  std::set<size_t> taken;
  size_t next = kStanding.size();
  for (const sim::RunResult& run : result.policies) {
    const auto at = std::find(kStanding.begin(), kStanding.end(), run.policy);
    const auto slot = static_cast<size_t>(at - kStanding.begin());
    if (at != kStanding.end() && taken.insert(slot).second) {
      classes.push_back("p" + std::to_string(slot));
      continue;
    }
    const std::string css = "p" + std::to_string(next % kPolicyColours);
    classes.push_back(next < kPolicyColours ? css : css + " dashed");
    ++next;
  }
  return classes;
}

std::vector<NodeLayer> node_layers(const sim::ScenarioResult& result) {
  std::map<std::string, int64_t> time_of_type;
  std::set<std::string> keys;
  for (const sim::RunResult& run : result.policies) {
    for (const sim::ChartPoint& point : run.chart) {
      for (const auto& [key, nodes] : point.nodes_by_type) {
        if (nodes <= 0) continue;
        time_of_type[type_of(key)] += nodes;
        keys.insert(key);
      }
    }
  }
  std::vector<std::pair<int64_t, std::string>> by_time;
  for (const auto& [type, time] : time_of_type) by_time.emplace_back(-time, type);
  std::sort(by_time.begin(), by_time.end());
  std::map<std::string, size_t> slot_of_type;
  for (size_t i = 0; i < std::min(by_time.size(), kTypeColours); ++i) {
    slot_of_type[by_time[i].second] = 0;
  }
  size_t slot = 0;
  for (auto& [type, number] : slot_of_type) number = slot++;

  std::vector<NodeLayer> layers;
  NodeLayer other{"other types", "nx", {}};
  for (const std::string& key : keys) {
    const auto at = slot_of_type.find(type_of(key));
    if (at == slot_of_type.end()) {
      other.keys.push_back(key);
    } else {
      const std::string css = "n" + std::to_string(at->second);
      layers.push_back({key, is_spot(key) ? css + " spot" : css, {key}});
    }
  }
  if (!other.keys.empty()) layers.push_back(std::move(other));
  return layers;
}

std::string policy_meaning(const std::string& policy) {
  if (policy == "static") return "fixed nodes and replicas";
  if (policy == "stock") return "KEDA + HPA + Karpenter";
  if (policy == "windlass") return "replicas and nodes decided together";
  return "";
}

}  // namespace windlass::report
