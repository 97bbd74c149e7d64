// A YAML text as a tree of nodes with their lines, before scalars are given types. The one place
// that knows the YAML library. Promises bounded depth and memory in proportion to the text: aliases
// point at what they repeat and are not copied.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace windlass {

struct YamlNode {
  enum class Kind { kNull, kScalar, kList, kMap, kAlias };
  Kind kind = Kind::kNull;
  std::string tag;   // "?" for a plain scalar, "!" for a quoted one, or the tag that was written
  std::string text;  // of a scalar
  // Elements of a list; of a map key, value, key, value...; of an alias the one it stands for.
  std::vector<const YamlNode*> items;
  int line = 0;  // 1-based
  int column = 0;
};

// What stops a document from being read.
struct YamlProblem {
  int line = 0;
  int column = 0;
  std::string text;
};

inline constexpr int kMaxYamlDepth = 256;

struct YamlTree {
  std::deque<YamlNode> nodes;          // owns them all; addresses are stable
  const YamlNode* root = nullptr;      // null: the text holds no value
  std::optional<YamlProblem> problem;  // the root is half-read then
};

// Reads one document. Its first line has the number `first_line` in the places.
YamlTree read_yaml_tree(std::string_view text, int first_line);

}  // namespace windlass
