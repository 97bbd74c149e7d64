// Which colour stands for what, over the whole page: a policy or a node type has the same class in
// every chart, legend and table. The classes' values, light and dark, are in page_style.cc; they
// were chosen so that neighbours differ under the common colour-vision deficiencies too. Beyond the
// named colours lines are dashed, so colour is never the only sign.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "sim/run_result.h"

namespace windlass::report {

// A class per policy, in their order: "p0".."p5". The three standing policies own their colours
// (static p0, stock p1, windlass p2), so pages can be compared; others take what is left, and past
// six start over, dashed ("p3 dashed").
std::vector<std::string> policy_classes(const sim::ScenarioResult& result);

// One layer of the nodes chart: nodes of one instance type and capacity type.
struct NodeLayer {
  std::string label;              // "g4dn.xlarge spot"; "other types"
  std::string css;                // "n0 spot": the hue is the type's, spot is muted
  std::vector<std::string> keys;  // of ChartPoint::nodes_by_type
};

// The layers of all policies together, sorted by name. The six types with the most node time have a
// colour; the rest is one layer.
std::vector<NodeLayer> node_layers(const sim::ScenarioResult& result);

// What a known policy stands for, in a few words; empty for others.
std::string policy_meaning(const std::string& policy);

}  // namespace windlass::report
